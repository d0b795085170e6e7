//! The seccomp filter: what namespaces and Landlock leave open.
//!
//! It refuses (EPERM) kernel keys, which know no namespaces; typing into a terminal by ioctl; and,
//! with the network off, sockets, and io_uring, which makes sockets past any filter. Everything
//! else is allowed: what may be touched is the business of the layers below. A program for another
//! architecture, for which the numbers mean other calls, is killed.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Which sockets a command may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sockets {
    All,
    /// Those that a network namespace separates. Not vsock, which reaches the host of a virtual
    /// machine, nor the rarer families.
    Separated,
    /// None but pairs of its own.
    Pairs,
}

/// The numbers of x32, a second way to call the same kernel.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// The filter, or why this machine has none.
pub(super) fn program(sockets: Sockets) -> Result<BpfProgram, String> {
    build(sockets).map_err(|error| format!("the seccomp filter cannot be made ({error})"))
}

fn build(sockets: Sockets) -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut refuse = |call: i64, rule: Vec<SeccompRule>| {
        #[cfg(target_arch = "x86_64")]
        rules.insert(call | X32, rule.clone());
        rules.insert(call, rule);
    };
    for call in [libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl] {
        refuse(call, Vec::new());
    }
    let typing = || argument(1, SeccompCmpOp::Eq, libc::TIOCSTI).and_then(|is| rule(vec![is]));
    refuse(libc::SYS_ioctl, vec![typing()?]);
    #[cfg(target_arch = "x86_64")]
    refuse(X32 | 514, vec![typing()?]); // ioctl has a number of its own there
    if sockets != Sockets::All {
        for call in
            [libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register]
        {
            refuse(call, Vec::new());
        }
    }
    match sockets {
        Sockets::All => {}
        Sockets::Pairs => refuse(libc::SYS_socket, Vec::new()),
        Sockets::Separated => {
            let other = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]
                .into_iter()
                .map(|family| argument(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())))
                .collect::<Result<_, _>>()?;
            refuse(libc::SYS_socket, vec![rule(other)?]);
        }
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let eperm = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, eperm, arch)?.try_into()?)
}

type Built<T> = Result<T, seccompiler::BackendError>;

/// The kernel looks at the lower half of these arguments only.
fn argument(index: u8, operator: SeccompCmpOp, value: u64) -> Built<SeccompCondition> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)
}

/// All the conditions together.
fn rule(conditions: Vec<SeccompCondition>) -> Built<SeccompRule> {
    SeccompRule::new(conditions)
}

/// As the kernel has it: an array of `struct sock_filter`.
pub(super) fn bytes(program: &BpfProgram) -> Vec<u8> {
    program
        .iter()
        .flat_map(|one| {
            let [c0, c1] = one.code.to_ne_bytes();
            let [k0, k1, k2, k3] = one.k.to_ne_bytes();
            [c0, c1, one.jt, one.jf, k0, k1, k2, k3]
        })
        .collect()
}
