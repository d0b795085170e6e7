//! Tool calls, as the transcript shows them.

use serde_json::Value;

use crate::app::clean;
use crate::protocol::{CallId, CallResult, CallStatus, Detail, Title};

/// Bytes of live output that are kept; the result brings the whole later.
const TAIL: usize = 32 * 1024;

/// Bytes of the newest line that are shown beside a call.
const LINE: usize = 1_024;

/// Characters of one value of the input that are kept.
const INPUT: usize = 4_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub id: CallId,
    pub tool: String,
    pub title: Title,
    /// The verb as an order: "Run", "Read". For what has not begun, and what was not done.
    order: String,
    /// What the model asked for: names and values.
    pub input: Vec<(String, String)>,
    pub state: CallState,
    pub open: bool,
    /// Its changes were taken back.
    pub undone: bool,
    pub output: Output,
}

#[derive(Debug, Clone, PartialEq)]
pub enum CallState {
    Queued,
    Running,
    /// Waits for the person's answer.
    Asked,
    Ended(CallResult),
}

/// Names and values of an input, each cut to what is shown.
fn pairs(input: &Value) -> Vec<(String, String)> {
    let pair = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let short: String = text.chars().take(INPUT).collect();
        (clean::line(name), clean::exact(&short))
    };
    input.as_object().into_iter().flatten().map(pair).collect()
}

/// The newest output of a running call, as it came; [`Output::shown`] is what may be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    tail: String,
    /// Lines that came before the tail.
    pub gone: usize,
}

impl Call {
    pub fn new(id: CallId, tool: &str, title: &Title, state: CallState) -> Call {
        let title = clean::title(title);
        Call {
            id,
            tool: clean::line(tool),
            order: order(&title.doing),
            title,
            input: Vec::new(),
            state,
            open: false,
            undone: false,
            output: Output::default(),
        }
    }

    #[must_use]
    pub fn with_input(mut self, input: &Value) -> Call {
        self.input = pairs(input);
        self
    }

    /// What runs is not what was queued.
    pub fn change(&mut self, title: &Title, input: &Value) {
        self.title = clean::title(title);
        self.input = pairs(input);
    }

    /// One value of what the model asked for.
    pub fn input(&self, name: &str) -> Option<&str> {
        let found = self.input.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The file that it is about, and the line from 1.
    pub fn place(&self) -> Option<(String, usize)> {
        let (changed, first) = match &self.state {
            CallState::Ended(CallResult { detail: Detail::Diff { path, hunks, .. }, .. }) => {
                (Some(path.clone()), hunks.first().map(|hunk| hunk.new_start as usize))
            }
            _ => (None, None),
        };
        let path = self.input("file_path").map(str::to_owned).or(changed)?;
        let offset = self.input("offset").and_then(|offset| offset.parse().ok());
        Some((path, first.or(offset).unwrap_or(1).max(1)))
    }

    pub fn is_running(&self) -> bool {
        !matches!(self.state, CallState::Ended(_))
    }

    pub fn status(&self) -> Option<CallStatus> {
        match &self.state {
            CallState::Ended(result) => Some(result.status),
            _ => None,
        }
    }

    /// The verb that fits: "Reading" while it runs, "Read" afterwards, "Run" where it waits or was
    /// not done. A command that failed did run, whatever it said.
    pub fn verb(&self) -> &str {
        let verb = match &self.state {
            CallState::Running => &self.title.doing,
            CallState::Queued | CallState::Asked => &self.order,
            CallState::Ended(result) => match result.status {
                CallStatus::Done => &self.title.done,
                CallStatus::Failed if matches!(result.detail, Detail::Command { .. }) => {
                    &self.title.done
                }
                CallStatus::Failed
                | CallStatus::Denied
                | CallStatus::Interrupted
                | CallStatus::Unknown => &self.order,
            },
        };
        if verb.is_empty() { &self.tool } else { verb }
    }

    /// What it gave; empty while it runs.
    pub fn text(&self) -> &str {
        match &self.state {
            CallState::Ended(result) => &result.text,
            _ => "",
        }
    }

    pub fn facts(&self) -> &str {
        match &self.state {
            CallState::Ended(result) => &result.facts,
            _ => "",
        }
    }

    pub fn end(&mut self, result: CallResult) {
        let detail = match result.detail {
            Detail::Diff { path, hunks, added, removed, new_file } => {
                Detail::Diff { path: clean::line(&path), hunks, added, removed, new_file }
            }
            Detail::Todos { todos } => Detail::Todos { todos: clean::todos(todos) },
            other => other,
        };
        self.state = CallState::Ended(CallResult {
            text: clean::output(&result.text),
            facts: clean::line(&result.facts),
            detail,
            ..result
        });
        self.output = Output::default();
    }
}

impl Output {
    /// Lines that can be drawn: of each, what its last carriage return left.
    pub fn shown(&self) -> String {
        clean::output(&self.tail)
    }

    /// The newest line that says something; empty: there is none.
    pub fn last_line(&self) -> String {
        let line = self.tail.trim_end().rsplit('\n').next().unwrap_or_default();
        let start = line.len().saturating_sub(LINE);
        clean::output(&line[ceil_boundary(line, start)..]).trim().to_owned()
    }

    /// Something that says only how far it has come.
    pub fn replace(&mut self, text: &str) {
        self.tail.clear();
        self.gone = 0;
        self.tail.push_str(text);
    }

    pub fn push(&mut self, text: &str) {
        self.tail.push_str(text);
        if self.tail.len() < 2 * TAIL {
            return;
        }
        let cut = self.tail.len() - TAIL;
        let cut = self.tail.as_bytes()[cut..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or_else(|| ceil_boundary(&self.tail, cut), |n| cut + n + 1);
        self.gone += self.tail[..cut].matches('\n').count();
        self.tail.drain(..cut);
    }
}

/// "Run" from "Running". Verbs that lose or double a letter are few enough to be listed.
fn order(doing: &str) -> String {
    let listed = [
        ("Changing", "Change"),
        ("Delegating", "Delegate"),
        ("Getting", "Get"),
        ("Making", "Make"),
        ("Moving", "Move"),
        ("Planning", "Plan"),
        ("Running", "Run"),
        ("Stopping", "Stop"),
        ("Updating", "Update"),
        ("Using", "Use"),
        ("Writing", "Write"),
    ];
    let (verb, rest) = doing.split_at(doing.find(' ').unwrap_or(doing.len()));
    let order = match listed.iter().find(|(known, _)| *known == verb) {
        Some((_, order)) => order,
        None => verb.strip_suffix("ing").filter(|stem| stem.len() > 2).unwrap_or(verb),
    };
    format!("{order}{rest}")
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_says_whether_it_was_done() {
        let title = Title::new("Running", "Ran", "make");
        let mut call = Call::new(CallId("1".to_owned()), "Bash", &title, CallState::Queued);
        let mut told = vec![call.verb().to_owned()];
        call.state = CallState::Running;
        told.push(call.verb().to_owned());
        let command = || Detail::Command { code: Some(1), duration_ms: 1, spilled: None };
        for (status, detail) in [
            (CallStatus::Done, command()),
            (CallStatus::Failed, command()),
            (CallStatus::Failed, Detail::Text),
            (CallStatus::Denied, Detail::Text),
        ] {
            call.end(CallResult { status, text: String::new(), facts: String::new(), detail });
            told.push(call.verb().to_owned());
        }
        assert_eq!(told, ["Run", "Running", "Ran", "Ran", "Run", "Run"]);
        let orders = ["Editing", "Fetching", "Loading skills", "Using", "Sing", ""].map(order);
        assert_eq!(orders, ["Edit", "Fetch", "Load skills", "Use", "Sing", ""]);
    }

    #[test]
    fn live_output_is_bounded_and_counts_what_is_gone() {
        let mut output = Output::default();
        for n in 0..20_000 {
            output.push(&format!("line {n}\n"));
        }
        assert!(output.tail.len() < 2 * TAIL);
        let first: usize = output.tail.lines().next().unwrap()[5..].parse().unwrap();
        assert_eq!(first, output.gone);
        assert!(output.tail.ends_with("line 19999\n"));

        let mut one_line = Output::default();
        for _ in 0..10 {
            one_line.push(&"é".repeat(TAIL / 2));
        }
        assert!(one_line.tail.len() <= 2 * TAIL);
    }
}
