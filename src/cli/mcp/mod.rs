//! `tern mcp`: servers of the Model Context Protocol from a shell.

mod edit;
mod show;
mod test;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};

use crate::cli::{Env, Failure, start};
use crate::config::{Config, Problem, dirs, layer};
use crate::extend::plugins;
use crate::mcp::connect::Surroundings;
use crate::mcp::sources::{self, Brought, Look, Sources};
use crate::mcp::{Act, McpError, Places, Servers};
use crate::process::{self, Mark};
use crate::protocol::{ErrorKind, Source};

#[derive(clap::Args, Debug, Clone)]
pub struct McpArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand, Debug, Clone)]
pub enum Action {
    /// All servers, where each is defined and whether it may be used
    List {
        #[arg(long)]
        json: bool,
    },
    /// One server and what it offers
    Get {
        name: String,
        #[arg(long)]
        json: bool,
    },
    /// Define a server: tern mcp add NAME URL, or tern mcp add NAME -- COMMAND ARGS
    Add(edit::AddArgs),
    /// Take a server's definition away
    Remove {
        name: String,
        /// Where it is defined; unset: wherever it is
        #[arg(long, short, value_enum)]
        scope: Option<Scope>,
    },
    /// Connect to a server and list what it offers: a name, a URL, or -- COMMAND ARGS
    Test(test::TestArgs),
    /// Let a server in as it is defined now, with the tools that it has now
    Approve { name: String },
    /// Log in to a server in a browser
    Login { name: String },
    /// Forget the login of a server
    Logout { name: String },
}

/// Which file defines a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Your own config.toml: in every folder
    User,
    /// .mcp.json of the project: for all who work on it
    Project,
    /// .tern/config.local.toml: for you in this project
    Local,
}

pub fn run(args: &McpArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    match &args.action {
        Action::List { json } => show::list(env, *json, out),
        Action::Get { name, json } => show::get(name, env, *json, out),
        Action::Add(args) => edit::add(args, env, out),
        Action::Remove { name, scope } => edit::remove(name, *scope, env, out),
        Action::Test(args) => test::run(args, env, out),
        Action::Approve { name } => approve(name, env, out),
        Action::Login { name } => login(name, env, out),
        Action::Logout { name } => {
            let (servers, _) = open(env)?;
            let said = block(servers.act(name, Act::Logout))?.map_err(|error| failure(&error))?;
            writeln!(out, "{}", said.unwrap_or_default())?;
            Ok(0)
        }
    }
}

/// What `tern mcp list` says.
pub fn list(env: &Env, out: &mut dyn Write) -> anyhow::Result<()> {
    show::list(env, false, out).map(drop)
}

fn approve(name: &str, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (servers, _) = open(env)?;
    let info = find(&servers, name)?;
    block(async {
        servers.act(&info.name, Act::Approve).await?;
        // What it offers is let in with it, as it is now.
        servers.act(&info.name, Act::Reconnect).await?;
        servers.act(&info.name, Act::Approve).await?;
        servers.close_all().await;
        Ok::<_, McpError>(())
    })?
    .map_err(|error| failure(&error))?;
    let tools = find(&servers, name)?.tools.len();
    writeln!(out, "{} may be used: {}, {tools} tools", info.name, info.place)?;
    Ok(0)
}

fn login(name: &str, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (loaded, found) = defined(env);
    let around = surroundings(&loaded, env);
    let definition = found.definitions.iter().find(|d| d.name == name);
    let definition = definition.ok_or_else(|| unknown(name, &found))?;
    let crate::mcp::How::Http { url, .. } = &definition.how else {
        return Err(Failure::new(ErrorKind::Config, format!("{name} needs no login")).into());
    };
    block(async {
        let login = crate::mcp::auth::begin(url, around.connect_timeout, &around.tokens).await?;
        // Somebody waits for this line.
        let _ = writeln!(out, "Open this address to log in to {name}:\n\n    {}\n", login.url());
        let _ = out.flush();
        login.finish().await
    })?
    .map_err(|error| failure(&error))?;
    writeln!(out, "logged in to {name}")?;
    Ok(0)
}

/// The servers of this folder, none of them started.
fn open(env: &Env) -> Result<(Arc<Servers>, Vec<Problem>), Failure> {
    let (config, found) = defined(env);
    let problems = found.problems.clone();
    let (servers, damage) = Servers::new(found, places(&config, env));
    match damage {
        Some(damage) => Err(Failure::new(ErrorKind::Config, damage)),
        None => Ok((servers, problems)),
    }
}

/// Their definitions, and the settings around them.
fn defined(env: &Env) -> (Config, Sources) {
    let mut inputs = layer::Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone());
    inputs.trusted = start::is_trusted(env, &env.cwd);
    let config = layer::load(&inputs).0.config;
    let found = find_all(&config, env, inputs.trusted, Extra::default());
    (config, found)
}

/// Servers that only this run has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extra<'a> {
    /// `--mcp-config`
    pub file: Option<&'a Path>,
    /// By an editor.
    pub given: Option<&'a serde_json::Value>,
}

/// Every definition that counts in this folder.
pub fn find_all(config: &Config, env: &Env, trusted: bool, extra: Extra<'_>) -> Sources {
    let root = dirs::project_root(&env.cwd);
    sources::find(Look {
        config,
        vars: &env.vars,
        cwd: &env.cwd,
        root: &root,
        file: extra.file,
        brought: &brought(env, extra),
        trusted,
    })
}

/// Those of enabled plugins, which were listed before they were enabled, and the editor's.
fn brought(env: &Env, extra: Extra<'_>) -> Vec<Brought> {
    let (plugins, _) = plugins::installed(&crate::cli::plugins::folder(env));
    let enabled = plugins.iter().filter(|plugin| plugin.state == plugins::State::Enabled);
    let theirs = enabled.map(|plugin| Brought {
        servers: plugin.servers(),
        source: Source::User,
        file: Some(plugin.root.join(plugins::SERVERS)),
    });
    let given = extra.given.map(|servers| Brought {
        servers: servers.clone(),
        source: Source::Flag,
        file: None,
    });
    theirs.chain(given).collect()
}

pub fn places(config: &Config, env: &Env) -> Places {
    Places {
        root: dirs::project_root(&env.cwd),
        roots: vec![env.cwd.clone()],
        book: env.dirs.state.join("mcp.toml"),
        cache: env.dirs.cache.join("mcp"),
        spill: env.dirs.cache.join("outputs"),
        around: surroundings(config, env),
    }
}

fn surroundings(config: &Config, env: &Env) -> Surroundings {
    let secret: Vec<String> =
        config.providers.values().flat_map(|provider| provider.key.env.clone()).collect();
    Surroundings {
        cwd: env.cwd.clone(),
        env: process::child_env(std::env::vars_os(), &secret),
        mark: Mark::default(),
        connect_timeout: config.network.connect_timeout,
        tokens: env.dirs.data.join("mcp-logins"),
    }
}

fn find(servers: &Servers, name: &str) -> Result<crate::protocol::ServerInfo, Failure> {
    let all = servers.list();
    all.iter().find(|info| info.name == name).cloned().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|info| info.name.as_str()).collect();
        none(name, &names)
    })
}

fn unknown(name: &str, found: &Sources) -> Failure {
    let names: Vec<&str> = found.definitions.iter().map(|d| d.name.as_str()).collect();
    none(name, &names)
}

fn none(name: &str, names: &[&str]) -> Failure {
    let failure = Failure::new(ErrorKind::Config, format!("there is no MCP server {name}"));
    match names {
        [] => failure.hint("Define one: tern mcp add NAME URL, or tern mcp add NAME -- COMMAND"),
        names => failure.hint(format!("There are: {}.", names.join(", "))),
    }
}

fn failure(error: &McpError) -> Failure {
    let kind = match error {
        McpError::Login => ErrorKind::Auth,
        McpError::Refused(_) => ErrorKind::Config,
        McpError::Start(_) | McpError::Slow(_) | McpError::Gone(_) | McpError::Protocol(_) => {
            ErrorKind::Network
        }
        McpError::Interrupted => ErrorKind::Internal,
    };
    let failure = Failure::new(kind, error.to_string());
    match error {
        McpError::Login => failure.hint("tern mcp login NAME does that."),
        _ => failure,
    }
}

/// Waits for one thing to be done.
fn block<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = start::runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
