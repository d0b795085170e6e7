//! From the prompt to the agent: sending, queueing, stopping, slash commands.

use crate::app::complete::{self, Taken};
use crate::app::dialog::Stage;
use crate::app::dialog::{budget, confirm, inquiry, permission, trust};
use crate::app::earlier;
use crate::app::effect::{Effect, Setting};
use crate::app::model::{Activity, Again, Focus, Model, Phase};
use crate::app::panels::history::{Change, Form};
use crate::app::panels::{
    self, Kind, changes, cost, history, jobs, memory, models, permissions, rewind, summary, themes,
    window,
};
use crate::app::queue;
use crate::app::scroll::Scroll;
use crate::app::search;
use crate::app::slash::{self, Slash};
use crate::app::transcript::Body;
use crate::config::STYLES;
use crate::protocol::{Command, Input, Mode, SessionId};

/// Enter: sends what stands in the prompt, or queues it while a turn runs.
pub fn submit(model: &mut Model) -> Vec<Effect> {
    if model.prompt.ends_with_backslash() {
        model.prompt.edit(crate::app::keys::Edit::DeleteBack);
        model.prompt.insert("\n");
        return Vec::new();
    }
    let text = model.prompt.expanded();
    if text.trim().is_empty() {
        let waits = !model.is_working() && !model.queue.is_empty();
        return if waits { queue::send_now(model) } else { Vec::new() };
    }
    let recipe = slash::called(&text)
        .is_some_and(|name| model.recipes.iter().any(|recipe| recipe.name == name));
    // The commands of tern itself come first.
    let parsed = match slash::parse(&text) {
        Err(_) if recipe => Ok(None),
        parsed => parsed,
    };
    match parsed {
        Err(problem) => {
            model.say(&problem);
            Vec::new()
        }
        Ok(Some(slash)) => {
            clear(model);
            run(model, slash)
        }
        Ok(None) => {
            clear(model);
            if let Some(note) = panels::note::of(&text) {
                let mut effects = panels::note::open(model, note);
                effects.push(Effect::Remember(text));
                return effects;
            }
            model.scroll = Scroll::Follow;
            let remember = Effect::Remember(text.clone());
            let mut effects = match text.trim_start().strip_prefix('!') {
                Some(command) => shell(command.trim()),
                None => send(model, &text),
            };
            effects.push(remember);
            effects
        }
    }
}

fn clear(model: &mut Model) {
    if let Some(vim) = &mut model.vim {
        vim.begin();
    }
    model.prompt.clear();
    model.complete = None;
    model.finding = None;
}

/// Takes the completion over, and runs it where nothing is missing.
pub fn complete_and_run(model: &mut Model) -> Vec<Effect> {
    match complete::accept(model) {
        (Taken::Whole, _) => submit(model),
        (Taken::Begun, effects) => effects,
    }
}

fn shell(command: &str) -> Vec<Effect> {
    if command.is_empty() {
        return Vec::new();
    }
    vec![Effect::Send(Command::Shell { command: command.to_owned() })]
}

/// Text for the model.
pub fn send(model: &mut Model, text: &str) -> Vec<Effect> {
    if model.session.viewed {
        model.prompt.paste(text);
        model.say("another tern has this session open; /fork goes on in a copy");
        return Vec::new();
    }
    let input = Input::text(text);
    if let Some(turn) = model.working_turn() {
        return vec![Effect::Send(Command::Queue { turn, input })];
    }
    let turn = model.next_turn();
    model.activity = Activity::Working { turn, since: model.now, phase: Phase::Waiting };
    let text = crate::app::clean::prose(text);
    let at = model.transcript.push(Body::Person { text, open: false });
    model.sent = Some((turn, at));
    vec![Effect::Send(Command::Submit { turn, input })]
}

/// A slash command that was chosen and not typed.
pub fn command(model: &mut Model, text: &str) -> Vec<Effect> {
    match slash::parse(text) {
        Ok(Some(slash)) => run(model, slash),
        Ok(None) => Vec::new(),
        Err(problem) => {
            model.say(&problem);
            Vec::new()
        }
    }
}

fn run(model: &mut Model, slash: Slash) -> Vec<Effect> {
    match slash {
        Slash::Agents => panels::open(model, Kind::Agents),
        Slash::Hooks => panels::open(model, Kind::Hooks),
        Slash::Skills => panels::open(model, Kind::Skills),
        Slash::Tell { text } => return panels::agents::tell_text(model, &text),
        Slash::Help => panels::open(model, Kind::Help),
        Slash::Budget { usd } => return budget::open(model, usd.as_deref()),
        Slash::Cost => return cost::open(model),
        Slash::Diff => return changes::open(model),
        Slash::Exit => return quit(model),
        Slash::Export { file } => {
            let form = file.map_or(Form::Markdown, Form::File);
            let Some(id) = model.session.id.clone() else { return Vec::new() };
            return vec![Effect::ChangeSession { id, change: Change::Export(form) }];
        }
        Slash::Fork => return idle_only(model, Command::Fork { session: None }),
        Slash::Rename { title: Some(title) } => {
            return vec![Effect::Send(Command::Rename { title })];
        }
        Slash::Rename { title: None } => {
            model.prompt.editor.set(&format!("/rename {}", model.session.title));
        }
        Slash::History => return history::open(model, None),
        Slash::Memory => return memory::open(model),
        Slash::Permissions => return permissions::open(model),
        Slash::Status => panels::open(model, Kind::Status),
        Slash::Tasks => return jobs::open(model),
        Slash::Mcp => panels::open(model, Kind::Servers(panels::servers::Servers::default())),
        Slash::Init => return send(model, slash::INIT),
        Slash::Clear => return idle_only(model, Command::Clear),
        Slash::Compact { focus, preview } => {
            return idle_only(model, Command::Compact { focus, preview });
        }
        Slash::Config => return panels::settings::open(model),
        Slash::Context => return window::open(model),
        Slash::UndoCompaction => return idle_only(model, Command::UndoCompaction),
        Slash::Model { name: None } => panels::open(model, Kind::Models),
        Slash::Model { name: Some(name) } => return models::set(model, name),
        Slash::Mode { mode: None } => {
            model
                .say(&format!("mode {}; shift+tab goes on to the next", model.session.mode.name()));
        }
        Slash::Mode { mode: Some(Mode::BypassPermissions) } if !model.may_bypass => {
            model.say("bypassPermissions must be asked for when tern starts: --permission-mode");
        }
        Slash::OutputStyle { name } => return style(model, name.as_deref()),
        Slash::Mode { mode: Some(mode) } => return vec![Effect::Send(Command::SetMode { mode })],
        Slash::Resume { session: Some(name) } => return resume(model, &name),
        Slash::Resume { session: None } => return history::open(model, None),
        Slash::Undo => return idle_only(model, Command::Undo),
        Slash::Redo => return idle_only(model, Command::Redo),
        Slash::Rewind => return rewind::open(model),
        Slash::Trust => return vec![Effect::Send(Command::AskTrust)],
        Slash::Theme { name: None } => themes::open(model),
        Slash::Theme { name: Some(name) } => return themes::set(model, &name),
    }
    Vec::new()
}

/// Names the output styles, or keeps one of them for sessions to come.
fn style(model: &mut Model, name: Option<&str>) -> Vec<Effect> {
    let own = model.styles.iter().map(|style| style.name.as_str());
    let all: Vec<&str> =
        ["default"].into_iter().chain(STYLES.map(|(name, _)| name)).chain(own).collect();
    let known = |name: &str| all.iter().find(|known| known.eq_ignore_ascii_case(name));
    match name.map(|name| (name, known(name))) {
        Some((_, Some(name))) => vec![Effect::Save(Setting::OutputStyle((*name).to_owned()))],
        Some((name, None)) => {
            let text = format!("no output style {name}; there are {}", all.join(", "));
            model.say(&text);
            Vec::new()
        }
        None => {
            let text = format!("output styles: {}; /output-style NAME chooses", all.join(", "));
            model.say(&text);
            Vec::new()
        }
    }
}

/// An id resumes; anything else is looked for.
fn resume(model: &mut Model, name: &str) -> Vec<Effect> {
    let is_id = name.len() == 36 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_id {
        return idle_only(model, Command::Resume { session: SessionId(name.to_owned()) });
    }
    history::open(model, Some(name))
}

fn idle_only(model: &mut Model, command: Command) -> Vec<Effect> {
    if model.is_working() {
        model.say("stop the turn first: esc");
        return Vec::new();
    }
    vec![Effect::Send(command)]
}

/// Where the screen stands is told first.
fn quit(model: &Model) -> Vec<Effect> {
    let mut effects = earlier::leave(model, None);
    effects.push(Effect::Quit);
    effects
}

/// Ctrl+C: stops the turn; else empties the prompt; else quits when pressed twice.
pub fn stop(model: &mut Model) -> Vec<Effect> {
    let stopping = matches!(model.activity, Activity::Working { phase: Phase::Stopping, .. });
    if model.is_working() && !stopping {
        return interrupt(model);
    }
    if model.again(Again::Quit) {
        return quit(model);
    }
    model.pending.clear();
    if model.focus() == Focus::Prompt && !model.prompt.is_empty() {
        clear(model);
        model.say_again("cleared; up brings it back, ctrl+c again quits", Again::Quit);
    } else {
        model.say_again("ctrl+c again quits", Again::Quit);
    }
    Vec::new()
}

/// Esc: one step back, the innermost first.
pub fn back(model: &mut Model) -> Vec<Effect> {
    model.finding = None;
    if model.complete.take().is_some() || model.prompt.search.take().is_some() {
        return Vec::new();
    }
    match model.focus() {
        Focus::StartKey => {
            if let Some(start) = &mut model.start {
                start.entering = None;
            }
        }
        Focus::Start => return stop(model),
        Focus::Dialog if permission::explained(model) => permission::why(model),
        Focus::Nothing | Focus::Dialog => return interrupt(model),
        Focus::DialogField => permission::back(model),
        Focus::Budget => return budget::stop(model),
        Focus::Inquiry | Focus::InquiryField => {
            return if inquiry::back(model) { Vec::new() } else { interrupt(model) };
        }
        Focus::Confirm => confirm::cancel(model),
        Focus::Trust => trust::close(model),
        Focus::Panel | Focus::RuleField | Focus::Filter => return panels::back(model),
        Focus::Search => search::close(model),
        Focus::Browse if model.selection.take().is_some() => {}
        Focus::Browse if model.search.is_some() => search::close(model),
        Focus::Browse => model.browse = None,
        Focus::HistorySearch => {}
        Focus::Prompt => return back_from_prompt(model),
    }
    Vec::new()
}

fn back_from_prompt(model: &mut Model) -> Vec<Effect> {
    if model.search.is_some() {
        search::close(model);
    } else if model.is_working() {
        return interrupt(model);
    } else if !model.prompt.is_empty() {
        if model.again(Again::ClearPrompt) {
            model.prompt.clear();
        } else {
            model.say_again("esc again clears the prompt", Again::ClearPrompt);
        }
    } else if model.scroll != Scroll::Follow {
        model.scroll = Scroll::Follow;
    } else if model.again(Again::Rewind) {
        return rewind::open(model);
    } else if !model.transcript.is_empty() {
        model.say_again("esc again goes back to an earlier message", Again::Rewind);
    }
    Vec::new()
}

/// Ctrl+D: deletes forward, or quits when pressed twice on an empty prompt.
pub fn eof(model: &mut Model) -> Vec<Effect> {
    if !model.prompt.is_empty() {
        if model.prompt.edit(crate::app::keys::Edit::DeleteForward) {
            return complete::refresh(model);
        }
        return Vec::new();
    }
    if model.again(Again::Quit) {
        return quit(model);
    }
    model.say_again("ctrl+d again quits", Again::Quit);
    Vec::new()
}

fn interrupt(model: &mut Model) -> Vec<Effect> {
    let Some(turn) = model.working_turn() else { return Vec::new() };
    model.set_phase(Phase::Stopping);
    if let Some(dialog) = model.dialogs.front_mut() {
        dialog.stage = Stage::Choose;
    }
    vec![Effect::Send(Command::Interrupt { turn })]
}

pub fn cycle_mode(model: &mut Model) -> Vec<Effect> {
    let next = |mode: Mode| match mode {
        Mode::Default => Mode::AcceptEdits,
        Mode::AcceptEdits => Mode::Plan,
        Mode::Plan if model.may_bypass => Mode::BypassPermissions,
        Mode::Plan | Mode::DontAsk | Mode::BypassPermissions => Mode::Default,
    };
    let now = model.session.mode;
    let cycle = std::iter::successors(Some(next(now)), |mode| Some(next(*mode)));
    let free = cycle.take(Mode::ALL.len()).find(|mode| !model.locked.contains(mode));
    let Some(mode) = free.filter(|mode| *mode != now) else {
        model.say(&format!("{}: the managed policy leaves no other mode", now.name()));
        return Vec::new();
    };
    model.say(&format!("{}: {}", mode.name(), complete::mode_help(mode)));
    vec![Effect::Send(Command::SetMode { mode })]
}

/// Up: a row up, what was queued, or the earlier prompt.
pub fn up(model: &mut Model) -> Vec<Effect> {
    if model.prompt.is_empty() && !model.queue.is_empty() {
        return queue::edit_last(model);
    }
    model.prompt.up(model.seen.prompt);
    Vec::new()
}

pub fn down(model: &mut Model) -> Vec<Effect> {
    model.prompt.down(model.seen.prompt);
    Vec::new()
}

/// Back from the editor.
pub fn edited(model: &mut Model, text: Result<String, String>) -> Vec<Effect> {
    if permission::edited(model, &text) || summary::edited(model, &text) {
        return Vec::new();
    }
    match text {
        Ok(text) if inquiry::edited(model, &text) => Vec::new(),
        Ok(text) => {
            let text = crate::app::clean::prose(text.trim_end_matches('\n'));
            model.prompt.pastes.clear();
            model.prompt.editor.set(&text);
            complete::refresh(model)
        }
        Err(problem) => {
            model.warn(&problem);
            Vec::new()
        }
    }
}
