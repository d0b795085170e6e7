//! `tern plugin`: installing plugins from a folder or a git repository, and saying what each may do
//! before it counts.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::{Env, Failure};
use crate::extend::plugins::{self, Plugin, State};
use crate::protocol::ErrorKind;

#[derive(Debug, Clone, clap::Args)]
pub struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum PluginCommand {
    /// Those that are installed
    List,
    /// Install one, disabled, from a folder or a git URL
    Add { source: String },
    /// What one brings and may do
    Show { name: String },
    /// Let one count, as it is now
    Enable { name: String },
    /// Let one no longer count
    Disable { name: String },
    /// Delete one
    Remove { name: String },
}

pub fn run(args: &PluginArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let folder = folder(env);
    match &args.command {
        PluginCommand::List => list(&folder, out)?,
        PluginCommand::Add { source } => {
            let plugin = add(source, &folder, env)?;
            show(&plugin, out)?;
            writeln!(
                out,
                "\ninstalled, disabled; `tern plugin enable {}` lets it count",
                plugin.name
            )?;
        }
        PluginCommand::Show { name } => show(&find(&folder, name)?, out)?,
        PluginCommand::Enable { name } => {
            let plugin = find(&folder, name)?;
            plugin.enable(&folder).map_err(failed)?;
            show(&find(&folder, name)?, out)?;
        }
        PluginCommand::Disable { name } => {
            find(&folder, name)?.disable(&folder).map_err(failed)?;
            writeln!(out, "{name} is disabled")?;
        }
        PluginCommand::Remove { name } => {
            find(&folder, name)?.remove(&folder).map_err(failed)?;
            writeln!(out, "{name} is removed")?;
        }
    }
    Ok(0)
}

/// Where they lie.
pub fn folder(env: &Env) -> PathBuf {
    env.dirs.data.join("plugins")
}

fn list(folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (plugins, problems) = plugins::installed(folder);
    if plugins.is_empty() && problems.is_empty() {
        writeln!(out, "no plugin is installed; `tern plugin add` takes a folder or a git URL")?;
    }
    for Plugin { name, version, description, state, .. } in &plugins {
        writeln!(out, "{name:<20} {version:<10} {:<10} {description}", state.name())?;
    }
    for problem in problems {
        writeln!(out, "{problem}")?;
    }
    Ok(())
}

fn show(plugin: &Plugin, out: &mut dyn Write) -> anyhow::Result<()> {
    let Plugin { name, version, description, root, state } = plugin;
    writeln!(out, "{name} {version}  {description}\n{}  {}", state.name(), root.display())?;
    let contents = plugin.contents();
    for (heading, items) in [
        ("runs by itself (hooks)", &contents.hooks),
        ("starts when it is called (MCP servers)", &contents.servers),
        ("commands and skills", &contents.commands),
        ("agents", &contents.agents),
        ("does not count", &contents.problems),
    ] {
        if !items.is_empty() {
            writeln!(out, "\n{heading}")?;
            for item in items {
                writeln!(out, "  {item}")?;
            }
        }
    }
    if *state == State::Changed {
        writeln!(out, "\n`tern plugin enable {name}` lets it count as it is now")?;
    }
    Ok(())
}

fn find(folder: &Path, name: &str) -> Result<Plugin, Failure> {
    let (plugins, _) = plugins::installed(folder);
    plugins.into_iter().find(|plugin| plugin.name == name).ok_or_else(|| {
        Failure::new(ErrorKind::Config, format!("no plugin {name} is installed"))
            .hint("`tern plugin list` shows those that are.")
    })
}

fn add(source: &str, folder: &Path, env: &Env) -> Result<Plugin, Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|why| failed(format!("{}: {why}", folder.display())))?;
    let is_url =
        ["https://", "ssh://", "git@", "file://"].iter().any(|start| source.starts_with(start));
    if !is_url {
        return plugins::install(&env.cwd.join(source), folder).map_err(failed);
    }
    let copy = tempfile::tempdir().map_err(|why| failed(why.to_string()))?;
    let place = copy.path().join("plugin");
    clone(source, &place)?;
    plugins::install(&place, folder).map_err(failed)
}

/// The newest commit alone. Nothing of the repository runs: no hooks, no submodules, no filters of
/// large files.
fn clone(source: &str, place: &Path) -> Result<(), Failure> {
    let done = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"])
        .args(["clone", "--quiet", "--depth", "1", "--no-recurse-submodules", "--", source])
        .arg(place)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_LFS_SKIP_SMUDGE", "1")
        .stdin(Stdio::null())
        .output()
        .map_err(|why| failed(format!("git cannot be started: {why}")))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last = said.lines().last().unwrap_or("git failed").trim_start_matches("fatal: ").to_owned();
    Err(failed(format!("{source} cannot be cloned: {last}")))
}

fn failed(why: String) -> Failure {
    Failure::new(ErrorKind::Config, why)
}
