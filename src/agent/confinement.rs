//! The sandbox of a session, as the settings want it and the machine has it.

use std::path::{Path, PathBuf};

use crate::agent::Setup;
use crate::config::SandboxMode;
use crate::process::sandbox::{self, Confine, Kind, Policy};
use crate::protocol::Held;
use crate::tools::Confinement;

/// What commands are held to, and what the person should know about it. Trying a sandbox out starts
/// a process, so it happens only where one is wanted.
pub async fn of(setup: &Setup) -> (Confinement, Option<String>) {
    let mode = setup.sandbox.mode;
    if mode == SandboxMode::Off {
        return (Confinement::None, None);
    }
    let policy = policy(setup);
    let made = tokio::task::spawn_blocking(move || Confine::new(sandbox::probe(), policy)).await;
    let why = match made {
        Ok(Ok(confine)) => return (Confinement::In(confine), None),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "looking for a sandbox failed".to_owned(),
    };
    match mode {
        SandboxMode::Required => {
            let refusal = format!("no command runs, as sandbox.mode is required: {why}");
            (Confinement::Refused(refusal.clone()), Some(refusal))
        }
        SandboxMode::Auto | SandboxMode::Off => {
            (Confinement::None, Some(format!("Commands run without a sandbox: {why}")))
        }
    }
}

/// Whether the sandbox keeps commands from everything outside the project, from the network and
/// from all that is protected inside.
pub fn holds(confinement: &Confinement) -> bool {
    match confinement {
        Confinement::In(confine) => {
            confine.available().kind == Kind::Bubblewrap
                && !confine.policy().network
                && confine.gaps().is_empty()
        }
        Confinement::None | Confinement::Refused(_) => false,
    }
}

/// Whether commands run without the network, and could be let out to it.
pub fn cuts_network(confinement: &Confinement) -> bool {
    match confinement {
        Confinement::In(confine) => !confine.policy().network,
        Confinement::None | Confinement::Refused(_) => false,
    }
}

/// How it stands, for the status line.
pub fn held(setup: &Setup, confinement: &Confinement) -> Held {
    match confinement {
        Confinement::In(confine) if confine.available().read_only_inside => Held::Held,
        Confinement::In(_) => Held::Partly,
        Confinement::None if setup.sandbox.mode == SandboxMode::Off => Held::Off,
        Confinement::None | Confinement::Refused(_) => Held::Missing,
    }
}

/// A few words for the dialog. That there is none is said as well.
pub fn badge(confinement: &Confinement) -> String {
    match confinement {
        Confinement::None => "none".to_owned(),
        Confinement::In(confine) => confine.words(),
        Confinement::Refused(_) => "required and not there, so no command runs".to_owned(),
    }
}

/// The project, the temporary folders and what the person adds can be written; what decides about
/// the project or belongs to tern cannot.
fn policy(setup: &Setup) -> Policy {
    let home = &setup.place.home;
    let repository = sandbox::repository(&setup.cwd);
    let mut writable = vec![setup.cwd.clone(), std::env::temp_dir(), PathBuf::from("/tmp")];
    writable.extend(repository.writable);
    writable.extend(setup.rules.additional.iter().cloned());
    writable.extend(setup.sandbox.writable.iter().map(|dir| expand(dir, home, &setup.cwd)));
    let mut read_only = repository.read_only;
    read_only.extend([".tern", ".claude"].map(|name| setup.cwd.join(name)));
    read_only.extend(setup.rules.own.iter().cloned());
    Policy {
        writable,
        read_only,
        watched: repository.watched,
        // Saved keys, sessions and money are nobody's business but tern's.
        hidden: setup.places.sessions.parent().map(Path::to_owned).into_iter().collect(),
        network: setup.sandbox.network,
    }
}

fn expand(dir: &str, home: &Path, cwd: &Path) -> PathBuf {
    match dir.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => cwd.join(dir),
    }
}
