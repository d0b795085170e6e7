//! `tern sessions search`

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::sessions::{age, folder, places, short, threads};
use crate::cli::{Env, warn};
use crate::session::index::{Hit, OutputHit, search, search_output};

#[derive(clap::Args, Debug, Clone)]
pub struct SearchArgs {
    /// All of them must be there, in any case; "a phrase" in quotes
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Search in what tools returned instead: reads every log, hits come as they are found
    #[arg(long)]
    pub output: bool,
    /// At most this many
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

pub fn run(
    args: &SearchArgs,
    env: &Env,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    // A phrase that the shell took the quotes from is still one.
    let words: Vec<String> = args
        .words
        .iter()
        .map(|w| if w.contains(' ') && !w.contains('"') { format!("\"{w}\"") } else { w.clone() })
        .collect();
    let words = words.join(" ");
    if args.output {
        return outputs(args, &words, env, out);
    }
    let found = search(&places(env), &words, args.limit, threads())?;
    found.refreshed.problems.iter().for_each(|problem| warn(problem));
    for hit in &found.hits {
        if args.json {
            writeln!(out, "{}", json!(hit))?;
        } else {
            entry(hit, env, now, out)?;
        }
    }
    if found.matching > found.hits.len() && !args.json {
        writeln!(out, "{} of {} sessions: --limit N shows more", found.hits.len(), found.matching)?;
    }
    Ok(0)
}

fn entry(hit: &Hit, env: &Env, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    let Hit { session, kind, snippet, .. } = hit;
    let facts = format!("{}  {}", age(session.updated, now), folder(&session.cwd, &env.dirs.home));
    writeln!(out, "{}  {facts}  {}", short(&session.session), session.title)?;
    writeln!(out, "    {kind}: {}", snippet.text)?;
    Ok(())
}

fn outputs(args: &SearchArgs, words: &str, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let mut left = args.limit;
    let mut failed = None;
    search_output(&places(env), words, |hit| {
        let OutputHit { session, record, snippet } = hit;
        let line = if args.json {
            json!({ "session": session, "record": record, "snippet": snippet }).to_string()
        } else {
            format!("{}  {}\n    {}", short(&session.session), session.title, snippet.text)
        };
        left = left.saturating_sub(1);
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) if left > 0 => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => bail!(error),
        None => Ok(0),
    }
}
