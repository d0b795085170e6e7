//! What a command is held to, and the command line that holds it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use crate::process::sandbox::layout::Layout;
use crate::process::sandbox::{Available, Kind};

#[cfg(target_os = "linux")]
use crate::process::sandbox::{bubblewrap, child::Setup, landlock, stubs::Stubs};

/// What a command may do. Absolute paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Folders in which files may be made and changed: the project, temporary folders. One that
    /// is not there does not count.
    pub writable: Vec<PathBuf>,
    /// Inside writable folders: not to be changed, moved, removed or, where nothing is there, made.
    /// Of a path that is not there the first missing part is what cannot be made; give folders
    /// rather than files where they may be missing, since a folder keeps the place.
    pub read_only: Vec<PathBuf>,
    /// Not protected, but compared before and after: what [`Ended::touched`] names.
    ///
    /// [`Ended::touched`]: crate::process::Ended::touched
    pub watched: Vec<PathBuf>,
    /// Cannot be read. One that is not there does not count.
    pub hidden: Vec<PathBuf>,
    /// Whether the network may be reached, with the sockets of other programs of this machine
    /// (ssh-agent, docker).
    pub network: bool,
}

/// A session's sandbox. Clones share the placeholders for paths that are not there; when the last
/// one is dropped they go, so keep one for as long as processes of the session may live.
#[derive(Debug, Clone)]
pub struct Confine {
    available: Available,
    policy: Policy,
    #[cfg(target_os = "linux")]
    stubs: Arc<Stubs>,
    #[cfg(not(target_os = "linux"))]
    stubs: Arc<()>,
}

impl Confine {
    pub fn new(available: &Available, policy: Policy) -> Result<Confine, SandboxError> {
        if available.kind == Kind::None {
            return Err(SandboxError::Unavailable(available.why.clone()));
        }
        if !available.network && !policy.network {
            return Err(SandboxError::NetworkStays(available.why.clone()));
        }
        Ok(Confine { available: available.clone(), policy, stubs: Arc::default() })
    }

    /// The same with the network: for a command that the person let out.
    #[must_use]
    pub fn with_network(&self) -> Confine {
        let mut with = self.clone();
        with.policy.network = true;
        with
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn available(&self) -> &Available {
        &self.available
    }

    /// Protected paths that this sandbox cannot hold, as things stand: they are watched. Looks at
    /// the file system.
    pub fn gaps(&self) -> Vec<PathBuf> {
        Layout::of(&self.policy).gaps(self.available.read_only_inside)
    }

    /// See [`Available::badge`].
    pub fn badge(&self) -> String {
        self.available.badge(self.policy.network)
    }

    /// See [`Available::words`].
    pub fn words(&self) -> String {
        self.available.words(self.policy.network)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("there is no sandbox: {0}")]
    Unavailable(String),
    #[error("the sandbox cannot cut the network: {0}")]
    NetworkStays(String),
    #[error("the sandbox cannot be made: {0}")]
    Setup(String),
}

impl SandboxError {
    pub fn hint(&self) -> &'static str {
        match self {
            SandboxError::Unavailable(_) | SandboxError::NetworkStays(_) => {
                "install bubblewrap (the package is called that), or set sandbox.mode"
            }
            SandboxError::Setup(_) => "`tern doctor` shows what the sandbox rests on",
        }
    }
}

/// A command as it is to be started.
#[derive(Debug)]
pub struct Wrapped {
    pub argv: Vec<OsString>,
    /// Protected paths that this sandbox cannot hold: to be watched.
    pub gaps: Vec<PathBuf>,
    #[cfg(target_os = "linux")]
    pub(super) setup: Setup,
}

impl Wrapped {
    /// Without a sandbox.
    pub(in crate::process) fn plain(argv: &[OsString]) -> Wrapped {
        Wrapped {
            argv: argv.to_vec(),
            gaps: Vec::new(),
            #[cfg(target_os = "linux")]
            setup: Setup::Nothing,
        }
    }

    /// Adds to `command`, made of [`Wrapped::argv`], what its child must do before the program
    /// starts.
    pub fn prepare(self, command: &mut tokio::process::Command) {
        #[cfg(target_os = "linux")]
        self.setup.prepare(command);
        #[cfg(not(target_os = "linux"))]
        let _ = command;
    }
}

/// The command line that runs `argv` held by `confine`; the arguments arrive unchanged.
///
/// Looks at the file system, and may make empty folders in place of protected paths that are not
/// there. The result is for one start.
pub fn wrap(argv: &[OsString], confine: &Confine) -> Result<Wrapped, SandboxError> {
    let layout = Layout::of(&confine.policy);
    match confine.available.kind {
        #[cfg(target_os = "linux")]
        Kind::Bubblewrap => {
            bubblewrap::wrap(argv, layout, &confine.policy, &confine.available, &confine.stubs)
        }
        #[cfg(target_os = "linux")]
        Kind::Landlock => landlock::wrap(argv, &layout, &confine.policy),
        #[cfg(target_os = "macos")]
        Kind::Seatbelt => {
            let argv = super::seatbelt::argv(argv, &layout, confine.policy.network);
            Ok(Wrapped { argv, gaps: layout.gaps(true) })
        }
        _ => {
            let _ = (argv, layout, &confine.stubs);
            Err(SandboxError::Unavailable(confine.available.why.clone()))
        }
    }
}
