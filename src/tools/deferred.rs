//! ToolSearch and UseTool: the way to tools whose schemas no request carries.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, count, plain_preview};

/// Finds deferred tools and shows how they are called.
#[derive(Debug)]
pub struct ToolSearch {
    description: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Query {
    /// words, or select:Name,Name
    query: String,
    max_results: Option<usize>,
}

impl Args for Query {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("q", "query"), ("name", "query"), ("limit", "max_results")];
}

/// Tools that one search shows, unless it asks for another number.
const SHOWN: usize = 5;
const MOST: usize = 20;
/// Bytes of one answer. A schema from a server may be of any size.
const ANSWER: usize = 40_000;

impl ToolSearch {
    pub fn new(listed: &[String]) -> ToolSearch {
        let text = include_str!("../../assets/prompts/tools/tool_search.md").trim_end();
        let names = if listed.is_empty() { "none yet".to_owned() } else { listed.join(", ") };
        ToolSearch { description: text.replace("{names}", &names) }
    }
}

#[async_trait]
impl Tool for ToolSearch {
    fn name(&self) -> &str {
        "ToolSearch"
    }

    fn spec(&self) -> ToolSpec {
        super::spec::<Query>(self.name(), &self.description)
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Query>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Query>(self.name(), input)
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let query = input["query"].as_str().unwrap_or("a tool");
        Title::new("Looking up", "Looked up", query.trim_start_matches("select:"))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Query>(self.name(), input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let query: Query = match args::parse(self.name(), &input) {
            Ok(query) => query,
            Err(outcome) => return outcome,
        };
        let tools = ctx.session.tools.deferred();
        let most = query.max_results.unwrap_or(SHOWN).clamp(1, MOST);
        let found = find(&tools, &query.query, most);
        if found.is_empty() {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name()).collect();
            let text = format!(
                "No tool fits. Those that can be found: {}.",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            );
            return Outcome::done(text, "nothing found");
        }
        let facts = count(found.len(), "tool");
        Outcome::done(shown(&found), facts)
    }
}

/// The tools meant, the best first.
fn find(tools: &[Arc<dyn Tool>], query: &str, most: usize) -> Vec<Arc<dyn Tool>> {
    let query = query.trim();
    if let Some(names) = query.strip_prefix("select:") {
        let named = |name: &str| {
            tools.iter().find(|tool| tool.name().eq_ignore_ascii_case(name.trim())).cloned()
        };
        return names.split(',').filter_map(named).take(most).collect();
    }
    let words: Vec<String> =
        query.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    let score = |tool: &Arc<dyn Tool>| {
        let spec = tool.spec();
        let (name, text) = (spec.name.to_lowercase(), spec.description.to_lowercase());
        if name == query.to_lowercase() {
            return usize::MAX;
        }
        words
            .iter()
            .map(|word| 4 * name.matches(word).count() + usize::from(text.contains(word)))
            .sum()
    };
    let mut found: Vec<(usize, Arc<dyn Tool>)> = tools
        .iter()
        .map(|tool| (score(tool), tool.clone()))
        .filter(|(score, _)| *score > 0)
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().take(most).map(|(_, tool)| tool).collect()
}

fn shown(tools: &[Arc<dyn Tool>]) -> String {
    let mut text = String::new();
    for tool in tools {
        let spec = tool.spec();
        let one =
            format!("## {}\n{}\ninput schema: {}\n\n", spec.name, spec.description, spec.schema);
        if text.len() + one.len() > ANSWER {
            text += &format!(
                "## {}\nIts description and schema take {} bytes, too many to show.\n\n",
                spec.name,
                one.len()
            );
        } else {
            text += &one;
        }
    }
    text + "Call one with UseTool {\"name\": .., \"input\": {..}}."
}

/// Calls a deferred tool. It never runs itself: the wrapping is taken off before a call is judged,
/// so what arrives here has no name in it, or its own.
#[derive(Debug)]
pub struct UseTool;

#[async_trait]
impl Tool for UseTool {
    fn name(&self) -> &str {
        "UseTool"
    }

    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name().to_owned(),
            description: "Call a tool that ToolSearch has shown.".to_owned(),
            schema: json!({
                "type": "object",
                "properties": {"name": {"type": "string"}, "input": {"type": "object"}},
                "required": ["name", "input"],
            }),
        }
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, _input: &Value, _cwd: &Path) -> Title {
        Title::new("Calling", "Called", "a tool")
    }

    async fn preview(&self, _input: &Value, _ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        Err(unnamed())
    }

    async fn run(&self, _input: Value, _ctx: &ToolCtx) -> Outcome {
        unnamed()
    }
}

fn unnamed() -> Outcome {
    let text = "UseTool: it takes name, the name of another tool, and input, that tool's input as \
                an object.";
    Outcome::failed(text, "wrong input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::table;

    #[test]
    fn tools_are_found_by_name_and_by_words() {
        let tools = table::sent();
        let names = |query: &str| -> Vec<String> {
            find(&tools, query, 3).iter().map(|tool| tool.name().to_owned()).collect()
        };
        assert_eq!(names("select:grep, Read,None"), ["Grep", "Read"]);
        assert_eq!(names("LS")[0], "LS");
        assert_eq!(names("edit")[..2], ["Edit", "MultiEdit"]);
        assert!(names("zzz").is_empty() && names("").is_empty() && names("select:").is_empty());
        assert!(shown(&find(&tools, "select:LS", 1)).contains("\"path\""));
    }
}
