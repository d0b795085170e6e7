//! The agent's way to the disk: each step of a session as a record of its log. (Money goes into the
//! ledger by way of `purse`.)
//!
//! A problem with the disk is told once, not once a record; the log keeps what it could not write
//! and tries again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::agent::dispatch::{self, Call};
use crate::agent::queue::Queue;
use crate::agent::shared::{Shared, lock};
use crate::agent::title;
use crate::agent::undo::{self, Kept};
use crate::protocol::{
    CallId, CallResult, Event, Level, MessageId, Mode, Part, Place, Spend, Title, TurnId,
};
use crate::session::blobs::Blobs;
use crate::session::checkpoint::Checkpoint;
use crate::session::log::{Appended, Log};
use crate::session::record::{Body, Compaction, Rewind};
use crate::session::window;
use crate::tools::Tool;

#[derive(Debug)]
pub struct Journal {
    /// `None` with --no-session. Shared with the queue, which changes while a turn has the journal.
    log: Option<Arc<Mutex<Log>>>,
    turn: TurnId,
    mode: Mode,
    titled: Titled,
    in_trouble: bool,
    /// The message that began the turn.
    message: Option<MessageId>,
    /// Files that calls of this session have changed.
    touched: BTreeSet<PathBuf>,
    /// Where the screen stood when the session was last left.
    place: Option<Place>,
    /// Git takes too long to be asked around each command.
    git_is_slow: bool,
}

/// Where the session's title comes from.
#[derive(Debug)]
enum Titled {
    No,
    /// From the first prompt, which is this and says more than the title does.
    Poorly(String),
    Well,
}

impl Journal {
    pub fn new(log: Option<Log>, mode: Mode) -> Journal {
        Journal {
            log: log.map(|log| Arc::new(Mutex::new(log))),
            turn: TurnId(0),
            mode,
            titled: Titled::No,
            in_trouble: false,
            message: None,
            touched: BTreeSet::new(),
            place: None,
            git_is_slow: false,
        }
    }

    /// A session taken up again has its title already.
    pub fn titled(&mut self) {
        self.titled = Titled::Well;
    }

    /// The prompt whose first words are the title for want of a better one.
    pub fn poorly_titled(&self) -> Option<&str> {
        match &self.titled {
            Titled::Poorly(prompt) if self.log.is_some() => Some(prompt),
            Titled::No | Titled::Poorly(_) | Titled::Well => None,
        }
    }

    /// The person's own title.
    pub async fn rename(&mut self, shared: &Shared, title: &str) {
        let Some((title, _)) = title::first_words(title) else { return };
        self.titled = Titled::Well;
        self.append(shared, Body::Title { title: title.clone() }).await;
        shared.emit(Event::Titled { title }).await;
    }

    /// A title that is better than the first words. One that a person gave meanwhile stays.
    pub async fn improve_title(&mut self, shared: &Shared, title: String) {
        if matches!(self.titled, Titled::Poorly(_)) {
            self.titled = Titled::Well;
            self.append(shared, Body::Title { title: title.clone() }).await;
            shared.emit(Event::Titled { title }).await;
        }
    }

    pub fn begin_turn(&mut self, turn: TurnId) {
        self.turn = turn;
    }

    /// The turn's first message is written.
    pub fn turn_begun(&mut self, message: MessageId) {
        self.message = Some(message);
    }

    /// Where the log says that the screen stood.
    pub fn left_at(&mut self, place: Option<Place>) {
        self.place = place;
    }

    pub async fn leave(&mut self, shared: &Shared, place: Option<Place>) {
        if self.place != place {
            self.place.clone_from(&place);
            self.append(shared, Body::Place { place }).await;
        }
    }

    /// The log has gone to a place where `then` is the mode; `now` is the one that holds.
    pub async fn stands_at(&mut self, then: Option<Mode>, shared: &Shared, now: Mode) {
        self.mode = then.unwrap_or(now);
        self.mode(shared, now).await;
    }

    /// Files that earlier runs of this session have changed.
    pub fn knows(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        self.touched.extend(files);
    }

    pub fn touched(&self) -> BTreeSet<PathBuf> {
        self.touched.clone()
    }

    pub fn asks_git(&self) -> bool {
        !self.git_is_slow
    }

    pub fn leave_git(&mut self) {
        self.git_is_slow = true;
    }

    pub fn blobs(&self) -> Option<Blobs> {
        self.log.as_ref().map(|log| lock(log).blobs().clone())
    }

    pub fn log_path(&self) -> Option<PathBuf> {
        self.log.as_ref().map(|log| lock(log).path().to_owned())
    }

    /// The last record.
    pub fn head(&self) -> Option<MessageId> {
        self.log.as_ref().and_then(|log| lock(log).head().cloned())
    }

    /// What sub-agents have changed is undone with the turn that has started them, so it stands in
    /// the session's own log; what one changes in a copy of its own is for nobody to undo.
    pub async fn take_over(&mut self, shared: &Shared) {
        if shared.agent.is_none() {
            for checkpoint in shared.agents.take_checkpoints() {
                self.checkpoint(shared, checkpoint).await;
            }
        }
    }

    pub async fn checkpoint(&mut self, shared: &Shared, mut checkpoint: Checkpoint) {
        if checkpoint.files.is_empty() && checkpoint.call.is_some() {
            return;
        }
        if let Some(lineage) = &shared.lineage {
            if !lineage.apart {
                shared.agents.hand_over(checkpoint);
            }
            return;
        }
        if checkpoint.call.is_some() {
            checkpoint.turn.clone_from(&self.message);
            self.touched.extend(checkpoint.files.iter().map(|kept| PathBuf::from(&kept.path)));
        }
        self.append(shared, Body::Checkpoint(checkpoint)).await;
    }

    pub async fn rewind(&mut self, shared: &Shared, rewind: Rewind) {
        self.append(shared, Body::Rewind(rewind)).await;
    }

    /// What is queued from now on is logged at once.
    pub fn keeps(&self, queue: &mut Queue) {
        queue.log = self.log.as_ref().map(Arc::downgrade).unwrap_or_default();
    }

    /// What the model is told about the project.
    pub async fn context(&mut self, shared: &Shared, text: String, files: Vec<String>) {
        self.append(shared, Body::Context { text, files }).await;
    }

    /// Gives the session its title with the first text.
    pub async fn user(&mut self, shared: &Shared, parts: Vec<Part>) -> MessageId {
        let untitled = matches!(self.titled, Titled::No);
        let said = words(&parts).filter(|_| untitled).map(str::to_owned);
        let id = self.append(shared, Body::user(parts)).await;
        // What was queued stands in the log until it stands there as said.
        lock(&shared.queue).note();
        if let Some(said) = said
            && let Some((title, poor)) = title::first_words(&said)
        {
            self.titled = if poor { Titled::Poorly(said) } else { Titled::Well };
            self.append(shared, Body::Title { title: title.clone() }).await;
            shared.emit(Event::Titled { title }).await;
        }
        id
    }

    pub async fn assistant(
        &mut self,
        shared: &Shared,
        id: &MessageId,
        parts: Vec<Part>,
        model: &str,
        cut: bool,
    ) {
        let body = Body::Assistant { parts, model: Some(model.to_owned()), cut };
        let appended =
            self.log.as_ref().map(|log| lock(log).append_as(id.clone(), body, Timestamp::now()));
        self.report(shared, appended.and_then(|appended| appended.problem.map(|p| p.to_string())))
            .await;
    }

    pub async fn mode(&mut self, shared: &Shared, mode: Mode) {
        if self.mode != mode {
            self.mode = mode;
            self.append(shared, Body::Mode { mode }).await;
        }
    }

    pub async fn model(&mut self, shared: &Shared, model: &str) {
        self.append(shared, Body::Model { model: model.to_owned() }).await;
    }

    pub async fn compaction(&mut self, shared: &Shared, compaction: Compaction) {
        self.append(shared, Body::Compaction(compaction)).await;
    }

    pub async fn window(&mut self, shared: &Shared, edit: window::Edit) {
        self.append(shared, Body::Window(edit)).await;
    }

    pub async fn notice(&mut self, shared: &Shared, level: Level, text: String) {
        self.append(shared, Body::Notice { level, text }).await;
    }

    /// What a request cost, and what was booked beside the turn since.
    pub async fn spent(&mut self, shared: &Shared, spend: Option<&Spend>) {
        for spend in shared.purse.take_unlogged().into_iter().chain(spend.cloned()) {
            self.append(shared, Body::Usage { spend }).await;
        }
    }

    /// Returns once everything so far would survive a power cut.
    pub async fn sync(&mut self, shared: &Shared) {
        let problem = self.log.as_ref().and_then(|log| lock(log).sync().err());
        self.report(shared, problem.map(|problem| problem.to_string())).await;
    }

    /// The last chance of what the disk has not taken: the person is told what goes with it.
    pub async fn close(&mut self, shared: &Shared) {
        self.sync(shared).await;
        let left = self.log.as_ref().map_or(0, |log| lock(log).unwritten());
        if left > 0 {
            let records = if left == 1 { "1 record".to_owned() } else { format!("{left} records") };
            let text = format!(
                "The end of this session is lost: {records} could not be written to its log. Make \
                 room on the disk before you go on."
            );
            shared.notice(Level::Error, text).await;
        }
    }

    async fn append(&mut self, shared: &Shared, body: Body) -> MessageId {
        let Some(log) = &self.log else { return crate::agent::conversation::new_message_id() };
        let Appended { id, problem } = lock(log).append(body, Timestamp::now());
        self.report(shared, problem.map(|problem| problem.to_string())).await;
        id
    }

    async fn report(&mut self, shared: &Shared, problem: Option<String>) {
        match problem {
            Some(problem) if !self.in_trouble => {
                self.in_trouble = true;
                let text = format!("{problem}. tern keeps what is missing and tries again.");
                shared.notice(Level::Error, text).await;
            }
            None if self.in_trouble => {
                self.in_trouble = false;
                shared.notice(Level::Info, "The session log can be written again.").await;
            }
            Some(_) | None => {}
        }
    }
}

#[async_trait::async_trait]
impl dispatch::Journal for Journal {
    async fn intent(&mut self, shared: &Shared, call: &Call, title: Title, changes: bool) {
        let body = Body::Call {
            call: call.id.clone(),
            tool: call.tool.clone(),
            input: call.input.clone(),
            title,
            turn: self.turn,
        };
        self.append(shared, body).await;
        if changes {
            self.sync(shared).await;
        }
    }

    async fn result(&mut self, shared: &Shared, call: &CallId, result: &CallResult) {
        let body = Body::Result { call: call.clone(), result: result.clone() };
        self.append(shared, body).await;
        let session = lock(&shared.session).clone();
        let files = lock(&session.seen).news();
        if !files.is_empty() {
            self.append(shared, Body::Seen { files }).await;
        }
    }

    async fn keep(&mut self, shared: &Shared, call: &Call, tool: &dyn Tool) -> Kept {
        undo::keep(self, shared, call, tool).await
    }

    async fn adopt(&mut self, shared: &Shared) {
        self.take_over(shared).await;
    }

    async fn kept(&mut self, shared: &Shared, call: &Call, kept: Kept) {
        undo::kept(self, shared, call, kept).await;
    }
}

/// What the person wrote, without what tern put before it.
fn words(parts: &[Part]) -> Option<&str> {
    parts.iter().rev().find_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    })
}
