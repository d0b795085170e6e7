//! All that this session has made of the files, from before it to now, and the way back of one
//! file or one hunk.
//!
//! What was shown is kept by the number it was shown under, so that the person means what they
//! see: [`part`] takes back nothing that the list under that number did not hold.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::agent::shared::{Shared, lock};
use crate::agent::undo::blocking;
use crate::agent::undo::shown::{COMPARED, made, relative};
use crate::diff;
use crate::protocol::{Event, FileStep, HunkLine, RequestId};
use crate::session::blobs::Blobs;
use crate::session::checkpoint::FileState;
use crate::session::read;
use crate::session::restore::{self, Change, Conflict, Plan};

/// Bytes of text that all hunks of one answer have.
const SHOWN: usize = 4 << 20;

/// Where the changes of a session are written down, and what of them is on the screen.
#[derive(Debug, Default)]
pub struct Changes {
    /// The session's log, and the contents that it names. `None` with --no-session.
    record: Option<(PathBuf, Blobs)>,
    shown: Mutex<Option<Shown>>,
}

#[derive(Debug)]
struct Shown {
    request: RequestId,
    context: usize,
    rows: Vec<Row>,
}

/// One file of the list: two places where it was given another name.
#[derive(Debug, Clone)]
struct Row {
    change: Change,
    from: Option<Change>,
}

impl Changes {
    pub fn new(record: Option<(PathBuf, Blobs)>) -> Changes {
        Changes { record, shown: Mutex::default() }
    }
}

/// Tells the front end of every file that holds something else than before the session.
pub async fn show(shared: &Shared, context: u32) {
    // A file is not compared with more than itself.
    let context = usize::try_from(context).unwrap_or(COMPARED).min(COMPARED);
    let Some((log, blobs)) = shared.changes.record.clone() else { return };
    let cwd = shared.cwd();
    let (rows, files) = blocking(move || {
        let rows = rows(&log, &blobs);
        let files = files(&rows, &blobs, &cwd, context);
        (rows, files)
    })
    .await
    .unwrap_or_default();
    let request = shared.gate.approvals.number();
    *lock(&shared.changes.shown) = Some(Shown { request, context, rows });
    shared.emit(Event::ChangesShown { request, files }).await;
}

/// What it takes to have `file` of the list under `request` as it was before the session, or one
/// `hunk` of it. `None`: there is no such thing any more.
pub fn part(
    changes: &Changes,
    request: RequestId,
    file: usize,
    hunk: Option<usize>,
    blobs: &Blobs,
) -> Option<Plan> {
    let (row, context) = {
        let shown = lock(&changes.shown);
        let shown = shown.as_ref().filter(|shown| shown.request == request)?;
        (shown.rows.get(file)?.clone(), shown.context)
    };
    match hunk {
        Some(hunk) => without_hunk(&row, hunk, context, blobs),
        None => Some(Plan { files: row.from.into_iter().chain([row.change]).collect() }),
    }
}

/// The file with every hunk but this one.
fn without_hunk(row: &Row, hunk: usize, context: usize, blobs: &Blobs) -> Option<Plan> {
    let (now, then) = texts(row, blobs);
    let (now, then) = (String::from_utf8(now?).ok()?, String::from_utf8(then?).ok()?);
    let hunks = diff::hunks(&then, &now, context);
    let kept: Vec<usize> = (0..hunks.len()).filter(|at| *at != hunk).collect();
    if kept.len() == hunks.len() {
        return None;
    }
    let content = diff::apply(&then, &hunks, &kept).ok()?.into_bytes();
    let (FileState::File { mode, .. }, false) =
        (&row.change.now, row.change.then == FileState::Absent && kept.is_empty())
    else {
        // Nothing of a new file is left.
        return Some(Plan { files: vec![row.change.clone()] });
    };
    let bytes = content.len() as u64;
    let then = FileState::File { blob: blobs.put(&content).ok()?, bytes, mode: *mode };
    Some(Plan { files: vec![Change { then, ..row.change.clone() }] })
}

fn texts(row: &Row, blobs: &Blobs) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let (now, then) = row.change.contents(blobs);
    match &row.from {
        Some(from) => (now, from.contents(blobs).1),
        None => (now.or(Some(Vec::new())), then.or(Some(Vec::new()))),
    }
}

/// In the order of their paths. A log that cannot be read has none.
fn rows(log: &Path, blobs: &Blobs) -> Vec<Row> {
    let Ok((loaded, _)) = read::load(log) else { return Vec::new() };
    let Some(first) = loaded.entries.first() else { return Vec::new() };
    let plan = restore::plan(&loaded, &first.id, blobs).unwrap_or_default();
    renamed(plan.files)
}

/// A file that is gone and a new one with the same content are one that has another name.
fn renamed(files: Vec<Change>) -> Vec<Row> {
    let blob = |state: &FileState| match state {
        FileState::File { blob, bytes, .. } if *bytes > 0 => Some(blob.clone()),
        FileState::File { .. } | FileState::Absent | FileState::Other { .. } => None,
    };
    let (gone, there): (Vec<Change>, Vec<Change>) =
        files.into_iter().partition(|change| change.now == FileState::Absent);
    let mut gone: Vec<Option<Change>> = gone.into_iter().map(Some).collect();
    let mut by_content: HashMap<String, usize> = HashMap::new();
    for (at, change) in gone.iter().enumerate() {
        if let Some(blob) = change.as_ref().and_then(|change| blob(&change.then)) {
            by_content.insert(blob, at);
        }
    }
    let with_source = |change: Change| {
        let is_new = change.then == FileState::Absent;
        let source = blob(&change.now).filter(|_| is_new).and_then(|b| by_content.remove(&b));
        let from = source.and_then(|at| gone.get_mut(at)).and_then(Option::take);
        Row { change, from }
    };
    let mut rows: Vec<Row> = there.into_iter().map(with_source).collect();
    rows.extend(gone.into_iter().flatten().map(|change| Row { change, from: None }));
    rows.sort_by(|a, b| a.change.path.cmp(&b.change.path));
    rows
}

fn files(rows: &[Row], blobs: &Blobs, cwd: &Path, context: usize) -> Vec<FileStep> {
    let mut room = SHOWN;
    let one = |row: &Row| {
        let mut file = made(&row.change, row.from.as_ref(), blobs, cwd, context);
        file.from = row.from.as_ref().map(|from| relative(&from.path, cwd));
        if let Some(Conflict::ChangedSince) = row.from.as_ref().and_then(|f| f.conflict.as_ref()) {
            file.conflict = Some(crate::protocol::StepConflict::ChangedSince);
        }
        let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
        let bytes: usize = lines.map(|line: &HunkLine| line.text.len() + 1).sum();
        match room.checked_sub(bytes) {
            Some(left) => room = left,
            None => {
                file.hunks.clear();
                "too many changes to show them all".clone_into(&mut file.note);
            }
        }
        file
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, then: Option<&str>, now: Option<&str>) -> Change {
        let state = |content: Option<&str>| match content {
            Some(content) => {
                FileState::File { blob: content.to_owned(), bytes: 1, mode: Some(0o644) }
            }
            None => FileState::Absent,
        };
        Change { path: path.to_owned(), now: state(now), then: state(then), conflict: None }
    }

    #[test]
    fn a_file_with_another_name_is_one_row() {
        let files = vec![
            change("/a", Some("one"), None),
            change("/b", Some("two"), None),
            change("/c", None, Some("one")),
            change("/d", None, Some("one")),
            change("/e", Some("one"), Some("x")),
        ];
        let rows = renamed(files);
        let names: Vec<(&str, Option<&str>)> = rows
            .iter()
            .map(|row| (row.change.path.as_str(), row.from.as_ref().map(|from| &*from.path)))
            .collect();
        let wanted = [("/b", None), ("/c", Some("/a")), ("/d", None), ("/e", None)];
        assert_eq!(names, wanted);
    }
}
