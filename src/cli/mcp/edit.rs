//! `tern mcp add` and `remove`: definitions in the files that hold them.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::cli::mcp::{Scope, defined, none};
use crate::cli::{Env, Failure};
use crate::config::{dirs, write};
use crate::mcp::Definition;
use crate::mcp::define::{Found, Unit};
use crate::mcp::sources;
use crate::protocol::{ErrorKind, Source};

#[derive(clap::Args, Debug, Clone)]
pub struct AddArgs {
    pub name: String,
    /// An address, or after -- a command and its arguments
    #[arg(required = true, num_args = 1.., value_name = "URL or COMMAND")]
    pub place: Vec<String>,
    /// Which file gets it
    #[arg(long, short, value_enum, default_value = "user")]
    pub scope: Scope,
    /// http for an address, stdio for a command; unset: as it looks
    #[arg(long, short, value_name = "stdio|http")]
    pub transport: Option<String>,
    /// A variable for the command; ${NAME} stands for one of your environment
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// A header for the address
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// Seconds without a sign of life after which a call is given up
    #[arg(long)]
    pub timeout: Option<u64>,
}

pub fn add(args: &AddArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let entry = entry(args)?;
    let (source, unit) = match args.scope {
        Scope::User => (Source::User, Unit::Seconds),
        Scope::Project => (Source::Project, Unit::Milliseconds),
        Scope::Local => (Source::Local, Unit::Seconds),
    };
    let place = Found { source, file: None, unit };
    // What would not count is not written. A variable that is not set here may be elsewhere.
    let checked = Definition::read(&args.name, &entry, &place, &env.vars);
    if let Err(why) = checked
        && !why.ends_with("is not set")
    {
        return Err(wrong(why).into());
    }
    let file = file_of(args.scope, env);
    match args.scope {
        Scope::Project => {
            let mut servers = read_json(&file)?;
            servers.insert(args.name.clone(), entry);
            write_json(&file, &servers)?;
        }
        Scope::User | Scope::Local => {
            write::put_table(&file, &["mcp", "servers", &args.name], &entry)?;
        }
    }
    writeln!(out, "{} is defined in {}", args.name, file.display())?;
    if args.scope != Scope::User {
        writeln!(
            out,
            "it runs once you trust the folder and let it in: tern mcp approve {}",
            args.name
        )?;
    }
    Ok(0)
}

pub fn remove(
    name: &str,
    scope: Option<Scope>,
    env: &Env,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let scopes = match scope {
        Some(scope) => vec![scope],
        None => vec![Scope::Local, Scope::Project, Scope::User],
    };
    for scope in scopes {
        let file = file_of(scope, env);
        let removed = match scope {
            Scope::Project => {
                let mut servers = read_json(&file)?;
                let removed = servers.shift_remove(name).is_some();
                if removed {
                    write_json(&file, &servers)?;
                }
                removed
            }
            Scope::User | Scope::Local => write::take(&file, &["mcp", "servers", name])?,
        };
        if removed {
            writeln!(out, "{name} is gone from {}", file.display())?;
            return Ok(0);
        }
    }
    let (_, found) = defined(env);
    let names: Vec<&str> = found.definitions.iter().map(|d| d.name.as_str()).collect();
    Err(none(name, &names).into())
}

fn file_of(scope: Scope, env: &Env) -> PathBuf {
    let root = dirs::project_root(&env.cwd);
    match scope {
        Scope::User => env.dirs.user_file(),
        Scope::Project => sources::project_file(&root),
        Scope::Local => root.join(".tern/config.local.toml"),
    }
}

fn entry(args: &AddArgs) -> Result<Value, Failure> {
    let mut entry = Map::new();
    let looks = args.place.len() == 1 && args.place[0].contains("://");
    let http = match args.transport.as_deref() {
        None => looks,
        Some("http") => true,
        Some("stdio") => false,
        Some(other) => return Err(wrong(format!("there is no transport {other:?}"))),
    };
    let (first, rest) = args.place.split_first().ok_or_else(|| wrong("nothing to add".into()))?;
    if http {
        if !rest.is_empty() || !args.env.is_empty() {
            return Err(wrong("an address takes no arguments and no environment".to_owned()));
        }
        entry.insert("type".to_owned(), "http".into());
        entry.insert("url".to_owned(), first.as_str().into());
    } else {
        entry.insert("command".to_owned(), first.as_str().into());
        if !rest.is_empty() {
            entry.insert("args".to_owned(), json!(rest));
        }
    }
    let pairs = |list: &[String], at: char, what: &str| {
        let pair = |text: &String| {
            let (name, value) = text.split_once(at)?;
            Some((name.trim().to_owned(), Value::from(value.trim())))
        };
        let read: Option<Map<String, Value>> = list.iter().map(pair).collect();
        read.ok_or_else(|| wrong(format!("{what} is written NAME{at}VALUE")))
    };
    if !args.env.is_empty() {
        entry.insert("env".to_owned(), Value::Object(pairs(&args.env, '=', "--env")?));
    }
    if !args.header.is_empty() {
        entry.insert("headers".to_owned(), Value::Object(pairs(&args.header, ':', "--header")?));
    }
    if let Some(seconds) = args.timeout {
        let factor = if args.scope == Scope::Project { 1_000 } else { 1 };
        entry.insert("timeout".to_owned(), (seconds.saturating_mul(factor)).into());
    }
    Ok(Value::Object(entry))
}

fn wrong(why: String) -> Failure {
    Failure::new(ErrorKind::Config, why)
}

/// The servers of a `.mcp.json`; none where there is no such file.
fn read_json(file: &Path) -> Result<Map<String, Value>, Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(wrong(format!("{} cannot be read: {error}", file.display()))),
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("{} is not valid JSON: {error}", file.display())))?;
    match value.get("mcpServers").unwrap_or(&value) {
        Value::Object(servers) => Ok(servers.clone()),
        _ => Err(wrong(format!("{} holds no table mcpServers", file.display()))),
    }
}

/// Shared with others, so it keeps the rights of a file that is there.
fn write_json(file: &Path, servers: &Map<String, Value>) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&json!({ "mcpServers": servers }))
        .map_err(|error| wrong(error.to_string()))?;
    std::fs::write(file, text + "\n")
        .map_err(|error| wrong(format!("{} cannot be written: {error}", file.display())))
}
