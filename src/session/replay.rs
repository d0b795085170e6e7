//! What a log says about its session: the messages for the next request, and the state around
//! them.

use std::collections::{HashMap, HashSet};

use crate::protocol::{
    CallId, Cause, Detail, Input, Message, Mode, Money, Part, Place, Role, Todo, Usage,
};
use crate::session::blobs::Blobs;
use crate::session::read::Loaded;
use crate::session::record::{Body, Compaction, Record, RecordId};
use crate::session::shelve::unshelve;
use crate::session::window::{self, Edits, Piece};

/// What the model is told of a call whose result was never written.
pub const OUTCOME_UNKNOWN: &str = "The outcome of this call is not known: the program ended before \
    its result was written. It may have run in part, in full or not at all. Look before you repeat it.";

/// What the model is given for the output of a call that no window has room for.
pub const TOO_FAR_BACK: &str = "[The output of this call is too far back to be given again.]";

/// How that message begins.
pub const SUMMARY: &str = "[Summary of the conversation so far]";

/// Stands before an answer whose question is not there.
pub const BEGINNING_LOST: &str = "[The beginning of this conversation is lost.]";

/// The conversation as the next request carries it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conversation {
    /// Begins with the user, alternates, and answers every call.
    pub messages: Vec<Message>,
    /// For each message, the record that it begins with.
    pub ids: Vec<RecordId>,
    /// Calls without a result, in order.
    pub unknown: Vec<CallId>,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// The same, record by record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pieces {
    /// Begin with the user, and answer every call.
    pub pieces: Vec<Piece>,
    /// What the person said before the last compaction, as far as its summary quotes it.
    pub said: Vec<String>,
    pub unknown: Vec<CallId>,
    pub problems: Vec<String>,
}

/// Everything else that resuming brings back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub mode: Option<Mode>,
    /// `PROVIDER/MODEL`
    pub model: Option<String>,
    pub title: Option<String>,
    pub todos: Vec<Todo>,
    pub queued: Vec<Input>,
    /// Where the screen stood when the session was left; `None`: at the end.
    pub place: Option<Place>,
    pub spent: Spent,
    /// Tokens of the last request of the conversation and its answer.
    pub context: Option<u64>,
}

/// What the requests of a session cost, those of abandoned branches too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Of the requests with a known price.
    pub cost: Money,
    /// Requests without one.
    pub unpriced: u64,
    pub usage: Usage,
}

/// The messages of the current branch, with the last compaction applied.
pub fn messages(loaded: &Loaded, blobs: &Blobs) -> Conversation {
    messages_within(loaded, blobs, u64::MAX)
}

/// The same, but outputs of calls that stand more than so many bytes before the end are not even
/// read: whoever cannot send them need not hold them.
pub fn messages_within(loaded: &Loaded, blobs: &Blobs, bytes: u64) -> Conversation {
    let Pieces { pieces, unknown, problems, .. } = pieces_within(loaded, blobs, bytes);
    let mut conversation = Conversation { unknown, problems, ..Conversation::default() };
    for (id, message) in pieces {
        say(id, message, &mut conversation);
    }
    conversation
}

/// The same, not yet joined to messages whose roles alternate.
pub fn pieces_within(loaded: &Loaded, blobs: &Blobs, bytes: u64) -> Pieces {
    let mut all = Pieces::default();
    let (start, compaction) = compacted(loaded, &mut all.problems);
    let recent = loaded.last_within(bytes).max(start);
    let is_result = |index: &&usize| loaded.entries[**index].kind == "result";
    let old = loaded.branch[start..recent].iter().filter(|index| !is_result(index));
    let old = old.filter_map(|index| Some((Age::Old, loaded.record(*index)?)));
    let new = loaded.branch[recent..].iter();
    let new = new.filter_map(|index| Some((Age::New, loaded.record(*index)?)));
    let edits = edits(loaded);
    let mut pieces = edits.seen(assemble(old.chain(new), blobs, &mut all));
    if let Some(compaction) = compaction {
        let kept = kept(loaded, start, &compaction.pinned).into_iter();
        let kept = assemble(kept.map(|record| (Age::New, record)), blobs, &mut all);
        let head = (RecordId::default(), summary_message(&compaction.summary));
        pieces = window::joined(head, edits.seen(kept), pieces);
        all.said.clone_from(&compaction.said);
    }
    if pieces.first().is_some_and(|(_, first)| first.role == Role::Assistant) {
        pieces.insert(0, (RecordId::default(), Message::user(BEGINNING_LOST)));
    }
    all.pieces = pieces;
    all
}

/// What was changed on the current branch about what the model sees.
pub fn edits(loaded: &Loaded) -> Edits {
    let mut edits = Edits::default();
    for index in &loaded.branch {
        if let Some(Body::Window(edit)) = loaded.entries[*index].state.as_deref() {
            edits.apply(edit);
        }
    }
    edits
}

/// Results that made room by themselves and are not back yet.
pub fn pruned(loaded: &Loaded) -> Vec<CallId> {
    let in_force = edits(loaded).stubs;
    let mut pruned: Vec<CallId> = Vec::new();
    for index in &loaded.branch {
        match loaded.entries[*index].state.as_deref() {
            Some(Body::Window(edit)) if edit.automatic => {
                pruned.extend(edit.stubs.iter().map(|stub| stub.call.clone()));
            }
            _ => {}
        }
    }
    pruned.retain(|call| in_force.contains_key(call));
    pruned
}

/// The pinned records from before the model's view begins, with the results of their calls.
fn kept(loaded: &Loaded, start: usize, pinned: &[RecordId]) -> Vec<Record> {
    let mut calls: HashSet<CallId> = HashSet::new();
    let mut kept = Vec::new();
    if pinned.is_empty() {
        return kept;
    }
    for index in &loaded.branch[..start] {
        let entry = &loaded.entries[*index];
        if entry.kind != "result" && !pinned.contains(&entry.id) {
            continue;
        }
        let Some(record) = loaded.record(*index) else { continue };
        match &record.body {
            Body::Assistant { parts, .. } => calls.extend(parts.iter().filter_map(called)),
            Body::Result { call, .. } if !calls.contains(call) => continue,
            _ => {}
        }
        kept.push(record);
    }
    kept
}

fn called(part: &Part) -> Option<CallId> {
    match part {
        Part::Call { id, .. } => Some(id.clone()),
        _ => None,
    }
}

/// The message that stands for what a compaction took away.
pub fn summary_message(summary: &str) -> Message {
    Message::user(format!("{SUMMARY}\n\n{summary}"))
}

/// The state at the end of the current branch. Title, queue, place and money belong to the session, not
/// to a branch.
pub fn state(loaded: &Loaded) -> State {
    let mut state = State::default();
    let inherited = loaded.opening.as_ref().and_then(|opening| opening.origin.as_ref());
    for entry in &loaded.entries {
        match entry.state.as_deref() {
            Some(Body::Title { title }) => state.title = Some(title.clone()),
            Some(Body::Queue { inputs }) => state.queued.clone_from(inputs),
            Some(Body::Place { place }) => state.place.clone_from(place),
            Some(Body::Usage { spend }) if inherited.is_none_or(|o| entry.seq > o.inherited) => {
                state.spent.usage.add(&spend.usage);
                match spend.cost {
                    Some(cost) => state.spent.cost += cost,
                    None => state.spent.unpriced += 1,
                }
            }
            _ => {}
        }
    }
    for index in &loaded.branch {
        match loaded.entries[*index].state.as_deref() {
            Some(Body::Session(opening)) => {
                state.mode = Some(opening.mode);
                state.model = Some(opening.model.clone());
            }
            Some(Body::Mode { mode }) => state.mode = Some(*mode),
            Some(Body::Model { model }) => state.model = Some(model.clone()),
            Some(Body::Compaction(compaction)) => state.context = Some(compaction.after),
            Some(Body::Usage { spend }) if is_conversation(&spend.cause) => {
                state.context = Some(spend.usage.context());
            }
            Some(Body::Result { result, .. }) => {
                if let Detail::Todos { todos } = &result.detail {
                    state.todos.clone_from(todos);
                }
            }
            _ => {}
        }
    }
    state
}

/// Whether a request carried the conversation, so that its tokens tell how full the window is.
fn is_conversation(cause: &Cause) -> bool {
    match cause {
        Cause::Prompt | Cause::Tool | Cause::Retry | Cause::Continuation => true,
        Cause::SubAgent
        | Cause::Compaction
        | Cause::Title
        | Cause::Page
        | Cause::Search
        | Cause::Permission => false,
    }
}

/// The compaction that is in force.
pub fn compaction(loaded: &Loaded) -> Option<&Compaction> {
    compacted(loaded, &mut Vec::new()).1
}

/// Where on the branch the model's view begins, and the summary of what came before.
fn compacted<'a>(
    loaded: &'a Loaded,
    problems: &mut Vec<String>,
) -> (usize, Option<&'a Compaction>) {
    let mut taken_back = 0;
    for (at, index) in loaded.branch.iter().enumerate().rev() {
        let Some(Body::Compaction(compaction)) = loaded.entries[*index].state.as_deref() else {
            continue;
        };
        if compaction.undone {
            taken_back += 1;
            continue;
        }
        if taken_back > 0 {
            taken_back -= 1;
            continue;
        }
        let Some(keep_from) = &compaction.keep_from else { return (at + 1, Some(compaction)) };
        let kept = loaded.branch[..at].iter().position(|i| loaded.entries[*i].id == *keep_from);
        match kept {
            Some(kept) => return (kept, Some(compaction)),
            None => problems.push(
                "a compaction names a record that is not there; the history before it is used"
                    .to_owned(),
            ),
        }
    }
    (0, None)
}

/// Whether the results of a record's calls are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Old,
    New,
}

fn assemble(
    records: impl Iterator<Item = (Age, Record)>,
    blobs: &Blobs,
    into: &mut Pieces,
) -> Vec<Piece> {
    let mut said: Vec<(Age, RecordId, Role, Vec<Part>)> = Vec::new();
    let mut results: HashMap<CallId, Part> = HashMap::new();
    for (age, record) in records {
        match record.body {
            Body::User { parts, shelved } => {
                let (parts, problems) = unshelve(parts, &shelved, blobs);
                into.problems.extend(problems);
                said.push((age, record.id, Role::User, parts));
            }
            Body::Assistant { parts, .. } => said.push((age, record.id, Role::Assistant, parts)),
            Body::Result { call, result } => {
                let is_error = result.is_error();
                results.entry(call.clone()).or_insert(Part::Result {
                    call,
                    text: result.text,
                    is_error,
                });
            }
            _ => {}
        }
    }
    let mut named = HashSet::new();
    let mut pieces = Vec::new();
    for (age, id, role, mut parts) in said {
        // A call that is named twice could not be answered twice.
        parts.retain(|part| match part {
            Part::Call { id, .. } => named.insert(id.clone()),
            Part::Text { text } => !text.is_empty(),
            _ => true,
        });
        let answers: Vec<Part> = parts
            .iter()
            .filter_map(called)
            .map(|call| match (results.remove(&call), age) {
                (Some(result), _) => result,
                (None, Age::Old) => {
                    Part::Result { call, text: TOO_FAR_BACK.to_owned(), is_error: false }
                }
                (None, Age::New) => unknown(call, &mut into.unknown),
            })
            .collect();
        for (role, parts) in [(role, parts), (Role::User, answers)] {
            if !parts.is_empty() {
                pieces.push((id.clone(), Message { role, parts }));
            }
        }
    }
    pieces
}

/// Adds to the last message where the role is the same: servers want them to alternate.
fn say(id: RecordId, message: Message, into: &mut Conversation) {
    match into.messages.last_mut() {
        Some(last) if last.role == message.role => last.parts.extend(message.parts),
        _ => {
            into.messages.push(message);
            into.ids.push(id);
        }
    }
}

fn unknown(call: CallId, unknown: &mut Vec<CallId>) -> Part {
    unknown.push(call.clone());
    Part::Result { call, text: OUTCOME_UNKNOWN.to_owned(), is_error: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CallResult, CallStatus, Spend, Title, TodoState, TurnId};
    use crate::session::disk::Disk;
    use crate::session::read;
    use crate::session::record::encode;
    use crate::session::record::tests::{record, user};
    use serde_json::json;

    /// Loads a log of these bodies, each the child of the one before.
    fn loaded(bodies: &[Body]) -> (tempfile::TempDir, Loaded, Blobs) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.jsonl");
        let mut parent = None;
        let mut bytes = Vec::new();
        for (seq, body) in bodies.iter().enumerate() {
            let record = record(seq as u64, parent.as_deref(), body.clone());
            bytes.extend(encode(&record).unwrap());
            parent = Some(record.id.0);
        }
        std::fs::write(&path, bytes).unwrap();
        let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
        let (loaded, damage) = read::load(&path).unwrap();
        assert!(damage.is_none(), "{damage}");
        (dir, loaded, blobs)
    }

    fn conversation(bodies: &[Body]) -> Conversation {
        let (_dir, loaded, blobs) = loaded(bodies);
        messages(&loaded, &blobs)
    }

    fn text(text: &str) -> Part {
        Part::Text { text: text.into() }
    }

    fn call(id: &str) -> Part {
        Part::Call { id: CallId(id.into()), tool: "Bash".into(), input: json!({"command": "ls"}) }
    }

    fn assistant(parts: Vec<Part>) -> Body {
        Body::assistant(parts, "demo/demo")
    }

    fn intent(id: &str) -> Body {
        Body::Call {
            call: CallId(id.into()),
            tool: "Bash".into(),
            input: json!({"command": "ls"}),
            title: Title::default(),
            turn: TurnId(1),
        }
    }

    fn result(id: &str, text: &str, detail: Detail) -> Body {
        let result = CallResult {
            status: CallStatus::Done,
            text: text.into(),
            facts: String::new(),
            detail,
        };
        Body::Result { call: CallId(id.into()), result }
    }

    fn answer(id: &str, text: &str) -> Part {
        Part::Result { call: CallId(id.into()), text: text.into(), is_error: false }
    }

    fn compaction(keep_from: Option<&str>) -> Body {
        Body::Compaction(Compaction {
            summary: "so far".into(),
            keep_from: keep_from.map(|id| crate::protocol::MessageId(id.into())),
            before: 100,
            after: 10,
            ..Compaction::default()
        })
    }

    #[test]
    fn outputs_that_cannot_be_sent_are_not_read() {
        let long = "x".repeat(5_000);
        let (_dir, loaded, blobs) = loaded(&[
            user("go"),
            assistant(vec![call("a")]),
            intent("a"),
            result("a", &long, Detail::Text),
            assistant(vec![call("b")]),
            intent("b"),
            result("b", "short", Detail::Text),
        ]);
        let whole = messages(&loaded, &blobs);
        assert_eq!(messages_within(&loaded, &blobs, 1 << 20), whole);
        let within = messages_within(&loaded, &blobs, 2_000);
        assert_eq!(within.messages[2].parts, [answer("a", TOO_FAR_BACK)]);
        assert_eq!(within.messages[4].parts, [answer("b", "short")]);
        assert_eq!((within.unknown.len(), within.ids), (0, whole.ids));
    }

    #[test]
    fn results_stand_behind_their_calls_in_call_order() {
        let read = conversation(&[
            user("go"),
            assistant(vec![text("ok"), call("a"), call("b")]),
            intent("a"),
            intent("b"),
            result("b", "B", Detail::Text),
            result("a", "A", Detail::Text),
            user("and then"),
            assistant(vec![text("done")]),
        ]);
        let user = |parts| Message { role: Role::User, parts };
        let wanted = vec![
            Message::user("go"),
            Message { role: Role::Assistant, parts: vec![text("ok"), call("a"), call("b")] },
            user(vec![answer("a", "A"), answer("b", "B"), text("and then")]),
            Message::assistant("done"),
        ];
        assert_eq!(read.messages, wanted);
        assert_eq!(read.ids.len(), wanted.len());
        assert_eq!((read.unknown, read.problems), (vec![], vec![]));
    }

    #[test]
    fn a_call_without_a_result_is_answered_with_not_known() {
        let read = conversation(&[user("go"), assistant(vec![call("a")]), intent("a")]);
        let last =
            Part::Result { call: CallId("a".into()), text: OUTCOME_UNKNOWN.into(), is_error: true };
        assert_eq!(read.messages.last(), Some(&Message { role: Role::User, parts: vec![last] }));
        assert_eq!(read.unknown, [CallId("a".into())]);
    }

    #[test]
    fn what_lost_its_other_half_is_left_out() {
        let read = conversation(&[
            assistant(vec![text("hello"), call("a")]),
            result("a", "A", Detail::Text),
            result("lost", "L", Detail::Text),
            assistant(vec![call("a"), text("again")]),
            user(""),
        ]);
        let texts: Vec<(Role, usize)> =
            read.messages.iter().map(|message| (message.role, message.parts.len())).collect();
        assert_eq!(
            texts,
            [(Role::User, 1), (Role::Assistant, 2), (Role::User, 1), (Role::Assistant, 1)]
        );
        assert_eq!(read.messages[0], Message::user(BEGINNING_LOST));
    }

    #[test]
    fn a_compaction_stands_for_what_came_before() {
        let log = |keep| {
            let bodies = [
                user("one"),
                assistant(vec![text("two")]),
                user("three"),
                compaction(keep),
                user("four"),
            ];
            conversation(&bodies)
        };
        let texts = |conversation: &Conversation| {
            conversation.messages.iter().map(Message::text).collect::<Vec<_>>()
        };
        let summary = summary_message("so far").text();
        assert_eq!(texts(&log(None)), [format!("{summary}four")]);
        assert_eq!(texts(&log(Some("r2"))), [format!("{summary}threefour")]);
        assert_eq!(texts(&log(Some("r1"))), [summary, "two".into(), "threefour".into()]);
        let lost = log(Some("nowhere"));
        assert_eq!(texts(&lost), ["one", "two", "threefour"]);
        assert_eq!(lost.problems.len(), 1);
    }

    #[test]
    fn the_state_is_the_last_word_on_each() {
        let todo =
            Todo { content: "test".into(), status: TodoState::Pending, active_form: String::new() };
        let usage = Usage { input: 10, output: 5, ..Usage::default() };
        let spend = |cost, cause| Body::Usage {
            spend: Spend { model: "demo/demo".into(), usage, cost, cause },
        };
        let (_dir, loaded, _) = loaded(&[
            user("go"),
            Body::Mode { mode: Mode::Plan },
            Body::Model { model: "a/b".into() },
            Body::Title { title: "first".into() },
            Body::Title { title: "second".into() },
            result("t", "", Detail::Todos { todos: vec![todo.clone()] }),
            spend(Some(Money(7)), Cause::Prompt),
            spend(None, Cause::Title),
            Body::Queue { inputs: vec![Input::text("later")] },
            Body::Place { place: Some(Place { message: None, entries: 2, row: 1 }) },
        ]);
        assert_eq!(
            state(&loaded),
            State {
                mode: Some(Mode::Plan),
                model: Some("a/b".into()),
                title: Some("second".into()),
                todos: vec![todo],
                queued: vec![Input::text("later")],
                place: Some(Place { message: None, entries: 2, row: 1 }),
                spent: Spent {
                    cost: Money(7),
                    unpriced: 1,
                    usage: Usage { input: 20, output: 10, ..Usage::default() }
                },
                context: Some(15),
            }
        );
    }
}
