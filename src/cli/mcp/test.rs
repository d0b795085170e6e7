//! `tern mcp test`: connects, lists, and with `--call-all` calls every tool with made-up arguments.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::cli::mcp::{block, defined, failure, places, show, unknown};
use crate::cli::{Env, Failure};
use crate::mcp::define::{Found, Unit};
use crate::mcp::sources::Sources;
use crate::mcp::{
    Act, Definition, Elicited, Field, FieldKind, Form, Host, McpError, Sampling, Servers,
};
use crate::protocol::{ErrorKind, Source};

#[derive(clap::Args, Debug, Clone)]
pub struct TestArgs {
    /// A name, an address, or after -- a command and its arguments
    #[arg(required = true, num_args = 1.., value_name = "NAME, URL or COMMAND")]
    pub place: Vec<String>,
    /// Call every tool with made-up arguments, and take the defaults of every form. Only for
    /// servers whose tools may do what they do
    #[arg(long)]
    pub call_all: bool,
}

pub fn run(args: &TestArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (config, found) = defined(env);
    let definition = definition(&args.place, &found)?;
    let name = definition.name.clone();
    // For this once, with nothing remembered: what is tested is not let in.
    let scratch = tempfile::tempdir()?;
    let mut places = places(&config, env);
    places.book = scratch.path().join("mcp.toml");
    places.cache = scratch.path().join("cache");
    let only = Sources { definitions: vec![definition], trusted: true, ..Sources::default() };
    let (servers, _) = Servers::new(only, places);
    servers.set_host(Arc::new(Defaults));
    let failed = block(async {
        servers.act(&name, Act::Reconnect).await?;
        if let Some(info) = servers.list().first() {
            // A closed pipe ends the whole program soon enough.
            let _ = show::one(info, out);
        }
        let failed = if args.call_all { call_all(&servers, out).await } else { 0 };
        servers.close_all().await;
        Ok::<_, McpError>(failed)
    })?
    .map_err(|error| failure(&error))?;
    Ok(u8::from(failed > 0))
}

async fn call_all(servers: &Arc<Servers>, out: &mut dyn Write) -> usize {
    let mut failed = 0;
    for known in servers.tools() {
        let (pieces, mut progress) = mpsc::channel(64);
        let arguments = made_up(&known.offer.schema);
        let cancel = CancellationToken::new();
        let result = servers.call(&known.tool, arguments, &pieces, &cancel).await;
        drop(pieces);
        while let Ok(piece) = progress.try_recv() {
            let _ = write!(out, "  … {piece}");
        }
        let line = match result {
            Ok(answer) => {
                let text = answer.text.lines().next().unwrap_or_default().to_owned();
                if answer.is_error { format!("refused: {text}") } else { text }
            }
            Err(error) => {
                failed += 1;
                format!("failed: {error}")
            }
        };
        let _ = writeln!(out, "  {} → {line}", known.tool);
    }
    failed
}

fn definition(place: &[String], found: &Sources) -> Result<Definition, Failure> {
    let wrong = |why: String| Failure::new(ErrorKind::Config, why);
    let (first, rest) = place.split_first().ok_or_else(|| wrong("nothing to test".to_owned()))?;
    let defined = found.definitions.iter().find(|d| rest.is_empty() && d.name == *first);
    if let Some(definition) = defined {
        // The person asks for it by name, so it runs; that lets it in for nothing else.
        let enabled = true;
        return Ok(Definition { source: Source::Flag, enabled, ..definition.clone() });
    }
    let entry = match (first.contains("://"), rest) {
        (true, []) => json!({ "url": first }),
        (false, []) if !first.contains('/') && !found.definitions.is_empty() => {
            return Err(unknown(first, found));
        }
        _ => json!({ "command": first, "args": rest }),
    };
    let place = Found { source: Source::Flag, file: None, unit: Unit::Seconds };
    Definition::read("test", &entry, &place, &BTreeMap::new()).map_err(wrong)
}

/// Arguments that fit a schema: defaults where there are any, else the plainest value.
fn made_up(schema: &Value) -> Map<String, Value> {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    properties
        .iter()
        .filter(|(name, _)| required.contains(&name.as_str()))
        .map(|(name, property)| (name.clone(), plainest(property)))
        .collect()
}

fn plainest(property: &Value) -> Value {
    if let Some(default) = property.get("default") {
        return default.clone();
    }
    if let Some(first) = property["enum"].get(0) {
        return first.clone();
    }
    match property["type"].as_str() {
        Some("integer" | "number") => property["minimum"].as_i64().unwrap_or(5).into(),
        Some("boolean") => false.into(),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => "test".into(),
    }
}

/// Takes the defaults of every form and lends the model to nobody.
#[derive(Debug)]
struct Defaults;

#[async_trait]
impl Host for Defaults {
    async fn elicit(&self, _server: &str, form: Form) -> Elicited {
        let value = |field: &Field| match (&field.default, field.required, &field.kind) {
            (Some(default), _, _) => Some(default.clone()),
            (None, false, _) => None,
            (None, true, FieldKind::Flag) => Some(false.into()),
            (None, true, FieldKind::Number | FieldKind::Integer) => Some(0.into()),
            (None, true, FieldKind::One(options)) => Some(options.first()?.0.as_str().into()),
            (None, true, FieldKind::Many(_)) => Some(json!([])),
            (None, true, FieldKind::Text) => Some("test".into()),
        };
        let fields = form.fields.iter();
        Elicited::Accept(fields.filter_map(|f| Some((f.name.clone(), value(f)?))).collect())
    }

    async fn sample(&self, _: &str, _: Sampling) -> Result<crate::mcp::Sampled, String> {
        Err("a test has no model".to_owned())
    }
}
