//! `tern sessions import`

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::sessions::{places, printable};
use crate::cli::{Env, warn};
use crate::session::import::{ImportError, Imported, import};

#[derive(clap::Args, Debug, Clone)]
pub struct ImportArgs {
    /// Transcripts (.jsonl) of Claude Code or Codex, or folders of them; without any, those of
    /// this folder in ~/.claude/projects
    pub files: Vec<PathBuf>,
}

/// Transcripts of one run.
const MOST: usize = 10_000;
const DEPTH: usize = 6;

pub fn run(
    args: &ImportArgs,
    env: &Env,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let files = match args.files.is_empty() {
        false => args.files.iter().map(|file| env.cwd.join(file)).collect(),
        true => vec![claude_folder(env)],
    };
    let mut transcripts = Vec::new();
    for file in &files {
        if file.is_dir() {
            below(file, DEPTH, &mut transcripts);
        } else {
            transcripts.push(file.clone());
        }
    }
    if transcripts.is_empty() {
        let places: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        anyhow::bail!("there is no transcript in {}", printable(&places.join(", ")));
    }
    let places = places(env);
    let (mut done, mut failed) = (0, 0);
    for transcript in &transcripts {
        match import(transcript, &places, now) {
            Ok(imported) => {
                done += 1;
                tell(transcript, &imported, out)?;
            }
            Err(error @ (ImportError::Already { .. } | ImportError::Empty { .. })) => {
                warn(&printable(&error.to_string()));
            }
            Err(error) => {
                failed += 1;
                warn(&printable(&error.to_string()));
            }
        }
    }
    writeln!(out, "{done} of {} imported; resume one with tern -r ID", transcripts.len())?;
    Ok(u8::from(failed > 0))
}

fn tell(transcript: &Path, imported: &Imported, out: &mut dyn Write) -> anyhow::Result<()> {
    let Imported { session, from, prompts, calls, dropped, .. } = imported;
    writeln!(out, "{}  {prompts} prompts, {calls} calls  {from}", session.0)?;
    writeln!(out, "    {}", printable(&transcript.display().to_string()))?;
    if !dropped.is_empty() {
        let all: Vec<String> = dropped.iter().map(|(what, n)| format!("{n} {what}")).collect();
        writeln!(out, "    left out: {}", all.join(", "))?;
    }
    Ok(())
}

/// Where Claude Code keeps the transcripts of this folder.
fn claude_folder(env: &Env) -> PathBuf {
    let path = env.cwd.to_string_lossy();
    let name: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    env.dirs.home.join(".claude/projects").join(name)
}

/// By name. Links are not followed, so that there is no circle.
fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if found.len() >= MOST || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                below(&path, depth - 1, found);
            }
        } else if path.extension().is_some_and(|ext| ext == "jsonl") {
            found.push(path);
        }
    }
}
