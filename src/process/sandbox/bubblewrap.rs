//! The first rung: bubblewrap gives the command a view of the file system of its own.

use std::ffi::OsString;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::process::sandbox::child::Setup;
use crate::process::sandbox::filter::{self, Sockets};
use crate::process::sandbox::layout::Layout;
use crate::process::sandbox::stubs::{self, Stubs};
use crate::process::sandbox::{Available, Kind, Policy, SandboxError, Wrapped, sockets};

/// Where it may be. `PATH` is not asked: it may name folders that a command can write to.
const PLACES: [&str; 5] = [
    "/usr/bin/bwrap",
    "/bin/bwrap",
    "/usr/local/bin/bwrap",
    "/run/wrappers/bin/bwrap",
    "/run/current-system/sw/bin/bwrap",
];

/// All rights of root go, also when tern runs as root: one of them lets a command take the mounts
/// away again. Not `--die-with-parent`: it means the thread that forked, and a runtime's threads
/// come and go. Not `--new-session`: every command has a session of its own already.
const ALWAYS: [&str; 13] = [
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-cgroup-try",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
];
/// For root: the settings of the kernel under `/proc/sys` belong to root in any namespace.
const CLOSED_PROC: [&str; 2] = ["--remount-ro", "/proc"];
const NO_NETWORK: &str = "--unshare-net";

fn always() -> impl Iterator<Item = &'static str> {
    let root = rustix::process::geteuid().is_root();
    ALWAYS.into_iter().chain(CLOSED_PROC.into_iter().filter(move |_| root))
}

#[derive(Debug)]
pub(super) struct Found {
    program: PathBuf,
    own_network: bool,
}

impl Found {
    pub(super) fn available(self, filtered: bool) -> Available {
        Available {
            kind: Kind::Bubblewrap,
            network: self.own_network || filtered,
            read_only_inside: true,
            own_network: self.own_network,
            program: Some(self.program.clone()),
            ..Available::none(self.program.to_string_lossy())
        }
    }
}

/// Runs it once: being installed means little where user namespaces are forbidden.
pub(super) fn probe() -> Result<Found, String> {
    let Some(program) = PLACES.into_iter().map(PathBuf::from).find(|path| path.exists()) else {
        return Err("bubblewrap is not installed".to_owned());
    };
    let run = |more: &[&str]| {
        let mut command = Command::new(&program);
        command.args(always()).args(more).args(["--", "/bin/sh", "-c", "exit 0"]);
        attempt(command)
    };
    match run(&[NO_NETWORK]) {
        Ok(()) => Ok(Found { program, own_network: true }),
        // A network of its own is the part that containers forbid most; the filter cuts as well.
        Err(_) => match run(&[]) {
            Ok(()) => Ok(Found { program, own_network: false }),
            Err(why) => Err(format!("bubblewrap does not work here ({why})")),
        },
    }
}

fn attempt(mut command: Command) -> Result<(), String> {
    let mut child = command
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < Duration::from_secs(5) => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("it did not end within 5 seconds".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    if status.success() {
        return Ok(());
    }
    let mut said = Vec::new();
    if let Some(errors) = child.stderr {
        let _ = errors.take(300).read_to_end(&mut said);
    }
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().next().unwrap_or_default().trim_start_matches("bwrap: ");
    Err(if first.is_empty() { status.to_string() } else { first.to_owned() })
}

pub(super) fn wrap(
    argv: &[OsString],
    mut layout: Layout,
    policy: &Policy,
    available: &Available,
    stubs: &Stubs,
) -> Result<Wrapped, SandboxError> {
    let setup = |error: &dyn std::fmt::Display| SandboxError::Setup(error.to_string());
    let Some(program) = &available.program else {
        return Err(setup(&"bubblewrap was not found"));
    };
    let mut gaps = layout.gaps(true);
    let left_over = layout.read_only.iter().filter(|path| stubs::is_stub(path));
    for path in layout.absent.iter().chain(left_over) {
        stubs.hold(path).map_err(|error| setup(&format!("{}: {error}", path.display())))?;
    }
    let made = std::mem::take(&mut layout.absent).into_iter().filter(|path| path.exists());
    layout.read_only.extend(made);

    let (own, sockets) = match (policy.network, available.own_network) {
        (true, _) => (false, Sockets::All),
        (false, true) => (true, Sockets::Separated),
        (false, false) => (false, Sockets::Pairs),
    };
    let mut covered = Covered::default();
    if sockets == Sockets::Separated {
        let (folders, single, left) = sockets::covers(sockets::listening());
        covered = Covered { folders, single };
        gaps.extend(left);
    }
    let filter = match filter::program(sockets) {
        Ok(filter) => Some(in_memory(&filter::bytes(&filter)).map_err(|e| setup(&e))?),
        // The namespaces hold without it; where it alone cuts the network it must be there.
        Err(_) if sockets != Sockets::Pairs => None,
        Err(why) => return Err(SandboxError::Setup(why)),
    };

    let mut words: Vec<OsString> = vec![program.into()];
    words.extend(always().map(OsString::from));
    if own {
        words.push(NO_NETWORK.into());
    }
    words.extend(mounts(&layout, &covered));
    if let Some(filter) = &filter {
        words.extend(["--seccomp".into(), filter.as_raw_fd().to_string().into()]);
    }
    words.push("--".into());
    words.extend(argv.iter().cloned());
    Ok(Wrapped { argv: words, gaps, setup: filter.map_or(Setup::Nothing, Setup::Hand) })
}

/// Sockets that must not be reached.
#[derive(Debug, Default)]
struct Covered {
    folders: Vec<PathBuf>,
    single: Vec<PathBuf>,
}

/// In the order in which they must be made where they are at the same path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mount {
    Writable,
    ReadOnly,
    EmptyFolder,
    EmptyFile,
}

/// A mount covers what lies below, so those further up come first.
fn mounts(layout: &Layout, covered: &Covered) -> Vec<OsString> {
    let empty = |path: &PathBuf| match path.is_dir() {
        true => (path.clone(), Mount::EmptyFolder),
        false => (path.clone(), Mount::EmptyFile),
    };
    let with = |mount| move |path: &PathBuf| (path.clone(), mount);
    let mut all: Vec<(PathBuf, Mount)> = Vec::new();
    all.extend(layout.writable.iter().chain(&layout.pinned).map(with(Mount::Writable)));
    all.extend(layout.read_only.iter().map(with(Mount::ReadOnly)));
    all.extend(layout.hidden.iter().map(empty));
    all.extend(covered.folders.iter().map(with(Mount::EmptyFolder)));
    all.extend(covered.single.iter().map(with(Mount::EmptyFile)));
    all.sort_by_cached_key(|(path, mount)| (path.components().count(), path.clone(), *mount));
    all.dedup();

    let mut words: Vec<OsString> = Vec::new();
    let mut closed: Vec<&Path> = Vec::new();
    for (path, mount) in &all {
        match mount {
            Mount::Writable => words.extend(["--bind".into(), path.into(), path.into()]),
            Mount::ReadOnly => words.extend(["--ro-bind".into(), path.into(), path.into()]),
            Mount::EmptyFile => words.extend(["--ro-bind".into(), "/dev/null".into(), path.into()]),
            Mount::EmptyFolder => {
                words.extend(["--tmpfs".into(), path.into()]);
                closed.push(path);
            }
        }
    }
    // At the end, because a writable folder may lie below a hidden one.
    for path in closed {
        words.extend(["--remount-ro".into(), path.into()]);
    }
    words
}

/// A file that is only a descriptor, at its beginning.
fn in_memory(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let mut file = std::fs::File::from(memfd_create("filter", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_go_from_the_top_down_and_protection_wins() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let at = |name: &str| top.join(name);
        std::fs::create_dir(at("keys")).unwrap();
        let layout = Layout {
            writable: [at("p"), top.clone(), at("keys/work")].into(),
            pinned: [at("p/.git"), at("p")].into(),
            read_only: [at("p/.git/hooks"), at("p/.tern")].into(),
            hidden: [at("keys"), at("secret")].into(),
            ..Layout::default()
        };
        let covered = Covered { folders: vec![at("run")], single: vec![at("p/sock")] };
        let line: Vec<String> = mounts(&layout, &covered)
            .iter()
            .map(|word| word.to_str().unwrap().replace(top.to_str().unwrap(), "T"))
            .collect();
        let expected = "--bind T T --tmpfs T/keys --bind T/p T/p --tmpfs T/run \
                        --ro-bind /dev/null T/secret --bind T/keys/work T/keys/work \
                        --bind T/p/.git T/p/.git --ro-bind T/p/.tern T/p/.tern \
                        --ro-bind /dev/null T/p/sock --ro-bind T/p/.git/hooks T/p/.git/hooks \
                        --remount-ro T/keys --remount-ro T/run";
        assert_eq!(line.join(" "), expected);
    }
}
