//! The changes panel: the files as a tree at the left, or as a list above where it is narrow, and
//! the chosen one's diff beside or below.

use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::model::DiffStyle;
use crate::app::panels::changes::{Changes, folder_and_name, lines};
use crate::app::scroll::Inner;
use crate::protocol::{FileEffect, FileStep, RequestId, StepConflict};
use crate::text::{clip, width};
use crate::view::diff::{self, How, Marks as Hunks};
use crate::view::entry::plain;
use crate::view::layout::diff_style;
use crate::view::marks::Marks;
use crate::view::panels::{Draw, list};
use crate::view::rows::put;
use crate::view::theme::Theme;
use crate::view::words;

/// From this width on the diff stands beside the files.
const WIDE: u16 = 100;
const FILES: u16 = 34;

/// The diff of the chosen file as rows, kept while nothing that it shows changes.
#[derive(Debug)]
pub struct Rows {
    key: Key,
    rows: Rc<Vec<Line<'static>>>,
    /// The first row of each hunk.
    hunks: Rc<Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    listed: Option<RequestId>,
    file: usize,
    hunk: usize,
    width: u16,
    theme: u64,
    generation: u64,
    style: DiffStyle,
}

/// What has been changed, all in all.
pub fn remark(model: &Model, changes: &Changes, marks: &Marks) -> String {
    if changes.is_comparing() {
        return "comparing".to_owned();
    }
    let files: Vec<&FileStep> = lines(model).into_iter().map(|(_, file)| file).collect();
    let sum = |count: fn(&FileStep) -> u32| files.iter().map(|file| count(file)).sum::<u32>();
    let (added, removed) = (sum(|file| file.added), sum(|file| file.removed));
    let (dot, minus) = (marks.dot, marks.minus);
    let count = words::count(files.len(), "file", "files");
    let context = changes.context().map(|words| format!("{words} {dot} ")).unwrap_or_default();
    format!("{context}{count} {dot} +{added} {minus}{removed}")
}

pub fn draw(draw: &mut Draw<'_>, changes: &Changes, area: Rect, buf: &mut Buffer) -> Inner {
    let theme = Rc::clone(&draw.state.theme);
    let files = lines(draw.model);
    let Some((place, file)) = files.get(draw.panel.at).copied() else {
        let text = match (changes.is_comparing(), changes.files().is_empty()) {
            (true, _) => "the files are being compared with what they were",
            (false, true) => "no file holds anything else than before this session",
            (false, false) => "no file has that in its name",
        };
        buf.set_line(area.x, area.y, &Line::styled(text, theme.faint), area.width);
        return Inner::default();
    };
    let below = if changes.alone {
        area
    } else if area.width >= WIDE {
        let (rows, at) = tree(draw, &files);
        list(&rows, at, &theme, Rect { width: FILES, ..area }, buf);
        Rect { x: area.x + FILES + 2, width: area.width - FILES - 2, ..area }
    } else {
        let high = u16::try_from(files.len()).unwrap_or(u16::MAX).min(area.height / 3).max(1);
        let columns = usize::from(area.width);
        let rows = files.iter().map(|(_, file)| file_line(draw, file, &file.path, "", columns));
        list(&rows.collect::<Vec<_>>(), draw.panel.at, &theme, Rect { height: high, ..area }, buf);
        let rest = area.height.saturating_sub(high + 1);
        Rect { y: area.y + high + 1, height: rest, ..area }
    };
    let marks = draw.state.marks(draw.model);
    let head = head(file, usize::from(below.width), &theme, marks);
    let high = u16::try_from(head.len()).unwrap_or(u16::MAX).min(below.height);
    for (y, line) in (below.y..below.y + high).zip(&head) {
        buf.set_line(below.x, y, line, below.width);
    }
    let content = Rect { y: below.y + high, height: below.height - high, ..below };
    let (rows, hunks) = rows(draw, changes, place, file, content.width);
    let shown = usize::from(content.height);
    let mut inner = Inner { rows: rows.len(), shown, top: 0 };
    let hunk = hunks.get(changes.hunk).copied().filter(|_| changes.show_hunk);
    inner.top = hunk.unwrap_or(draw.panel.scroll).min(inner.max_scroll());
    for (y, row) in (content.y..content.bottom()).zip(rows.iter().skip(inner.top)) {
        put(row, (content.x, y), content.width, buf);
    }
    inner
}

fn rows(
    draw: &mut Draw<'_>,
    changes: &Changes,
    place: usize,
    file: &FileStep,
    width: u16,
) -> (Rc<Vec<Line<'static>>>, Rc<Vec<usize>>) {
    let theme = Rc::clone(&draw.state.theme);
    let key = Key {
        listed: changes.listed(),
        file: place,
        hunk: changes.hunk,
        width,
        theme: theme.id(),
        generation: draw.state.cache.colours.generation(),
        style: draw.model.look.diff,
    };
    if draw.state.changes.as_ref().is_none_or(|rows| rows.key != key) {
        draw.state.work.wrapped += 1;
        let style = diff_style(draw.model.look.diff, width);
        let many = file.hunks.len() > 1;
        let marks = many.then_some(Hunks { keep: &[], current: changes.hunk });
        let how = How { width, style, marks };
        let colours = &mut draw.state.cache.colours;
        let drawn = diff::draw(&file.path, &file.hunks, &how, &theme, colours);
        let (rows, hunks) = (Rc::new(drawn.rows), Rc::new(drawn.starts));
        draw.state.changes = Some(Rows { key, rows, hunks });
    }
    let kept = draw.state.changes.as_ref();
    kept.map(|kept| (Rc::clone(&kept.rows), Rc::clone(&kept.hunks))).unwrap_or_default()
}

/// The files below the folders that they are in, and the row of the chosen one.
fn tree(draw: &Draw<'_>, files: &[(usize, &FileStep)]) -> (Vec<Line<'static>>, usize) {
    let columns = usize::from(FILES);
    let mut rows = Vec::new();
    let (mut folder, mut at) = ("", 0);
    for (index, (_, file)) in files.iter().enumerate() {
        let (inside, name) = folder_and_name(&file.path);
        if inside != folder {
            let text = clip::path(&format!("{inside}/"), columns).into_owned();
            rows.push(Line::styled(text, draw.state.theme.faint));
            folder = inside;
        }
        if index == draw.panel.at {
            at = rows.len();
        }
        let indent = if inside.is_empty() { "" } else { "  " };
        rows.push(file_line(draw, file, name, indent, columns));
    }
    (rows, at)
}

/// `~ parser.rs        +3 −1`
fn file_line(
    draw: &Draw<'_>,
    file: &FileStep,
    name: &str,
    indent: &str,
    columns: usize,
) -> Line<'static> {
    let theme = &draw.state.theme;
    let marks = draw.state.marks(draw.model);
    let (sign, style) = sign(file, theme);
    let counts = counts(file, theme, marks);
    let counted: usize = counts.iter().map(|span| width(&span.content)).sum();
    let room = columns.saturating_sub(indent.len() + counted + 3);
    let name = clip::path(name, room).into_owned();
    let pad = columns.saturating_sub(indent.len() + 2 + width(&name) + counted);
    let named = match file.effect {
        FileEffect::Removed => theme.faint,
        FileEffect::Changed | FileEffect::Created => theme.text,
    };
    let mut spans = vec![
        Span::raw(indent.to_owned()),
        Span::styled(format!("{sign} "), style),
        Span::styled(name, named),
        Span::raw(" ".repeat(pad)),
    ];
    spans.extend(counts);
    Line::from(spans)
}

/// What happened to the file, as a letter that needs no colour.
fn sign(file: &FileStep, theme: &Theme) -> (&'static str, Style) {
    match (file.effect, &file.conflict) {
        (_, Some(StepConflict::ChangedSince)) => ("!", theme.asked),
        _ if file.from.is_some() => ("R", theme.text),
        (FileEffect::Created, _) => ("A", theme.added),
        (FileEffect::Removed, _) => ("D", theme.removed),
        (FileEffect::Changed, _) => ("M", theme.faint),
    }
}

/// Lines, or what there is instead of them.
fn counts(file: &FileStep, theme: &Theme, marks: &Marks) -> Vec<Span<'static>> {
    let minus = marks.minus;
    if file.added == 0 && file.removed == 0 {
        let said = match (file.note.is_empty(), file.from.is_some()) {
            (false, _) => file.note.clone(),
            (true, true) => "renamed".to_owned(),
            (true, false) => "empty".to_owned(),
        };
        return vec![Span::styled(said, theme.faint)];
    }
    let mut counts = Vec::new();
    if file.added > 0 {
        counts.push(Span::styled(format!("+{}", file.added), theme.added));
    }
    if file.removed > 0 {
        let space = if counts.is_empty() { "" } else { " " };
        counts.push(Span::styled(format!("{space}{minus}{}", file.removed), theme.removed));
    }
    counts
}

/// What happened to the file besides its lines; nothing where there is nothing to say.
fn head(file: &FileStep, columns: usize, theme: &Theme, marks: &Marks) -> Vec<Line<'static>> {
    let mut said = Vec::new();
    if let Some(from) = &file.from {
        said.push(format!("renamed: {from} {} {}", marks.to, file.path));
    }
    match file.effect {
        FileEffect::Created if file.from.is_none() => said.push("new file".to_owned()),
        FileEffect::Removed => said.push("deleted".to_owned()),
        FileEffect::Created | FileEffect::Changed => {}
    }
    if !file.note.is_empty() {
        said.push(file.note.clone());
    }
    let mut rows = Vec::new();
    if !said.is_empty() {
        let said = said.join(&format!(" {} ", marks.dot));
        rows.extend(plain(&said, columns, theme.faint));
    }
    match &file.conflict {
        Some(StepConflict::ChangedSince) => {
            let text = "someone else has changed it since; what they did is in this diff, too";
            rows.extend(plain(text, columns, theme.asked));
        }
        Some(StepConflict::Impossible { why }) => {
            rows.extend(plain(&format!("cannot be put back: {why}"), columns, theme.asked));
        }
        None => {}
    }
    rows
}
