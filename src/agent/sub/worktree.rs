//! A copy of the repository for a sub-agent to work in, and what becomes of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::agent::shared::{Shared, lock};
use crate::process::{End, Exchange, child_env, exchange};
use crate::protocol::AgentId;

#[derive(Debug)]
pub struct Worktree {
    pub path: PathBuf,
    branch: String,
    /// The commit that it began at.
    began: String,
}

const LIMIT: Duration = Duration::from_secs(60);
const MOST: usize = 64 * 1024;

/// Makes one of the last commit, on a branch of its own. The error is a sentence.
pub async fn make(shared: &Shared, folder: &Path, id: &AgentId) -> Result<Worktree, String> {
    let cwd = shared.cwd();
    let began = git(shared, &cwd, &["rev-parse", "HEAD"])
        .await
        .map_err(|why| format!("a copy of the repository cannot be made: {why}"))?;
    let session = shared.purse.session().0.clone();
    let short = session.rsplit('-').next().unwrap_or(&session);
    let name = format!("{short}-{}", id.0);
    let path = folder.join(&name);
    let branch = format!("tern/{name}");
    std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let place = path.display().to_string();
    git(shared, &cwd, &["worktree", "add", "--quiet", "-b", &branch, &place, &began])
        .await
        .map_err(|why| format!("a copy of the repository cannot be made: {why}"))?;
    Ok(Worktree { path, branch, began })
}

/// What has come of it, in a sentence or two. One in which nothing has changed goes away; what has
/// changed is committed to its branch, so that nothing is lost with the folder.
pub async fn hand_back(shared: &Shared, worktree: Worktree) -> String {
    let Worktree { path, branch, began } = worktree;
    let cwd = shared.cwd();
    let changed = async {
        git(shared, &path, &["add", "--all"]).await?;
        let staged = git(shared, &path, &["diff", "--cached", "--name-only"]).await?;
        if !staged.is_empty() {
            let message = format!("agent: what {branch} has changed");
            let name = ["-c", "user.name=tern", "-c", "user.email=tern@localhost"];
            let commit = ["commit", "--quiet", "--no-verify", "-m", &message];
            git(shared, &path, &[name.as_slice(), commit.as_slice()].concat()).await?;
        }
        git(shared, &path, &["diff", "--stat", &began, "HEAD"]).await
    };
    let stat = match changed.await {
        Ok(stat) => stat,
        Err(why) => {
            return format!("(Its copy {} could not be looked at: {why})", path.display());
        }
    };
    let place = path.display().to_string();
    let removed = git(shared, &cwd, &["worktree", "remove", "--force", &place]).await;
    let left = match removed {
        Ok(_) => String::new(),
        Err(why) => format!(" The folder {place} could not be removed: {why}."),
    };
    if stat.is_empty() {
        let _kept = git(shared, &cwd, &["branch", "-D", "--quiet", &branch]).await;
        return format!("(It has changed nothing in its copy of the repository.{left})");
    }
    format!(
        "(Its changes are on the branch {branch}; nothing of them is in the working folder yet. \
         `git diff {} {branch}` shows them, `git merge {branch}` takes them over.{left}\n{stat})",
        began.get(..12).unwrap_or(&began)
    )
}

/// What git prints. Hooks and programs of the repository do not run.
async fn git(shared: &Shared, at: &Path, args: &[&str]) -> Result<String, String> {
    let session = lock(&shared.session).clone();
    let quiet = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
    let argv = ["git"].into_iter().chain(quiet).chain(args.iter().copied());
    let spec = Exchange {
        argv: argv.map(OsString::from).collect(),
        cwd: at.to_owned(),
        env: child_env(std::env::vars_os(), &session.secret_env),
        timeout: LIMIT,
        input: Vec::new(),
        most: MOST,
        run: session.mark.next_run(),
    };
    let done =
        exchange(spec, &CancellationToken::new()).await.map_err(|error| error.to_string())?;
    match done.end {
        End::Exited(0) => Ok(done.stdout.trim().to_owned()),
        End::TimedOut => Err("git took too long".to_owned()),
        _ => {
            let first = done.stderr.lines().next().unwrap_or("git failed");
            Err(first.trim_start_matches("fatal: ").to_owned())
        }
    }
}
