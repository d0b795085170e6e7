//! Tools of MCP servers, each as one of tern's own, and the two that reach servers' resources.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::mcp::content::Answer;
use crate::mcp::servers::Known;
use crate::mcp::{McpError, Servers};
use crate::protocol::{Preview, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, plain_preview, spec};

/// Names of what stands here, for whoever takes it out of a table again.
pub fn is_one(name: &str) -> bool {
    name.starts_with("mcp__") || name == LIST || name == READ
}

const LIST: &str = "ListMcpResourcesTool";
const READ: &str = "ReadMcpResourceTool";

/// Everything that the servers offer now, in a fixed order.
pub fn all(servers: &Arc<Servers>) -> Vec<Arc<dyn Tool>> {
    let tool = |known| Arc::new(McpTool { servers: Arc::clone(servers), known }) as Arc<dyn Tool>;
    let mut tools: Vec<_> = servers.tools().into_iter().map(tool).collect();
    if servers.have_resources() {
        tools.push(Arc::new(ListResources { servers: Arc::clone(servers) }));
        tools.push(Arc::new(ReadResource { servers: Arc::clone(servers) }));
    }
    tools
}

type Tools = Vec<Arc<dyn Tool>>;

/// Those that every request carries and those that are found by name, when tools of at most `most`
/// tokens may be carried: servers are taken whole, in order.
pub fn split(servers: &Arc<Servers>, most: u64) -> (Tools, Tools) {
    let mut left = most;
    let mut fits = Vec::new();
    for info in servers.list() {
        if info.tokens() <= left {
            left -= info.tokens();
            fits.push(info.name);
        }
    }
    let known = servers.tools();
    let sent = |tool: &Arc<dyn Tool>| {
        known.iter().any(|k| k.tool == tool.name() && fits.contains(&k.server))
    };
    all(servers).into_iter().partition(sent)
}

/// One tool of a server.
#[derive(Debug)]
pub struct McpTool {
    servers: Arc<Servers>,
    known: Known,
}

#[async_trait]
impl Tool for McpTool {
    fn name(&self) -> &str {
        &self.known.tool
    }

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.known.tool.clone(),
            description: self.known.offer.description.clone(),
            schema: self.known.offer.schema.clone(),
        }
    }

    /// A server's word for it that a tool only reads decides nothing here but whether others may
    /// run beside it; whether it runs at all is asked either way.
    fn class(&self, _input: &Value) -> Class {
        if self.known.offer.reads { Class::ReadOnly } else { Class::Mutating }
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let mut object = format!("{} {}", self.known.server, self.known.offer.name);
        let short = input.as_object().into_iter().flatten().find_map(|(_, value)| value.as_str());
        if let Some(text) = short.filter(|text| !text.is_empty()) {
            let line = text.lines().next().unwrap_or_default();
            object.push_str(": ");
            object.extend(line.chars().take(80));
        }
        Title::new("Calling", "Called", object)
    }

    async fn preview(&self, input: &Value, _ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        object(&self.known.tool, input)?;
        let shown = serde_json::to_string_pretty(input).unwrap_or_default();
        let text = format!("{} · {}\n{shown}", self.known.server, self.known.offer.name);
        Ok(Prepared { preview: Preview::Other { text }, base: None, note: None })
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input = match object(&self.known.tool, &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        let called = self.servers.call(&self.known.tool, input, &ctx.output, &ctx.cancel).await;
        outcome(&self.known.server, called)
    }
}

fn object(tool: &str, input: &Value) -> Result<serde_json::Map<String, Value>, Outcome> {
    match input {
        Value::Object(object) => Ok(object.clone()),
        Value::Null => Ok(serde_json::Map::new()),
        _ => Err(Outcome::failed(format!("{tool}: the input is not an object."), "wrong input")),
    }
}

fn outcome(server: &str, answer: Result<Answer, McpError>) -> Outcome {
    match answer {
        Ok(answer) if answer.is_error => Outcome::failed(answer.text, "refused"),
        Ok(answer) => Outcome::done(answer.text, answer.facts),
        Err(McpError::Interrupted) => Outcome::interrupted(
            "Interrupted. The server was told; what it had done by then is unknown.",
        ),
        Err(error) => {
            let facts = match error {
                McpError::Slow(_) => "no answer",
                McpError::Login => "login wanted",
                McpError::Gone(_) | McpError::Start(_) => "server gone",
                McpError::Refused(_) | McpError::Protocol(_) | McpError::Interrupted => "failed",
            };
            Outcome::failed(format!("MCP server {server}: {error}."), facts)
        }
    }
}

/// What resources there are.
#[derive(Debug)]
pub struct ListResources {
    servers: Arc<Servers>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ListInput {
    /// only of this server
    server: Option<String>,
}

impl Args for ListInput {}

#[async_trait]
impl Tool for ListResources {
    fn name(&self) -> &str {
        LIST
    }

    fn spec(&self) -> ToolSpec {
        spec::<ListInput>(LIST, include_str!("../../assets/prompts/tools/list_mcp_resources.md"))
    }

    fn class(&self, _input: &Value) -> Class {
        Class::ReadOnly
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let server = input["server"].as_str().unwrap_or("all servers");
        Title::new("Listing", "Listed", format!("resources of {server}"))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<ListInput>(LIST, input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: ListInput = match args::parse(LIST, &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        let server = input.server.as_deref();
        match self.servers.resources(server, &ctx.cancel).await {
            Ok(text) => {
                let facts = super::count(text.lines().count() - 1, "resource");
                Outcome::done(text, facts)
            }
            Err(error) => outcome(server.unwrap_or("any"), Err(error)),
        }
    }
}

/// One resource.
#[derive(Debug)]
pub struct ReadResource {
    servers: Arc<Servers>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ReadInput {
    server: String,
    uri: String,
}

impl Args for ReadInput {}

#[async_trait]
impl Tool for ReadResource {
    fn name(&self) -> &str {
        READ
    }

    fn spec(&self) -> ToolSpec {
        spec::<ReadInput>(READ, include_str!("../../assets/prompts/tools/read_mcp_resource.md"))
    }

    fn class(&self, _input: &Value) -> Class {
        Class::ReadOnly
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        Title::new("Reading", "Read", format!("@{}:{}", text("server"), text("uri")))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<ReadInput>(READ, input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: ReadInput = match args::parse(READ, &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        let read = self.servers.read(&input.server, &input.uri, &ctx.cancel).await;
        outcome(&input.server, read)
    }
}
