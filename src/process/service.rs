//! A program that works beside the session and is spoken to over its standard input and output: a
//! server of the Model Context Protocol, a language server.
//!
//! Like a command it runs in a session of its own without a terminal, and nothing of it is left
//! when it is stopped or dropped. What it writes to standard error is kept, the newest few lines,
//! for the sentence that says why it failed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use crate::process::StartError;
use crate::process::run::Group;
use crate::process::stop::VARIABLE;

/// A running program. Dropping it kills the program and everything that it started.
pub struct Service {
    child: Box<dyn ChildWrapper>,
    group: Group,
    errors: Arc<Mutex<VecDeque<u8>>>,
    /// Reads standard error to its end.
    reads: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("id", &self.child.id()).finish_non_exhaustive()
    }
}

/// The way to it and back. Closing `stdin` is the polite way to end it.
#[derive(Debug)]
pub struct Pipes {
    pub stdin: ChildStdin,
    pub stdout: ChildStdout,
}

/// Bytes of standard error that are kept.
const ERRORS: usize = 4 * 1024;
/// How long a program may take to end by itself once its input is closed.
const GRACE: Duration = Duration::from_millis(500);

/// How long the rest of its standard error is waited for.
const READ: Duration = Duration::from_millis(200);

/// Starts the program. `env` is its whole environment, `run` the name of the run, from
/// [`Mark::next_run`](crate::process::Mark::next_run).
pub fn serve(
    argv: &[OsString],
    cwd: &Path,
    env: &[(OsString, OsString)],
    run: &str,
) -> Result<(Service, Pipes), StartError> {
    let program = argv.first().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let failed = |source| StartError::Spawn { program: program.clone(), source };
    let Some((first, args)) = argv.split_first() else {
        return Err(failed(std::io::ErrorKind::InvalidInput.into()));
    };
    let mut command = CommandWrap::with_new(first, |command| {
        command
            .args(args)
            .current_dir(cwd)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .env(VARIABLE, run)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
    });
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessSession);
    let mut child = command.spawn().map_err(|source| {
        if cwd.is_dir() { failed(source) } else { StartError::NoDirectory(cwd.to_owned()) }
    })?;
    let group = Group::new(child.id(), run);
    let (stdin, stdout) = (child.stdin().take(), child.stdout().take());
    let errors = Arc::new(Mutex::new(VecDeque::new()));
    let stderr = child.stderr().take();
    let reads = stderr.map(|stderr| tokio::spawn(keep(stderr, Arc::clone(&errors))));
    let service = Service { child, group, errors, reads };
    match (stdin, stdout) {
        (Some(stdin), Some(stdout)) => Ok((service, Pipes { stdin, stdout })),
        _ => Err(failed(std::io::ErrorKind::BrokenPipe.into())),
    }
}

impl Service {
    /// What it last wrote to standard error, whole lines where there are any.
    pub fn last_words(&self) -> String {
        let mut kept = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous()).trim().to_owned()
    }

    /// Ends it for good.
    pub async fn stop(mut self) -> String {
        self.end().await
    }

    /// Ends it: its input is closed by now, so it gets a moment, then the signals of a command.
    /// Returns its last words.
    pub async fn end(&mut self) -> String {
        let ended = tokio::time::timeout(GRACE, self.child.wait()).await;
        if ended.is_err() {
            self.group.stop(self.child.as_mut()).await;
        }
        // What it left behind may hold standard error open, and goes with the drop of its group.
        if let Some(reads) = self.reads.take() {
            let _ = tokio::time::timeout(READ, reads).await;
        }
        self.last_words()
    }
}

/// Reads standard error to its end, so that the program never waits for room in the pipe.
async fn keep(mut stderr: ChildStderr, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..read]);
        let over = kept.len().saturating_sub(ERRORS);
        kept.drain(..over);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::process::Mark;
    use crate::process::stop::{self, Whose};

    fn start(script: &str, mark: &Mark) -> (Service, Pipes) {
        let argv: Vec<OsString> = ["sh", "-c", script].map(OsString::from).to_vec();
        let env = [("PATH".into(), std::env::var_os("PATH").unwrap())];
        serve(&argv, Path::new("/"), &env, &mark.next_run()).unwrap()
    }

    #[tokio::test]
    async fn it_answers_until_its_input_closes() {
        let mark = Mark::default();
        let (service, mut pipes) = start("read line; echo got $line; echo bad >&2; cat", &mark);
        pipes.stdin.write_all(b"it\n").await.unwrap();
        let mut buffer = [0; 64];
        let read = pipes.stdout.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..read], b"got it\n");
        while service.last_words() != "bad" {
            tokio::task::yield_now().await;
        }
        drop(pipes);
        service.stop().await;
    }

    #[tokio::test]
    async fn one_that_will_not_end_is_ended_with_its_children() {
        let mark = Mark::default();
        let (service, pipes) = start("trap '' TERM INT; setsid sleep 100 & sleep 100", &mark);
        let run = mark.next_run();
        let run = run.split('-').next().unwrap().to_owned();
        let whose = Whose { leader: None, run, whole: false };
        drop(pipes);
        service.stop().await;
        assert_eq!(stop::alive(&whose), Vec::<u32>::new());
    }

    #[tokio::test]
    async fn what_cannot_start_says_why() {
        let run = Mark::default().next_run();
        let error = serve(&["no-such-program".into()], Path::new("/"), &[], &run).unwrap_err();
        assert!(error.to_string().starts_with("no-such-program cannot be started"), "{error}");
    }
}
