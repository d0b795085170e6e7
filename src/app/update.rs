//! The one way the model changes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use crate::app::act::act;
use crate::app::agent_events;
use crate::app::browse;
use crate::app::clean;
use crate::app::complete;
use crate::app::dialog::{budget, inquiry, permission, trust};
use crate::app::effect::Effect;
use crate::app::keys::{self, Action, Key, Keymap};
use crate::app::model::{Focus, Focused, Look, Model};
use crate::app::msg::{Millis, Msg, Reply};
use crate::app::panels::{self, cost, history, memory, note, permissions};
use crate::app::pictures;
use crate::app::prompt::HistorySearch;
use crate::app::scroll::Seen;
use crate::app::vim::Pressed;
use crate::app::{search, select, start, submit, vim};

pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Tick(now) => tick(model, now),
        Msg::Key(event) => key(model, event),
        Msg::Paste(text) => paste(model, &text),
        Msg::Line(text) => line(model, &text),
        Msg::Mouse(event) => browse::mouse(model, event),
        Msg::Resized { .. } => Vec::new(),
        Msg::Focused(focused) => focus(model, focused),
        Msg::Settings { look, keymap, problems } => settings(model, *look, *keymap, &problems),
        Msg::Background { light } => background(model, light),
        Msg::Agent(event) => agent_events::fold(model, *event),
        Msg::Disconnected(why) => agent_events::disconnected(model, &why),
        Msg::Drawn(seen) => drawn(model, seen),
        Msg::Done(reply) => done(model, reply),
    }
}

fn tick(model: &mut Model, now: Millis) -> Vec<Effect> {
    model.now = model.now.max(now);
    if model.toast.as_ref().is_some_and(|toast| toast.until <= model.now) {
        model.toast = None;
    }
    Vec::new()
}

fn key(model: &mut Model, event: KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let key = Key::from(event);
    let writing = model.focus() == Focus::Prompt;
    let unarmed = !model.dialogs.is_empty() && !model.dialogs.armed(model.now);
    let asking = matches!(model.focus(), Focus::Inquiry | Focus::InquiryField);
    let confirming = model.focus() == Focus::Confirm;
    let budgeting = model.focus() == Focus::Budget;
    if model.browse.is_none() {
        model.selection = None;
    }
    let effects = match modal(model, key) {
        Some(effects) => effects,
        None => bound(model, key),
    };
    if unarmed {
        model.dialogs.hold(model.now);
    }
    if let Some(budget) =
        model.budget.as_mut().filter(|budget| !budgeting && !budget.armed(model.now))
    {
        budget.hold(model.now);
    }
    if let Some(confirm) = model.confirm.as_mut().filter(|_| !confirming) {
        confirm.hold(model.now);
    }
    if let Some(asked) = model.asked.front_mut().filter(|_| !asking) {
        asked.hold(model.now);
    }
    if writing {
        model.typed = Some(model.now);
    }
    effects
}

/// A letter that no action takes: it is text, where text is being written.
fn typed(model: &mut Model, c: char) -> Vec<Effect> {
    if c == '?' && model.focus() == Focus::Prompt && model.prompt.is_empty() {
        return act(model, Action::Help);
    }
    let opens = c == 't' && model.trusting.is_none() && model.focus() == Focus::Prompt;
    if opens && model.prompt.is_empty() && trust::by_letter(model) {
        return Vec::new();
    }
    trust::sentence(model);
    insert(model, c.encode_utf8(&mut [0; 4]))
}

/// What the keymap has for the key, or the letter that it types.
fn bound(model: &mut Model, key: Key) -> Vec<Effect> {
    model.pending.push(key);
    match model.keymap.press(&model.contexts(), &model.pending) {
        keys::Pressed::Prefix => Vec::new(),
        keys::Pressed::Action(action) => {
            model.pending.clear();
            act(model, action)
        }
        keys::Pressed::Nothing if model.pending.len() > 1 => {
            model.pending.clear();
            Vec::new()
        }
        keys::Pressed::Nothing => {
            model.pending.clear();
            key.typed().map_or_else(Vec::new, |c| typed(model, c))
        }
    }
}

/// A key that is vim's, where the prompt is edited like that.
fn modal(model: &mut Model, key: Key) -> Option<Vec<Effect>> {
    if model.focus() != Focus::Prompt || model.complete.is_some() || !model.pending.is_empty() {
        return None;
    }
    let vim = model.vim.as_mut()?;
    let effects = match vim::press(vim, &mut model.prompt, key) {
        Pressed::Left => return None,
        Pressed::Moved => Vec::new(),
        Pressed::Changed => complete::refresh(model),
        Pressed::Action(action) => act(model, action),
    };
    Some(effects)
}

fn insert(model: &mut Model, text: &str) -> Vec<Effect> {
    match model.focus() {
        Focus::Prompt => {
            model.prompt.insert(text);
            return complete::refresh(model);
        }
        Focus::HistorySearch => {
            if let Some(search) = &mut model.prompt.search {
                search.field.insert(text);
                HistorySearch::find(search, &model.prompt.history);
            }
        }
        Focus::Search => search::insert(model, text),
        Focus::Filter => return panels::insert(model, text),
        Focus::DialogField => {
            permission::insert(model, text);
        }
        Focus::Budget => budget::insert(model, text),
        Focus::RuleField => permissions::insert(model, text),
        Focus::InquiryField => {
            if let Some(field) = inquiry::field(model) {
                field.insert(text);
            }
        }
        Focus::Inquiry => {
            if let Ok(number) = text.parse() {
                return inquiry::number(model, number);
            }
        }
        Focus::StartKey => {
            if let Some((_, field)) = model.start.as_mut().and_then(|it| it.entering.as_mut()) {
                field.insert(text);
            }
        }
        Focus::Nothing
        | Focus::Start
        | Focus::Dialog
        | Focus::Confirm
        | Focus::Trust
        | Focus::Panel
        | Focus::Browse => {}
    }
    Vec::new()
}

fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    // Pasted text is foreign text: it may hold escapes.
    let text = clean::prose(text);
    match model.focus() {
        // A paste is meant for the prompt, wherever the keys are; but never for an answer.
        Focus::Prompt | Focus::Browse => {
            model.browse = None;
            model.prompt.paste(&text);
            complete::refresh(model)
        }
        _ => insert(model, &text),
    }
}

/// Goes where writing goes, and is sent or accepted there.
fn line(model: &mut Model, text: &str) -> Vec<Effect> {
    let text = clean::prose(text);
    match model.focus() {
        Focus::Prompt => {
            if !text.is_empty() {
                model.prompt.clear();
                model.prompt.insert(&text);
            }
            submit::submit(model)
        }
        _ => {
            let mut effects = insert(model, &text);
            effects.extend(key(model, KeyEvent::from(KeyCode::Enter)));
            effects
        }
    }
}

fn focus(model: &mut Model, focused: bool) -> Vec<Effect> {
    model.focused = if focused { Focused::Yes } else { Focused::No };
    Vec::new()
}

fn settings(model: &mut Model, look: Look, keymap: Keymap, problems: &[String]) -> Vec<Effect> {
    for problem in problems {
        model.warn(problem);
    }
    // Where the terminal chooses, it has chosen.
    let theme = match look.follows_terminal && model.look.follows_terminal {
        true => model.look.theme.clone(),
        false => look.theme.clone(),
    };
    let look = Look { theme, ..look };
    if look != model.look || keymap != model.keymap {
        (model.look, model.keymap) = (look, keymap);
        model.pending.clear();
        model.say("settings read again");
    }
    Vec::new()
}

fn background(model: &mut Model, light: bool) -> Vec<Effect> {
    if model.look.follows_terminal {
        model.look.theme = if light { "light" } else { "dark" }.to_owned();
    }
    Vec::new()
}

fn drawn(model: &mut Model, seen: Seen) -> Vec<Effect> {
    model.scroll = model.scroll.settled(&seen);
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.scroll = seen.inner.top;
    } else if let Some(asked) = model.asked.front_mut() {
        asked.scroll = seen.inner.top;
    } else if let Some(confirm) = &mut model.confirm {
        confirm.scroll = seen.inner.top;
    } else if let Some(dialog) = &mut model.trusting {
        dialog.scroll = seen.inner.top;
    }
    model.seen = seen;
    select::drawn(model);
    Vec::new()
}

fn done(model: &mut Model, reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::Edited(text) => return submit::edited(model, text),
        Reply::Sessions { seq, rows } => return history::listed(model, seq, rows),
        Reply::Preview { id, around, preview } => history::previewed(model, id, around, preview),
        Reply::Memory(rows) => {
            note::listed(model, &rows);
            memory::listed(model, rows);
        }
        Reply::Noted(done) => note::written(model, done),
        Reply::Settings(rows) => panels::settings::listed(model, rows),
        Reply::SettingSaved(done) => return panels::settings::saved(model, &done),
        Reply::SessionChanged(done) => return history::changed(model, &done),
        Reply::Costs { seq, report } => cost::loaded(model, seq, report),
        Reply::Files { seq, paths, looking } => complete::found(model, seq, &paths, looking),
        Reply::Saved(Ok(text) | Err(text)) => model.say(&clean::line(&text)),
        Reply::StatusLine { seq, line } => {
            if seq > model.status_line.0 {
                model.status_line = (seq, clean::line(&clean::prose(&line)));
            }
        }
        Reply::Picture { call, picture } => pictures::shown(model, &call, picture),
        Reply::Found(found) => start::found(model, found),
        Reply::Prompts(prompts) => model.prompt.history.load(prompts),
        Reply::Connected(result) => start::connected(model, result),
    }
    Vec::new()
}
