//! Skill: the text of a skill, for the model that has seen its name in the list.

use std::path::Path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::extend::recipe::{self, Around, Piece};
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, lock, plain_preview, spec};

#[derive(Debug)]
pub struct SkillCall;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    skill: String,
    #[serde(default)]
    args: Option<String>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("name", "skill"), ("command", "skill"), ("arguments", "args")];
}

#[async_trait]
impl Tool for SkillCall {
    fn name(&self) -> &str {
        "Skill"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/skill.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        Title::new("Reading skill", "Read skill", input["skill"].as_str().unwrap_or("a skill"))
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
        let extensions = lock(&ctx.session.extensions).clone();
        let name = input.skill.trim().trim_start_matches('/');
        let Some(skill) = extensions.skill(name).filter(|skill| skill.model_may()) else {
            let callable = extensions.skills.iter().filter(|skill| skill.for_model());
            let names: Vec<&str> = callable.map(|skill| skill.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Outcome::failed(
                format!("Skill: there is no skill {name:?}. There are: {names}."),
                "no such skill",
            );
        };
        let args = input.args.unwrap_or_default();
        let around = Around { session: "", folder: &skill.folder };
        let text: String = recipe::pieces(&skill.body, &args, &around)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                // Where the person calls it this would have run; the model runs it by itself, and is
                // asked about it like about any command.
                Piece::Run(command) => format!("(run this first: {command})"),
            })
            .collect();
        Outcome::done(
            format!("The skill's files are in {}.\n\n{text}", skill.folder.display()),
            format!("{} lines", text.lines().count()),
        )
    }
}
