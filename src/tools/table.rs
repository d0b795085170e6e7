//! The tools of a session: those that every request carries, and those that are listed by name
//! only and found when they are wanted.
//!
//! The head of every request must be the same bytes, or the server's prompt cache misses; so what
//! is sent is fixed when the session begins. Everything else is *deferred*: `ToolSearch` shows its
//! description and schema as text, `UseTool` calls it, and a call by its own name works as well.
//! [`crate::permissions::access::meant`] takes the wrapping of `UseTool` off before anything else
//! looks at a call, so rules, hooks, titles and the log know the tool by its own name.
//!
//! To bring in tools at run time (from a server, from a plugin) give them to [`Table::add`] on the
//! session's table, `Setup::tools`: they are deferred, and the model is told their names with its
//! next request. [`Table::remove`] takes them away again.

use std::sync::{Arc, PoisonError, RwLock};

use crate::api::ToolSpec;
use crate::tools::Tool;
use crate::tools::agent_call::AgentCall;
use crate::tools::bash::Bash;
use crate::tools::deferred::{ToolSearch, UseTool};
use crate::tools::edit::Edit;
use crate::tools::glob::Glob;
use crate::tools::grep::Grep;
use crate::tools::job::{TaskOutput, TaskStop};
use crate::tools::list::List;
use crate::tools::multi_edit::MultiEdit;
use crate::tools::notebook::NotebookEdit;
use crate::tools::plan::ExitPlanMode;
use crate::tools::question::AskUserQuestion;
use crate::tools::read::Read;
use crate::tools::skill::SkillCall;
use crate::tools::todo::TodoWrite;
use crate::tools::web_fetch::WebFetch;
use crate::tools::web_search::WebSearch;
use crate::tools::write::Write;

/// The built-in tools that every request carries, in the order in which the model gets them.
pub fn sent() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(Read),
        Arc::new(Write),
        Arc::new(Edit),
        Arc::new(MultiEdit),
        Arc::new(Glob),
        Arc::new(Grep),
        Arc::new(List),
        Arc::new(Bash),
        Arc::new(TodoWrite),
        Arc::new(AgentCall),
    ]
}

/// The built-in tools that are listed by name only.
pub fn deferred() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(AskUserQuestion),
        Arc::new(ExitPlanMode),
        Arc::new(NotebookEdit),
        Arc::new(SkillCall),
        Arc::new(TaskOutput),
        Arc::new(TaskStop),
        Arc::new(WebFetch),
        Arc::new(WebSearch::default()),
    ]
}

/// All built-in tools, but for the two that reach the deferred ones.
pub fn all() -> Vec<Arc<dyn Tool>> {
    [sent(), deferred()].concat()
}

/// What a session can call.
#[derive(Debug, Default)]
pub struct Table {
    sent: Vec<Arc<dyn Tool>>,
    deferred: RwLock<Vec<Arc<dyn Tool>>>,
    /// Names that stand in the description of `ToolSearch`.
    listed: Vec<String>,
}

impl Table {
    /// `sent` go with every request, `deferred` by name only. Both in a fixed order.
    pub fn new(mut sent: Vec<Arc<dyn Tool>>, deferred: Vec<Arc<dyn Tool>>) -> Arc<Table> {
        let listed: Vec<String> = deferred.iter().map(|tool| tool.name().to_owned()).collect();
        sent.push(Arc::new(ToolSearch::new(&listed)));
        sent.push(Arc::new(UseTool));
        Arc::new(Table { sent, deferred: RwLock::new(deferred), listed })
    }

    /// Every built-in tool.
    pub fn built_in() -> Arc<Table> {
        Table::new(sent(), deferred())
    }

    /// The tools that every request carries, but for the two that reach the others.
    pub fn always(&self) -> Vec<Arc<dyn Tool>> {
        let own = |name: &str| !matches!(name, "ToolSearch" | "UseTool");
        self.sent.iter().filter(|tool| own(tool.name())).cloned().collect()
    }

    /// What requests carry; the same for the life of the table.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.sent.iter().map(|tool| tool.spec()).collect()
    }

    pub fn find(&self, name: &str) -> Option<Arc<dyn Tool>> {
        let deferred = self.deferred();
        self.sent.iter().chain(&deferred).find(|tool| tool.name() == name).cloned()
    }

    /// Tools that `ToolSearch` finds.
    pub fn deferred(&self) -> Vec<Arc<dyn Tool>> {
        self.deferred.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names of all tools.
    pub fn names(&self) -> Vec<String> {
        let deferred = self.deferred();
        self.sent.iter().chain(&deferred).map(|tool| tool.name().to_owned()).collect()
    }

    /// Deferred tools that no request names: those that came later.
    pub fn unlisted(&self) -> Vec<String> {
        let deferred = self.deferred();
        let names = deferred.iter().map(|tool| tool.name());
        names.filter(|name| !self.listed.iter().any(|l| l == name)).map(str::to_owned).collect()
    }

    /// Adds deferred tools; one of the same name takes the place of the old one. The name of a tool
    /// that requests carry cannot be taken. Returns the names that were refused.
    pub fn add(&self, tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Vec<String> {
        let mut refused = Vec::new();
        let mut deferred = self.deferred.write().unwrap_or_else(PoisonError::into_inner);
        for tool in tools {
            if self.sent.iter().any(|own| own.name() == tool.name()) {
                refused.push(tool.name().to_owned());
                continue;
            }
            match deferred.iter_mut().find(|own| own.name() == tool.name()) {
                Some(own) => *own = tool,
                None => deferred.push(tool),
            }
        }
        refused
    }

    /// Takes the deferred tools away whose name `gone` accepts.
    pub fn remove(&self, gone: impl Fn(&str) -> bool) {
        let mut deferred = self.deferred.write().unwrap_or_else(PoisonError::into_inner);
        deferred.retain(|tool| !gone(tool.name()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every byte here is paid for in every session.
    #[test]
    fn all_specs_together_are_small() {
        let specs: Vec<_> = Table::built_in()
            .specs()
            .into_iter()
            .map(|spec| {
                json!({"name": spec.name, "description": spec.description, "input_schema": spec.schema})
            })
            .collect();
        let bytes = serde_json::to_string(&specs).unwrap();
        assert!(bytes.len() <= 6_500, "{} bytes: {bytes}", bytes.len());
    }

    #[test]
    fn specs_are_the_same_every_time_whatever_comes_later() {
        let table = Table::new(vec![Arc::new(Read)], vec![Arc::new(Glob)]);
        let before = table.specs();
        assert_eq!(table.add([Arc::new(Grep) as Arc<dyn Tool>, Arc::new(Read)]), ["Read"]);
        assert_eq!(table.specs(), before);
        assert_eq!(table.names(), ["Read", "ToolSearch", "UseTool", "Glob", "Grep"]);
        assert_eq!(table.unlisted(), ["Grep"]);
        assert!(before[1].description.contains("Glob") && !before[1].description.contains("Grep"));
        table.remove(|name| name == "Grep");
        assert!(table.find("Grep").is_none() && table.find("Glob").is_some());
        let names: Vec<String> = all().iter().map(|tool| tool.spec().name).collect();
        assert!(names.iter().zip(all()).all(|(name, tool)| name == tool.name()));
    }
}
