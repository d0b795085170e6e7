//! What a hook said: its exit code, and JSON on its standard output where it has more to say. Pure.

use serde_json::Value;

use crate::process::{End, Exchanged};
use crate::protocol::{HookEnd, HookEvent};

/// What one hook wants.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// About a call.
    pub say: Option<Say>,
    /// Stops what was about to happen; why.
    pub block: Option<String>,
    pub input: Option<Value>,
    /// For the model.
    pub context: Option<String>,
    /// The turn shall end; why.
    pub stop: Option<String>,
    /// For the person.
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    Allow,
    Ask(String),
    Deny(String),
}

impl Say {
    pub fn rank(&self) -> u8 {
        match self {
            Say::Allow => 0,
            Say::Ask(_) => 1,
            Say::Deny(_) => 2,
        }
    }
}

/// Characters of a hook's text that the model gets.
const TEXT: usize = 10_000;
/// Characters of an error's first line that the person sees.
const LINE: usize = 300;

/// The answer, how the hook ended, and what the person is told of it.
pub fn read(event: HookEvent, exchanged: &Exchanged) -> (Answer, HookEnd, String) {
    let failed = |why: String| (Answer::default(), HookEnd::Failed, why);
    match exchanged.end {
        End::TimedOut => failed("took too long and was stopped".to_owned()),
        End::Cancelled => failed("was stopped".to_owned()),
        End::Signalled(signal) => failed(format!("was ended by signal {signal}")),
        End::Exited(2) => blocked(event, &exchanged.stderr),
        End::Exited(0) => match spoken(event, exchanged) {
            Ok(answer) => {
                let end = ended(&answer);
                let text = answer.message.clone().or_else(|| answer.block.clone());
                (answer, end, text.unwrap_or_default())
            }
            Err(why) => failed(why),
        },
        End::Exited(code) => {
            let first = first_line(&exchanged.stderr);
            let said = if first.is_empty() { String::new() } else { format!(": {first}") };
            failed(format!("failed with exit code {code}{said}"))
        }
    }
}

fn ended(answer: &Answer) -> HookEnd {
    let denied = matches!(answer.say, Some(Say::Deny(_)));
    if answer.block.is_some() || answer.stop.is_some() || denied {
        HookEnd::Blocked
    } else if answer.say.is_some() || answer.input.is_some() {
        HookEnd::Decided
    } else {
        HookEnd::Passed
    }
}

/// Exit code 2. After the fact there is nothing to stop, but the model or the person still hears.
fn blocked(event: HookEvent, stderr: &str) -> (Answer, HookEnd, String) {
    let why = cut(stderr.trim());
    let why = if why.is_empty() { "the hook gave no reason".to_owned() } else { why };
    match event {
        HookEvent::PreToolUse => {
            let say = Some(Say::Deny(why.clone()));
            (Answer { say, ..Answer::default() }, HookEnd::Blocked, why)
        }
        HookEvent::PostToolUse
        | HookEvent::PostToolUseFailure
        | HookEvent::UserPromptSubmit
        | HookEvent::Stop
        | HookEvent::SubagentStop
        | HookEvent::PreCompact => {
            let block = Some(why.clone());
            (Answer { block, ..Answer::default() }, HookEnd::Blocked, why)
        }
        HookEvent::PermissionRequest
        | HookEvent::SessionStart
        | HookEvent::SessionEnd
        | HookEvent::SubagentStart
        | HookEvent::PostCompact
        | HookEvent::Notification => (Answer::default(), HookEnd::Failed, why),
    }
}

/// Exit code 0: JSON, or words. Words count only where a hook is there to add some.
fn spoken(event: HookEvent, exchanged: &Exchanged) -> Result<Answer, String> {
    let text = exchanged.stdout.trim();
    if !text.starts_with('{') {
        let adds = matches!(event, HookEvent::UserPromptSubmit | HookEvent::SessionStart);
        let context = (adds && !text.is_empty()).then(|| cut(text));
        return Ok(Answer { context, ..Answer::default() });
    }
    if exchanged.cut {
        return Err("printed more than can be read".to_owned());
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("printed JSON that cannot be read: {error}"))?;
    object(event, &value)
}

fn object(event: HookEvent, value: &Value) -> Result<Answer, String> {
    let mut answer = Answer { message: text(value, "systemMessage")?, ..Answer::default() };
    match value.get("continue") {
        None | Some(Value::Null | Value::Bool(true)) => {}
        Some(Value::Bool(false)) => {
            let why = text(value, "stopReason")?;
            answer.stop = Some(why.unwrap_or_else(|| "it gave no reason".to_owned()));
        }
        Some(_) => return Err("printed a \"continue\" that is neither true nor false".to_owned()),
    }
    let reason = || -> Result<String, String> {
        Ok(text(value, "reason")?.unwrap_or_else(|| "the hook gave no reason".to_owned()))
    };
    match (text(value, "decision")?.as_deref(), event) {
        (None, _) => {}
        // What older hooks write.
        (Some("approve" | "allow"), HookEvent::PreToolUse) => answer.say = Some(Say::Allow),
        (Some("block" | "deny"), HookEvent::PreToolUse) => answer.say = Some(Say::Deny(reason()?)),
        (Some("block"), _) => answer.block = Some(reason()?),
        (Some("approve"), _) => {}
        (Some(other), _) => return Err(format!("printed the unknown decision {other:?}")),
    }
    let own = value.get("hookSpecificOutput").unwrap_or(&Value::Null);
    answer.context = text(own, "additionalContext")?.map(|context| cut(&context));
    let why = |field: &str| -> Result<String, String> {
        Ok(text(own, field)?.unwrap_or_else(|| "the hook gave no reason".to_owned()))
    };
    match event {
        HookEvent::PreToolUse => {
            match text(own, "permissionDecision")?.as_deref() {
                None | Some("defer") => {}
                Some("allow") => answer.say = Some(Say::Allow),
                Some("ask") => answer.say = Some(Say::Ask(why("permissionDecisionReason")?)),
                Some("deny") => answer.say = Some(Say::Deny(why("permissionDecisionReason")?)),
                Some(other) => return Err(format!("printed the unknown decision {other:?}")),
            }
            answer.input = input(own)?;
        }
        HookEvent::PermissionRequest => {
            let decision = own.get("decision").unwrap_or(&Value::Null);
            match text(decision, "behavior")?.as_deref() {
                None => {}
                Some("allow") if input(decision)?.is_some() => {
                    return Err("printed an input, which only PreToolUse may change".to_owned());
                }
                Some("allow") => answer.say = Some(Say::Allow),
                Some("deny") => {
                    let said = text(decision, "message")?;
                    answer.say =
                        Some(Say::Deny(said.unwrap_or_else(|| "the hook gave no reason".into())));
                }
                Some(other) => return Err(format!("printed the unknown behavior {other:?}")),
            }
        }
        _ => {}
    }
    Ok(answer)
}

fn input(of: &Value) -> Result<Option<Value>, String> {
    match of.get("updatedInput") {
        None | Some(Value::Null) => Ok(None),
        Some(input @ Value::Object(_)) => Ok(Some(input.clone())),
        Some(_) => Err("printed an \"updatedInput\" that is no object".to_owned()),
    }
}

fn text(of: &Value, field: &str) -> Result<Option<String>, String> {
    match of.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("printed a {field:?} that is not text")),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}\n[cut: the hook said more]", &text[..at]),
    }
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
        .chars()
        .take(LINE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(event: HookEvent, code: i32, stdout: &str, stderr: &str) -> (Answer, HookEnd, String) {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        read(event, &Exchanged { end: End::Exited(code), stdout, stderr, cut: false })
    }

    #[test]
    fn exit_codes() {
        let (answer, end, text) = said(HookEvent::PreToolUse, 2, "", "not here\n");
        assert_eq!(answer.say, Some(Say::Deny("not here".into())));
        assert_eq!((end, text.as_str()), (HookEnd::Blocked, "not here"));
        let (answer, end, _) = said(HookEvent::Stop, 2, "", "");
        assert_eq!((answer.block.is_some(), end), (true, HookEnd::Blocked));
        let (answer, end, text) = said(HookEvent::PreToolUse, 1, "", "oops\nmore");
        assert_eq!((answer, end), (Answer::default(), HookEnd::Failed));
        assert_eq!(text, "failed with exit code 1: oops");
    }

    #[test]
    fn decisions() {
        let own = |text: &str| format!("{{\"hookSpecificOutput\": {text}}}");
        let pre = |text: &str| said(HookEvent::PreToolUse, 0, &own(text), "");
        let (answer, end, _) = pre(
            "{\"permissionDecision\": \"allow\", \"updatedInput\": {\"command\": \"ls\"}, \"additionalContext\": \"c\"}",
        );
        assert_eq!((answer.say, end), (Some(Say::Allow), HookEnd::Decided));
        assert_eq!(answer.input, Some(serde_json::json!({"command": "ls"})));
        assert_eq!(answer.context.as_deref(), Some("c"));
        let (answer, _, _) =
            pre("{\"permissionDecision\": \"deny\", \"permissionDecisionReason\": \"r\"}");
        assert_eq!(answer.say, Some(Say::Deny("r".into())));
        let (answer, _, _) = said(
            HookEvent::PostToolUse,
            0,
            "{\"decision\": \"block\", \"reason\": \"tests fail\", \"continue\": false}",
            "",
        );
        assert_eq!(answer.block.as_deref(), Some("tests fail"));
        assert!(answer.stop.is_some());
        let asked = own("{\"decision\": {\"behavior\": \"deny\", \"message\": \"m\"}}");
        let (answer, _, _) = said(HookEvent::PermissionRequest, 0, &asked, "");
        assert_eq!(answer.say, Some(Say::Deny("m".into())));
    }

    #[test]
    fn words_count_where_they_are_wanted_and_nonsense_nowhere() {
        let (answer, _, _) = said(HookEvent::SessionStart, 0, "branch is red\n", "");
        assert_eq!(answer.context.as_deref(), Some("branch is red"));
        let (answer, end, _) = said(HookEvent::PreToolUse, 0, "all fine\n", "");
        assert_eq!((answer, end), (Answer::default(), HookEnd::Passed));
        for nonsense in [
            "{",
            "{\"continue\": 3}",
            "{\"decision\": \"perhaps\"}",
            "{\"hookSpecificOutput\": {\"permissionDecision\": 1}}",
            "{\"hookSpecificOutput\": {\"updatedInput\": \"x\"}}",
        ] {
            let (answer, end, _) = said(HookEvent::PreToolUse, 0, nonsense, "");
            assert_eq!((answer, end), (Answer::default(), HookEnd::Failed), "{nonsense}");
        }
        let long = "x".repeat(20_000);
        let (answer, _, _) = said(HookEvent::UserPromptSubmit, 0, &long, "");
        assert!(answer.context.unwrap().len() < 10_100);
    }
}
