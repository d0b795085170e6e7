//! THE table of slash commands, for every driver: names, arguments, help, and a pure [`parse`].

use crate::protocol::Mode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slash {
    Agents,
    Help,
    Budget { usd: Option<String> },
    Clear,
    Compact { focus: Option<String>, preview: bool },
    Config,
    Context,
    UndoCompaction,
    Cost,
    Diff,
    Exit,
    Export { file: Option<String> },
    Fork,
    History,
    Hooks,
    Init,
    Mcp,
    Memory,
    Model { name: Option<String> },
    OutputStyle { name: Option<String> },
    Mode { mode: Option<Mode> },
    Permissions,
    Redo,
    Rename { title: Option<String> },
    Rewind,
    Resume { session: Option<String> },
    Skills,
    Status,
    Tasks,
    Tell { text: String },
    Theme { name: Option<String> },
    Trust,
    Undo,
}

#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    /// Empty: it takes none. In brackets: it may be left out.
    pub args: &'static str,
    pub help: &'static str,
}

pub const COMMANDS: &[Row] = &[
    Row { name: "help", args: "", help: "keys and commands" },
    Row { name: "budget", args: "[usd]", help: "what this session and this day may cost" },
    Row {
        name: "agents",
        args: "",
        help: "sub-agents: what each does, tokens, cost; tell or stop one",
    },
    Row { name: "clear", args: "", help: "begin a new session; this one stays in the history" },
    Row {
        name: "compact",
        args: "[focus]",
        help: "replace the history by a summary; --preview, --undo",
    },
    Row { name: "config", args: "", help: "settings: value, origin, meaning; change one" },
    Row { name: "context", args: "", help: "what fills the model's window; pin or drop it" },
    Row { name: "cost", args: "", help: "what this session, today and the week cost" },
    Row { name: "diff", args: "", help: "files changed in this session" },
    Row { name: "exit", args: "", help: "leave tern" },
    Row {
        name: "export",
        args: "[file]",
        help: "write this session as a document; .md, .html or .jsonl",
    },
    Row { name: "fork", args: "", help: "go on in a copy of this session" },
    Row { name: "history", args: "", help: "earlier sessions" },
    Row { name: "hooks", args: "", help: "what runs by itself, and what has run" },
    Row { name: "init", args: "", help: "write an AGENTS.md for this project" },
    Row {
        name: "mcp",
        args: "",
        help: "MCP servers: state, tools and what they cost, on and off, login",
    },
    Row {
        name: "memory",
        args: "",
        help: "instruction files: what the model is told, to see and edit",
    },
    Row { name: "model", args: "[name]", help: "choose the model" },
    Row { name: "mode", args: "[name]", help: "choose the permission mode" },
    Row { name: "output-style", args: "[name]", help: "how the model speaks and works" },
    Row { name: "permissions", args: "", help: "mode and rules, and where each comes from" },
    Row { name: "redo", args: "", help: "bring back what /undo or /rewind took" },
    Row { name: "rename", args: "[title]", help: "give this session a title" },
    Row {
        name: "rewind",
        args: "",
        help: "go back to an earlier message: conversation, files or both, after a look",
    },
    Row { name: "resume", args: "[session]", help: "take up an earlier session" },
    Row { name: "skills", args: "", help: "commands and skills that files describe" },
    Row { name: "status", args: "", help: "session, model, folder, connection" },
    Row { name: "tasks", args: "", help: "commands in the background: output, end" },
    Row { name: "tell", args: "AGENT TEXT", help: "say something to a sub-agent that runs" },
    Row { name: "theme", args: "[name]", help: "choose the theme" },
    Row { name: "trust", args: "", help: "what this folder would run or allow, and trust in it" },
    Row {
        name: "undo",
        args: "",
        help: "take back the last turn's changes of files, after a look",
    },
];

/// What `/init` asks the model for.
pub const INIT: &str = "Look at this project and write an AGENTS.md at its root for coding agents \
that will work here: what the project is, how to build, test and lint it (one test alone too), its \
architecture where several files must be read to see it, and conventions that are not plain from \
the code. Keep it under 60 lines, leave out what any developer knows, and improve the file where \
there is one already. Take over what matters from README, CLAUDE.md and similar files.";

/// `Ok(None)`: not a command, but text for the model. The error is one sentence for a person.
pub fn parse(text: &str) -> Result<Option<Slash>, String> {
    let Some(rest) = text.trim().strip_prefix('/') else { return Ok(None) };
    let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // A path, a comment or a lone slash.
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') || name.is_empty() {
        return Ok(None);
    }
    let args = args.trim();
    let given = (!args.is_empty()).then(|| args.to_owned());
    let Some(row) = find(name) else { return Err(unknown(name)) };
    if row.args.is_empty() && given.is_some() {
        return Err(format!("/{} takes no argument", row.name));
    }
    Ok(Some(match row.name {
        "agents" => Slash::Agents,
        "help" => Slash::Help,
        "budget" => Slash::Budget { usd: given },
        "clear" => Slash::Clear,
        "compact" if given.as_deref() == Some("--undo") => Slash::UndoCompaction,
        "compact" => compact(given.as_deref().unwrap_or_default()),
        "config" => Slash::Config,
        "context" => Slash::Context,
        "cost" => Slash::Cost,
        "diff" => Slash::Diff,
        "exit" => Slash::Exit,
        "export" => Slash::Export { file: given },
        "fork" => Slash::Fork,
        "history" => Slash::History,
        "hooks" => Slash::Hooks,
        "init" => Slash::Init,
        "mcp" => Slash::Mcp,
        "memory" => Slash::Memory,
        "model" => Slash::Model { name: given },
        "output-style" => Slash::OutputStyle { name: given },
        "mode" => Slash::Mode { mode: mode(given.as_deref())? },
        "permissions" => Slash::Permissions,
        "redo" => Slash::Redo,
        "rename" => Slash::Rename { title: given },
        "rewind" => Slash::Rewind,
        "resume" => Slash::Resume { session: given },
        "skills" => Slash::Skills,
        "status" => Slash::Status,
        "tasks" => Slash::Tasks,
        "tell" => Slash::Tell { text: args.to_owned() },
        "theme" => Slash::Theme { name: given },
        "trust" => Slash::Trust,
        "undo" => Slash::Undo,
        _ => return Err(unknown(name)),
    }))
}

/// `/compact --preview the parser`
fn compact(words: &str) -> Slash {
    let (preview, focus) = match words.strip_prefix("--preview") {
        Some(focus) if focus.is_empty() || focus.starts_with(' ') => (true, focus.trim()),
        _ => (false, words),
    };
    Slash::Compact { focus: (!focus.is_empty()).then(|| focus.to_owned()), preview }
}

/// A command by its name, or by a name that other programs use for it.
fn find(name: &str) -> Option<&'static Row> {
    let name = match name {
        "quit" | "q" => "exit",
        "new" => "clear",
        "settings" => "config",
        "changes" => "diff",
        "usage" => "cost",
        "sessions" => "history",
        "checkpoint" => "rewind",
        "jobs" | "bashes" => "tasks",
        "branch" => "fork",
        other => other,
    };
    COMMANDS.iter().find(|row| row.name == name)
}

fn mode(name: Option<&str>) -> Result<Option<Mode>, String> {
    let Some(name) = name else { return Ok(None) };
    Mode::parse(name).map(Some).ok_or_else(|| {
        let names: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name()).collect();
        format!("unknown mode \"{name}\"; modes are {}", names.join(", "))
    })
}

/// The name of a command that files may describe: with a colon or a dot, too, and of any alphabet.
pub fn called(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('/')?;
    let name = rest.split(char::is_whitespace).next().unwrap_or_default();
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

fn unknown(name: &str) -> String {
    let near = COMMANDS
        .iter()
        .map(|row| (strsim::damerau_levenshtein(row.name, name), row.name))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    match near {
        Some((_, near)) => format!("there is no /{name}; did you mean /{near}?"),
        None => format!("there is no /{name}; /help lists the commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_text() {
        for (text, meant) in [
            ("hello /help", Ok(None)),
            ("/", Ok(None)),
            ("/usr/bin/env is missing", Ok(None)),
            ("// a comment", Ok(None)),
            ("/help", Ok(Some(Slash::Help))),
            ("  /quit ", Ok(Some(Slash::Exit))),
            (
                "/compact the parser",
                Ok(Some(Slash::Compact { focus: Some("the parser".into()), preview: false })),
            ),
            (
                "/compact --preview  the parser",
                Ok(Some(Slash::Compact { focus: Some("the parser".into()), preview: true })),
            ),
            ("/compact --preview", Ok(Some(Slash::Compact { focus: None, preview: true }))),
            ("/compact --undo", Ok(Some(Slash::UndoCompaction))),
            ("/mode PLAN", Ok(Some(Slash::Mode { mode: Some(Mode::Plan) }))),
            ("/mode", Ok(Some(Slash::Mode { mode: None }))),
            (
                "/mode yolo",
                Err("unknown mode \"yolo\"; modes are default, acceptEdits, plan, dontAsk, \
                     bypassPermissions"
                    .to_owned()),
            ),
            ("/exit now", Err("/exit takes no argument".to_owned())),
            ("/hepl", Err("there is no /hepl; did you mean /help?".to_owned())),
            ("/frobnicate", Err("there is no /frobnicate; /help lists the commands".to_owned())),
        ] {
            assert_eq!(parse(text), meant, "{text}");
        }
    }

    #[test]
    fn every_command_of_the_table_is_understood() {
        for row in COMMANDS {
            assert!(matches!(parse(&format!("/{}", row.name)), Ok(Some(_))), "{}", row.name);
        }
    }
}
