//! `tern sessions`: the history, from a script.

mod export;
mod import;
pub(super) mod list;
mod prune;
mod search;
mod show;

use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::{Env, warn};
use crate::config::problem::one_line;
use crate::protocol::SessionId;
use crate::session::index::{FindError, Summary, find};
use crate::session::{Places, blobs::Blobs, disk::Disk, read};
use crate::text::clean::{Mode, clean};

#[derive(clap::Args, Debug, Clone)]
pub struct SessionsArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(clap::Subcommand, Debug, Clone)]
pub enum Action {
    /// Sessions, the last changed first
    List(list::ListArgs),
    /// One session's conversation
    Show(show::ShowArgs),
    /// Full-text search over prompts, replies, titles and file names
    Search(search::SearchArgs),
    /// A session as a document
    Export(export::ExportArgs),
    /// Take over transcripts of Claude Code or Codex; they are only read
    Import(import::ImportArgs),
    /// Delete old sessions, and stored contents that no session names
    Prune(prune::PruneArgs),
}

pub fn run(args: &SessionsArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let now = Timestamp::now();
    match &args.action {
        Action::List(args) => list::run(args, env, now, out),
        Action::Show(args) => show::run(args, env, out),
        Action::Search(args) => search::run(args, env, now, out),
        Action::Export(args) => export::run(args, env, out),
        Action::Import(args) => import::run(args, env, now, out),
        Action::Prune(args) => prune::run(args, env, now, out),
    }
}

fn places(env: &Env) -> Places {
    Places::new(&env.dirs.data, &env.dirs.cache)
}

fn blobs(places: &Places) -> Blobs {
    Blobs::new(&places.blobs, Disk::default())
}

fn threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// The session that is meant, read. Damage is told on standard error: the rest is still of use.
fn load(words: &[String], env: &Env) -> anyhow::Result<(Summary, read::Loaded)> {
    let summary = match find(&places(env), &words.join(" "), threads()) {
        Ok(summary) => summary,
        Err(FindError::Several { text, sessions }) => {
            let lines: Vec<String> = sessions
                .iter()
                .map(|summary| format!("  {}  {}", summary.session.0, printable(&summary.title)))
                .collect();
            bail!("several sessions match `{text}`; name one of\n{}", lines.join("\n"));
        }
        Err(error) => bail!("{error}; `tern sessions list` shows all of them"),
    };
    let (loaded, damage) = read::load(&summary.path)?;
    if !damage.is_none() {
        warn(&damage.to_string());
    }
    Ok((summary, loaded))
}

/// As much of a name as tells sessions apart that did not begin in the same millisecond.
fn short(session: &SessionId) -> &str {
    session.0.get(..13).unwrap_or(&session.0)
}

/// `3 min ago`, `2 days ago`, or the date where that is long past.
pub(in crate::cli) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..172_800 => "1 day ago".to_owned(),
        172_800..2_592_000 => format!("{} days ago", seconds / 86_400),
        _ => then.to_zoned(TimeZone::system()).date().to_string(),
    }
}

/// `~/src/tern` for a folder in the person's home.
fn folder(path: &str, home: &Path) -> String {
    match Path::new(path).strip_prefix(home) {
        Ok(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Ok(rest) => one_line(&format!("~/{}", rest.display())),
        Err(_) => one_line(path),
    }
}

/// `Y-M-D`, or `90d` for that many days before now.
fn parse_since(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i32>().ok());
    let then = match days.filter(|days| *days >= 0) {
        Some(days) => now.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(days))).ok(),
        None => text
            .parse::<Date>()
            .ok()
            .and_then(|date| date.to_zoned(TimeZone::system()).ok())
            .map(|zoned| zoned.timestamp()),
    };
    match then {
        Some(then) => Ok(then),
        None => bail!("{text:?} is no date; write 2026-11-24, or 90d for 90 days ago"),
    }
}

/// Foreign text for a terminal.
fn printable(text: &str) -> String {
    clean(text, Mode::Prose).into_owned()
}

/// The same, but exact bytes where a program reads.
fn for_output(text: String) -> String {
    if std::io::stdout().is_terminal() { printable(&text) } else { text }
}

#[cfg(test)]
mod tests;
