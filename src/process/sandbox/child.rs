//! What the child does between fork and exec.

use std::io::Error;
use std::os::fd::OwnedFd;

use landlock::{RulesetCreated, RulesetStatus};
use rustix::io::FdFlags;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use seccompiler::BpfProgram;

/// Everything compiled and opened before the fork.
#[derive(Debug)]
pub(super) enum Setup {
    /// A descriptor, closed on exec until then, that bubblewrap reads its filter from.
    Hand(OwnedFd),
    Nothing,
    Restrict {
        ruleset: RulesetCreated,
        filter: Option<BpfProgram>,
    },
}

impl Setup {
    #[expect(unsafe_code, reason = "the one place where code runs between fork and exec")]
    pub(super) fn prepare(self, command: &mut tokio::process::Command) {
        match self {
            Setup::Nothing => {}
            // SAFETY: between fork and exec of a program with threads only async-signal-safe
            // calls are allowed. This is one fcntl on a descriptor that the closure owns; making
            // an error of its number allocates nothing.
            Setup::Hand(file) => unsafe {
                command.pre_exec(move || Ok(rustix::io::fcntl_setfd(&file, FdFlags::empty())?));
            },
            // SAFETY: as above. The ruleset and the filter were made before the fork; what is left
            // are the system calls prctl, landlock_restrict_self, close, capset and seccomp, and
            // values on the stack. Their errors carry a number and no heap memory.
            Setup::Restrict { ruleset, filter } => {
                let mut ruleset = Some(ruleset);
                unsafe {
                    command.pre_exec(move || restrict(&mut ruleset, filter.as_deref()));
                }
            }
        }
    }
}

/// Any doubt is an error, and with an error nothing is started.
fn restrict(
    ruleset: &mut Option<RulesetCreated>,
    filter: Option<seccompiler::BpfProgramRef<'_>>,
) -> std::io::Result<()> {
    let refused = || Error::from_raw_os_error(libc::EPERM);
    // Used up by an earlier start.
    let ruleset = ruleset.take().ok_or_else(refused)?;
    let status = ruleset.restrict_self().map_err(|_| refused())?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(refused());
    }
    drop_rights()?;
    match filter {
        Some(filter) => seccompiler::apply_filter(filter).map_err(|_| refused()),
        None => Ok(()),
    }
}

/// When tern runs as root: rights that go past Landlock, such as reading the memory and environment
/// of other processes, making devices, and changing the system. Root may go on working on the
/// files of others. With no new privileges allowed (Landlock has seen to that) they do not come
/// back with the next program.
fn drop_rights() -> std::io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let had = rustix::thread::capabilities(None)?;
    let kept = had.permitted & CapabilitySet::DAC_OVERRIDE;
    let inheritable = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable })?)
}
