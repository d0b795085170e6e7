//! `tern sessions list`

use std::io::Write;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::cli::sessions::{age, folder, parse_since, places, short, threads};
use crate::cli::{Env, warn};
use crate::session::index::{Filter, Page, Summary, list, refresh};

#[derive(clap::Args, Debug, Clone)]
pub struct ListArgs {
    /// Only sessions with all of these words in their title
    pub words: Vec<String>,
    /// Only sessions of this folder
    #[arg(long)]
    pub here: bool,
    /// Only sessions that began on this git branch
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Only sessions changed since: 2026-11-24, or 30d for the last thirty days
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
    /// Leave out this many first
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub skip: usize,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &ListArgs, env: &Env, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<u8> {
    let filter = Filter {
        project: args.here.then(|| env.cwd.clone()),
        branch: args.branch.clone(),
        since: args.since.as_deref().map(|since| parse_since(since, now)).transpose()?,
        words: args.words.join(" "),
    };
    if filter.looks_inside() {
        refresh(&places(env), threads())?.problems.iter().for_each(|problem| warn(problem));
    }
    let page = Page { from: args.skip, count: args.limit };
    let listing = list(&places(env), &filter, page)?;
    listing.problems.iter().for_each(|problem| warn(problem));
    if args.json {
        let json = serde_json::json!({ "sessions": listing.sessions, "more": listing.more });
        writeln!(out, "{json}")?;
    } else {
        table(&listing.sessions, env, now, out)?;
        if listing.more {
            let next = args.skip + listing.sessions.len();
            writeln!(out, "there are more: --skip {next}")?;
        }
    }
    Ok(0)
}

/// One line a session; the title comes last, as it is the longest.
fn table(
    sessions: &[Summary],
    env: &Env,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let rows: Vec<[String; 4]> = sessions.iter().map(|summary| cells(summary, env, now)).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].width()).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    for (row, summary) in rows.iter().zip(sessions) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.extend([cell.as_str(), &" ".repeat(width - cell.width() + 2)]);
        }
        let title = if summary.title.is_empty() { "(no title)" } else { &summary.title };
        writeln!(out, "{line}{title}")?;
    }
    Ok(())
}

fn cells(summary: &Summary, env: &Env, now: Timestamp) -> [String; 4] {
    let more = if summary.unpriced > 0 || !summary.whole { "+?" } else { "" };
    [
        short(&summary.session).to_owned(),
        age(summary.updated, now),
        format!("{}{more}", summary.cost),
        folder(&summary.cwd, &env.dirs.home),
    ]
}
