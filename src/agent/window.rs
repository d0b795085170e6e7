//! What fills the model's window, for the person: by source and item by item; and what they change
//! about it.

use std::collections::{BTreeMap, HashMap};

use tokio_util::sync::CancellationToken;

use crate::agent::compact;
use crate::agent::compact::prune::{self, Old};
use crate::agent::compact::size::part_bytes;
use crate::agent::conversation::Conversation;
use crate::agent::recount::is_ours;
use crate::agent::retell;
use crate::agent::shared::Shared;
use crate::api::ToolSpec;
use crate::permissions::access;
use crate::protocol::{
    CallId, Event, Filler, Item, ItemId, Level, Message, MessageId, Part, Role, Window, WindowAct,
};
use crate::session::read;
use crate::session::record::Body;
use crate::session::replay::SUMMARY;
use crate::session::window::{Edit, Piece};

/// Characters of a name.
const NAME: usize = 160;
/// Bytes of an item that are shown.
const SHOWN: usize = 256 << 10;

pub async fn show(
    talk: &mut Conversation,
    shared: &Shared,
    exact: bool,
    cancel: &CancellationToken,
) {
    let counted = !exact || talk.is_exact() || talk.count(cancel).await;
    if !counted && !cancel.is_cancelled() && shared.gate.can_ask() {
        let text = "The server of this model does not count tokens; these are estimates.";
        shared.notice(Level::Info, text).await;
    }
    tell(talk, shared).await;
}

/// The whole text of one item.
pub async fn show_item(talk: &Conversation, shared: &Shared, item: ItemId) {
    let mut text = String::new();
    for (id, message) in talk.pieces() {
        for part in &message.parts {
            let wanted = match (&item, part) {
                (ItemId::Result(wanted), Part::Result { call, .. }) => wanted == call,
                (ItemId::Message(_), Part::Result { .. }) | (ItemId::Result(_), _) => false,
                (ItemId::Message(wanted), _) => *wanted == id,
            };
            if wanted && text.len() < SHOWN {
                add_readable(part, &mut text);
            }
        }
    }
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push_str("\n(cut here)");
    }
    shared.emit(Event::WindowItemShown { item, text }).await;
}

/// Pins or drops something, or takes that back.
pub async fn edit(talk: &mut Conversation, shared: &Shared, item: ItemId, act: WindowAct) {
    talk.draft = None;
    let mut edit = Edit::default();
    match (act, &item) {
        (WindowAct::Pin, _) => edit.pin.push(item),
        (WindowAct::Unpin, _) => edit.unpin.push(item),
        (WindowAct::Drop, ItemId::Message(id)) => edit.drop.push(id.clone()),
        (WindowAct::Drop, ItemId::Result(wanted)) => {
            let pieces = talk.pieces();
            let Some(old) = result(&pieces, wanted) else { return tell(talk, shared).await };
            edit.stubs.push(prune::stub(&old, &shared.spill));
        }
        (WindowAct::Restore, _) => edit.restore.push(item),
    }
    let lost = matches!(act, WindowAct::Drop | WindowAct::Restore);
    if act == WindowAct::Restore && talk.journal.log_path().is_none() {
        let text = "Without a session log nothing can be brought back.";
        return shared.notice(Level::Warning, text).await;
    }
    compact::change(talk, shared, edit).await;
    // What the model sees is then what it would see if the session were taken up from the log.
    if lost
        && talk.journal.log_path().is_some()
        && let Err(why) = retell::reread(talk, shared).await
    {
        shared.notice(Level::Error, why).await;
    }
    tell(talk, shared).await;
}

fn result<'a>(pieces: &'a [Piece], wanted: &'a CallId) -> Option<Old<'a>> {
    let parts = || pieces.iter().flat_map(|(_, message)| &message.parts);
    let text = parts().find_map(|part| match part {
        Part::Result { call, text, .. } if call == wanted => Some(text.as_str()),
        _ => None,
    })?;
    let tool = parts().find_map(|part| match part {
        Part::Call { id, tool, .. } if id == wanted => Some(tool.as_str()),
        _ => None,
    });
    Some(Old { call: wanted, tool: tool.unwrap_or_default(), text })
}

async fn tell(talk: &Conversation, shared: &Shared) {
    let mut rows = fixed(talk);
    rows.extend(conversation(talk, shared));
    let tokens = talk.estimated_tokens();
    let mut items = weighed(rows, tokens);
    items.extend(dropped(talk).await);
    let size = talk.route.window();
    let compacts_at = size.map(|_| talk.compacts_at());
    let window = Window { size, compacts_at, tokens, exact: talk.is_exact(), items };
    shared.emit(Event::WindowShown { window: Box::new(window) }).await;
}

/// An item with its bytes for its tokens.
type Row = (usize, Item);

fn row(id: Option<ItemId>, source: Filler, name: &str, bytes: usize) -> Row {
    let name = first_line(name);
    (bytes, Item { id, source, name, tokens: 0, pinned: false, dropped: false })
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(NAME).collect()
}

/// What every request begins with.
fn fixed(talk: &Conversation) -> Vec<Row> {
    let mut rows = vec![row(None, Filler::System, "instructions of tern", talk.system.len())];
    let size =
        |spec: &ToolSpec| spec.name.len() + spec.description.len() + spec.schema.to_string().len();
    for spec in talk.specs.iter() {
        let source = server_of(&spec.name).map_or(Filler::Tools, |name| Filler::Server { name });
        rows.push(row(None, source, &spec.name, size(spec)));
    }
    if talk.history.is_empty() {
        rows.extend(preamble(talk.preamble()));
    }
    rows
}

/// `mcp__SERVER__TOOL`
fn server_of(tool: &str) -> Option<String> {
    let (server, _) = tool.strip_prefix("mcp__")?.split_once("__")?;
    Some(server.to_owned())
}

/// Memory files one by one; the rest is environment and git.
fn preamble(text: &str) -> Vec<Row> {
    let (mut rows, mut rest) = (Vec::new(), text.len());
    for file in text.split("\n<file path=\"").skip(1) {
        let Some((path, body)) = file.split_once("\">") else { continue };
        let bytes = body.split_once("\n</file>").map_or(body.len(), |(body, _)| body.len());
        rest = rest.saturating_sub(bytes);
        rows.push(row(None, Filler::Memory, path, bytes));
    }
    rows.insert(0, row(None, Filler::Project, "where the session began", rest));
    rows
}

fn conversation(talk: &Conversation, shared: &Shared) -> Vec<Row> {
    let pieces = talk.pieces();
    let mut calls: HashMap<CallId, (String, serde_json::Value)> = HashMap::new();
    let mut rows = Vec::new();
    for (id, message) in &pieces {
        if message.role == Role::User
            && !talk.preamble().is_empty()
            && message.text() == talk.preamble()
        {
            rows.extend(preamble(talk.preamble()));
            continue;
        }
        let item = ItemId::Message(id.clone());
        if message.role == Role::Assistant {
            for (call, tool, input) in message.calls() {
                calls.insert(call.clone(), access::meant(tool, input));
            }
            let bytes = message.parts.iter().map(part_bytes).sum();
            rows.push(row(Some(item), Filler::Answers, &named(message, shared), bytes));
            continue;
        }
        let last = message.parts.len().saturating_sub(1);
        for (at, part) in message.parts.iter().enumerate() {
            let bytes = part_bytes(part);
            match part {
                Part::Result { call, .. } => {
                    let (tool, input) = calls.get(call).cloned().unwrap_or_default();
                    let source = match server_of(&tool) {
                        Some(name) => Filler::Server { name },
                        None if tool == "Read" => Filler::Files,
                        None => Filler::Results,
                    };
                    let id = ItemId::Result(call.clone());
                    rows.push(row(Some(id), source, &title(&tool, &input, shared), bytes));
                }
                Part::Image { .. } => {
                    rows.push(row(Some(item.clone()), Filler::Said, "an image", bytes));
                }
                Part::Text { text } => rows.extend(text_rows(text, &item, at == last)),
                Part::Thinking { .. }
                | Part::RedactedThinking { .. }
                | Part::Call { .. }
                | Part::Opaque { .. } => {}
            }
        }
    }
    for (_, item) in &mut rows {
        item.pinned = item.id.as_ref().is_some_and(|id| talk.edits.pins.contains(id));
        item.dropped = match &item.id {
            Some(ItemId::Result(call)) => talk.edits.stubs.contains_key(call),
            _ => false,
        };
    }
    rows
}

/// One text of a message that stands in the person's place.
fn text_rows(text: &str, item: &ItemId, is_last: bool) -> Vec<Row> {
    let mine = || Some(item.clone());
    let bytes = text.len();
    if text.starts_with(SUMMARY) {
        return vec![row(None, Filler::Summary, "the history before", bytes)];
    }
    if let Some(attached) = text.strip_prefix("<attached>\n") {
        return vec![row(mine(), Filler::Files, attached, bytes)];
    }
    if text.starts_with("<instructions>\n") {
        return vec![row(mine(), Filler::Memory, "instructions of a folder", bytes)];
    }
    if let Some(names) = text.strip_prefix("(tern: new tools, see ToolSearch: ") {
        let mut servers: BTreeMap<String, usize> = BTreeMap::new();
        for name in names.split([',', ' ', '.', ')']) {
            let server = server_of(name).unwrap_or_default();
            *servers.entry(server).or_default() += name.len() + 1;
        }
        return servers
            .into_iter()
            .map(|(name, bytes)| match name.as_str() {
                "" => row(None, Filler::Notes, "names of new tools", bytes),
                _ => row(None, Filler::Server { name }, "names of its tools", bytes),
            })
            .collect();
    }
    let source = if is_last && !is_ours(text) { Filler::Said } else { Filler::Notes };
    vec![row(mine(), source, text, bytes)]
}

/// An answer by what it says, or else by what it calls.
fn named(message: &Message, shared: &Shared) -> String {
    let said = message.text();
    if !said.trim().is_empty() {
        return said;
    }
    let titles = message.calls().map(|(_, tool, input)| {
        let (tool, input) = access::meant(tool, input);
        title(&tool, &input, shared)
    });
    titles.collect::<Vec<_>>().join(", ")
}

fn title(tool: &str, input: &serde_json::Value, shared: &Shared) -> String {
    match shared.tool(tool) {
        Some(known) => {
            let title = known.title(input, &shared.cwd());
            format!("{} {}", title.done, title.object)
        }
        None => tool.to_owned(),
    }
}

/// Shares the tokens out by bytes, so that they add up.
fn weighed(rows: Vec<Row>, tokens: u64) -> Vec<Item> {
    let all = rows.iter().map(|(bytes, _)| *bytes as u128).sum::<u128>().max(1);
    let (mut bytes, mut given) = (0_u128, 0_u64);
    let one = |(size, mut item): Row| {
        bytes += size as u128;
        let upto = u64::try_from(u128::from(tokens) * bytes / all).unwrap_or(tokens);
        item.tokens = upto - given;
        given = upto;
        item
    };
    rows.into_iter().map(one).collect()
}

/// Messages that the person has dropped: they can be brought back.
async fn dropped(talk: &Conversation) -> Vec<Item> {
    let gone: Vec<MessageId> = talk.edits.dropped.iter().cloned().collect();
    let Some(log) = talk.journal.log_path().filter(|_| !gone.is_empty()) else { return Vec::new() };
    let read = tokio::task::spawn_blocking(move || {
        let Ok((loaded, _)) = read::load(&log) else { return Vec::new() };
        let found = loaded.records().filter(|record| gone.contains(&record.id));
        found
            .filter_map(|record| {
                let (source, parts) = match record.body {
                    Body::User { parts, .. } => (Filler::Said, parts),
                    Body::Assistant { parts, .. } => (Filler::Answers, parts),
                    _ => return None,
                };
                let mut text = String::new();
                parts.iter().rev().take(1).for_each(|part| add_readable(part, &mut text));
                let (_, item) = row(Some(ItemId::Message(record.id)), source, &text, 0);
                Some(Item { dropped: true, ..item })
            })
            .collect()
    });
    read.await.unwrap_or_default()
}

fn add_readable(part: &Part, text: &mut String) {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    match part {
        Part::Text { text: said } | Part::Result { text: said, .. } => text.push_str(said),
        Part::Thinking { text: thought, .. } => text.push_str(thought),
        Part::Call { tool, input, .. } => text.push_str(&format!("{tool} {input}")),
        Part::Image { media_type, .. } => text.push_str(&format!("({media_type})")),
        Part::RedactedThinking { .. } => text.push_str("(thinking that the provider keeps)"),
        Part::Opaque { .. } => text.push_str("(something that only the provider understands)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_add_up_to_the_whole() {
        let rows = [7, 0, 11, 500].map(|bytes| row(None, Filler::Notes, "x", bytes));
        let items = weighed(rows.to_vec(), 1_001);
        assert_eq!(items.iter().map(|item| item.tokens).sum::<u64>(), 1_001);
        assert_eq!(items[1].tokens, 0);
        assert!(weighed(Vec::new(), 5).is_empty());
    }

    #[test]
    fn memory_files_are_told_apart() {
        let text = "<context>\nabc\n<file path=\"A.md\">\n12345\n</file>\n\n<file path=\"B.md\">\n1\n</file>\n</context>";
        let rows = preamble(text);
        let names: Vec<_> = rows.iter().map(|(size, item)| (item.name.as_str(), *size)).collect();
        assert_eq!(names[1..], [("A.md", 6), ("B.md", 2)]);
        assert_eq!(rows.iter().map(|(size, _)| size).sum::<usize>(), text.len());
    }

    #[test]
    fn names_of_tools_count_for_their_servers() {
        let id = ItemId::Message(MessageId("m".into()));
        let note =
            "(tern: new tools, see ToolSearch: mcp__git__log, mcp__git__diff, mcp__db__query.)";
        let rows = text_rows(note, &id, false);
        let servers: Vec<String> = rows.iter().map(|(_, item)| item.source.name()).collect();
        assert_eq!(servers, ["notes", "MCP db", "MCP git"]);
    }
}
