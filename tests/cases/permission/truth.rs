//! What random shell programs really do, compared with what the permission layer said of them.
//!
//! Each program that would run without a question is run in the sandbox under strace, and must have started
//! no program that its parts do not name, changed no file (unless a rule allows that), read nothing outside the workspace, and reached
//! for no network. `TERN_TRUTH_RUNS` sets how many are run; `TERN_TRUTH_SEED` where they begin.

mod generate;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tern::permissions::shell::{self, Word, wrap};
use tern::process::sandbox::{Confine, Policy, probe};
use tern::process::{self, Mark, Spec};
use tern::protocol::{Mode, Ruling};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::gate::{Rules, Stage};
use generate::{Programs, Random};

/// Calls that change the file system, by the beginning of their names; they count when they succeed.
const CHANGES: [&str; 17] = [
    "unlink",
    "rename",
    "mkdir",
    "rmdir",
    "link",
    "symlink",
    "chmod",
    "fchmod",
    "chown",
    "fchown",
    "lchown",
    "truncate",
    "utime",
    "futimesat",
    "setxattr",
    "removexattr",
    "mknod",
];

/// Calls that are wrong to try.
const ATTEMPTS: [&str; 8] = [
    "mount",
    "umount",
    "sethostname",
    "settimeofday",
    "clock_settime",
    "reboot",
    "swapon",
    "ptrace",
];

/// Rules of every second program; what they speak of may then write.
const RULES: [&str; 3] = ["Bash(touch *)", "Bash(mkdir *)", "Bash(tee *)"];
const RULED: [&str; 3] = ["touch", "mkdir", "tee"];

/// How many programs work on a project before it is made anew: rules let some change it.
const BATCH: u64 = 100;

#[test]
#[ignore = "takes minutes: run it by name"]
fn programs_do_what_was_said_of_them() {
    let strace = Path::new("/usr/bin/strace");
    if !strace.exists() {
        println!("SKIPPED programs_do_what_was_said_of_them: strace is not installed");
        return;
    }
    if !probe().read_only_inside {
        println!("SKIPPED programs_do_what_was_said_of_them: {}", probe().why);
        return;
    }
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (runs, seed) = (number("TERN_TRUTH_RUNS", 2000), number("TERN_TRUTH_SEED", 1));
    let mut random = Random::new(seed);
    let programs = Programs::here();
    let mut bench = Bench::new();
    let mut seen = BTreeSet::new();
    let (mut ran, mut asked, mut wrong) = (0, 0, Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while ran < runs {
        let script = programs.script(&mut random);
        let rules = if random.below(2) == 0 { RULES.as_slice() } else { &[] };
        if !seen.insert((script.clone(), rules.len())) {
            continue;
        }
        let command = bench.stage.fill(&script);
        let rules = Rules { allow: rules, ..Rules::default() };
        let verdict = bench.stage.command(Mode::Default, &rules, &command);
        if verdict.decision != Ruling::Allow {
            asked += 1;
            continue;
        }
        ran += 1;
        let log = runtime.block_on(bench.trace(&command));
        let faults = bench.faults(&command, &log, !rules.allow.is_empty());
        if !faults.is_empty() {
            wrong.push(format!("{command:?}\n    {}", faults.join("\n    ")));
        }
        if ran % BATCH == 0 {
            bench = Bench::new();
        }
    }
    println!(
        "{ran} programs run, {asked} asked about, {} readers, seed {seed}: {} did more than was said",
        programs.count(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A project, and a sandbox in which all of it, its home and a folder outside can be written to, so that
/// what should not be written shows.
struct Bench {
    stage: Stage,
    confine: Confine,
    mark: Mark,
    log: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let stage = Stage::new();
        let log = tempfile::tempdir().unwrap();
        let writable = vec![stage.home.clone(), stage.outside.clone(), log.path().to_owned()];
        let policy = Policy { writable, ..Policy::default() };
        let confine = Confine::new(probe(), policy).expect("a sandbox");
        Bench { stage, confine, mark: Mark::default(), log }
    }

    /// Runs it as the Bash tool does, and returns what strace wrote.
    async fn trace(&self, command: &str) -> String {
        let log = self.log.path().join("log");
        let _none_yet = std::fs::remove_file(&log);
        let mut argv: Vec<std::ffi::OsString> = vec!["/usr/bin/strace".into()];
        argv.extend(["-f", "-qq", "-y", "-s", "4096", "-e"].map(Into::into));
        argv.push(
            "trace=%process,%network,%file,fchmod,fchown,ftruncate,sethostname,settimeofday,\
             clock_settime,reboot,ptrace"
                .into(),
        );
        argv.extend(["-o".into(), log.clone().into(), "--".into()]);
        argv.extend(process::shell(command, None));
        let vars = std::env::vars_os().filter(|(name, _)| {
            !name.to_string_lossy().starts_with("GIT_") && name != "HOME" && name != "BASH_ENV"
        });
        let home = [("HOME".into(), self.stage.home.clone().into())];
        let spec = Spec {
            argv,
            cwd: self.stage.project.clone(),
            env: process::child_env(vars.chain(home), &[]),
            timeout: Duration::from_secs(2),
            spill: self.log.path().join("spill"),
            run: self.mark.next_run(),
            confine: Some(self.confine.clone()),
        };
        let (live, _keep) = mpsc::channel(1);
        process::run(&spec, &CancellationToken::new(), live).await.expect("strace starts");
        self.mark.kill_all();
        String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned()
    }

    /// `ruled`: with [`RULES`], under which the programs they name may write.
    fn faults(&self, command: &str, log: &str, ruled: bool) -> Vec<String> {
        let named = named(command, &self.stage.project);
        let may_write = ruled && RULED.iter().any(|name| named.contains(*name));
        let mut faults: Vec<String> =
            whole(log).iter().filter_map(|call| self.fault(call, &named, may_write)).collect();
        if log.is_empty() {
            faults.push("nothing was recorded".to_owned());
        }
        faults
    }

    /// What is wrong with one system call, if anything.
    fn fault(&self, call: &str, named: &BTreeSet<String>, may_write: bool) -> Option<String> {
        let (name, rest) = call.split_once('(')?;
        let succeeded = call.rsplit_once(" = ").is_some_and(|(_, result)| !result.starts_with('-'));
        let fault = |what: &str| Some(format!("{what}: {call}"));
        if matches!(name, "connect" | "sendto" | "bind") && rest.contains("sa_family=AF_INET") {
            return fault("network");
        }
        if ATTEMPTS.iter().any(|attempt| name.starts_with(attempt)) {
            return fault("tried");
        }
        if !succeeded {
            return None;
        }
        if name.starts_with("execve") {
            let path = rest.split('"').nth(1)?;
            let program = path.rsplit('/').next()?;
            let known = named.contains(program) || path.contains("/git-core/");
            return if known { None } else { fault("not named") };
        }
        if matches!(name, "open" | "openat" | "openat2" | "creat") {
            let path = call.rsplit_once(" = ")?.1.split_once('<')?.1.trim_end_matches('>');
            let path = Path::new(path);
            let writes = name == "creat"
                || ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                    .iter()
                    .any(|flag| rest.contains(flag));
            if writes && !may_write && !self.harmless(path) {
                return fault("written");
            }
            let secret = path.starts_with(&self.stage.outside)
                || path.starts_with(&self.stage.home) && !path.starts_with(&self.stage.project);
            // Looking whether a settings file is there is what programs do.
            let private = secret && path != self.stage.home && path.is_file();
            return if private { fault("read outside") } else { None };
        }
        let git_of_its_own = rest.contains("/.git/") || rest.contains(".git/index");
        if CHANGES.iter().any(|change| name.starts_with(change)) && !git_of_its_own && !may_write {
            return fault("changed");
        }
        None
    }

    /// Devices, pipes, git's own index (`git status` brings it up to date), and what bash puts a here-document in.
    fn harmless(&self, path: &Path) -> bool {
        path.starts_with("/dev")
            || path.to_string_lossy().starts_with("pipe:")
            || path.starts_with(self.stage.project.join(".git"))
            || path.to_string_lossy().starts_with("/tmp/sh-thd")
    }
}

/// The programs that the parts of a command name, wrappers included.
fn named(command: &str, cwd: &Path) -> BTreeSet<String> {
    let script = shell::read(command, cwd);
    let mut names: BTreeSet<String> = ["bash", "strace"].map(str::to_owned).into();
    for part in &script.parts {
        let core = wrap::core(&part.words);
        let wrappers = part.words.len() - core.len();
        let words = part.words.iter().take(wrappers + 1).filter_map(Word::literal);
        names.extend(words.filter_map(|word| word.rsplit('/').next().map(str::to_owned)));
    }
    // A script in front of grep on many systems.
    if names.contains("egrep") {
        names.insert("grep".to_owned());
    }
    names
}

/// The lines of a log without the number of the process, calls that were interrupted put together.
fn whole(log: &str) -> Vec<String> {
    let mut begun: std::collections::BTreeMap<&str, &str> = std::collections::BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(head) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(process, head);
        } else if let Some((_, tail)) =
            call.strip_prefix("<... ").and_then(|c| c.split_once(" resumed>"))
        {
            calls.push(begun.remove(process).unwrap_or_default().to_owned() + tail);
        } else {
            calls.push(call.to_owned());
        }
    }
    // What never came back may have happened.
    calls.extend(begun.into_values().map(|head| format!("{head}) = ?")));
    calls
}

/// The machinery must see what it is there to see.
#[test]
fn what_goes_beyond_is_seen() {
    if !Path::new("/usr/bin/strace").exists() || !probe().read_only_inside {
        println!("SKIPPED what_goes_beyond_is_seen: it needs strace and bubblewrap");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (command, fault) in [
        ("cat list; echo x | wc -l; git status; ls > /dev/null; cat <<E\nx\nE", None),
        ("ls > mark", Some("written")),
        ("touch mark2", Some("written")),
        ("rm mark", Some("changed")),
        ("chmod +x list", Some("changed")),
        ("cat ../notes/a.md", Some("read outside")),
        ("cat {O}/secret.txt", Some("read outside")),
        ("X=cat; $X list", Some("not named")),
        ("exec 3<>/dev/tcp/127.0.0.1/9", Some("network")),
        ("(sleep 0.2; echo x > late) & echo", Some("written")),
    ] {
        let bench = Bench::new();
        let command = bench.stage.fill(command);
        std::fs::write(bench.stage.project.join("mark"), "").unwrap();
        let log = runtime.block_on(bench.trace(&command));
        let faults = bench.faults(&command, &log, false);
        let seen = faults.iter().any(|found| fault.is_some_and(|fault| found.starts_with(fault)));
        assert_eq!(seen, fault.is_some(), "{command}: {faults:#?}");
        assert!(fault.is_some() || faults.is_empty(), "{command}: {faults:#?}");
    }
}
