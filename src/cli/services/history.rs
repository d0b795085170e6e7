//! Earlier sessions for the screen: listed, searched, shown, and changed.

use std::io::Write;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::app::panels::history::{Change, Form, Looks, Preview, SessionRow};
use crate::cli::sessions::age;
use crate::protocol::{Message, MessageId, Role, SessionId};
use crate::session::blobs::Blobs;
use crate::session::disk::Disk;
use crate::session::export::{self, Format};
use crate::session::index::{self, Filter, OutputHit, Page, Summary};
use crate::session::log::{self, Log};
use crate::session::read::{self, Loaded};
use crate::session::record::Body;
use crate::session::redact::Secrets;
use crate::session::{Places, prune, slug};

/// Sessions that the panel shows.
const SESSIONS: usize = 2_000;
/// Results of tools that a search shows: each is read from its log.
const OUTPUTS: usize = 100;
/// Messages shown from either end of a session, and around what was found.
const SHOWN: usize = 6;

/// Newest first; with a query the best first.
pub fn sessions(
    places: &Places,
    here: &Path,
    query: &str,
    looks: Looks,
) -> Result<Vec<SessionRow>, String> {
    let now = Timestamp::now();
    let row = |summary, found| row(summary, found, here, now);
    let error = |error: std::io::Error| error.to_string();
    if query.trim().is_empty() || looks == Looks::Titles {
        let page = Page { from: 0, count: SESSIONS };
        let listing = index::list(places, &Filter::default(), page).map_err(error)?;
        return Ok(listing.sessions.into_iter().map(|summary| row(summary, None)).collect());
    }
    if looks == Looks::Outputs {
        let mut rows = Vec::new();
        let found = |hit: OutputHit| {
            rows.push(row(hit.session, Some((hit.snippet.text, hit.record))));
            if rows.len() < OUTPUTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        index::search_output(places, query, found).map_err(error)?;
        return Ok(rows);
    }
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let found = index::search(places, query, SESSIONS, threads).map_err(error)?;
    let hits = found.hits.into_iter();
    Ok(hits.map(|hit| row(hit.session, Some((hit.snippet.text, hit.record)))).collect())
}

fn row(
    summary: Summary,
    found: Option<(String, MessageId)>,
    here: &Path,
    now: Timestamp,
) -> SessionRow {
    let name = Path::new(&summary.cwd).file_name().unwrap_or_default();
    let seconds = now.as_second().saturating_sub(summary.updated.as_second()).max(0);
    let (snippet, found) = found.unzip();
    SessionRow {
        here: Path::new(&summary.cwd) == here,
        id: summary.session,
        title: summary.title,
        age: age(summary.updated, now),
        project: name.to_string_lossy().into_owned(),
        branch: summary.branch.unwrap_or_default(),
        days: u32::try_from(seconds / 86_400).unwrap_or(u32::MAX),
        cost: (summary.unpriced == 0).then_some(summary.cost),
        prompts: u32::try_from(summary.prompts).unwrap_or(u32::MAX),
        snippet,
        found,
    }
}

/// The ends of a conversation, or what stands around a record of it.
pub fn preview(
    places: &Places,
    session: &SessionId,
    around: Option<&MessageId>,
) -> Result<Preview, String> {
    let loaded = load(places, session)?;
    let at = around.and_then(|record| loaded.index_of(record));
    // What was found may stand on a branch that was left.
    let branch = match at {
        Some(at) if !loaded.branch.contains(&at) => loaded.branch_to(at),
        _ => loaded.branch.clone(),
    };
    let mut said = branch;
    said.retain(|index| matches!(loaded.entries[*index].kind, "user" | "assistant"));
    let texts = |part: &[usize]| part.iter().filter_map(|index| text(&loaded, *index)).collect();
    if let Some(at) = at {
        let here = said.iter().rposition(|index| *index <= at).unwrap_or_default();
        let from = here.saturating_sub(1);
        let to = said.len().min(here + SHOWN);
        return Ok(Preview {
            head: texts(&said[from..to]),
            left_out: said.len() - to,
            tail: Vec::new(),
            at: said.get(here).map(|index| loaded.entries[*index].id.clone()),
        });
    }
    let head_end = said.len().min(SHOWN);
    let tail_start = said.len().saturating_sub(SHOWN).max(head_end);
    Ok(Preview {
        head: texts(&said[..head_end]),
        left_out: tail_start - head_end,
        tail: texts(&said[tail_start..]),
        at: None,
    })
}

fn text(loaded: &Loaded, index: usize) -> Option<(Role, String)> {
    let (role, parts) = match loaded.record(index)?.body {
        Body::User { parts, .. } => (Role::User, parts),
        Body::Assistant { parts, .. } => (Role::Assistant, parts),
        _ => return None,
    };
    let text = Message { role, parts }.text();
    (!text.trim().is_empty()).then_some((role, text))
}

/// Does it, and says in words what was done.
pub fn change(
    places: &Places,
    session: &SessionId,
    change: &Change,
    secrets: Secrets,
    folder: &Path,
) -> Result<String, String> {
    match change {
        Change::Rename(title) => rename(places, session, title, secrets),
        Change::Delete => delete(places, session),
        Change::Export(form) => export(places, session, form, folder),
    }
}

fn rename(
    places: &Places,
    session: &SessionId,
    title: &str,
    secrets: Secrets,
) -> Result<String, String> {
    let tools = log::Tools::new(Disk::default(), &places.blobs, secrets);
    let (mut log, ..) = Log::open(&path(places, session)?, tools).map_err(|e| e.to_string())?;
    let appended = log.append(Body::Title { title: title.to_owned() }, Timestamp::now());
    match appended.problem {
        None => Ok(format!("renamed to \"{title}\"")),
        Some(problem) => Err(problem.to_string()),
    }
}

/// The log alone: contents that it names may be named by others, `tern sessions prune` knows.
fn delete(places: &Places, session: &SessionId) -> Result<String, String> {
    let path = path(places, session)?;
    let doomed = prune::doomed(&path).map_err(|error| error.to_string())?;
    let pruned = prune::run(&prune::Plan { sessions: vec![doomed], ..prune::Plan::default() });
    match pruned.problems.into_iter().next() {
        None => Ok("the session is deleted".to_owned()),
        Some(problem) => Err(problem),
    }
}

fn export(
    places: &Places,
    session: &SessionId,
    form: &Form,
    folder: &Path,
) -> Result<String, String> {
    let loaded = load(places, session)?;
    let blobs = Blobs::new(&places.blobs, Disk::default());
    let (path, format) = match form {
        Form::Markdown => (folder.join(name(&loaded, "md")), Format::Markdown),
        Form::Html => (folder.join(name(&loaded, "html")), Format::Html),
        Form::File(file) => {
            let path = folder.join(file);
            let format = match path.extension().and_then(|ext| ext.to_str()) {
                Some("md") => Format::Markdown,
                Some("html") => Format::Html,
                Some("jsonl") => Format::Jsonl,
                _ => return Err("the file's name must end with .md, .html or .jsonl".to_owned()),
            };
            (path, format)
        }
    };
    let text = export::export(&loaded, &blobs, format, None);
    let shown = path.display();
    // Nothing that is there is written over.
    std::fs::File::create_new(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{shown}: {error}"))?;
    Ok(format!("written to {shown}"))
}

/// `fix-the-parser-01930000.md`
fn name(loaded: &Loaded, ending: &str) -> String {
    let title = crate::session::replay::state(loaded).title.unwrap_or_default();
    let words: String = slug::words(&title);
    let id: String =
        loaded.session.0.chars().rev().take(6).collect::<Vec<_>>().iter().rev().collect();
    format!("{words}-{id}.{ending}")
}

fn load(places: &Places, session: &SessionId) -> Result<Loaded, String> {
    let (loaded, _) = read::load(&path(places, session)?).map_err(|error| error.to_string())?;
    Ok(loaded)
}

fn path(places: &Places, session: &SessionId) -> Result<PathBuf, String> {
    places.find(session).ok_or_else(|| "the session is gone, or not written yet".to_owned())
}
