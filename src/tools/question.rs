//! AskUserQuestion: the model lets the person choose.

use std::fmt::Write;
use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::{About, AskError, Choice, Choosable, Reply, Title};
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, plain_preview, spec};

#[derive(Debug)]
pub struct AskUserQuestion;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    /// 1 to 4
    questions: Vec<Question>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Question {
    question: String,
    /// at most 12 characters
    #[serde(default)]
    header: String,
    /// 2 to 4; an answer in the person's own words is always possible
    options: Vec<Choose>,
    #[serde(default)]
    multi_select: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Choose {
    label: String,
    #[serde(default)]
    description: String,
}

impl Args for Input {}

const QUESTIONS: usize = 4;
const OPTIONS: usize = 8;
/// Bytes of one text: more is nothing to choose by.
const TEXT: usize = 2_000;

#[async_trait]
impl Tool for AskUserQuestion {
    fn name(&self) -> &str {
        "AskUserQuestion"
    }

    fn spec(&self) -> ToolSpec {
        let text = "Let the person choose where the task leaves open something that matters and \
                    the project does not answer it. Put the choice you would take first.";
        spec::<Input>(self.name(), text)
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    /// One question at a time.
    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        let first = input["questions"][0]["question"].as_str().unwrap_or("a question");
        Title::new("Asking", "Asked", first)
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        let input: Input = match args::parse(self.name(), &input) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        };
        if let Some(fault) = check(&input) {
            return Outcome::failed(format!("AskUserQuestion: {fault}."), "wrong input");
        }
        let questions: Vec<Choice> = input.questions.into_iter().map(choice).collect();
        match ctx.ask.person(About::Choices { questions: questions.clone() }).await {
            Ok(reply) => answered(&questions, &reply),
            Err(AskError::Interrupted) => Outcome::interrupted("Interrupted by the user."),
            Err(AskError::Unavailable(_)) => Outcome::failed(
                "Nobody is there to answer. Take what a careful colleague would take, go on, and \
                 name the choice in your answer.",
                "nobody to ask",
            ),
        }
    }
}

fn check(input: &Input) -> Option<String> {
    if input.questions.is_empty() || input.questions.len() > QUESTIONS {
        return Some(format!("it takes 1 to {QUESTIONS} questions"));
    }
    for question in &input.questions {
        if question.question.trim().is_empty() {
            return Some("a question is empty".to_owned());
        }
        if question.options.len() < 2 || question.options.len() > OPTIONS {
            return Some("a question has 2 to 4 options".to_owned());
        }
        let texts = question.options.iter().flat_map(|it| [&it.label, &it.description]);
        if texts.chain([&question.question]).any(|text| text.len() > TEXT) {
            return Some(format!("a text is longer than {TEXT} bytes"));
        }
        if question.options.iter().any(|option| option.label.trim().is_empty()) {
            return Some("the label of an option is empty".to_owned());
        }
    }
    None
}

fn choice(question: Question) -> Choice {
    let option = |it: Choose| Choosable { label: it.label, description: it.description };
    Choice {
        question: question.question,
        header: question.header,
        options: question.options.into_iter().map(option).collect(),
        multi_select: question.multi_select,
    }
}

fn answered(questions: &[Choice], reply: &Reply) -> Outcome {
    let answers = match reply {
        Reply::Chosen { answers } => answers,
        Reply::Approved { .. } | Reply::Declined { message: None } => {
            return Outcome::done("The user gave no answer.", "no answer");
        }
        Reply::Declined { message: Some(message) } => {
            let text = format!("The user gave no answer, but says: {message}");
            return Outcome::done(text, "no answer");
        }
    };
    let mut text = String::new();
    let mut facts = Vec::new();
    for (at, question) in questions.iter().enumerate() {
        let mut parts: Vec<String> = Vec::new();
        if let Some(answer) = answers.get(at) {
            parts.extend(answer.labels.iter().cloned());
            let own = answer.text.trim();
            if !own.is_empty() {
                parts.push(format!("in their own words: {own}"));
            }
            facts.extend(answer.labels.iter().cloned());
        }
        let answer = if parts.is_empty() { "no answer".to_owned() } else { parts.join("; ") };
        let _ = writeln!(text, "{}\n  {answer}", question.question.trim());
    }
    let facts = if facts.is_empty() { "answered".to_owned() } else { facts.join(", ") };
    Outcome::done(text.trim_end(), facts)
}
