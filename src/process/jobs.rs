//! Commands that go on in the background of a session.
//!
//! *Invariant:* a job ends by itself, by [`Jobs::stop`], by its own time limit, or with the
//! session: dropping [`Jobs`] kills what runs. Memory is bounded: each keeps head and tail of its
//! output, and only so many are kept at all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::process::orphans::{self, Watcher};
use crate::process::{End, Ended, Mark, Output, Running, Tap};
use crate::protocol::{Event, JobId};

/// Running at the same time.
pub const MOST: usize = 32;
/// Ended ones that can still be asked about.
const KEPT: usize = 100;
/// Between two pieces of followed output: a person reads no faster.
const PACE: Duration = Duration::from_millis(60);

/// The jobs of a session.
#[derive(Debug)]
pub struct Jobs {
    list: Mutex<Vec<Arc<Job>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    followed: Mutex<Option<JoinHandle<()>>>,
    watcher: Mutex<Option<Watcher>>,
    count: AtomicU64,
    /// Where changes are told.
    events: mpsc::Sender<Event>,
}

#[derive(Debug)]
pub struct Job {
    pub id: JobId,
    pub command: String,
    pub started: Instant,
    tap: Tap,
    cancel: CancellationToken,
    state: watch::Receiver<JobState>,
    /// Bytes of its output that the model has been given.
    read: Mutex<u64>,
    /// The model knows that it has ended.
    told: AtomicBool,
}

#[derive(Debug, Clone)]
pub enum JobState {
    Running,
    Ended(Arc<Ended>),
}

impl Default for Jobs {
    /// Jobs whose changes nobody hears of.
    fn default() -> Jobs {
        Jobs::new(mpsc::channel(1).0)
    }
}

impl Jobs {
    pub fn new(events: mpsc::Sender<Event>) -> Jobs {
        Jobs {
            list: Mutex::default(),
            tasks: Mutex::default(),
            followed: Mutex::default(),
            watcher: Mutex::default(),
            count: AtomicU64::new(0),
            events,
        }
    }

    /// Whether one more may run.
    pub fn has_room(&self) -> bool {
        self.all().iter().filter(|job| job.is_running()).count() < MOST
    }

    /// From now on what the session starts ends with tern, even where tern itself is killed.
    pub fn guard(&self, mark: &Mark) {
        let mut watcher = lock(&self.watcher);
        if watcher.is_none() {
            *watcher = orphans::watch(mark);
        }
    }

    /// Takes over a command that runs. `timeout` counts from its start; `scratch` is kept until it
    /// ends.
    pub fn adopt(
        &self,
        running: Running,
        command: &str,
        timeout: Option<Duration>,
        scratch: Option<NamedTempFile>,
        mark: &Mark,
    ) -> Arc<Job> {
        self.guard(mark);
        let (state, seen) = watch::channel(JobState::Running);
        let job = Arc::new(Job {
            id: JobId(self.count.fetch_add(1, Ordering::Relaxed) + 1),
            command: command.to_owned(),
            started: Instant::now().checked_sub(running.elapsed()).unwrap_or_else(Instant::now),
            tap: running.tap(),
            cancel: CancellationToken::new(),
            state: seen,
            read: Mutex::default(),
            told: AtomicBool::new(false),
        });
        {
            let mut list = lock(&self.list);
            list.push(Arc::clone(&job));
            let ended = list.iter().filter(|job| !job.is_running()).count();
            if ended > KEPT
                && let Some(oldest) = list.iter().position(|job| !job.is_running())
            {
                list.remove(oldest);
            }
        }
        let (events, its) = (self.events.clone(), Arc::clone(&job));
        let task = tokio::spawn(async move {
            let _ = events.send(its.changed("")).await;
            let mut running = running;
            let end = running.over(&its.cancel, timeout).await;
            let ended = Arc::new(running.finish(end).await);
            drop(scratch);
            let facts = facts(&ended);
            state.send_replace(JobState::Ended(ended));
            let _ = events.send(its.changed(&facts)).await;
        });
        let mut tasks = lock(&self.tasks);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
        job
    }

    /// Oldest first.
    pub fn all(&self) -> Vec<Arc<Job>> {
        lock(&self.list).clone()
    }

    pub fn find(&self, id: JobId) -> Option<Arc<Job>> {
        lock(&self.list).iter().find(|job| job.id == id).cloned()
    }

    /// Asks it to end, and if it does not, makes it; false where there is no such job.
    pub fn stop(&self, id: JobId) -> bool {
        let job = self.find(id);
        if let Some(job) = &job {
            job.cancel.cancel();
        }
        job.is_some()
    }

    /// Those that have ended and of which the model has not been told.
    pub fn take_ended(&self) -> Vec<Arc<Job>> {
        self.all()
            .into_iter()
            .filter(|job| !job.is_running() && !job.told.swap(true, Ordering::Relaxed))
            .collect()
    }

    /// Tells the output of this job from now on, and of no other.
    pub fn follow(&self, id: Option<JobId>) {
        let job = id.and_then(|id| self.find(id));
        let task = job.map(|job| tokio::spawn(tell(job, self.events.clone())));
        if let Some(before) = std::mem::replace(&mut *lock(&self.followed), task) {
            before.abort();
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        // A task that is aborted drops its command, which kills it.
        lock(&self.tasks).iter().for_each(JoinHandle::abort);
        if let Some(task) = lock(&self.followed).take() {
            task.abort();
        }
    }
}

async fn tell(job: Arc<Job>, events: mpsc::Sender<Event>) {
    let mut tap = job.tap.clone();
    let mut seen = 0;
    loop {
        let (output, total) = tap.since(seen);
        seen = total;
        let mut text = output.head;
        if output.omitted > 0 {
            text += &format!("\n[… {} bytes …]\n{}", output.omitted, output.tail);
        }
        if !text.is_empty() {
            let told = events.send(Event::JobOutput { job: job.id, text }).await;
            if told.is_err() {
                return;
            }
        }
        tokio::time::sleep(PACE).await;
        if !tap.more().await {
            return;
        }
    }
}

impl Job {
    pub fn state(&self) -> JobState {
        self.state.borrow().clone()
    }

    pub fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), JobState::Running)
    }

    /// Output that the model has not been given yet. It has been given it after this.
    pub fn unread(&self) -> Output {
        let mut read = lock(&self.read);
        let (output, total) = self.tap.since(*read);
        *read = total;
        output
    }

    /// The model learns of its end in another way.
    pub fn note_told(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    /// Waits for its end, not longer than `most`.
    pub async fn ended(&self, most: Duration, cancel: &CancellationToken) {
        let mut state = self.state.clone();
        let over = state.wait_for(|state| matches!(state, JobState::Ended(_)));
        tokio::select! {
            _ = tokio::time::timeout(most, over) => {}
            () = cancel.cancelled() => {}
        }
    }

    fn changed(&self, facts: &str) -> Event {
        Event::JobChanged {
            job: self.id,
            command: self.command.clone(),
            running: self.is_running(),
            facts: facts.to_owned(),
        }
    }
}

/// How it ended: `exit 1 · 12 s`.
pub fn facts(ended: &Ended) -> String {
    let how = match ended.end {
        End::Exited(code) => format!("exit {code}"),
        End::Signalled(signal) => format!("ended by signal {signal}"),
        End::TimedOut => "time over".to_owned(),
        End::Cancelled => "stopped".to_owned(),
    };
    format!("{how} · {} s", ended.duration.as_secs())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
