//! The second rung: Landlock for files, seccomp for the network.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use crate::process::sandbox::child::Setup;
use crate::process::sandbox::filter::{self, Sockets};
use crate::process::sandbox::layout::Layout;
use crate::process::sandbox::{Policy, SandboxError, Wrapped};

/// Linux 6.2: the first that also controls truncation. Without it a command could empty any file.
const LEAST: ABI = ABI::V3;
/// What was tried; the crate leaves out what the kernel does not know. Connecting to sockets, new
/// with 9, is not asked for: with the network off there are none, with it on they are meant.
const BEST: ABI = ABI::V8;

/// Devices that harmless programs write to.
const DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];
/// Shared memory, which many programs need, lies in a folder like any temporary one.
const SHARED_MEMORY: &str = "/dev/shm";
/// Entries of folders that are gone through to leave a hidden one out.
const MOST: usize = 20_000;

/// Whether rulesets can be made here, or why not.
pub(super) fn probe() -> Result<(), String> {
    match base(false) {
        Ok(_) => Ok(()),
        Err(_) => Err("Landlock is too old or not there (it needs Linux 6.2)".to_owned()),
    }
}

pub(super) fn wrap(
    argv: &[OsString],
    layout: &Layout,
    policy: &Policy,
) -> Result<Wrapped, SandboxError> {
    let failed = |error: &dyn std::fmt::Display| SandboxError::Setup(format!("Landlock: {error}"));
    let mut ruleset = base(!layout.hidden.is_empty()).map_err(|e| failed(&e))?;
    // A device made by root would be a door to the whole disk.
    let devices = AccessFs::MakeBlock | AccessFs::MakeChar;
    let writing = (AccessFs::from_write(BEST) & !devices) | AccessFs::ReadFile;
    for path in layout.writable.iter().filter(|path| layout.is_writable(path)) {
        ruleset = allow(ruleset, path, writing).map_err(|e| failed(&e))?;
    }
    for path in DEVICES.into_iter().chain([SHARED_MEMORY]).map(Path::new) {
        if path.exists() {
            ruleset = allow(ruleset, path, writing).map_err(|e| failed(&e))?;
        }
    }
    let gaps = layout.gaps(false);
    if !layout.hidden.is_empty() {
        let mut left = MOST;
        for path in readable(Path::new("/"), layout, &mut left) {
            ruleset = allow(ruleset, &path, AccessFs::ReadFile.into()).map_err(|e| failed(&e))?;
        }
        if left == 0 {
            let text = "the folders around a hidden file hold too much to go through";
            return Err(SandboxError::Setup(text.to_owned()));
        }
    }
    let sockets = if policy.network { Sockets::All } else { Sockets::Pairs };
    let filter = match filter::program(sockets) {
        Ok(filter) => Some(filter),
        // With the network on the filter is an extra; `Confine::new` refuses the other case.
        Err(_) if policy.network => None,
        Err(why) => return Err(SandboxError::Setup(why)),
    };
    Ok(Wrapped { argv: argv.to_vec(), gaps, setup: Setup::Restrict { ruleset, filter } })
}

/// A ruleset that forbids all writing and, with `reading`, reading of files.
fn base(reading: bool) -> Result<RulesetCreated, RulesetError> {
    let needed = AccessFs::from_write(LEAST);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(needed)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(BEST))?
        .scope(Scope::from_all(BEST))?;
    if reading {
        ruleset = ruleset.handle_access(AccessFs::ReadFile)?;
    }
    ruleset.create()
}

/// A path that is gone or out of reach gets no right.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(file) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(BEST) };
    ruleset.add_rule(PathBeneath::new(file, access))
}

/// What may be read: everything but what is hidden, so each entry of each folder above a hidden
/// one, without the devices. Links are left out, since the right hangs on where they lead. `left`
/// ends at 0 when there is too much.
fn readable(folder: &Path, layout: &Layout, left: &mut usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        *left = left.saturating_sub(1);
        if *left == 0 {
            break;
        }
        let path = entry.path();
        if path == Path::new("/dev") || layout.hidden.contains(&path) {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            continue;
        }
        if layout.hidden.iter().any(|hidden| hidden.starts_with(&path)) {
            found.extend(readable(&path, layout, left));
        } else {
            found.push(path);
        }
    }
    found
}
