//! Ending processes: a command and everything it started.
//!
//! A command runs in a session of its own, so one signal reaches its whole group. What left the
//! group (`setsid`, a shell's own jobs) is found on Linux by the session number and by a name in
//! its environment that every process of a run inherits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The variable that carries the name.
pub(super) const VARIABLE: &str = "TERN_RUN";

/// The name of a session's processes. Dropping it kills those that are left.
#[derive(Debug)]
pub struct Mark {
    name: String,
    runs: AtomicU64,
    /// Marks that were made of this one.
    parts: AtomicU64,
    /// The name of the first of its kind: the session's own.
    root: String,
}

impl Default for Mark {
    fn default() -> Mark {
        let name = uuid::Uuid::now_v7().simple().to_string();
        Mark { root: name.clone(), name, runs: AtomicU64::new(0), parts: AtomicU64::new(0) }
    }
}

impl Mark {
    /// One for a part of the session, whose end leaves the rest alone. Whoever kills what bears
    /// this mark also kills what bears that one.
    #[must_use]
    pub fn part(&self) -> Mark {
        let number = self.parts.fetch_add(1, Ordering::Relaxed) + 1;
        Mark {
            name: format!("{}-part{number}", self.name),
            root: self.root.clone(),
            runs: AtomicU64::new(0),
            parts: AtomicU64::new(0),
        }
    }

    /// The name of one more run.
    pub fn next_run(&self) -> String {
        format!("{}-{}", self.name, self.runs.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What the name of every run of the whole session begins with.
    pub(super) fn prefix(&self) -> String {
        format!("{}-", self.root)
    }

    /// Kills everything that this session started and that is still there.
    pub fn kill_all(&self) {
        if self.runs.load(Ordering::Relaxed) > 0 {
            sweep(&Whose { leader: None, run: format!("{}-", self.name), whole: false });
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// Which processes are meant.
#[derive(Debug, Clone)]
pub(super) struct Whose {
    /// The first process of the run: also the number of its group and session.
    pub leader: Option<u32>,
    pub run: String,
    /// `run` is a whole name; else its beginning.
    pub whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Interrupt,
    Terminate,
    Kill,
}

/// Each signal, and how long its effect is waited for.
pub(super) const ORDER: [(Signal, Duration); 3] = [
    (Signal::Interrupt, Duration::from_millis(500)),
    (Signal::Terminate, Duration::from_millis(700)),
    (Signal::Kill, Duration::from_secs(2)),
];

/// SIGKILL to all that are meant, again until none is left (a process may fork meanwhile).
pub(super) fn sweep(whose: &Whose) {
    for _ in 0..20 {
        let left = alive(whose);
        if left.is_empty() {
            return;
        }
        left.iter().for_each(|pid| signal_one(*pid));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
fn to_rustix(signal: Signal) -> rustix::process::Signal {
    match signal {
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Terminate => rustix::process::Signal::TERM,
        Signal::Kill => rustix::process::Signal::KILL,
    }
}

#[cfg(unix)]
fn pid(number: u32) -> Option<rustix::process::Pid> {
    i32::try_from(number).ok().filter(|n| *n > 1).and_then(rustix::process::Pid::from_raw)
}

/// To every member of the group.
#[cfg(unix)]
pub(super) fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = pid(leader) {
        // A group that has ended in the meantime is what was wanted.
        let _ = rustix::process::kill_process_group(pid, to_rustix(signal));
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn signal_one(leader: u32) {
    signal_group(leader, Signal::Kill);
}

#[cfg(target_os = "linux")]
fn signal_one(number: u32) {
    if let Some(pid) = pid(number) {
        let _ = rustix::process::kill_process(pid, to_rustix(Signal::Kill));
    }
}

#[cfg(not(unix))]
pub(super) fn signal_group(_leader: u32, _signal: Signal) {}

#[cfg(not(unix))]
fn signal_one(_number: u32) {}

/// The processes meant that run, zombies left out.
#[cfg(target_os = "linux")]
pub(super) fn alive(whose: &Whose) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let me = std::process::id();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != me && meant(*pid, whose))
        .collect()
}

#[cfg(target_os = "linux")]
fn meant(pid: u32, whose: &Whose) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name, in brackets, may hold anything; the fields that matter come after it.
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next();
    let session = fields.nth(2).and_then(|field| field.parse::<u32>().ok());
    if matches!(state, None | Some("Z" | "X" | "x")) {
        return false;
    }
    if whose.leader.is_some() && session == whose.leader {
        return true;
    }
    let Ok(environ) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    environ.split(|b| *b == 0).any(|entry| {
        let Some(value) =
            entry.strip_prefix(VARIABLE.as_bytes()).and_then(|r| r.strip_prefix(b"="))
        else {
            return false;
        };
        if whose.whole {
            value == whose.run.as_bytes()
        } else {
            value.starts_with(whose.run.as_bytes())
        }
    })
}

/// Whether it is the first process of a process namespace of its own: the sandbox's, there as long
/// as the command or something that it left.
#[cfg(target_os = "linux")]
pub(super) fn is_init(pid: u32) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    numbers.split_ascii_whitespace().skip(1).last() == Some("1")
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_init(_pid: u32) -> bool {
    false
}

/// Elsewhere only the group can be asked after.
#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn alive(whose: &Whose) -> Vec<u32> {
    let group = whose.leader.and_then(|leader| Some((leader, pid(leader)?)));
    match group {
        Some((leader, pid)) if rustix::process::test_kill_process_group(pid).is_ok() => {
            vec![leader]
        }
        _ => Vec::new(),
    }
}

#[cfg(not(unix))]
pub(super) fn alive(_whose: &Whose) -> Vec<u32> {
    Vec::new()
}
