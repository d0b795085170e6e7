//! Panels: each file draws one, in the frame that is drawn here.

mod agents;
mod changes;
mod cost;
mod extensions;
mod help;
mod history;
mod jobs;
mod lists;
mod note;
mod palette;
mod permissions;
mod rewind;
mod servers;
mod settings;
mod texts;
mod window;

pub use changes::Rows as ChangedRows;
pub use texts::origin;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::edit;
use crate::app::keys::{Action, Context};
use crate::app::panels::history::{Asking, Looks};
use crate::app::panels::permissions::Permissions;
use crate::app::panels::{Kind, Panel, settings as settings_app};
use crate::app::scroll::Inner;
use crate::view::State;
use crate::view::frame::{self, Frame};
use crate::view::marks::Marks;
use crate::view::theme::Theme;

/// What drawing a panel needs.
#[derive(Debug)]
pub struct Draw<'a> {
    pub model: &'a Model,
    pub panel: &'a Panel,
    pub state: &'a mut State,
}

/// What came of it: rows of the content, and the cursor where the filter is being written.
#[derive(Debug, Default)]
pub struct Drawn {
    pub inner: Inner,
    pub cursor: Option<Position>,
}

pub fn draw(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer) -> Drawn {
    let Some(panel) = &model.panel else { return Drawn::default() };
    let theme = state.theme.clone();
    let marks = state.marks(model);
    let frame = Frame {
        title: title(panel),
        title_style: theme.strong,
        remark: remark(model, panel, marks),
        keys: keys(model, panel),
        hidden: String::new(),
        border: theme.border_focused,
    };
    let mut content = frame::draw(&frame, area, &theme, marks, buf);
    let cursor = filter(panel, &theme, &mut content, buf);
    let mut draw = Draw { model, panel, state };
    let inner = match &panel.kind {
        Kind::Cost(cost) => cost::draw(&mut draw, cost, content, buf),
        Kind::History(history) => history::draw(&mut draw, history, content, buf),
        Kind::Changes(it) => changes::draw(&mut draw, it, content, buf),
        Kind::Jobs(shown) => jobs::draw(&draw, shown, content, buf),
        Kind::Agents => agents::draw(&draw, content, buf),
        Kind::Hooks => extensions::hooks(&draw, content, buf),
        Kind::Skills => extensions::skills(&draw, content, buf),
        Kind::Models => lists::models(&draw, content, buf),
        Kind::Note(shown) => note::draw(&draw, shown, content, buf),
        Kind::Servers(_) => servers::draw(&draw, content, buf),
        Kind::Settings(shown) => settings::draw(&draw, shown, content, buf),
        Kind::Rewind => rewind::draw(&draw, content, buf),
        Kind::Busy(_) => lists::busy(&draw, content, buf),
        Kind::Memory(memory) => lists::memory(&draw, memory, content, buf),
        Kind::Themes { .. } => lists::themes(&draw, content, buf),
        Kind::Help => help::draw(&draw, content, buf),
        Kind::Palette => palette::draw(&draw, content, buf),
        Kind::Permissions(shown) => {
            let drawn = permissions::draw(&draw, shown, content, buf);
            return Drawn { cursor: drawn.cursor.or(cursor), ..drawn };
        }
        Kind::Queue => lists::queue(&draw, content, buf),
        Kind::Status => texts::status(&draw, content, buf),
        Kind::Summary(draft) => window::summary(&mut draw, draft, content, buf),
        Kind::Todos => texts::todos(&draw, content, buf),
        Kind::Window(filled) => window::draw(&mut draw, filled, content, buf),
    };
    Drawn { inner, cursor }
}

fn title(panel: &Panel) -> String {
    match &panel.kind {
        Kind::Cost(_) => "Cost",
        Kind::History(_) => "History",
        Kind::Changes(_) => "Changes",
        Kind::Jobs(_) => "Background commands",
        Kind::Agents => "Agents",
        Kind::Hooks => "Hooks",
        Kind::Skills => "Commands and skills",
        Kind::Models => "Models",
        Kind::Memory(_) => "Memory",
        Kind::Busy(_) => "Another tern has this session open",
        Kind::Note(_) => "A note for later sessions",
        Kind::Servers(_) => "MCP servers",
        Kind::Settings(_) => "Settings",
        Kind::Rewind => "Go back to before a message",
        Kind::Themes { .. } => "Themes",
        Kind::Help => "Help",
        Kind::Palette => "Palette",
        Kind::Permissions(_) => "Permissions",
        Kind::Queue => "Queue",
        Kind::Status => "Status",
        Kind::Summary(_) => "A summary of this conversation",
        Kind::Todos => "Tasks",
        Kind::Window(_) => "Context",
    }
    .to_owned()
}

fn remark(model: &Model, panel: &Panel, marks: &Marks) -> String {
    match &panel.kind {
        Kind::History(history) => history::remark(history),
        Kind::Changes(it) => changes::remark(model, it, marks),
        Kind::Memory(_) => "what a session begun now is told".to_owned(),
        Kind::Permissions(_) => format!("mode {}", model.session.mode.name()),
        Kind::Help => format!("tern {}", model.session.version),
        Kind::Summary(draft) => window::remark(draft),
        _ => String::new(),
    }
}

pub fn keys<'a>(model: &Model, panel: &Panel) -> Vec<(String, &'a str)> {
    let key = |context, action| model.keymap.key(context, action);
    if settings_app::is_editing(panel) {
        let esc = key(Context::Global, Action::Back);
        return vec![
            (key(Context::Filter, Action::FilterAccept), "save"),
            (esc, "keep it as it was"),
        ];
    }
    if renaming(panel) {
        let esc = key(Context::Global, Action::Back);
        return vec![
            (key(Context::Filter, Action::FilterAccept), "rename"),
            (esc, "keep the title"),
        ];
    }
    let panel_key = |action| key(Context::Panel, action);
    let esc = key(Context::Global, Action::Back);
    if panel.kind == Kind::Palette {
        let run = key(Context::Palette, Action::PanelOpen);
        return vec![(run, "run"), ("↑↓".to_owned(), "move"), (esc, "back")];
    }
    if panel.filtering {
        return vec![
            (key(Context::Filter, Action::FilterAccept), "keep filter"),
            (esc, "drop filter"),
        ];
    }
    let moves = (format!("{}{}", "↑", "↓"), "move");
    let filter = (panel_key(Action::FilterOpen), "filter");
    let open = |label| (panel_key(Action::PanelOpen), label);
    let mut keys = match &panel.kind {
        Kind::Cost(_) => {
            vec![moves, open("requests"), (key(Context::Cost, Action::Group), "group"), filter]
        }
        Kind::History(history) if matches!(history.asking, Asking::Delete { .. }) => {
            vec![(key(Context::Ask, Action::AskYes), "delete it")]
        }
        Kind::History(history) => {
            let act = |action, label| (key(Context::History, action), label);
            let next = match history.looks {
                Looks::Titles => "search texts",
                Looks::Said => "search outputs",
                Looks::Outputs => "titles",
            };
            vec![
                open("resume"),
                filter,
                act(Action::SearchAll, next),
                act(Action::SessionFork, "fork"),
                act(Action::SessionRename, "rename"),
                act(Action::SessionExport, "export"),
                act(Action::SessionDelete, "delete"),
                act(Action::LimitProject, "folder"),
                act(Action::LimitBranch, "branch"),
                act(Action::LimitTime, "time"),
            ]
        }
        Kind::Changes(it) => {
            let act = |action, label| (key(Context::Changes, action), label);
            let next = key(Context::Changes, Action::NextHunk);
            let hunks = format!("{next}/{}", key(Context::Changes, Action::PreviousHunk));
            vec![
                (hunks, "change"),
                act(Action::RevertHunk, "take it back"),
                act(Action::RevertFile, "the file"),
                open(if it.alone { "files" } else { "diff alone" }),
                act(Action::OpenFile, "editor"),
                act(Action::MoreContext, "context"),
                filter,
            ]
        }
        Kind::Jobs(_) => {
            vec![moves, (key(Context::Jobs, Action::KillJob), "end"), filter]
        }
        Kind::Queue => vec![
            open("edit"),
            (key(Context::Queue, Action::SendQueued), "send all now"),
            (key(Context::Queue, Action::DropQueued), "drop"),
            moves,
            filter,
        ],
        Kind::Palette => vec![],
        Kind::Servers(_) => {
            let act = |action, label| (key(Context::Servers, action), label);
            vec![
                open("tools"),
                act(Action::ServerSwitch, "on/off"),
                act(Action::ServerApprove, "let in"),
                act(Action::ServerReconnect, "reconnect"),
                act(Action::ServerLogin, "log in"),
                act(Action::ServerLogout, "log out"),
                filter,
            ]
        }
        Kind::Agents => vec![
            moves,
            (key(Context::Agents, Action::TellAgent), "tell it"),
            (key(Context::Agents, Action::StopAgent), "stop"),
            filter,
        ],
        Kind::Models | Kind::Themes { .. } => vec![open("choose"), moves, filter],
        Kind::Busy(_) => vec![open("choose"), moves],
        Kind::Memory(_) => vec![open("edit"), moves, filter],
        Kind::Rewind => vec![open("look at it first"), moves, filter],
        Kind::Permissions(state) => permission_keys(model, state, filter),
        Kind::Help | Kind::Hooks | Kind::Skills => {
            vec![("↑↓".to_owned(), "scroll"), filter]
        }
        Kind::Note(note) if note.written.is_some() => {
            vec![(key(Context::Note, Action::TakeNoteBack), "take it back")]
        }
        Kind::Note(_) => vec![open("note it there"), moves],
        Kind::Settings(_) => vec![
            open("change"),
            (key(Context::Settings, Action::SetForProject), "for this project"),
            moves,
            filter,
        ],
        Kind::Window(filled) if filled.shown.is_some() => vec![("↑↓".to_owned(), "scroll")],
        Kind::Window(_) => {
            let act = |action, label| (key(Context::Window, action), label);
            vec![
                open("open"),
                act(Action::DropItem, "drop"),
                act(Action::PinItem, "pin"),
                act(Action::CountWindow, "count"),
                moves,
                filter,
            ]
        }
        Kind::Summary(_) => {
            vec![open("use it"), (key(Context::Summary, Action::EditSummary), "change it")]
        }
        Kind::Status | Kind::Todos => vec![],
    };
    let back = if matches!(panel.kind, Kind::Summary(_)) { "discard it" } else { "back" };
    keys.push((esc, back));
    keys
}

fn permission_keys<'a>(
    model: &Model,
    state: &Permissions,
    filter: (String, &'a str),
) -> Vec<(String, &'a str)> {
    let key = |context, action, label| (model.keymap.key(context, action), label);
    let field = |action, label| key(Context::RuleField, action, label);
    let act = |action, label| key(Context::Permissions, action, label);
    match (&state.form, &state.deleting) {
        (Some(form), _) if form.old.is_some() => vec![field(Action::FieldAccept, "save")],
        (Some(_), _) => vec![
            field(Action::FieldAccept, "save"),
            field(Action::FieldNext, "where it is kept"),
            field(Action::FieldPick, "allow, ask, deny"),
        ],
        (None, Some(_)) => vec![key(Context::Ask, Action::AskYes, "delete it")],
        (None, None) => vec![
            act(Action::AddRule, "add"),
            act(Action::EditRule, "change"),
            act(Action::DeleteRule, "delete"),
            act(Action::AskAgain, "ask again"),
            act(Action::CycleMode, "mode"),
            filter,
        ],
    }
}

fn renaming(panel: &Panel) -> bool {
    matches!(&panel.kind, Kind::History(history) if matches!(history.asking, Asking::Title { .. }))
}

/// The filter takes the first row of the content, while there is one.
fn filter(panel: &Panel, theme: &Theme, content: &mut Rect, buf: &mut Buffer) -> Option<Position> {
    if (!panel.filtering && panel.filter.is_empty()) || content.height < 2 {
        return None;
    }
    let text = panel.filter.text();
    let writes = renaming(panel) || settings_app::is_editing(panel);
    let mark = if writes { "= " } else { "/ " };
    let line = Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(text.clone(), theme.strong),
    ]);
    buf.set_line(content.x, content.y, &line, content.width);
    let column = edit::columns(&text, 0, panel.filter.cursor().column);
    let x = content.x + 2 + u16::try_from(column).unwrap_or(u16::MAX / 2);
    let cursor = Position { x: x.min(content.right()), y: content.y };
    content.y += 1;
    content.height -= 1;
    panel.filtering.then_some(cursor)
}

/// Draws the rows of a list with the chosen one marked, scrolled so that it is shown.
pub fn list(lines: &[Line<'_>], at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) -> Inner {
    let height = usize::from(area.height);
    let rows = lines.len();
    let top = at.saturating_sub(height / 2).min(rows.saturating_sub(height));
    for (y, (index, line)) in (area.y..).zip(lines.iter().enumerate().skip(top).take(height)) {
        if index == at {
            buf.set_style(Rect { y, height: 1, ..area }, theme.selection);
        }
        buf.set_line(area.x, y, line, area.width);
    }
    Inner { rows, shown: height, top }
}

/// Draws a text from its row `scroll` on.
pub fn text(lines: &[Line<'_>], scroll: usize, area: Rect, buf: &mut Buffer) -> Inner {
    let mut inner = Inner { rows: lines.len(), shown: usize::from(area.height), top: 0 };
    inner.top = scroll.min(inner.max_scroll());
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(inner.top)) {
        buf.set_line(area.x, y, line, area.width);
    }
    inner
}
