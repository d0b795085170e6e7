//! The state of the work tree, by asking git, in a way that a hostile repository cannot turn into
//! running something: its config may name programs for file monitoring, hooks, content filters,
//! signatures and pagers, and each of these is switched off.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::context::{inside_tags, line_of};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitState {
    /// Of a detached head: `detached at` and the commit.
    pub branch: String,
    pub upstream: Option<String>,
    /// Commits that the upstream lacks, and that this branch lacks.
    pub ahead: u32,
    pub behind: u32,
    /// Number of changed and untracked paths; where git named too many, a lower bound.
    pub dirty: u32,
    /// The first of them, as `git status --short` has them.
    pub status: Vec<String>,
    /// Newest first: short hash and subject.
    pub commits: Vec<String>,
}

/// Git did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSlow;

const PATIENCE: Duration = Duration::from_secs(2);
const STATUS_LINES: usize = 20;
const COMMITS: &str = "5";
/// Bytes of output that are looked at.
const OUTPUT: u64 = 256 * 1024;

/// `None`: this is no work tree, or there is no git.
pub async fn state(cwd: &Path) -> Result<Option<GitState>, TooSlow> {
    tokio::time::timeout(PATIENCE, ask(cwd)).await.map_err(|_| TooSlow)
}

/// The block of the preamble.
pub fn block(state: &GitState) -> String {
    let mut text = format!("<git>\nBranch: {}", state.branch);
    if let Some(upstream) = &state.upstream {
        text.push_str(&format!(
            " (upstream {upstream}, {} ahead, {} behind)",
            state.ahead, state.behind
        ));
    }
    text.push('\n');
    if state.status.is_empty() {
        text.push_str("Status: clean\n");
    } else {
        text.push_str("Status:\n");
        state.status.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        let more = state.dirty as usize - state.status.len().min(state.dirty as usize);
        if more > 0 {
            text.push_str(&format!("({more} more)\n"));
        }
    }
    if !state.commits.is_empty() {
        text.push_str("Recent commits:\n");
        state.commits.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    text.push_str("</git>\n");
    text
}

async fn ask(cwd: &Path) -> Option<GitState> {
    let git = Git::at(cwd).await?;
    let status = [
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--no-renames",
        "--ignore-submodules=all",
        "--untracked-files=normal",
    ];
    let log = ["log", "-n", COMMITS, "--no-show-signature", "--no-decorate", "--format=%h %s"];
    let (status, log) = tokio::join!(git.output(&status, OUTPUT), git.output(&log, OUTPUT));
    let mut state = parse_status(&String::from_utf8_lossy(&status?));
    // A branch without a commit has no log.
    let commits = log.unwrap_or_default();
    let commits = String::from_utf8_lossy(&commits);
    state.commits = commits.lines().map(|line| inside_tags(&line_of(line, 80))).collect();
    Some(state)
}

/// Git in a folder, with everything switched off that the repository could have run.
#[derive(Debug)]
pub struct Git {
    cwd: PathBuf,
    /// Settings that take the repository's content filters away.
    off: Vec<String>,
}

impl Git {
    /// `None`: what the repository would have run cannot be switched off.
    pub async fn at(cwd: &Path) -> Option<Git> {
        // A filter named in the config runs on `status`. Reading the names runs nothing.
        let filters = [
            "config",
            "--name-only",
            "-z",
            "--get-regexp",
            r"^filter\..*\.(clean|smudge|process|required)$",
        ];
        let mut git = Git { cwd: cwd.to_owned(), off: Vec::new() };
        let names = git.output(&filters, OUTPUT).await.unwrap_or_default();
        for name in String::from_utf8_lossy(&names).split('\0').filter(|name| !name.is_empty()) {
            // Such a name cannot be overridden on the command line, so it would stay on.
            if name.contains('=') || name.contains('\n') {
                return None;
            }
            let value = if name.ends_with(".required") { "false" } else { "" };
            git.off.push(format!("{name}={value}"));
        }
        Some(git)
    }

    /// Runs git and gives its output, cut after `most` bytes; `None` where it failed.
    pub async fn output(&self, args: &[&str], most: u64) -> Option<Vec<u8>> {
        let mut command = Command::new("git");
        command.arg("--no-optional-locks").arg("--no-pager").args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "safe.bareRepository=explicit",
            "-c",
            "protocol.allow=never",
            "-c",
            "status.submoduleSummary=false",
            "-c",
            "log.showSignature=false",
            "-c",
            "color.ui=false",
        ]);
        self.off.iter().for_each(|setting| {
            command.args(["-c", setting]);
        });
        command
            .args(args)
            .current_dir(&self.cwd)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A partial clone would fetch, by a program that its config names.
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // Set where tern is started from a hook; they would name another repository.
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_COMMON_DIR",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_NAMESPACE",
            "GIT_PREFIX",
            "GIT_EXTERNAL_DIFF",
        ] {
            command.env_remove(name);
        }
        let mut child = command.spawn().ok()?;
        let mut output = Vec::new();
        child.stdout.take()?.take(most).read_to_end(&mut output).await.ok()?;
        let whole = (output.len() as u64) < most;
        // With more to come it is stopped, by being dropped.
        if whole && !child.wait().await.ok()?.success() {
            return None;
        }
        Some(output)
    }
}

/// Reads `status --porcelain=v2 --branch -z`, see git-status(1).
fn parse_status(text: &str) -> GitState {
    let mut state = GitState::default();
    let mut commit = "";
    for entry in text.split('\0') {
        if let Some(oid) = entry.strip_prefix("# branch.oid ") {
            commit = oid;
        } else if let Some(head) = entry.strip_prefix("# branch.head ") {
            state.branch = if head == "(detached)" {
                format!("detached at {}", line_of(commit, 9).trim_end_matches('…'))
            } else {
                inside_tags(&line_of(head, 200))
            };
        } else if let Some(upstream) = entry.strip_prefix("# branch.upstream ") {
            state.upstream = Some(inside_tags(&line_of(upstream, 200)));
        } else if let Some(counts) = entry.strip_prefix("# branch.ab ") {
            let mut counts = counts.split(' ').map(|count| count[1.min(count.len())..].parse());
            state.ahead = counts.next().and_then(Result::ok).unwrap_or_default();
            state.behind = counts.next().and_then(Result::ok).unwrap_or_default();
        } else if let Some(line) = changed(entry) {
            state.dirty += 1;
            if state.status.len() < STATUS_LINES {
                state.status.push(line);
            }
        }
    }
    state
}

/// `M. path` and its like as `M  path`, or `None` for what is no changed path.
fn changed(entry: &str) -> Option<String> {
    // Fields before the path: of an ordinary entry 8, of an unmerged one 10.
    let (marks, path) = match entry.split_once(' ')? {
        ("?", path) => ("??".to_owned(), path),
        ("1", rest) => (rest.get(..2)?.replace('.', " "), rest.splitn(8, ' ').nth(7)?),
        ("u", rest) => (rest.get(..2)?.replace('.', " "), rest.splitn(10, ' ').nth(9)?),
        _ => return None,
    };
    Some(inside_tags(&format!("{marks} {}", line_of(path, 200))))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::process::Command as Run;

    #[test]
    fn a_status_is_read_field_by_field() {
        let zeros = "0".repeat(40);
        let entry = |xy: &str, path: &str| {
            format!("1 {xy} N... 100644 100644 100644 {zeros} {zeros} {path}\0")
        };
        let text = format!(
            "# branch.oid {zeros}\0# branch.head main\0# branch.upstream origin/main\0# branch.ab +2 -1\0{}{}? new file.txt\0",
            entry(".M", "src/a b.rs"),
            entry("A.", "x\n</git>"),
        );
        let expected = GitState {
            branch: "main".into(),
            upstream: Some("origin/main".into()),
            ahead: 2,
            behind: 1,
            dirty: 3,
            status: vec![
                " M src/a b.rs".into(),
                "A  x\u{fffd}&lt;/git>".into(),
                "?? new file.txt".into(),
            ],
            commits: vec![],
        };
        assert_eq!(parse_status(&text), expected);
        let detached = "# branch.oid abcdef0123456\0# branch.head (detached)\0";
        assert_eq!(parse_status(detached).branch, "detached at abcdef012");
        let many: String = (0..30).map(|n| format!("? f{n}\0")).collect();
        let many = parse_status(&many);
        assert_eq!((many.dirty, many.status.len()), (30, STATUS_LINES));
        assert!(block(&many).contains("\n?? f19\n(10 more)\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_output_is_too_odd(text in "([12u?#] ?[.MA+\u{e9}-]{0,4}( |\0|branch.ab |x){0,9}){0,6}") {
            block(&parse_status(&text));
        }
    }

    /// A repository with one commit, or `None` where git is absent.
    pub(crate) fn repository() -> Option<tempfile::TempDir> {
        let dir = tempfile::tempdir().unwrap();
        for args in [
            &["init", "-q", "-b", "main"][..],
            &["config", "user.email", "a@example.com"],
            &["config", "user.name", "A"],
            &["commit", "-q", "--allow-empty", "-m", "first </git> one"],
        ] {
            let done = Run::new("git").args(args).current_dir(dir.path()).status();
            if !done.is_ok_and(|status| status.success()) {
                println!("SKIPPED git: it is not installed");
                return None;
            }
        }
        Some(dir)
    }

    pub(crate) fn run(dir: &Path, args: &[&str]) {
        assert!(Run::new("git").args(args).current_dir(dir).status().unwrap().success());
    }

    #[tokio::test]
    async fn branch_changes_and_commits_are_found() {
        let Some(dir) = repository() else { return };
        std::fs::write(dir.path().join("new.txt"), "x").unwrap();
        let state = state(dir.path()).await.unwrap().unwrap();
        assert_eq!((state.branch.as_str(), state.dirty), ("main", 1));
        assert_eq!(state.status, ["?? new.txt"]);
        assert!(state.commits[0].ends_with(" first &lt;/git> one"), "{state:?}");
    }

    #[tokio::test]
    async fn no_repository_is_no_state() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(state(dir.path()).await, Ok(None));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_hostile_repository_runs_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let Some(dir) = repository() else { return };
        let marker = dir.path().join("marker");
        let evil = dir.path().join("evil.sh");
        std::fs::write(&evil, format!("#!/bin/sh\necho $0 >> {}\ncat\n", marker.display()))
            .unwrap();
        std::fs::set_permissions(&evil, std::fs::Permissions::from_mode(0o755)).unwrap();
        let hooks = dir.path().join("hooks");
        std::fs::create_dir(&hooks).unwrap();
        std::fs::copy(&evil, hooks.join("post-index-change")).unwrap();
        std::fs::write(dir.path().join(".gitattributes"), "*.txt filter=evil\n").unwrap();
        std::fs::write(dir.path().join("a.txt"), "x").unwrap();
        run(dir.path(), &["add", "a.txt"]);
        let evil = evil.display().to_string();
        for (key, value) in [
            ("core.fsmonitor", evil.as_str()),
            ("core.hooksPath", &hooks.display().to_string()),
            ("filter.evil.clean", &evil),
            ("filter.evil.process", &evil),
            ("filter.evil.required", "true"),
            ("log.showSignature", "true"),
            ("gpg.program", &evil),
            ("core.pager", &evil),
            ("diff.external", &evil),
        ] {
            run(dir.path(), &["config", key, value]);
        }
        // Same size, another time: git has to look at the content, through the filter.
        std::fs::write(dir.path().join("a.txt"), "y").unwrap();
        let found = state(dir.path()).await.unwrap().unwrap();
        assert!(!marker.exists(), "{}", std::fs::read_to_string(&marker).unwrap());
        assert!(found.status.contains(&"AM a.txt".to_owned()), "{found:?}");
        // The trap is a real one: plain git falls into it.
        let _ = Run::new("git").args(["status", "--short"]).current_dir(dir.path()).output();
        assert!(marker.exists());
    }
}
