//! What this machine can hold a command with, and how to say it.

use std::path::PathBuf;
use std::sync::OnceLock;

/// What was found, best first. See the module's own page for what each gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bubblewrap,
    Landlock,
    Seatbelt,
    None,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bubblewrap => "bubblewrap",
            Kind::Landlock => "Landlock",
            Kind::Seatbelt => "seatbelt",
            Kind::None => "none",
        }
    }
}

/// The result of [`probe`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    pub kind: Kind,
    /// A part of a sentence, without a full stop: what it is, or why there is nothing better.
    pub why: String,
    /// Whether the network can be cut.
    pub network: bool,
    /// Whether protected paths inside writable folders hold.
    pub read_only_inside: bool,
    /// The program that makes the sandbox, where one does.
    pub(crate) program: Option<PathBuf>,
    /// Whether cutting the network leaves the sandbox a loopback network of its own.
    pub(crate) own_network: bool,
}

impl Available {
    pub fn none(why: impl Into<String>) -> Available {
        Available {
            kind: Kind::None,
            why: why.into(),
            network: false,
            read_only_inside: false,
            program: None,
            own_network: false,
        }
    }

    /// For the status line: `sandbox: bubblewrap, network off`, or that there is none and why.
    /// `network` as in [`Policy`](super::Policy).
    pub fn badge(&self, network: bool) -> String {
        match self.kind {
            Kind::None => format!("no sandbox: {}", self.why),
            _ => format!("sandbox: {}", self.words(network)),
        }
    }

    /// The same where the word sandbox stands already: `bubblewrap, network off`.
    pub fn words(&self, network: bool) -> String {
        if self.kind == Kind::None {
            return format!("none, {}", self.why);
        }
        let network = match (network, self.network) {
            (true, _) => "network on",
            (false, true) => "network off",
            (false, false) => "network cannot be cut",
        };
        let weaker = if self.read_only_inside { "" } else { ", protected files only watched" };
        format!("{}, {network}{weaker}", self.kind.name())
    }
}

/// Finds out by trying. The first call takes some 20 ms (it runs a program) and blocks; the answer
/// is kept for the life of the process, since machines do not change theirs.
pub fn probe() -> &'static Available {
    static FOUND: OnceLock<Available> = OnceLock::new();
    FOUND.get_or_init(find)
}

#[cfg(target_os = "linux")]
fn find() -> Available {
    use super::{bubblewrap, filter, landlock};
    let filtered = filter::program(filter::Sockets::Pairs).map(|_| ());
    let no_bubblewrap = match bubblewrap::probe() {
        Ok(found) => return found.available(filtered.is_ok()),
        Err(why) => why,
    };
    match landlock::probe() {
        Ok(()) => Available {
            kind: Kind::Landlock,
            network: filtered.is_ok(),
            ..Available::none(match filtered {
                Ok(()) => no_bubblewrap,
                Err(why) => format!("{no_bubblewrap}, and {why}"),
            })
        },
        Err(no_landlock) => Available::none(format!("{no_bubblewrap} and {no_landlock}")),
    }
}

#[cfg(target_os = "macos")]
fn find() -> Available {
    let program = PathBuf::from(super::seatbelt::PROGRAM);
    if !program.exists() {
        return Available::none(format!("{} is not there", program.display()));
    }
    Available {
        kind: Kind::Seatbelt,
        network: true,
        read_only_inside: true,
        program: Some(program),
        ..Available::none("untested on macOS")
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn find() -> Available {
    Available::none("there is none for this platform")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_say_what_holds() {
        let none = Available::none("bubblewrap is not installed and Landlock is too old");
        let landlock = Available { kind: Kind::Landlock, network: true, ..none.clone() };
        let weak = Available { network: false, ..landlock.clone() };
        let full = Available { kind: Kind::Bubblewrap, read_only_inside: true, ..landlock.clone() };
        for (available, network, expected) in [
            (&none, false, "no sandbox: bubblewrap is not installed and Landlock is too old"),
            (&full, false, "sandbox: bubblewrap, network off"),
            (&full, true, "sandbox: bubblewrap, network on"),
            (&landlock, false, "sandbox: Landlock, network off, protected files only watched"),
            (
                &weak,
                false,
                "sandbox: Landlock, network cannot be cut, protected files only watched",
            ),
        ] {
            assert_eq!(available.badge(network), expected);
        }
    }
}
