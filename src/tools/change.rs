//! A change of one file: planned, shown, and written as it was shown.
//!
//! Edit, MultiEdit and Write say what the file becomes; everything else is here once. A plan is
//! made anew for the write, under the session's lock, and refused if the target is not what it was
//! when it was shown. The model hears what was kept of it.

use crate::diff::{self, Choice};
use crate::protocol::{Detail, Hunk, LineKind, Preview};
use crate::tools::disk::{self, Found, Trouble};
use crate::tools::edit::How;
use crate::tools::form::Form;
use crate::tools::seen::Extent;
use crate::tools::{Outcome, Prepared, ToolCtx, broken, lock};

/// Lines of context in previews: hunks are numbered by it, so it is one number for all.
const CONTEXT: usize = 3;
/// Characters of a changed hunk that the model is told.
const MOST_TOLD: usize = 8 << 10;

/// The file that a change is for, as text.
#[derive(Debug)]
pub(super) struct Target {
    pub found: Found,
    /// Without a byte order mark. Empty where there is no file.
    pub text: String,
    form: Form,
    read: bool,
    /// It changed since the model read it.
    pub stale: bool,
}

/// What a file becomes.
#[derive(Debug)]
pub(super) struct Change {
    target: Target,
    new: String,
    how: How,
    verb: &'static str,
    /// What the model is told beyond the counts.
    note: Option<String>,
    /// The new text stands whole in the call, so the model has it in its context.
    whole: bool,
}

const BOM: &str = "\u{feff}";

impl Target {
    pub fn find(path: &str, ctx: &ToolCtx) -> Result<Target, Outcome> {
        let full = disk::absolute(path, &ctx.cwd).map_err(|t| refused(&t))?;
        let shown = disk::shown(&full, &ctx.cwd);
        let found = disk::find(&full, &shown).map_err(|t| refused(&t))?;
        let bytes = found.old.as_ref().map(|old| old.bytes.as_slice()).unwrap_or_default();
        let Some((form, text)) = Form::read(bytes) else {
            return Err(Outcome::failed(
                format!("{shown} is not text and is left alone. Change it with a command."),
                "not text",
            ));
        };
        let look = lock(&ctx.session.seen).look(&found.real).cloned();
        let hash = found.old.as_ref().map(|old| old.hash.as_str());
        let stale = look.as_ref().is_some_and(|look| Some(look.hash.as_str()) != hash);
        Ok(Target { read: look.is_some(), stale, found, text, form })
    }

    /// There is no file, or nothing in it.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn must_have_been_read(&self) -> Result<(), Outcome> {
        if self.read || self.is_empty() {
            return Ok(());
        }
        let text =
            format!("{} has not been read in this session. Read it first.", self.found.shown);
        Err(Outcome::failed(text, "not read yet"))
    }

    pub fn changed_since_read(&self) -> Outcome {
        let text = format!("{} has changed since it was read. Read it again.", self.found.shown);
        Outcome::failed(text, "changed since read")
    }

    /// Some of its text replaced.
    pub fn become_text(self, new: String, how: How) -> Change {
        let mut notes = Vec::new();
        match how {
            How::Exact => {}
            How::LookAlike => notes.push("Matched but for quotes, dashes or blanks at line ends."),
            How::Blanks => notes.push("Matched but for the width of blanks inside the line."),
            How::Escapes => {
                notes.push("Matched with one level of escapes taken off, in the new text too.");
            }
            How::Indent => notes.push("Matched but for indentation, which was adapted."),
        }
        if self.stale {
            notes.push("The file has changed elsewhere since it was read.");
        }
        let verb = if self.found.old.is_some() { "Edited" } else { "Created" };
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        Change { target: self, new, how, verb, note, whole: false }
    }

    /// All of its text replaced. A file with CRLF throughout keeps it.
    pub fn become_whole(self, content: &str) -> Change {
        let content =
            content.strip_prefix(BOM).filter(|_| self.form != Form::Utf8).unwrap_or(content);
        let ends = self.text.matches('\n').count();
        let crlf = ends > 0 && ends == self.text.matches("\r\n").count() && !content.contains('\r');
        let new = if crlf { content.replace('\n', "\r\n") } else { content.to_owned() };
        let verb = if self.found.old.is_some() { "Wrote" } else { "Created" };
        let note = crlf.then(|| "Kept its CRLF line ends.".to_owned());
        Change { target: self, new, how: How::Exact, verb, note, whole: true }
    }
}

fn refused(trouble: &Trouble) -> Outcome {
    let (facts, hint) = match trouble {
        Trouble::ReadOnly(_) => ("read-only", " Ask the person before changing its mode."),
        Trouble::Changed(_) => ("changed meanwhile", " Read it again."),
        _ => ("not written", ""),
    };
    Outcome::failed(format!("{trouble}.{hint}"), facts)
}

/// What the change would be, in full.
pub(super) async fn preview(
    ctx: &ToolCtx,
    plan: impl FnOnce(&ToolCtx) -> Result<Change, Outcome> + Send + 'static,
) -> Result<Prepared, Outcome> {
    let ctx = ctx.clone();
    let task = tokio::task::spawn_blocking(move || plan(&ctx).map(|change| shown(&change)));
    task.await.unwrap_or_else(|e| Err(broken(&e)))
}

fn shown(change: &Change) -> Prepared {
    let Change { target, new, .. } = change;
    let hunks = diff::hunks(&target.text, new, CONTEXT);
    let (added, removed) = diff::counts(&hunks);
    let inexact = match change.how {
        How::Exact => None,
        How::LookAlike => Some(
            "The old text was not found letter by letter: quotes, dashes or blanks at line ends differ.",
        ),
        How::Blanks => Some(
            "The old text was not found letter by letter: the width of blanks inside the line differs.",
        ),
        How::Escapes => Some(
            "The old text was found with one level of escapes taken off; they were taken off the new text too.",
        ),
        How::Indent => {
            Some("The old text was found under other indentation; the new text was adapted.")
        }
    };
    let by_link = target
        .found
        .by_link
        .then(|| format!("It is a link: {} is what changes.", target.found.real.display()));
    let notes: Vec<String> = inexact.map(str::to_owned).into_iter().chain(by_link).collect();
    Prepared {
        preview: Preview::Edit {
            path: target.found.shown.clone(),
            hunks,
            added,
            removed,
            new_file: target.found.old.is_none(),
        },
        base: Some(target.found.mark.clone()),
        note: (!notes.is_empty()).then(|| notes.join(" ")),
    }
}

/// Plans again, compares with what was approved, and writes. Not broken off once it has begun.
pub(super) async fn run(
    ctx: &ToolCtx,
    plan: impl FnOnce(&ToolCtx) -> Result<Change, Outcome> + Send + 'static,
) -> Outcome {
    let session = ctx.session.clone();
    let _one_at_a_time = tokio::select! {
        guard = session.writing.lock() => guard,
        () = ctx.cancel.cancelled() => return Outcome::interrupted("Interrupted before writing."),
    };
    if ctx.cancel.is_cancelled() {
        return Outcome::interrupted("Interrupted before writing.");
    }
    let ctx = ctx.clone();
    let task = tokio::task::spawn_blocking(move || match plan(&ctx).and_then(|c| write(c, &ctx)) {
        Ok(outcome) | Err(outcome) => outcome,
    });
    task.await.unwrap_or_else(|e| broken(&e))
}

fn write(change: Change, ctx: &ToolCtx) -> Result<Outcome, Outcome> {
    let Change { target, new, verb, note, whole, .. } = change;
    let Target { found, text: old, form, .. } = target;
    if let Some(base) = &ctx.approved.base
        && base.as_ref() != Some(&found.mark)
    {
        let text = format!(
            "{} is not what it was when the change was approved. Nothing was written; read it again.",
            found.shown
        );
        return Err(Outcome::failed(text, "changed since approval"));
    }
    let planned = diff::hunks(&old, &new, CONTEXT);
    let kept =
        Kept::of(&old, new, planned, ctx).map_err(|text| Outcome::failed(text, "not written"))?;
    if kept.text == old && found.old.is_some() {
        return Ok(Outcome::done(format!("{} already has this text.", found.shown), "no change"));
    }
    let bytes = form
        .write(&kept.text, &old)
        .map_err(|why| Outcome::failed(format!("Nothing was written: {why}."), "not written"))?;
    let stored = disk::store(&found, &bytes).map_err(|trouble| refused(&trouble))?;
    let extent = if whole && kept.all { Extent::Whole } else { Extent::Edited };
    lock(&ctx.session.seen).note(found.real.clone(), disk::hash(&bytes), extent);

    let (added, removed) = diff::counts(&kept.hunks);
    let counts = format!("+{added} −{removed}");
    let mut text = format!("{verb} {} ({counts}).", found.shown);
    for note in [note, kept.note].into_iter().flatten() {
        text += &format!(" {note}");
    }
    if stored.parted_from > 0 {
        text += " It had hard links; the other names keep the old text.";
    }
    Ok(Outcome::done(text, counts).with(Detail::Diff {
        path: found.shown,
        hunks: kept.hunks,
        added,
        removed,
        new_file: found.old.is_none(),
    }))
}

/// What the person kept of a change.
struct Kept {
    text: String,
    hunks: Vec<Hunk>,
    all: bool,
    note: Option<String>,
}

impl Kept {
    fn of(old: &str, new: String, hunks: Vec<Hunk>, ctx: &ToolCtx) -> Result<Kept, String> {
        let Some(wanted) = ctx.approved.hunks.as_deref() else {
            return Ok(Kept { text: new, hunks, all: true, note: None });
        };
        let changed = |n: usize| ctx.approved.changed.iter().find(|change| change.hunk == n);
        let choice = |n: usize| match changed(n) {
            Some(change) => Choice::Become(&change.text),
            None if wanted.contains(&n) => Choice::Keep,
            None => Choice::Drop,
        };
        let choices: Vec<Choice<'_>> = (0..hunks.len()).map(choice).collect();
        if choices.iter().all(|choice| *choice == Choice::Keep) {
            return Ok(Kept { text: new, hunks, all: true, note: None });
        }
        if choices.iter().all(|choice| *choice == Choice::Drop) {
            return Err("The person kept no hunk of this change. Nothing was written.".to_owned());
        }
        let text = diff::apply_choices(old, &hunks, &choices)
            .map_err(|e| format!("Nothing was written: {e}."))?;
        let note = told(&hunks, &choices);
        // As they are now, with line numbers of the text as it was written.
        Ok(Kept { hunks: diff::hunks(old, &text, CONTEXT), text, all: false, note: Some(note) })
    }
}

/// What the model must know: which hunks are as it wrote them, and which are not.
fn told(hunks: &[Hunk], choices: &[Choice<'_>]) -> String {
    let numbered = || hunks.iter().zip(choices).enumerate();
    let dropped: Vec<String> = numbered()
        .filter(|(_, (_, choice))| **choice == Choice::Drop)
        .map(|(n, (hunk, _))| named(n, hunk))
        .collect();
    let mut notes = Vec::new();
    if !dropped.is_empty() {
        notes.push(format!(
            "The person kept {} of {} hunks and dropped {}: there the old text stands.",
            hunks.len() - dropped.len(),
            hunks.len(),
            dropped.join(", ")
        ));
    }
    for (n, (hunk, choice)) in numbered() {
        if let Choice::Become(text) = choice {
            let cut: String = text.chars().take(MOST_TOLD).collect();
            let more = if cut.len() < text.len() { "… (read the file for the rest)" } else { "" };
            notes.push(format!(
                "The person changed {}. Its lines, context included, are now:\n{cut}{more}",
                named(n, hunk)
            ));
        }
    }
    notes.join(" ")
}

/// "hunk 2 (old lines 40–44)"; a hunk that only adds names the line after which it would stand.
fn named(number: usize, hunk: &Hunk) -> String {
    let mut line = hunk.old_start;
    let mut touched: Option<(u32, u32)> = None;
    let mut after = hunk.old_start.saturating_sub(1);
    let mut added_at = None;
    for row in &hunk.lines {
        match row.kind {
            LineKind::Removed => touched = Some((touched.map_or(line, |(from, _)| from), line)),
            LineKind::Added => {
                added_at.get_or_insert(after);
            }
            LineKind::Context => {}
        }
        if row.kind != LineKind::Added {
            after = line;
            line += 1;
        }
    }
    match (touched, added_at) {
        (Some((from, to)), _) if from == to => format!("hunk {} (line {from})", number + 1),
        (Some((from, to)), _) => format!("hunk {} (lines {from}–{to})", number + 1),
        (None, added) => format!("hunk {} (after line {})", number + 1, added.unwrap_or(after)),
    }
}
