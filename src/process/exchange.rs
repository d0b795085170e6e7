//! A program that is given a text and answers with one: hooks, checks, helpers of the person's.
//! Unlike a command of the model its two outputs are kept apart, and what is too much is dropped.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::CommandWrap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::process::run::{End, Group, StartError, ended_by_itself};
use crate::process::stop::VARIABLE;

/// What to run. Nothing is added to it but the run's name in the environment.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    pub cwd: PathBuf,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    pub timeout: Duration,
    /// For its standard input, which then ends.
    pub input: Vec<u8>,
    /// Bytes of either output that are kept.
    pub most: usize,
    /// From [`Mark::next_run`](crate::process::Mark::next_run).
    pub run: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Exchanged {
    pub end: End,
    pub stdout: String,
    pub stderr: String,
    /// More came than was kept.
    pub cut: bool,
}

/// How long a program that has ended may leave its outputs open.
const SETTLE: Duration = Duration::from_millis(300);

/// Runs it until it ends, `cancel` fires or the time is over; then nothing of it is left running.
///
/// Dropping the future kills the program and everything it started.
pub async fn exchange(spec: Exchange, cancel: &CancellationToken) -> Result<Exchanged, StartError> {
    let Some((program, args)) = spec.argv.split_first() else {
        let source = std::io::ErrorKind::InvalidInput.into();
        return Err(StartError::Spawn { program: "an empty command".into(), source });
    };
    let mut command = CommandWrap::with_new(program, |command| {
        command
            .args(args)
            .current_dir(&spec.cwd)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .env(VARIABLE, &spec.run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
    });
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessSession);
    let mut child = command.spawn().map_err(|source| {
        if !spec.cwd.is_dir() {
            return StartError::NoDirectory(spec.cwd.clone());
        }
        StartError::Spawn { program: program.to_string_lossy().into_owned(), source }
    })?;
    let mut group = Group::new(child.id(), &spec.run);
    let (stdin, stdout, stderr) =
        (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let (mut out, mut err) = (Kept::default(), Kept::default());
    let talk = async {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program may well end without having read its input.
                let _ = stdin.write_all(&spec.input).await;
            }
        };
        tokio::join!(write, out.read(stdout, spec.most), err.read(stderr, spec.most));
    };
    let end = {
        tokio::pin!(talk);
        let deadline = tokio::time::sleep(spec.timeout);
        tokio::pin!(deadline);
        let mut talking = true;
        loop {
            tokio::select! {
                () = &mut talk, if talking => talking = false,
                status = child.wait() => {
                    if talking {
                        // What it left in the background may hold the outputs open.
                        let _ = tokio::time::timeout(SETTLE, &mut talk).await;
                    }
                    break ended_by_itself(status.ok());
                }
                () = cancel.cancelled() => break End::Cancelled,
                () = &mut deadline => break End::TimedOut,
            }
        }
    };
    group.stop(child.as_mut()).await;
    Ok(Exchanged {
        end,
        stdout: String::from_utf8_lossy(&out.bytes).into_owned(),
        stderr: String::from_utf8_lossy(&err.bytes).into_owned(),
        cut: out.cut || err.cut,
    })
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    cut: bool,
}

impl Kept {
    /// Reads to the end, so that the program is never blocked, and keeps the beginning.
    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>, most: usize) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match pipe.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(read) => {
                    let room = most.saturating_sub(self.bytes.len()).min(read);
                    self.bytes.extend_from_slice(&buffer[..room]);
                    self.cut |= room < read;
                }
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::process::{Mark, child_env, shell};

    async fn ran(command: &str, input: &str, timeout: u64) -> Exchanged {
        let dir = tempfile::tempdir().unwrap();
        let spec = Exchange {
            argv: shell(command, None),
            cwd: dir.path().to_owned(),
            env: child_env(std::env::vars_os(), &[]),
            timeout: Duration::from_millis(timeout),
            input: input.as_bytes().to_vec(),
            most: 100_000,
            run: Mark::default().next_run(),
        };
        exchange(spec, &CancellationToken::new()).await.unwrap()
    }

    #[tokio::test]
    async fn a_text_goes_in_and_both_outputs_come_back() {
        let exchanged = ran("cat; echo oh >&2; exit 2", "hello", 20_000).await;
        assert_eq!(exchanged.end, End::Exited(2));
        assert_eq!((exchanged.stdout.as_str(), exchanged.stderr.as_str()), ("hello", "oh\n"));
    }

    #[tokio::test]
    async fn what_hangs_floods_or_does_not_read_ends_all_the_same() {
        let big = "x".repeat(1 << 20);
        assert_eq!(ran("true", &big, 20_000).await.end, End::Exited(0));
        assert_eq!(ran("sleep 60", "", 200).await.end, End::TimedOut);
        let flood = ran("head -c 3000000 /dev/zero", "", 20_000).await;
        assert_eq!((flood.end, flood.stdout.len(), flood.cut), (End::Exited(0), 100_000, true));
        let started = std::time::Instant::now();
        let left = ran("sleep 60 & echo a", "", 20_000).await;
        assert_eq!((left.end, left.stdout.as_str()), (End::Exited(0), "a\n"));
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
