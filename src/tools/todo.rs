//! TodoWrite: the model's own list of steps, which the person sees.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::{Detail, Title, Todo, TodoState};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, lock, spec};

#[derive(Debug)]
pub struct TodoWrite;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    todos: Vec<Item>,
}

// `Todo` as the model writes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    content: String,
    status: State,
    /// while it is done: "Running tests"
    #[serde(default)]
    active_form: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    InProgress,
    Completed,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("tasks", "todos"), ("items", "todos")];
}

/// More is no list of steps any more.
const MOST: usize = 100;

#[async_trait]
impl Tool for TodoWrite {
    fn name(&self) -> &str {
        "TodoWrite"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/todo_write.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    /// It changes the list, and two lists at once would race.
    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, _input: &Value, _cwd: &Path) -> Title {
        Title::new("Planning", "Planned", "the next steps")
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(super::plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Input = match args::parse(self.name(), &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        match check(&input) {
            Some(fault) => Outcome::failed(format!("TodoWrite: {fault}."), "wrong list"),
            None => store(input, ctx),
        }
    }
}

fn check(input: &Input) -> Option<String> {
    let todos = &input.todos;
    if todos.len() > MOST {
        return Some(format!("{} items are too many; at most {MOST}", todos.len()));
    }
    if let Some(at) = todos.iter().position(|todo| todo.content.trim().is_empty()) {
        return Some(format!("the content of item {} is empty", at + 1));
    }
    let running = todos.iter().filter(|todo| matches!(todo.status, State::InProgress)).count();
    (running > 1).then(|| format!("{running} items are in_progress; only one can be"))
}

fn store(input: Input, ctx: &ToolCtx) -> Outcome {
    let todos: Vec<Todo> = input.todos.into_iter().map(todo).collect();
    let done = todos.iter().filter(|todo| todo.status == TodoState::Completed).count();
    let facts = format!("{done} of {} done", todos.len());
    lock(&ctx.session.todos).clone_from(&todos);
    Outcome::done(format!("Stored: {facts}."), facts).with(Detail::Todos { todos })
}

fn todo(item: Item) -> Todo {
    Todo {
        content: item.content,
        status: match item.status {
            State::Pending => TodoState::Pending,
            State::InProgress => TodoState::InProgress,
            State::Completed => TodoState::Completed,
        },
        active_form: item.active_form.unwrap_or_default(),
    }
}
