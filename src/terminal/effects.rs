//! Carrying out effects: one arm each. What may take its time runs elsewhere and answers with a
//! message.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::app::{Effect, Msg, Reply};
use crate::protocol::{CallId, Command};
use crate::terminal::Services;

/// What only the screen's own loop can do.
#[derive(Debug, PartialEq)]
pub enum Own {
    Nothing,
    Send(Command),
    Copy(String),
    CopySelection,
    OpenFile { path: String, line: usize },
    ShowPicture { call: CallId, path: String },
    OpenEditor(String),
    EditFile(std::path::PathBuf),
    FindFiles { seq: u64, query: String },
    Connect(crate::app::start::Choice),
    Notify(String),
    Redraw,
    Suspend,
    Quit,
}

pub fn carry_out(
    effect: Effect,
    services: &Arc<dyn Services>,
    replies: &UnboundedSender<Msg>,
) -> Own {
    match effect {
        Effect::Send(command) => return Own::Send(command),
        Effect::Copy(text) => return Own::Copy(text),
        Effect::CopySelection => return Own::CopySelection,
        Effect::OpenFile { path, line } => return Own::OpenFile { path, line },
        Effect::ShowPicture { call, path } => return Own::ShowPicture { call, path },
        Effect::OpenEditor(text) => return Own::OpenEditor(text),
        Effect::EditFile(path) => return Own::EditFile(path),
        Effect::ListMemory => ask(services, replies, |services| Reply::Memory(services.memory())),
        Effect::Note { file, text, back } => ask(services, replies, move |services| {
            Reply::Noted(services.note(&file, &text, back).map(|said| (file, said)))
        }),
        Effect::ListSettings => {
            ask(services, replies, |services| Reply::Settings(services.all_settings()));
        }
        Effect::SaveSetting { name, value, layer } => ask(services, replies, move |services| {
            Reply::SettingSaved(services.save_setting(&name, &value, layer))
        }),
        Effect::FindFiles { seq, query } => return Own::FindFiles { seq, query },
        Effect::Connect(choice) => return Own::Connect(choice),
        Effect::Notify(text) => return Own::Notify(text),
        Effect::Redraw => return Own::Redraw,
        Effect::Suspend => return Own::Suspend,
        Effect::Quit => return Own::Quit,
        Effect::ListSessions { seq, query, looks } => {
            ask(services, replies, move |services| Reply::Sessions {
                seq,
                rows: services.sessions(&query, looks),
            });
        }
        Effect::PreviewSession { id, around } => {
            ask(services, replies, move |services| Reply::Preview {
                preview: services.preview(&id, around.as_ref()),
                id,
                around,
            });
        }
        Effect::ChangeSession { id, change } => {
            ask(services, replies, move |services| {
                Reply::SessionChanged(services.change_session(&id, &change))
            });
        }
        Effect::LoadCosts { seq, by } => {
            ask(services, replies, move |services| Reply::Costs {
                seq,
                report: services.costs(by),
            });
        }
        Effect::Save(setting) => {
            ask(services, replies, move |services| Reply::Saved(services.save(&setting)));
        }
        Effect::Find => ask(services, replies, |services| Reply::Found(services.find())),
        Effect::Remember(prompt) => {
            let services = Arc::clone(services);
            tokio::task::spawn_blocking(move || services.remember(&prompt));
        }
    }
    Own::Nothing
}

/// Asks off the drawing thread. Nobody waits for an answer that comes after the end.
pub fn ask(
    services: &Arc<dyn Services>,
    replies: &UnboundedSender<Msg>,
    question: impl FnOnce(&dyn Services) -> Reply + Send + 'static,
) {
    let (services, replies) = (Arc::clone(services), replies.clone());
    tokio::task::spawn_blocking(move || {
        let _ = replies.send(Msg::Done(question(&*services)));
    });
}
