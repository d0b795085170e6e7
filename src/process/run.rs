//! One command from start to end.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::process::keep::{Keeper, Output, cut_char};
use crate::process::sandbox::{self, Confine, SandboxError, Watch, Wrapped};
use crate::process::stop::{self, ORDER, Signal, VARIABLE, Whose};

/// What to run. Nothing is added to it but the run's name in the environment.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    pub cwd: PathBuf,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    pub timeout: Duration,
    /// Folder that takes an output too long to give whole; made when needed.
    pub spill: PathBuf,
    /// From [`Mark::next_run`](crate::process::Mark::next_run).
    pub run: String,
    /// `None`: with the person's own rights. Nothing here chooses that by itself.
    pub confine: Option<Confine>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub end: End,
    pub output: Output,
    pub duration: Duration,
    /// Processes that go on in the background after the command ended by itself.
    pub left: usize,
    /// Protected paths that the sandbox could not hold and that changed meanwhile.
    pub touched: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    /// A signal that tern did not send. Bubblewrap tells it as a shell does, as the exit code
    /// 128 + signal.
    Signalled(i32),
    TimedOut,
    Cancelled,
}

/// The command did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the directory {} is not there", .0.display())]
    NoDirectory(PathBuf),
    #[error("the command is too long for this system")]
    TooLong,
    #[error("{program} cannot be started: {source}")]
    Spawn { program: String, source: std::io::Error },
    #[error("no pipe or thread for the output: {0}")]
    Output(std::io::Error),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Runs `spec` until it ends, `cancel` fires or the time is over. Pieces of output go to `live` as
/// they come; a full channel drops them.
///
/// Dropping the future kills the command and everything it started.
pub async fn run(
    spec: &Spec,
    cancel: &CancellationToken,
    live: mpsc::Sender<String>,
) -> Result<Ended, StartError> {
    let mut running = start(spec, live)?;
    let end = running.over(cancel, Some(spec.timeout)).await;
    Ok(running.finish(end).await)
}

/// A command that has been started. Dropping it kills the command and everything it started.
pub struct Running {
    group: Group,
    child: Box<dyn ChildWrapper>,
    output: Collecting,
    watch: Watch,
    started: Instant,
}

/// Starts `spec`; its `timeout` is for whoever waits.
pub fn start(spec: &Spec, live: mpsc::Sender<String>) -> Result<Running, StartError> {
    let started = Instant::now();
    let (reader, writer) = std::io::pipe().map_err(StartError::Output)?;
    let (wrapped, watch) = wrap(spec)?;
    let child = spawn(spec, wrapped, writer)?;
    let group = Group::new(child.id(), &spec.run);
    let output = Collecting::start(reader, &spec.spill, live).map_err(StartError::Output)?;
    Ok(Running { group, child, output, watch, started })
}

impl Running {
    /// Waits until it ends, `cancel` fires, or `timeout` after its start. Does nothing to it: who
    /// drops this future may go on waiting with another one.
    pub async fn over(&mut self, cancel: &CancellationToken, timeout: Option<Duration>) -> End {
        let late = async {
            match timeout {
                Some(timeout) => {
                    tokio::time::sleep(timeout.saturating_sub(self.started.elapsed())).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = self.child.wait() => ended_by_itself(status.ok()),
            () = cancel.cancelled() => End::Cancelled,
            () = late => End::TimedOut,
        }
    }

    /// Stops what has to be stopped, and gives what there was.
    pub async fn finish(mut self, end: End) -> Ended {
        let left = match end {
            End::Exited(_) | End::Signalled(_) => {
                self.output.settle().await;
                self.group.release().await
            }
            End::TimedOut | End::Cancelled => {
                self.group.stop(self.child.as_mut()).await;
                self.output.settle().await;
                0
            }
        };
        let duration = self.started.elapsed();
        let touched = self.watch.touched();
        Ended { end, output: self.output.tap.so_far(), duration, left, touched }
    }

    /// Its output while it runs, and afterwards.
    pub fn tap(&self) -> Tap {
        self.output.tap.clone()
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("run", &self.group.whose.run).finish_non_exhaustive()
    }
}

/// The output of a command, to be looked at from outside.
#[derive(Debug, Clone)]
pub struct Tap {
    keeper: Arc<Mutex<Keeper>>,
    /// Bytes so far; the sender is dropped at the end of the output.
    total: watch::Receiver<u64>,
}

impl Tap {
    pub fn so_far(&self) -> Output {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).output()
    }

    /// What came after the first `seen` bytes, as far as it is at hand, and how many bytes there
    /// are now.
    pub fn since(&self, seen: u64) -> (Output, u64) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        (keeper.since(seen), keeper.total())
    }

    /// Waits for more output; false at its end.
    pub async fn more(&mut self) -> bool {
        self.total.changed().await.is_ok()
    }
}

/// How to start the command, and what to look at afterwards.
fn wrap(spec: &Spec) -> Result<(Wrapped, Watch), SandboxError> {
    let Some(confine) = &spec.confine else {
        return Ok((Wrapped::plain(&spec.argv), Watch::default()));
    };
    let wrapped = sandbox::wrap(&spec.argv, confine)?;
    let watched = [wrapped.gaps.as_slice(), &confine.policy().watched].concat();
    Ok((wrapped, Watch::new(&watched)))
}

fn spawn(
    spec: &Spec,
    wrapped: Wrapped,
    writer: std::io::PipeWriter,
) -> Result<Box<dyn ChildWrapper>, StartError> {
    let argv = wrapped.argv.clone();
    let Some((program, args)) = argv.split_first().filter(|_| !spec.argv.is_empty()) else {
        let source = std::io::ErrorKind::InvalidInput.into();
        return Err(StartError::Spawn { program: "an empty command".into(), source });
    };
    let errors = writer.try_clone().map_err(StartError::Output)?;
    let mut command = CommandWrap::with_new(program, |command| {
        command
            .args(args)
            .current_dir(&spec.cwd)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .env(VARIABLE, &spec.run)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .kill_on_drop(true);
        wrapped.prepare(command);
    });
    // A session of its own has no terminal: nothing can read the person's keys, write over the
    // screen, or be stopped for trying.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessSession);
    // `command` is dropped on return and with it this process's ends of the pipe, without which
    // the reader would never see the end.
    command.spawn().map_err(|source| {
        if !spec.cwd.is_dir() {
            return StartError::NoDirectory(spec.cwd.clone());
        }
        if source.kind() == std::io::ErrorKind::ArgumentListTooLong {
            return StartError::TooLong;
        }
        StartError::Spawn { program: program.to_string_lossy().into_owned(), source }
    })
}

/// `None`: the system does not tell.
pub(super) fn ended_by_itself(status: Option<ExitStatus>) -> End {
    let Some(status) = status else { return End::Exited(-1) };
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Signalled(signal);
    }
    End::Exited(status.code().unwrap_or(-1))
}

/// The processes of a run. Dropped before [`Group::release`] or [`Group::stop`], it kills them.
pub(super) struct Group {
    whose: Whose,
    over: bool,
}

impl Group {
    pub(super) fn new(leader: Option<u32>, run: &str) -> Group {
        Group { whose: Whose { leader, run: run.to_owned(), whole: true }, over: false }
    }

    /// The command ended by itself: what it left in the background stays. Returns how many.
    async fn release(&mut self) -> usize {
        self.over = true;
        let whose = self.whose.clone();
        let count = move || stop::alive(&whose).iter().filter(|pid| !stop::is_init(**pid)).count();
        tokio::task::spawn_blocking(count).await.unwrap_or(0)
    }

    pub(super) async fn stop(&mut self, child: &mut dyn ChildWrapper) {
        for (signal, grace) in ORDER {
            if let Some(leader) = self.whose.leader {
                stop::signal_group(leader, signal);
            }
            if signal == Signal::Kill {
                let _ = child.start_kill();
            }
            let gone = async {
                let _ = child.wait().await;
                while self.alive().await > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            if tokio::time::timeout(grace, gone).await.is_ok() {
                break;
            }
        }
        self.sweep().await;
        self.over = true;
    }

    async fn alive(&self) -> usize {
        let whose = self.whose.clone();
        tokio::task::spawn_blocking(move || stop::alive(&whose).len()).await.unwrap_or(0)
    }

    async fn sweep(&self) {
        let whose = self.whose.clone();
        // It fails only when the runtime is going down, and then drop does the same.
        let _ = tokio::task::spawn_blocking(move || stop::sweep(&whose)).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            if let Some(leader) = self.whose.leader {
                stop::signal_group(leader, Signal::Kill);
            }
            stop::sweep(&self.whose);
        }
    }
}

/// The output as it comes, read by a thread of its own.
///
/// The thread reads until nobody holds the pipe any more, also after the command has ended: a
/// server left in the background is not killed by its next line of output.
struct Collecting {
    tap: Tap,
}

impl Collecting {
    fn start(
        reader: std::io::PipeReader,
        spill: &Path,
        live: mpsc::Sender<String>,
    ) -> std::io::Result<Collecting> {
        let keeper = Arc::new(Mutex::new(Keeper::new(spill)));
        let (count, total) = watch::channel(0);
        let shared = Arc::clone(&keeper);
        std::thread::Builder::new().name("command output".into()).spawn(move || {
            collect(reader, &shared, &live, &count);
            drop(count);
        })?;
        Ok(Collecting { tap: Tap { keeper, total } })
    }

    /// Waits for the end of the output; not longer than something still comes, and in any case
    /// not long, when a process in the background holds the pipe.
    async fn settle(&mut self) {
        let limit = Instant::now() + Duration::from_secs(2);
        loop {
            match tokio::time::timeout(Duration::from_millis(100), self.tap.more()).await {
                Ok(true) if Instant::now() <= limit => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}

fn collect(
    mut reader: std::io::PipeReader,
    keeper: &Mutex<Keeper>,
    live: &mpsc::Sender<String>,
    count: &watch::Sender<u64>,
) {
    let mut buffer = vec![0; 64 * 1024];
    // The beginning of a character whose rest has not come yet.
    let mut kept = 0;
    loop {
        let read = match reader.read(&mut buffer[kept..]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let total = {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.push(&buffer[kept..kept + read]);
            keeper.total()
        };
        count.send_replace(total);
        let filled = kept + read;
        let whole = filled - cut_char(&buffer[..filled]);
        if whole > 0 {
            // A full or closed channel drops the piece: the result holds everything anyway.
            let _ = live.try_send(String::from_utf8_lossy(&buffer[..whole]).into_owned());
        }
        buffer.copy_within(whole..filled, 0);
        kept = filled - whole;
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::process::{Mark, child_env, shell};

    struct Case {
        dir: tempfile::TempDir,
        mark: Mark,
        cancel: CancellationToken,
        timeout: Duration,
    }

    impl Case {
        fn new() -> Case {
            Case {
                dir: tempfile::tempdir().unwrap(),
                mark: Mark::default(),
                cancel: CancellationToken::new(),
                timeout: Duration::from_secs(20),
            }
        }

        async fn run(&self, command: &str) -> Ended {
            let (live, _keep) = mpsc::channel(64);
            run(&self.spec(command), &self.cancel, live).await.unwrap()
        }

        fn spec(&self, command: &str) -> Spec {
            Spec {
                argv: shell(command, Some(&self.dir.path().join("it's last"))),
                cwd: self.dir.path().to_owned(),
                env: child_env(std::env::vars_os(), &[]),
                timeout: self.timeout,
                spill: self.dir.path().join("spill"),
                run: self.mark.next_run(),
                confine: None,
            }
        }

        fn left(&self) -> Vec<u32> {
            let run = self.mark.next_run();
            let run = run.split('-').next().unwrap().to_owned();
            stop::alive(&Whose { leader: None, run, whole: false })
        }
    }

    #[tokio::test]
    async fn commands_end_as_they_end() {
        let case = Case::new();
        for (command, end, text) in [
            ("printf a; printf b >&2; exit 3", End::Exited(3), "ab"),
            ("cat", End::Exited(0), ""),
            ("kill -TERM $$", End::Signalled(15), ""),
            ("echo 'a' # it's a comment", End::Exited(0), "a\n"),
            ("cat <<E\n$#\nE", End::Exited(0), "0\n"),
            ("tty; echo >/dev/tty", End::Exited(1), ""),
            ("echo $TERM $PAGER", End::Exited(0), "dumb cat\n"),
        ] {
            let ended = case.run(command).await;
            assert_eq!((ended.end, ended.left), (end, 0), "{command}");
            assert!(ended.output.head.starts_with(text), "{command}: {:?}", ended.output.head);
        }
    }

    #[tokio::test]
    async fn the_last_directory_is_reported() {
        let case = Case::new();
        case.run("mkdir sub && cd sub && false").await;
        let last = std::fs::read_to_string(case.dir.path().join("it's last")).unwrap();
        assert_eq!(Path::new(last.trim_end()), case.dir.path().canonicalize().unwrap().join("sub"));
    }

    #[tokio::test]
    async fn live_output_comes_before_the_end() {
        let case = Case::new();
        let (live, mut pieces) = mpsc::channel(64);
        let spec = case.spec("printf 'h\\303'; sleep 0.2; printf '\\251'; sleep 20");
        let run = tokio::spawn({
            let cancel = case.cancel.clone();
            async move { run(&spec, &cancel, live).await.unwrap() }
        });
        assert_eq!(pieces.recv().await.as_deref(), Some("h"));
        assert_eq!(pieces.recv().await.as_deref(), Some("é"));
        case.cancel.cancel();
        let ended = run.await.unwrap();
        assert_eq!((ended.end, ended.output.head.as_str()), (End::Cancelled, "hé"));
    }

    #[tokio::test]
    async fn nothing_is_left_after_a_timeout() {
        let mut case = Case::new();
        case.timeout = Duration::from_millis(300);
        for command in [
            "sleep 100",
            "trap '' INT TERM; while :; do sleep 1; done",
            "setsid sleep 100 & env -i sleep 100 & sleep 100",
            "(trap '' INT; setsid sh -c 'trap \"\" TERM; sleep 100; sleep 100') & sleep 100",
            "echo early; yes",
        ] {
            let started = Instant::now();
            let ended = case.run(command).await;
            assert_eq!(ended.end, End::TimedOut, "{command}");
            assert!(started.elapsed() < Duration::from_secs(6), "{command}");
            assert_eq!(case.left(), Vec::<u32>::new(), "{command}");
        }
    }

    #[tokio::test]
    async fn a_background_process_does_not_hold_the_command_and_dies_with_the_session() {
        let case = Case::new();
        let ended = case.run("echo a; sleep 100 & setsid sleep 101 >/dev/null & echo b").await;
        assert_eq!((ended.end, ended.left), (End::Exited(0), 2));
        assert_eq!(ended.output.head, "a\nb\n");
        assert!(ended.duration < Duration::from_secs(3));
        assert_eq!(case.left().len(), 2);
        case.mark.kill_all();
        assert_eq!(case.left(), Vec::<u32>::new());
    }

    #[tokio::test]
    async fn a_dropped_run_leaves_nothing() {
        let case = Case::new();
        let spec = case.spec("sleep 100 & setsid sleep 100 & sleep 100");
        let (live, _keep) = mpsc::channel(1);
        let run = run(&spec, &case.cancel, live);
        assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err());
        assert_eq!(case.left(), Vec::<u32>::new());
    }

    #[tokio::test]
    async fn what_cannot_start_says_why() {
        let case = Case::new();
        let (live, _keep) = mpsc::channel(1);
        let mut spec = case.spec(&"x".repeat(3 << 20));
        let error = run(&spec, &case.cancel, live.clone()).await.unwrap_err();
        assert_eq!(error.to_string(), "the command is too long for this system");
        spec = case.spec("true");
        spec.cwd = "/no/such".into();
        let error = run(&spec, &case.cancel, live).await.unwrap_err();
        assert_eq!(error.to_string(), "the directory /no/such is not there");
    }
}
