//! Finds a provider's key: written value, command, environment, saved login, in this order.
//!
//! *Invariant:* a key leaves here as a [`SecretString`] only, and no error holds one.

use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::config::KeySource;

/// How long a key command may take: a person may have to unlock something.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of a command's output that are read.
const OUTPUT: u64 = 64 << 10;

/// What the outside world knows of keys.
pub struct Lookup<'a> {
    /// Environment variables.
    pub env: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Saved logins, by name.
    pub saved: &'a (dyn Fn(&str) -> Option<SecretString> + Sync),
}

impl std::fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lookup")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key command {command:?} could not be started: {why}")]
    NotStarted { command: String, why: String },
    #[error("the key command {command:?} failed ({status}){}", said(stderr))]
    Failed { command: String, status: String, stderr: String },
    #[error("the key command {command:?} printed nothing")]
    Empty { command: String },
    #[error("the key command {command:?} took longer than {} s", .limit.as_secs_f32())]
    TimedOut { command: String, limit: Duration },
}

/// The first key that is there; `None` where no source has one. A command is run each time, so
/// that calling this again after a 401 renews a key that has expired. A command that fails is an
/// error: falling through to another key could send it, and the bill, to the wrong account.
pub async fn resolve(
    source: &KeySource,
    lookup: &Lookup<'_>,
) -> Result<Option<SecretString>, KeyError> {
    if let Some(value) = source.value.as_deref().and_then(clean) {
        return Ok(Some(value));
    }
    if let Some(command) = &source.command {
        return run(command, COMMAND_LIMIT).await.map(Some);
    }
    let from_env = || source.env.iter().find_map(|name| clean(&(lookup.env)(name)?));
    let from_login = || source.saved.as_deref().and_then(|name| (lookup.saved)(name));
    Ok(from_env().or_else(from_login))
}

/// A key as pasted, without the white space around it.
fn clean(text: &str) -> Option<SecretString> {
    let text = text.trim();
    (!text.is_empty()).then(|| SecretString::from(text.to_owned()))
}

/// The first line that a shell command prints. The command cannot read from the terminal: it would
/// fight with the screen over keys.
async fn run(command: &str, limit: Duration) -> Result<SecretString, KeyError> {
    let mut child = shell(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| KeyError::NotStarted {
            command: command.to_owned(),
            why: error.to_string(),
        })?;
    let group = child.id();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let finished = tokio::time::timeout(limit, async {
        let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
        (stdout, stderr, child.wait().await)
    })
    .await;
    let Ok((stdout, stderr, status)) = finished else {
        kill_group(group);
        return Err(KeyError::TimedOut { command: command.to_owned(), limit });
    };
    match status {
        Ok(status) if status.success() => stdout
            .lines()
            .find_map(clean)
            .ok_or_else(|| KeyError::Empty { command: command.to_owned() }),
        Ok(status) => Err(KeyError::Failed {
            command: command.to_owned(),
            status: status.to_string(),
            stderr: stderr.lines().next().unwrap_or_default().chars().take(200).collect(),
        }),
        Err(error) => {
            Err(KeyError::NotStarted { command: command.to_owned(), why: error.to_string() })
        }
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    // Its own group, so that what the shell started ends with it.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(unix)]
fn kill_group(id: Option<u32>) {
    let group = id.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended meanwhile, and then there is nothing to kill.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(windows)]
fn kill_group(_: Option<u32>) {}

/// At most [`OUTPUT`] bytes; what is beyond is read and dropped, so that the command can end.
async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let mut bytes = Vec::new();
    // A pipe that cannot be read to its end has said what it has said.
    let _ = (&mut pipe).take(OUTPUT).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

#[cfg(all(test, unix))]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    async fn resolved(source: KeySource) -> Result<Option<String>, KeyError> {
        let env = |name: &str| match name {
            "SET" => Some(" from-env\n".to_owned()),
            "BLANK" => Some(" ".to_owned()),
            _ => None,
        };
        let saved =
            |name: &str| (name == "work").then(|| SecretString::from("from-login".to_owned()));
        let key = resolve(&source, &Lookup { env: &env, saved: &saved }).await?;
        Ok(key.map(|key| key.expose_secret().to_owned()))
    }

    #[tokio::test]
    async fn the_first_source_that_has_a_key_wins() {
        let source = |value: Option<&str>,
                      command: Option<&str>,
                      env: &[&str],
                      saved: Option<&str>| KeySource {
            value: value.map(str::to_owned),
            command: command.map(str::to_owned),
            env: env.iter().map(|name| (*name).to_owned()).collect(),
            saved: saved.map(str::to_owned),
        };
        for (source, key) in [
            (source(None, None, &[], None), None),
            (source(Some("v"), Some("echo c"), &["SET"], Some("work")), Some("v")),
            (source(Some(" "), Some("echo c"), &["SET"], Some("work")), Some("c")),
            (source(None, None, &["UNSET", "BLANK", "SET"], Some("work")), Some("from-env")),
            (source(None, None, &["UNSET"], Some("work")), Some("from-login")),
            (source(None, None, &[], Some("other")), None),
            (
                source(
                    None,
                    Some("printf '\\n key \\nsecond\\n'; head -c 200000 /dev/zero"),
                    &[],
                    None,
                ),
                Some("key"),
            ),
        ] {
            assert_eq!(resolved(source.clone()).await, Ok(key.map(str::to_owned)), "{source:?}");
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_says_so_and_nothing_else_is_tried() {
        let command = |command: &str| KeySource {
            command: Some(command.to_owned()),
            env: vec!["SET".to_owned()],
            ..KeySource::default()
        };
        for (line, message) in [
            (
                "echo locked >&2; exit 3",
                "the key command \"echo locked >&2; exit 3\" failed (exit status: 3): locked",
            ),
            ("true", "the key command \"true\" printed nothing"),
            ("read line", "the key command \"read line\" failed (exit status: 1)"),
        ] {
            assert_eq!(resolved(command(line)).await.unwrap_err().to_string(), message);
        }
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let line = format!("(sleep 1; touch {}) & sleep 60", mark.display());
        let began = std::time::Instant::now();
        let error = run(&line, Duration::from_millis(100)).await.unwrap_err();
        assert!(matches!(error, KeyError::TimedOut { .. }), "{error}");
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!mark.exists());
    }
}
