//! The permission dialog. What it is about stands in full in its body, which scrolls; why it asks
//! and what can be answered stay in sight.

use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::dialog::inquiry::Asked;
use crate::app::dialog::meaning::Meaning;
use crate::app::dialog::{Budget, Confirm, Permission, RuleForm, Stage, TrustDialog};
use crate::app::keys::{Action, Context};
use crate::app::scroll::Inner;
use crate::protocol::{PartVerdict, Preview, RequestId, Ruling, Scope, TrustState};
use crate::text::clean::Mark;
use crate::text::{Piece, clip, width, wrap};
use crate::view::budget;
use crate::view::confirm;
use crate::view::diff::{self, How};
use crate::view::entry::plain;
use crate::view::field;
use crate::view::frame::{self, Frame};
use crate::view::inquiry;
use crate::view::layout::diff_style;
use crate::view::marks::Marks;
use crate::view::panels::origin;
use crate::view::rows;
use crate::view::state::State;
use crate::view::theme::Theme;
use crate::view::trust;
use crate::view::words;

/// The body as rows, kept while nothing that it shows changes.
#[derive(Debug)]
pub struct Rows {
    key: Key,
    rows: Rc<Vec<Line<'static>>>,
    /// First row of each hunk.
    hunks: Rc<Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    of: Of,
    width: usize,
    theme: u64,
    generation: u64,
    kept: Vec<bool>,
    hunk: usize,
    why: bool,
    /// Hunks that were changed, and how many characters they have become.
    changed: Vec<(usize, usize)>,
    diff: crate::app::model::DiffStyle,
}

/// Which dialog it is.
#[derive(Debug, Clone, PartialEq)]
enum Of {
    Question(RequestId),
    Confirm(RequestId),
    /// By what is listed, and its state.
    Trust(String, TrustState),
}

/// A dialog that is ready to be drawn, so that its height is known.
#[derive(Debug)]
pub struct Prepared {
    body: Rc<Vec<Line<'static>>>,
    hunks: Rc<Vec<usize>>,
    foot: Vec<Line<'static>>,
    /// Row and column of the cursor in the foot.
    cursor: Option<(usize, usize)>,
    full: bool,
}

#[derive(Debug, Default)]
pub struct Drawn {
    pub inner: Inner,
    pub cursor: Option<Position>,
}

/// What is asked.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Question(&'a Permission),
    Budget(&'a Budget),
    Asked(&'a Asked),
    Confirm(&'a Confirm),
    Trust(&'a TrustDialog),
}

impl Shown<'_> {
    /// A turn's question first: the turn waits for it.
    fn of(model: &Model) -> Option<Shown<'_>> {
        let confirm = model.confirm.as_ref().map(Shown::Confirm);
        let trust = model.trusting.as_ref().map(Shown::Trust);
        let budget = model.budget.as_ref().map(Shown::Budget);
        let asked = model.asked.front().map(Shown::Asked);
        let question = model.dialogs.front().map(Shown::Question);
        question.or(asked).or(budget).or(confirm).or(trust)
    }
}

impl Prepared {
    /// Rows with the frame around.
    pub fn height(&self) -> u16 {
        if self.full {
            return u16::MAX;
        }
        u16::try_from(self.body.len() + self.foot.len() + 2).unwrap_or(u16::MAX)
    }
}

pub fn prepare(model: &Model, state: &mut State, area: Rect) -> Option<Prepared> {
    let shown = Shown::of(model)?;
    let columns = usize::from(area.width.saturating_sub(4)).max(1);
    let theme = Rc::clone(&state.theme);
    let marks = state.marks(model);
    let (of, kept, hunk, why) = match shown {
        Shown::Question(dialog) => {
            (Of::Question(dialog.request.id), dialog.kept.clone(), dialog.hunk, dialog.why)
        }
        Shown::Budget(it) => {
            let body = Rc::new(budget::body(it, columns, &theme));
            let (foot, cursor) = budget::foot(model, it, columns, &theme, marks);
            return Some(Prepared { body, hunks: Rc::default(), foot, cursor, full: false });
        }
        Shown::Confirm(confirm) => {
            (Of::Confirm(confirm.rewind.request), confirm.chosen.clone(), confirm.file, false)
        }
        Shown::Asked(asked) => (Of::Question(asked.id), Vec::new(), asked.revision, false),
        Shown::Trust(TrustDialog { trust, .. }) => {
            (Of::Trust(trust.seen.clone(), trust.state), Vec::new(), 0, false)
        }
    };
    let key = Key {
        of,
        width: columns,
        theme: theme.id(),
        generation: state.cache.colours.generation(),
        kept,
        hunk,
        why,
        changed: match shown {
            Shown::Question(dialog) => {
                dialog.changed.iter().map(|(hunk, text)| (*hunk, text.len())).collect()
            }
            Shown::Asked(_) | Shown::Budget(_) | Shown::Confirm(_) | Shown::Trust(_) => Vec::new(),
        },
        diff: model.look.diff,
    };
    if state.dialog.as_ref().is_none_or(|rows| rows.key != key) {
        state.work.wrapped += 1;
        let (rows, hunks) = match shown {
            Shown::Question(dialog) => body(model, dialog, columns, &theme, marks, state),
            Shown::Budget(_) => return None,
            Shown::Asked(asked) => {
                let colours = &mut state.cache.colours;
                (inquiry::body(asked, columns, &theme, marks, colours), Vec::new())
            }
            Shown::Confirm(it) => {
                confirm::body(model, it, columns, &theme, marks, &mut state.cache.colours)
            }
            Shown::Trust(it) => (trust::body(&it.trust, columns, &theme), Vec::new()),
        };
        state.dialog = Some(Rows { key, rows: Rc::new(rows), hunks: Rc::new(hunks) });
    }
    let rows = state.dialog.as_ref()?;
    let full = matches!(shown, Shown::Question(dialog) if dialog.full);
    let (foot, cursor) = match shown {
        Shown::Question(dialog) => foot(dialog, columns, &theme, marks),
        Shown::Budget(_) => return None,
        Shown::Asked(asked) => inquiry::foot(asked, columns, &theme),
        Shown::Confirm(it) => (confirm::foot(it, columns, &theme), None),
        Shown::Trust(it) => (trust::foot(&it.trust, columns, &theme), None),
    };
    Some(Prepared {
        body: Rc::clone(&rows.rows),
        hunks: Rc::clone(&rows.hunks),
        foot,
        cursor,
        full,
    })
}

pub fn draw(
    model: &Model,
    state: &mut State,
    prepared: &Prepared,
    area: Rect,
    buf: &mut Buffer,
) -> Drawn {
    let Some(shown) = Shown::of(model) else { return Drawn::default() };
    if area.height < 2 {
        return Drawn::default();
    }
    let theme = Rc::clone(&state.theme);
    let marks = state.marks(model);
    let (title, remark, keys, armed) = match shown {
        Shown::Question(dialog) => {
            let armed = model.dialogs.armed(model.now);
            (title(dialog), remark(model, dialog), keys(model, dialog), armed)
        }
        Shown::Budget(it) => {
            (budget::title(it), budget::remark(it), budget::keys(model, it), it.armed(model.now))
        }
        Shown::Asked(asked) => {
            let armed = asked.armed(model.now);
            (inquiry::title(asked), inquiry::remark(asked), inquiry::keys(model, asked), armed)
        }
        Shown::Confirm(it) => {
            let remark = confirm::remark(it, marks);
            (confirm::title(it), remark, confirm::keys(model, it), it.armed(model.now))
        }
        Shown::Trust(it) => {
            let (title, remark) = (trust::title(&it.trust), trust::remark(&it.trust));
            (title, remark, trust::keys(model, it), it.armed(model.now))
        }
    };
    let border = theme.asked.remove_modifier(Modifier::BOLD);
    let border = if armed { border } else { theme.border };
    let (at, follow, scroll) = match shown {
        Shown::Question(dialog) => (dialog.hunk, dialog.show_hunk, dialog.scroll),
        Shown::Budget(_) => (0, false, 0),
        Shown::Asked(asked) => (0, false, asked.scroll),
        Shown::Confirm(confirm) => (confirm.file, confirm.show_file, confirm.scroll),
        Shown::Trust(dialog) => (0, false, dialog.scroll),
    };
    // The foot gives way where there is too little room for both, first with the rows at its top.
    let height = usize::from(area.height - 2);
    let body_rows = prepared.body.len().min(3);
    let foot_rows = prepared.foot.len().min(height.saturating_sub(body_rows).max(height / 2));
    let shown = height - foot_rows;
    let mut inner = Inner { rows: prepared.body.len(), shown, top: 0 };
    let hunk = prepared.hunks.get(at).copied().filter(|_| follow);
    let scroll = match hunk {
        Some(row) if row < scroll || row + shown / 2 >= scroll + shown => row.saturating_sub(2),
        _ => scroll,
    };
    inner.top = scroll.min(inner.max_scroll());
    let hidden = hidden(inner, area.width);
    let frame = Frame { title, title_style: theme.asked, remark, keys, hidden, border };
    let content = frame::draw(&frame, area, &theme, marks, buf);
    for (y, line) in (content.y..).zip(prepared.body.iter().skip(inner.top).take(shown)) {
        rows::put(line, (content.x, y), content.width, buf);
    }
    let foot_y = content.y + u16::try_from(shown).unwrap_or(0);
    let skip = prepared.foot.len() - foot_rows;
    for (y, line) in (foot_y..).zip(prepared.foot.iter().skip(skip)) {
        buf.set_line(content.x, y, line, content.width);
    }
    let cursor = prepared.cursor.filter(|(row, _)| *row >= skip).map(|(row, column)| Position {
        x: (content.x + u16::try_from(column).unwrap_or(0)).min(content.right()),
        y: foot_y + u16::try_from(row - skip).unwrap_or(0),
    });
    Drawn { inner, cursor }
}

/// How much of the body is above and below what is shown; without a word where keys need the room.
fn hidden(inner: Inner, columns: u16) -> String {
    let (above, below) = (inner.top, inner.max_scroll() - inner.top);
    let rows = |n: usize| match columns {
        0..60 => n.to_string(),
        _ => words::count(n, "row", "rows"),
    };
    match (above, below) {
        (0, 0) => String::new(),
        (0, below) => format!("↓ {}", rows(below)),
        (above, 0) => format!("↑ {}", rows(above)),
        (above, below) => format!("↑ {above} ↓ {}", rows(below)),
    }
}

fn title(dialog: &Permission) -> String {
    match &dialog.request.preview {
        Preview::Command { .. } => "Run a command".to_owned(),
        Preview::Edit { path, new_file: true, .. } => format!("Create {path}"),
        Preview::Edit { path, .. } => format!("Edit {path}"),
        Preview::Url { .. } => "Fetch a page".to_owned(),
        Preview::Other { .. } => format!("Use {}", dialog.request.tool),
    }
}

fn remark(model: &Model, dialog: &Permission) -> String {
    let mut parts = Vec::new();
    parts.extend(dialog.agent.as_ref().map(|agent| format!("for {agent}")));
    if let Preview::Edit { added, removed, .. } = &dialog.request.preview {
        parts.push(format!("+{added} −{removed}"));
    }
    let count = dialog.kept.len();
    if count > 1 {
        let kept = dialog.kept.iter().filter(|kept| **kept).count();
        let kept = match (kept, count) {
            (kept, count) if kept == count => "all kept".to_owned(),
            (kept, _) => format!("{kept} kept"),
        };
        parts.push(format!("hunk {} of {count} · {kept}", dialog.hunk + 1));
    }
    if !dialog.changed.is_empty() {
        parts.push(format!("{} changed by you", dialog.changed.len()));
    }
    if model.dialogs.len() > 1 {
        parts.push(format!("1 of {} waiting", model.dialogs.len()));
    }
    parts.join(" · ")
}

/// The keys that work now, whether or not there is room for them in the border.
pub fn all_keys(model: &Model) -> Vec<(String, &str)> {
    match Shown::of(model) {
        Some(Shown::Question(dialog)) => keys(model, dialog),
        Some(Shown::Asked(it)) => inquiry::keys(model, it),
        Some(Shown::Budget(it)) => budget::keys(model, it),
        Some(Shown::Confirm(it)) => confirm::keys(model, it),
        Some(Shown::Trust(it)) => trust::keys(model, it),
        None => Vec::new(),
    }
}

fn keys<'a>(model: &Model, dialog: &Permission) -> Vec<(String, &'a str)> {
    let key = |action| model.keymap.key(Context::Dialog, action);
    let field = |action| model.keymap.key(Context::DialogField, action);
    let esc = model.keymap.key(Context::Global, Action::Back);
    match &dialog.stage {
        Stage::Always(form) => {
            let mut keys = vec![(field(Action::FieldAccept), "allow and save")];
            keys.push((field(Action::FieldNext), "where"));
            if form.rules.len() > 1 {
                keys.push(("↑↓".to_owned(), "rule"));
                keys.push((field(Action::FieldPick), "use or leave out"));
            }
            keys.push((esc, "back"));
            keys
        }
        Stage::Deny(_) => vec![(field(Action::FieldAccept), "deny and tell"), (esc, "back")],
        Stage::Change(_) => vec![
            (field(Action::FieldAccept), "check and run"),
            (field(Action::FieldNewline), "new line"),
            (esc, "back"),
        ],
        Stage::Choose => {
            let edits = !dialog.kept.is_empty();
            let mut keys = vec![(key(Action::AllowOnce), if edits { "apply" } else { "once" })];
            if dialog.kept.len() > 1 {
                keys.push((key(Action::KeepHunk), "keep/drop"));
                let hunks = format!("{}/{}", key(Action::NextHunk), key(Action::PreviousHunk));
                keys.push((hunks, "hunk"));
            }
            if !dialog.request.suggestions.is_empty() {
                keys.push((key(Action::AllowSession), "this session"));
                keys.push((key(Action::AllowAlways), "always…"));
            }
            if dialog.request.offers_network {
                keys.push((key(Action::AllowNetwork), "with network"));
            }
            if edits || matches!(dialog.request.preview, Preview::Command { .. }) {
                keys.push((key(Action::Change), "change"));
            }
            keys.push((key(Action::Deny), "deny"));
            keys.push((key(Action::DenyWithMessage), "say why"));
            keys.push((key(Action::Why), "why am I asked"));
            keys.push((esc, if dialog.why { "back" } else { "stop" }));
            keys.push((
                key(Action::DialogFull),
                if dialog.full { "smaller" } else { "whole screen" },
            ));
            if edits {
                keys.push((key(Action::DialogStyle), "side by side"));
            }
            keys
        }
    }
}

fn body(
    model: &Model,
    dialog: &Permission,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
    state: &mut State,
) -> (Vec<Line<'static>>, Vec<usize>) {
    let request = &dialog.request;
    let mut hunks = Vec::new();
    let mut rows = match &request.preview {
        Preview::Command { .. } => judged(&dialog.judged, "$ ", columns, theme),
        Preview::Url { .. } | Preview::Other { .. } => judged(&dialog.judged, "", columns, theme),
        Preview::Edit { path, hunks: changed, .. } => {
            let width = u16::try_from(columns).unwrap_or(u16::MAX);
            let choice = diff::Marks { keep: &dialog.kept, current: dialog.hunk };
            let how = How {
                width,
                style: diff_style(model.look.diff, width),
                marks: (dialog.kept.len() > 1).then_some(choice),
            };
            let drawn = diff::draw(path, changed, &how, theme, &mut state.cache.colours);
            hunks = drawn.starts;
            drawn.rows
        }
    };
    if request.parts.len() > 1 || (dialog.why && !request.parts.is_empty()) {
        rows.push(Line::default());
        rows.extend(parts(&request.parts, columns, theme, marks));
    }
    (rows, hunks)
}

/// The very characters, with those spelled out that cannot be seen.
fn judged(pieces: &[Piece<Mark>], head: &str, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let styled = |piece: &Piece<Mark>| {
        let style = match piece.style {
            Mark::Plain => theme.strong,
            Mark::Odd => theme.asked,
        };
        Piece::new(piece.text.as_str(), style)
    };
    let head = Piece::new(head, theme.faint);
    let pieces: Vec<Piece<Style>> =
        std::iter::once(head).chain(pieces.iter().map(styled)).collect();
    wrap::wrap(&pieces, columns, 2).into_iter().map(rows::line).collect()
}

fn parts(
    parts: &[PartVerdict],
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> Vec<Line<'static>> {
    let most = columns.saturating_sub(4) / 2;
    let column = parts.iter().map(|part| width(&part.text)).max().unwrap_or_default().min(most);
    let mut rows = Vec::new();
    for part in parts {
        let (mark, style) = match part.decision {
            Ruling::Allow => (marks.done, theme.done),
            Ruling::Ask => (marks.asked, theme.asked),
            Ruling::Deny => (marks.failed, theme.failed),
        };
        let because = match &part.rule {
            Some(rule) => format!("{} ({}, {})", part.because, rule.value, origin(rule)),
            None => part.because.clone(),
        };
        let room = columns.saturating_sub(column + 7).max(1);
        let texts = wrap::rows(&part.text, column.max(1), 0);
        let whys = wrap::rows(&because, room, 0);
        for at in 0..texts.len().max(whys.len()) {
            let text = texts.get(at).map_or("", |row| &part.text[row.range.clone()]);
            let why = whys.get(at).map_or("", |row| &because[row.range.clone()]);
            let pad = " ".repeat(column.saturating_sub(width(text)) + 3);
            let mark = if at == 0 { mark } else { " " };
            rows.push(Line::from(vec![
                Span::styled(format!("  {mark} "), style),
                Span::styled(text.to_owned(), theme.text),
                Span::raw(pad),
                Span::styled(why.to_owned(), theme.faint),
            ]));
        }
    }
    rows
}

/// Why it asks, or the text that is being written; and the place of the cursor in it.
fn foot(
    dialog: &Permission,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
) -> (Vec<Line<'static>>, Option<(usize, usize)>) {
    let mut rows = vec![Line::default()];
    let request = &dialog.request;
    match &dialog.stage {
        Stage::Choose => {
            if let Some(reason) = &request.reason {
                let text = format!("the model's reason: {reason}");
                rows.extend(plain(&text, columns, theme.text));
            }
            rows.extend(plain(&because(dialog), columns, theme.faint));
            (rows, None)
        }
        Stage::Deny(field) => {
            let label = ("tell the model: ", theme.faint);
            let (written, (row, column)) = field::rows(label, field, theme.strong, columns);
            rows.extend(written);
            (rows, Some((1 + row, column)))
        }
        Stage::Change(field) => {
            let (written, (row, column)) =
                field::rows(("$ ", theme.faint), field, theme.strong, columns);
            rows.extend(written);
            (rows, Some((1 + row, column)))
        }
        Stage::Always(form) => {
            let cursor = rule_form(form, columns, theme, marks, &mut rows);
            (rows, Some(cursor))
        }
    }
}

fn because(dialog: &Permission) -> String {
    let request = &dialog.request;
    let rule = request.rule.as_ref().map(|rule| format!(" ({}, {})", rule.value, origin(rule)));
    let sandbox = request.sandbox.as_ref().map(|sandbox| format!(" · sandbox: {sandbox}"));
    let cwd = match &request.preview {
        Preview::Command { cwd, .. } if dialog.why => {
            format!(" · in {}", crate::text::clean(cwd, crate::text::clean::Mode::Name))
        }
        _ => String::new(),
    };
    format!(
        "asked because {}{}{}{cwd}",
        request.because.trim_end_matches('.'),
        rule.unwrap_or_default(),
        sandbox.unwrap_or_default()
    )
}

fn rule_form(
    form: &RuleForm,
    columns: usize,
    theme: &Theme,
    marks: &Marks,
    rows: &mut Vec<Line<'static>>,
) -> (usize, usize) {
    let mut cursor = (0, 0);
    for (at, (used, field)) in form.rules.iter().enumerate() {
        let chosen = at == form.at;
        let mark = match (form.rules.len() > 1, used) {
            (false, _) => String::new(),
            (true, true) => format!("{} ", marks.kept),
            (true, false) => format!("{} ", marks.dropped),
        };
        let head = format!("allow {mark}");
        let style = if chosen { theme.strong } else { theme.text };
        let (written, (row, column)) = field::rows((&head, theme.faint), field, style, columns);
        if chosen {
            cursor = (rows.len() + row, column);
        }
        rows.extend(written);
    }
    let mut scopes = vec![Span::styled("for   ", theme.faint)];
    let text = clip::end(scope_words(form.scope), columns.saturating_sub(6)).into_owned();
    scopes.push(Span::styled(text, theme.accent));
    rows.push(Line::from(scopes));
    rows.extend(meaning(&form.meaning, columns, theme));
    if let Some(problem) = &form.problem {
        rows.push(Line::styled(problem.clone(), theme.failed));
    }
    cursor
}

/// Where a rule is kept.
pub fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::Project => "this project, kept in .tern/config.local.toml",
        Scope::User => "every project, kept in your config.toml",
        Scope::Session => "this session only",
    }
}

/// What the rules would mean: a mistake, what they leave open, what they would have covered.
pub fn meaning(meaning: &Meaning, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    if let Some(problem) = &meaning.problem {
        return plain(problem, columns, theme.failed);
    }
    let mut rows = Vec::new();
    if let Some(left) = meaning.left.first() {
        let more = match meaning.left.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let text = format!("would still ask about: {left}{more}");
        rows.push(Line::styled(clip::end(&text, columns).into_owned(), theme.asked));
    }
    if !meaning.covered.is_empty() {
        let count = match meaning.covered.len() {
            1 => "1 earlier command".to_owned(),
            n => format!("{n} earlier commands"),
        };
        let list = meaning.covered.iter().take(5).map(|text| text.replace('\n', " "));
        let list = list.collect::<Vec<_>>().join(" · ");
        let text = format!("would have covered {count}: {list}");
        rows.push(Line::styled(clip::end(&text, columns).into_owned(), theme.faint));
    }
    rows
}
