//! Trust in the folder: the notice above the prompt, and the dialog that lists everything.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::TrustDialog;
use crate::app::keys::{Action, Context};
use crate::protocol::{Trust, TrustItem, TrustState};
use crate::text::{clip, width};
use crate::view::entry::plain;
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

/// Things that the notice names before it only counts them.
const NAMED: usize = 4;

/// Rows of the notice: the things too, as long as nothing else has been said.
pub fn notice_rows(model: &Model, height: u16) -> u16 {
    let Some(trust) = model.trust.as_ref().filter(|_| model.trusting.is_none()) else { return 0 };
    if height < 20 || !model.transcript.is_empty() {
        return 1;
    }
    let more = usize::from(trust.items.len() > NAMED);
    u16::try_from(1 + trust.items.len().min(NAMED) + more).unwrap_or(1)
}

pub fn notice(model: &Model, theme: &Theme, marks: &Marks, area: Rect, buf: &mut Buffer) {
    let Some(trust) = model.trust.as_ref().filter(|_| area.height > 0) else { return };
    let room = usize::from(area.width).saturating_sub(4);
    let things = words::count(trust.items.len(), "thing", "things");
    let key = if model.prompt.is_empty() { "t" } else { "/trust" };
    let texts = match trust.state {
        TrustState::Changed => [
            format!("What you trusted in this folder has changed: {things} do not count any more"),
            format!("{things} have changed since you trusted them"),
        ],
        _ => [
            format!("This folder brings {things} that do not count until you trust it"),
            format!("{things} wait for your trust"),
        ],
    };
    let fits = |text: &&String| width(text) + width(key) + 18 <= room;
    let text = texts.iter().find(fits).unwrap_or(&texts[1]);
    let line = Line::from(vec![
        Span::styled(format!("  {} ", marks.asked), theme.asked),
        Span::styled(text.clone(), theme.text),
        Span::raw("   "),
        Span::styled(key, theme.accent),
        Span::styled(
            if width(text) + width(key) + 18 <= room { " shows them" } else { "" },
            theme.faint,
        ),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
    let shown = usize::from(area.height - 1).min(NAMED);
    let named = &trust.items[..trust.items.len().min(shown)];
    let column = named.iter().map(|item| width(&item.kind)).max().unwrap_or_default();
    let mut y = area.y + 1;
    for item in named {
        buf.set_line(area.x, y, &one_row(item, column, room, theme), area.width);
        y += 1;
    }
    if y < area.bottom() && trust.items.len() > named.len() {
        let text = format!("    and {} more", trust.items.len() - named.len());
        buf.set_line(area.x, y, &Line::styled(text, theme.faint), area.width);
    }
}

/// `    hook  PreToolUse: ./check.sh        .claude/settings.json:6`
fn one_row(item: &TrustItem, column: usize, room: usize, theme: &Theme) -> Line<'static> {
    let place = place(item);
    let room = room.saturating_sub(column + 2);
    let place = clip::path(&place, room / 2).into_owned();
    let text = clip::end(&item.text, room.saturating_sub(width(&place) + 2)).into_owned();
    let pad = room.saturating_sub(width(&text) + width(&place));
    Line::from(vec![
        Span::styled(format!("    {:column$}  ", item.kind), theme.faint),
        Span::styled(text, theme.text),
        Span::raw(" ".repeat(pad)),
        Span::styled(place, theme.faint),
    ])
}

fn place(item: &TrustItem) -> String {
    match item.line {
        Some(line) => format!("{}:{line}", item.file),
        None => item.file.clone(),
    }
}

pub fn title(trust: &Trust) -> String {
    match trust.state {
        TrustState::Untrusted | TrustState::Nothing => "Trust this folder?".to_owned(),
        TrustState::Changed => "Trust this folder again?".to_owned(),
        TrustState::Trusted => "This folder is trusted".to_owned(),
        TrustState::ThisRun => "This folder is trusted for this run".to_owned(),
    }
}

pub fn remark(trust: &Trust) -> String {
    words::count(trust.items.len(), "thing", "things")
}

pub fn keys(model: &Model, dialog: &TrustDialog) -> Vec<(String, &'static str)> {
    let key = |action| model.keymap.key(Context::Trust, action);
    let back = key(Action::Back);
    match dialog.trust.state.waits() {
        true => vec![(back, "not now"), (key(Action::TrustGive), "trust this folder")],
        false => vec![(back, "close"), (key(Action::TrustTake), "trust it no longer")],
    }
}

/// Every thing whole: what it is, what it says, where it stands.
pub fn body(trust: &Trust, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut rows = plain(&trust.folder, columns, theme.strong);
    let mut kind = "";
    for item in &trust.items {
        if item.kind != kind {
            rows.push(Line::default());
            rows.push(Line::styled(heading(&item.kind), theme.accent));
            kind = &item.kind;
        }
        let place = place(item);
        let fits = width(&item.text) + width(&place) + 5 <= columns;
        if fits {
            let pad = columns - width(&item.text) - width(&place) - 2;
            rows.push(Line::from(vec![
                Span::styled(format!("  {}", item.text), theme.text),
                Span::raw(" ".repeat(pad)),
                Span::styled(place, theme.faint),
            ]));
            continue;
        }
        let indented = |line: Line<'static>, by: usize| {
            let spans = std::iter::once(Span::raw(" ".repeat(by))).chain(line.spans);
            Line::from(spans.collect::<Vec<_>>())
        };
        let text = plain(&item.text, columns.saturating_sub(2).max(1), theme.text);
        rows.extend(text.into_iter().map(|line| indented(line, 2)));
        let place = plain(&place, columns.saturating_sub(6).max(1), theme.faint);
        rows.extend(place.into_iter().map(|line| indented(line, 6)));
    }
    rows
}

/// What things of this kind do, once they count.
fn heading(kind: &str) -> String {
    match kind {
        "allow rule" => "allow rules: run without a question",
        "additional directory" => "additional directories: may be read and written",
        "hook" => "hooks: run by themselves",
        "MCP server" => "MCP servers: are started or connected to",
        "agent" => "agents",
        "command" => "commands: may run others",
        "skill" => "skills",
        "setting" => "settings that run something or loosen something",
        "unreadable file" => "files that cannot be read, and may hold any of this",
        other => other,
    }
    .to_owned()
}

pub fn foot(trust: &Trust, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let text = match trust.state {
        TrustState::Changed => {
            "you trusted this folder before, but this is no longer what you saw then · nothing of it \
             counts until you trust it again"
        }
        TrustState::Untrusted | TrustState::Nothing => {
            "nothing of this counts until you trust it; its deny and ask rules do already · you are \
             asked again when any of it changes"
        }
        TrustState::Trusted => "all of this counts · you are asked again when any of it changes",
        TrustState::ThisRun => "all of this counts until tern ends, by --trust",
    };
    std::iter::once(Line::default()).chain(plain(text, columns, theme.faint)).collect()
}
