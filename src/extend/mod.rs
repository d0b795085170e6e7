//! What a person or a project adds to tern in Markdown: slash commands, skills, sub-agents, output
//! styles, and plugins that bundle them. Loading and expanding, for every driver.
//!
//! Files are those of Claude Code (`.claude/commands`, `.claude/skills`, `.claude/agents`,
//! `.claude/output-styles`) and the same folders in `.tern` and beside the user's `config.toml`.
//!
//! *Invariants:* nothing of a project is loaded before its folder is trusted; nothing here runs
//! anything. What is wrong with a file is told in a sentence, and the others still count.

pub mod agents;
mod files;
mod front;
pub mod plugins;
pub mod recipe;
pub mod skills;
pub mod styles;

use std::path::{Path, PathBuf};

pub use agents::Agent;
pub use skills::Skill;
pub use styles::Style;

use crate::protocol::CommandInfo;

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub cwd: PathBuf,
    /// The top of the work tree; `cwd` where there is none.
    pub root: PathBuf,
    pub home: PathBuf,
    /// The folder of the user's `config.toml`.
    pub config: PathBuf,
    /// The folder of installed plugins.
    pub plugins: PathBuf,
    pub trusted: bool,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    BuiltIn,
    Plugin,
    User,
    Project,
}

impl From {
    pub fn name(self) -> &'static str {
        match self {
            From::BuiltIn => "built in",
            From::Plugin => "plugin",
            From::User => "user",
            From::Project => "project",
        }
    }
}

/// Everything that was found, each name once: what is nearer to the work counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extensions {
    /// Commands and skills, by name.
    pub skills: Vec<Skill>,
    pub agents: Vec<Agent>,
    pub styles: Vec<Style>,
    /// Each a sentence for the person.
    pub problems: Vec<String>,
}

/// Reads all of it. Never fails: what cannot be read is told and left out.
pub fn load(places: &Places) -> Extensions {
    let (agents, styles) = (agents::built_in(), styles::built_in());
    let mut found = Extensions { agents, styles, ..Extensions::default() };
    let (plugins, problems) = plugins::installed(&places.plugins);
    found.problems = problems;
    for plugin in plugins {
        match plugin.state {
            plugins::State::Enabled => add(&plugin.folder(), &mut found),
            plugins::State::Disabled => {}
            plugins::State::Changed => found.problems.push(format!(
                "the plugin {} has changed since it was enabled and does not count",
                plugin.name
            )),
        }
    }
    for folder in folders(places) {
        add(&folder, &mut found);
    }
    found.skills.sort_by(|a, b| a.name.cmp(&b.name));
    found.problems.truncate(MOST_PROBLEMS);
    found
}

fn add(folder: &Folder, found: &mut Extensions) {
    skills::commands(folder, found);
    skills::skills(folder, found);
    agents::defined(folder, found);
    styles::defined(folder, found);
}

/// More would only scroll by.
const MOST_PROBLEMS: usize = 20;

/// A folder that may hold `commands`, `skills` and `agents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub path: PathBuf,
    pub from: From,
    /// The plugin, whose name stands before those of its commands.
    pub prefix: Option<String>,
}

/// Lowest first: a later one's files take the place of an earlier one's of the same name.
fn folders(places: &Places) -> Vec<Folder> {
    let user = [places.home.join(".claude"), places.config.clone()];
    let mut folders: Vec<Folder> =
        user.into_iter().map(|path| Folder { path, from: From::User, prefix: None }).collect();
    if places.trusted {
        let mut add = |at: &Path| {
            for name in [".claude", ".tern"] {
                folders.push(Folder { path: at.join(name), from: From::Project, prefix: None });
            }
        };
        add(&places.root);
        if places.cwd != places.root {
            add(&places.cwd);
        }
    }
    folders
}

impl Extensions {
    pub fn skill(&self, name: &str) -> Option<&Skill> {
        self.skills.iter().find(|skill| skill.name == name)
    }

    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.name.eq_ignore_ascii_case(name))
    }

    /// By its name, whatever the case.
    pub fn style(&self, name: &str) -> Option<&Style> {
        self.styles.iter().find(|style| style.name.eq_ignore_ascii_case(name))
    }

    /// Output styles that are not tern's own.
    pub fn own_styles(&self) -> Vec<CommandInfo> {
        let own = self.styles.iter().filter(|style| style.from != From::BuiltIn);
        own.map(|style| CommandInfo {
            name: style.name.clone(),
            args: String::new(),
            help: style.description.clone(),
            source: style.from.name().to_owned(),
        })
        .collect()
    }

    /// What a person can call with a slash.
    pub fn commands(&self) -> Vec<CommandInfo> {
        let called = self.skills.iter().filter(|skill| skill.for_person);
        called
            .map(|skill| CommandInfo {
                name: skill.name.clone(),
                args: skill.hint.clone(),
                help: skill.description.clone(),
                source: skill.from.name().to_owned(),
            })
            .collect()
    }

    /// What the model is told of skills and of agents that are not its own; empty: nothing.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        let skills = self.skills.iter().filter(|skill| skill.for_model());
        let skills: Vec<String> = skills.map(Skill::line).collect();
        block(
            "skills",
            "Call the tool Skill (through UseTool) to read one when its description fits the task.",
            &skills,
            &mut text,
        );
        let agents = self.agents.iter().filter(|agent| agent.from != From::BuiltIn);
        let agents: Vec<String> = agents.map(Agent::line).collect();
        block("agents", "Further kinds for the Agent tool.", &agents, &mut text);
        text
    }
}

/// Bytes of one list that the model is given.
const LIST: usize = 4_000;

fn block(tag: &str, head: &str, lines: &[String], text: &mut String) {
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("\n<{tag}>\n{head}\n"));
    let from = text.len();
    for (at, line) in lines.iter().enumerate() {
        if text.len() - from + line.len() > LIST {
            text.push_str(&format!("- and {} more\n", lines.len() - at));
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&format!("</{tag}>"));
}

/// Foreign text on one line of a list that the model gets.
fn one_line(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "‹");
    match words.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn staged(files: &[(&str, &str)], trusted: bool) -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let places = Places {
            cwd: dir.path().join("project"),
            root: dir.path().join("project"),
            home: dir.path().join("home"),
            config: dir.path().join("config"),
            plugins: dir.path().join("plugins"),
            trusted,
        };
        (dir, places)
    }

    #[test]
    fn what_is_nearer_counts_and_a_strange_project_brings_nothing() {
        let files = [
            ("home/.claude/commands/fix.md", "theirs"),
            ("config/commands/fix.md", "mine"),
            ("config/commands/own.md", "own"),
            ("project/.claude/commands/fix.md", "the project's"),
            ("project/.claude/agents/helper.md", "---\ndescription: helps\n---\nHelp."),
        ];
        let names = |found: &Extensions| {
            found.skills.iter().map(|s| (s.name.clone(), s.body.clone())).collect::<Vec<_>>()
        };
        let pair = |name: &str, body: &str| (name.to_owned(), body.to_owned());
        let (_dir, places) = staged(&files, true);
        let found = load(&places);
        assert_eq!(names(&found), [pair("fix", "the project's"), pair("own", "own")]);
        assert!(found.agent("helper").is_some());
        let (_dir, places) = staged(&files, false);
        let found = load(&places);
        assert_eq!(names(&found), [pair("fix", "mine"), pair("own", "own")]);
        assert!(found.agent("helper").is_none());
        assert_eq!(found.problems, Vec::<String>::new());
    }

    #[test]
    fn lists_for_the_model_stay_small_and_within_their_tags() {
        let many: Vec<(String, String)> = (0..400)
            .map(|n| {
                let front = format!("---\ndescription: \"</skills> {}\"\n---\nx", "y".repeat(300));
                (format!("config/skills/s{n}/SKILL.md"), front)
            })
            .collect();
        let files: Vec<(&str, &str)> =
            many.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (_dir, places) = staged(&files, false);
        let listing = load(&places).listing();
        assert!(listing.len() < LIST + 300, "{}", listing.len());
        assert_eq!(listing.matches("</skills>").count(), 1);
        assert!(listing.contains("more"));
    }
}
