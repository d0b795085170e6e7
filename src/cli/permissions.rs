//! `tern permissions check`: what the permission layer would decide, and why. Runs nothing.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::permissions::rule::{Folders, RuleSet, RuleTexts};
use crate::permissions::{Access, Policy, Verdict, access, check, explain, facts};
use crate::protocol::{Mode, Ruling, Source, Sourced};

#[derive(clap::Args, Debug, Clone)]
pub struct PermissionsArgs {
    #[command(subcommand)]
    pub command: PermissionsCommand,
}

#[derive(clap::Subcommand, Debug, Clone)]
pub enum PermissionsCommand {
    /// Say what would be decided for each JSON line on standard input, one JSON line each.
    Check {
        /// Say it of this shell command instead, in words.
        #[arg(long, value_name = "COMMAND")]
        explain: Option<String>,
    },
}

/// What holds where a line does not say otherwise.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    pub mode: Mode,
    pub rules: RuleTexts,
    pub additional: Vec<PathBuf>,
    pub trusted: bool,
    /// What is wrong with the managed policy: nothing would run.
    pub refused: Option<String>,
}

/// Where the person and tern itself are at home.
#[derive(Debug, Clone, Default)]
pub struct Home {
    pub cwd: PathBuf,
    pub home: PathBuf,
    pub own: Vec<PathBuf>,
}

/// The real configuration of a directory.
pub type Configuration<'a> = &'a dyn Fn(&Path) -> Defaults;

/// Longest line that is read, in bytes.
const LONGEST_LINE: u64 = 16 << 20;

pub fn run(
    args: &PermissionsArgs,
    home: &Home,
    configuration: Configuration<'_>,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<u8> {
    match &args.command {
        PermissionsCommand::Check { explain: Some(command) } => {
            explain_command(command, home, configuration, out)?;
        }
        PermissionsCommand::Check { explain: None } => {
            check_lines(home, configuration, input, out)?;
        }
    }
    Ok(0)
}

/// One answer a line, in order; a line that cannot be read gives an error and the rest goes on.
pub fn check_lines(
    home: &Home,
    configuration: Configuration<'_>,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n") || (read as u64) < LONGEST_LINE;
        if !whole {
            skip_line(input)?;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = if whole {
            answer(&line, home, configuration)
        } else {
            json!({"id": null, "error": "the line is longer than 16 MiB"})
        };
        serde_json::to_writer(&mut *out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
}

fn skip_line(input: &mut dyn BufRead) -> Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (length, end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        if end {
            return Ok(());
        }
    }
}

fn answer(line: &[u8], home: &Home, configuration: Configuration<'_>) -> Value {
    let value: Value = match serde_json::from_slice(line) {
        Ok(value @ Value::Object(_)) => value,
        Ok(_) => return json!({"id": null, "error": "the line is not a JSON object"}),
        Err(error) => return json!({"id": null, "error": format!("the line is not JSON: {error}")}),
    };
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    match question(&value, home, configuration) {
        Ok((access, policy, refused)) => {
            let verdict = judge(&access, &policy, refused.as_deref());
            json!({
                "id": id,
                "decision": verdict.decision,
                "because": verdict.because,
                "rule": verdict.rule.as_ref().map(|rule| &rule.value),
                "source": source_name(verdict.source),
                "parts": verdict.parts.iter().map(|part| json!({
                    "text": part.text,
                    "decision": part.decision,
                    "because": part.because,
                })).collect::<Vec<_>>(),
                "prompt": explain::prompt(&access),
            })
        }
        Err(error) => json!({"id": id, "error": error}),
    }
}

fn source_name(source: Option<Source>) -> Value {
    match source {
        Some(source) => json!(source),
        None => json!("mode"),
    }
}

/// `Err`: what is wrong with the line.
fn question(
    value: &Value,
    home: &Home,
    configuration: Configuration<'_>,
) -> Result<(Access, Policy, Option<String>), String> {
    let text = |field: &str| match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("{field} is not text")),
    };
    let cwd = text("cwd")?.map_or_else(|| home.cwd.clone(), PathBuf::from);
    if !cwd.is_absolute() {
        return Err("cwd is not an absolute path".to_owned());
    }
    let mut defaults = match value.get("rules") {
        None | Some(Value::Null) => configuration(&cwd),
        Some(rules) => {
            let rules = rule_texts(rules, "rules", Source::User)?;
            Defaults { rules, trusted: true, ..Defaults::default() }
        }
    };
    if let Some(rules) = value.get("project_rules").filter(|rules| !rules.is_null()) {
        let more = rule_texts(rules, "project_rules", Source::Project)?;
        defaults.rules.allow.extend(more.allow);
        defaults.rules.ask.extend(more.ask);
        defaults.rules.deny.extend(more.deny);
    }
    match value.get("trusted") {
        None | Some(Value::Null) => {}
        Some(Value::Bool(trusted)) => defaults.trusted = *trusted,
        Some(_) => return Err("trusted is not true or false".to_owned()),
    }
    if let Some(name) = text("mode")? {
        defaults.mode = match (Mode::parse(name), name) {
            (Some(mode), _) => mode,
            // Reserved: counts as default.
            (None, "auto") => Mode::Default,
            (None, _) => {
                let known: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name()).collect();
                return Err(format!("unknown mode {name:?}; modes are {}", known.join(", ")));
            }
        };
    }
    for dir in list(value, "add_dirs")? {
        defaults.additional.push(cwd.join(dir));
    }
    let tool = text("tool")?.ok_or("tool is missing")?;
    let input = value.get("input").cloned().unwrap_or_else(|| json!({}));
    let refused = defaults.refused.take();
    let policy = policy(defaults, &cwd, home);
    Ok((access::of(tool, &input, &cwd), policy, refused))
}

/// What a session would decide; with a policy that is not in order, there is none.
fn judge(access: &Access, policy: &Policy, refused: Option<&str>) -> Verdict {
    match refused {
        Some(why) => Verdict::broken_policy(why),
        None => check::check(access, policy, &facts::gather(access, policy)),
    }
}

fn policy(defaults: Defaults, cwd: &Path, home: &Home) -> Policy {
    let root = cwd.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(cwd);
    let folders = Folders {
        cwd: cwd.to_owned(),
        root: root.to_owned(),
        home: home.home.clone(),
        additional: defaults.additional.clone(),
    };
    let (rules, _problems) = RuleSet::new(&defaults.rules, &folders, defaults.trusted);
    Policy {
        mode: defaults.mode,
        rules,
        cwd: cwd.to_owned(),
        additional: defaults.additional,
        home: home.home.clone(),
        own: home.own.clone(),
        trusted: defaults.trusted,
        sandboxed_commands: false,
    }
}

fn list<'a>(value: &'a Value, field: &str) -> Result<Vec<&'a str>, String> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str().ok_or_else(|| format!("{field} holds something that is not text"))
            })
            .collect(),
        Some(_) => Err(format!("{field} is not a list")),
    }
}

fn rule_texts(value: &Value, field: &str, source: Source) -> Result<RuleTexts, String> {
    if !value.is_object() {
        return Err(format!("{field} is not an object of lists"));
    }
    let read = |name: &str| -> Result<Vec<Sourced<String>>, String> {
        Ok(list(value, name)?
            .into_iter()
            .map(|rule| Sourced::new(rule.to_owned(), source))
            .collect())
    };
    Ok(RuleTexts { allow: read("allow")?, ask: read("ask")?, deny: read("deny")? })
}

fn explain_command(
    command: &str,
    home: &Home,
    configuration: Configuration<'_>,
    out: &mut dyn Write,
) -> Result<()> {
    let mut defaults = configuration(&home.cwd);
    let refused = defaults.refused.take();
    let policy = policy(defaults, &home.cwd, home);
    let access = access::of("Bash", &json!({ "command": command }), &home.cwd);
    let verdict = judge(&access, &policy, refused.as_deref());
    out.write_all(in_words(&access, &policy, &verdict).as_bytes())?;
    Ok(())
}

/// The verdict for a person, with everything unseen spelled out.
fn in_words(access: &Access, policy: &Policy, verdict: &Verdict) -> String {
    let mut text = format!("{}\n\n", explain::prompt(access));
    text.push_str(&format!(
        "{} in {} mode: {}.\n",
        word(verdict.decision),
        policy.mode.name(),
        explain::visible(&verdict.because)
    ));
    if let Some(rule) = &verdict.rule {
        text.push_str(&format!("rule: {}{}\n", explain::visible(&rule.value), place(rule)));
    }
    if verdict.parts.len() > 1 {
        text.push('\n');
        for part in &verdict.parts {
            text.push_str(&format!(
                "  {:5}  {}\n         {}\n",
                word(part.decision),
                explain::visible(&part.text).replace('\n', "\n         "),
                explain::visible(&part.because)
            ));
        }
    }
    if !verdict.suggestions.is_empty() {
        let rules: Vec<&str> = verdict.suggestions.iter().map(|it| it.rule.as_str()).collect();
        text.push_str(&format!("\nwould be settled by: {}\n", rules.join("  ")));
    }
    text
}

fn word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allow => "allow",
        Ruling::Ask => "ask",
        Ruling::Deny => "deny",
    }
}

fn place(rule: &Sourced<String>) -> String {
    match (&rule.file, rule.line) {
        (Some(file), Some(line)) => format!(" ({} line {line})", file.display()),
        (Some(file), None) => format!(" ({})", file.display()),
        (None, _) => format!(" ({})", json!(rule.source).as_str().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &str) -> Vec<Value> {
        let dir = tempfile::tempdir().unwrap();
        let home = Home { cwd: dir.path().into(), home: "/home/nobody".into(), own: Vec::new() };
        let configuration = |_: &Path| Defaults {
            rules: RuleTexts {
                allow: vec![Sourced::new("Bash(npm test)".to_owned(), Source::User)],
                ..RuleTexts::default()
            },
            trusted: true,
            ..Defaults::default()
        };
        let mut out = Vec::new();
        check_lines(&home, &configuration, &mut input.as_bytes(), &mut out).unwrap();
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn answers_in_order_and_survives_bad_lines() {
        let found = lines(concat!(
            "{\"id\":1,\"tool\":\"Bash\",\"input\":{\"command\":\"npm test\"}}\n",
            "not json\n\n",
            "{\"id\":\"b\",\"rules\":{\"deny\":[\"Bash(rm *)\"]},\"tool\":\"Bash\",\"input\":{\"command\":\"ls && rm x\"}}\n",
            "{\"id\":3,\"mode\":\"yolo\",\"tool\":\"Bash\",\"input\":{}}\n",
            "{\"id\":4,\"rules\":{},\"tool\":\"Bash\",\"input\":{\"command\":\"npm test\"}}\n",
            "[1]\n",
            "{\"id\":6,\"mode\":\"bypassPermissions\",\"rules\":{},\"tool\":\"Bash\",\"input\":{\"command\":\"x\"}}",
        ));
        let short: Vec<(Value, Value, Value)> = found
            .iter()
            .map(|line| (line["id"].clone(), line["decision"].clone(), line["source"].clone()))
            .collect();
        assert_eq!(
            short,
            vec![
                (json!(1), json!("allow"), json!("user")),
                (Value::Null, Value::Null, Value::Null),
                (json!("b"), json!("deny"), json!("user")),
                (json!(3), Value::Null, Value::Null),
                (json!(4), json!("ask"), json!("built-in")),
                (Value::Null, Value::Null, Value::Null),
                (json!(6), json!("allow"), json!("mode")),
            ]
        );
        assert_eq!(found[2]["rule"], json!("Bash(rm *)"));
        assert_eq!(found[2]["parts"][0]["decision"], json!("allow"));
        assert_eq!(found[2]["parts"][1]["text"], json!("rm x"));
        assert_eq!(found[2]["prompt"], json!("ls && rm x"));
        assert!(found[3]["error"].as_str().unwrap().contains("acceptEdits"));
    }

    #[test]
    fn explains_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home { cwd: dir.path().into(), home: "/home/nobody".into(), own: Vec::new() };
        let mut out = Vec::new();
        explain_command("ls && mkdir\tx", &home, &|_| Defaults::default(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ls && mkdir\\u{9}x\n\nask in default mode: no rule allows `mkdir\\u{9}x`, and it changes files.\n\n  \
             allow  ls\n         it only reads\n  ask    mkdir\\u{9}x\n         no rule allows `mkdir\\u{9}x`, and it changes files\n\n\
             would be settled by: Bash(mkdir *)\n"
        );
    }
}
