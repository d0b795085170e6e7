//! `tern --demo`: a scripted model in a temporary copy of a sample project. Everything else is
//! real, but it happens in a folder that goes away at the end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::api::demo::{PROJECT, Pace};
use crate::cli::args::Cli;
use crate::cli::router::Scripted;
use crate::cli::start::{self, Prepared, Trust};
use crate::cli::{Env, Failure};
use crate::config::dirs::Dirs;
use crate::protocol::ErrorKind;

pub const MODEL: &str = "demo/scripted";

/// The sample project and a home beside it; both are removed when this is dropped.
#[derive(Debug)]
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    pub fn create() -> Result<Project, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(ErrorKind::Internal, format!("the sample project cannot be made: {error}"))
                .hint("Set TMPDIR to a folder that can be written.")
        };
        let folder = tempfile::Builder::new().prefix("tern-demo-").tempdir().map_err(failed)?;
        let project = Project { folder };
        write(&project.cwd()).map_err(failed)?;
        Ok(project)
    }

    pub fn cwd(&self) -> PathBuf {
        self.folder.path().join("tally")
    }

    /// The person's environment, with the sample project as its place. Their settings hold, as a
    /// copy; whatever is kept is kept beside the project.
    pub fn env(&self, env: &Env) -> Env {
        let dirs = Dirs::under(&self.folder.path().join("home"), &env.dirs.home);
        borrow_settings(&env.dirs, &dirs);
        Env { dirs, cwd: self.cwd(), vars: env.vars.clone() }
    }
}

/// A session with the script in the place of a model.
pub fn prepare(cli: &Cli, env: &Env) -> Result<Prepared, Failure> {
    let mut cli = cli.clone();
    cli.session.model = Some(MODEL.to_owned());
    let mut prepared = start::prepare(&cli, env, Trust::default(), true)?;
    prepared.setup.book_scripted = true;
    prepared.setup.router = Arc::new(Scripted(Pace::Natural));
    make_repository(&env.cwd);
    Ok(prepared)
}

/// The same, chosen on the screen of a session that began elsewhere. `sample` keeps the project.
pub fn choose(cli: &Cli, env: &Env, sample: &Mutex<Option<Project>>) -> Result<Prepared, Failure> {
    let project = Project::create()?;
    let prepared = prepare(cli, &project.env(env));
    *sample.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(project);
    prepared
}

/// Copies settings and themes. What cannot be copied is only a look that is missed.
fn borrow_settings(from: &Dirs, to: &Dirs) {
    let themes = to.config.join("themes");
    if std::fs::create_dir_all(&themes).is_err() {
        return;
    }
    let _ = std::fs::copy(from.user_file(), to.user_file());
    for theme in std::fs::read_dir(from.config.join("themes")).into_iter().flatten().flatten() {
        let _ = std::fs::copy(theme.path(), themes.join(theme.file_name()));
    }
}

fn write(root: &Path) -> std::io::Result<()> {
    for (name, text, runs) in PROJECT {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, text)?;
        #[cfg(unix)]
        if *runs {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
        #[cfg(not(unix))]
        let _ = runs;
    }
    Ok(())
}

/// Makes the sample a git repository, so that the status line has a branch. Without git it is none.
fn make_repository(root: &Path) {
    if root.join(".git").exists() || !root.join("bin/tally").exists() {
        return;
    }
    let steps: [&[&str]; 3] = [
        &["init", "-q", "-b", "main"],
        &["add", "-A"],
        &["-c", "user.name=tern", "-c", "user.email=tern@localhost", "commit", "-qm", "sample"],
    ];
    for step in steps {
        let done = Command::new("git")
            .args(["-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"])
            .args(step)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !done.is_ok_and(|status| status.success()) {
            return;
        }
    }
}
