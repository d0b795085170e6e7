//! `tern sessions prune`

use std::io::Write;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::sessions::{age, parse_since, places};
use crate::cli::{Env, warn};
use crate::config::layer::{self, Inputs};
use crate::session::prune::{Doomed, Plan, Pruned, Rule, plan, run as carry_out};

#[derive(clap::Args, Debug, Clone)]
pub struct PruneArgs {
    /// Sessions not changed since: 2026-11-24, or 90d for 90 days ago [default: `session.keep-days`]
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// The oldest sessions, until all logs together are no larger: 500M, 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_size: Option<u64>,
    /// Only say what would go
    #[arg(long)]
    pub dry_run: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &PruneArgs, env: &Env, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<u8> {
    let rule = rule(args, env, now)?;
    let plan = plan(&places(env), &rule, now)?;
    let pruned = if args.dry_run { None } else { Some(carry_out(&plan)) };
    if args.json {
        writeln!(out, "{}", as_json(&plan, pruned.as_ref()))?;
    } else {
        as_text(&plan, pruned.as_ref(), now, out)?;
    }
    let problems = pruned.map(|pruned| pruned.problems).unwrap_or_default();
    problems.iter().for_each(|problem| warn(problem));
    Ok(u8::from(!problems.is_empty()))
}

fn rule(args: &PruneArgs, env: &Env, now: Timestamp) -> anyhow::Result<Rule> {
    let session =
        layer::load(&Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone())).0.config.session;
    let before = match (&args.before, session.keep_days) {
        (Some(before), _) => Some(parse_since(before, now)?),
        (None, Some(days)) if args.max_size.is_none() => {
            Some(parse_since(&format!("{days}d"), now)?)
        }
        (None, _) => None,
    };
    if before.is_some_and(|before| before > now) {
        bail!("--before lies in the future; it would take every session");
    }
    let checkpoints = Some(session.checkpoint_max_mb.saturating_mul(1 << 20));
    Ok(Rule { before, most: args.max_size, checkpoints })
}

fn as_text(
    plan: &Plan,
    pruned: Option<&Pruned>,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for doomed in &plan.sessions {
        let path = doomed.path.display();
        writeln!(out, "{path}  {}  {}", age(doomed.modified, now), size(doomed.bytes))?;
    }
    for path in &plan.open {
        writeln!(out, "{}  stays: it is open", path.display())?;
    }
    if let Some(why) = &plan.blobs_stay {
        writeln!(out, "stored contents stay: {why}")?;
    }
    let (verb, sessions, blobs, bytes) = match pruned {
        None => ("would delete", plan.sessions.len(), plan.blobs.len(), plan.bytes()),
        Some(pruned) => ("deleted", pruned.sessions, pruned.blobs, pruned.bytes),
    };
    writeln!(out, "{verb} {sessions} sessions and {blobs} stored contents, {}", size(bytes))?;
    Ok(())
}

fn as_json(plan: &Plan, pruned: Option<&Pruned>) -> serde_json::Value {
    let list = |doomed: &[Doomed]| -> Vec<serde_json::Value> {
        let item = |d: &Doomed| json!({"path": d.path, "bytes": d.bytes, "modified": d.modified});
        doomed.iter().map(item).collect()
    };
    json!({
        "dry_run": pruned.is_none(),
        "sessions": list(&plan.sessions),
        "blobs": list(&plan.blobs),
        "open": plan.open,
        "blobs_stay": plan.blobs_stay,
        "deleted_bytes": pruned.map(|pruned| pruned.bytes),
        "problems": pruned.map(|pruned| &pruned.problems),
    })
}

/// Bytes: `500M`, `2G`, `1048576`.
fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text
        .trim_end_matches(['B', 'b', 'i'])
        .split_at_checked(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
    {
        Some((number, unit)) => (number, unit.to_ascii_uppercase()),
        None => (text, String::new()),
    };
    let shift = match unit.as_str() {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return Err("write a number of bytes, or 500M, 2G".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "write a number of bytes, or 500M, 2G".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is too large".to_owned())
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("500", Some(500)),
            ("2K", Some(2048)),
            ("500M", Some(500 << 20)),
            ("2GiB", Some(2 << 30)),
            ("2gb", Some(2 << 30)),
            ("", None),
            ("M", None),
            ("1.5G", None),
            ("99999999999T", None),
        ] {
            assert_eq!(parse_size(text).ok(), wanted, "{text}");
        }
    }
}
