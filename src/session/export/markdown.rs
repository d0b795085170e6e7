//! The Markdown form.

use crate::protocol::{Detail, LineKind};
use crate::session::export::{Call, Document, Item};

pub(super) fn page(document: &Document) -> String {
    let mut page = format!("# {}\n\n", document.title.replace('\n', " "));
    for (name, value) in &document.facts {
        page += &format!("- {name}: {}\n", code(value));
    }
    for item in &document.items {
        page.push('\n');
        match item {
            Item::Person(text) => page += &format!("## You\n\n{text}\n"),
            Item::Model(text) => page += &format!("{text}\n"),
            Item::Thought(text) => page += &quoted(text),
            Item::Call(call) => page += &call_block(call),
            Item::Summary(text) => page += &format!("## Summary of what came before\n\n{text}\n"),
            Item::Notice(text) => page += &quoted(text),
        }
    }
    page
}

fn call_block(call: &Call) -> String {
    let facts = call.result.as_ref().map(|result| result.facts.as_str()).unwrap_or_default();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({facts})") };
    let mut block = format!("**{}** {}{facts}\n\n", call.tool, code(&call.heading()));
    block += &fenced("", &call.input);
    if let Some(Detail::Diff { hunks, .. }) = call.result.as_ref().map(|result| &result.detail) {
        let mut diff = String::new();
        for hunk in hunks {
            diff += &format!("@@ -{} +{} @@\n", hunk.old_start, hunk.new_start);
            for line in &hunk.lines {
                diff.push(match line.kind {
                    LineKind::Context => ' ',
                    LineKind::Removed => '-',
                    LineKind::Added => '+',
                });
                diff += &line.text;
                diff.push('\n');
            }
        }
        block + &fenced("diff", &diff)
    } else {
        block + &fenced("", call.outcome())
    }
}

/// A fence longer than any inside.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

fn code(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mark = "`".repeat(longest_run(&line) + 1);
    if mark.len() > 1 { format!("{mark} {line} {mark}") } else { format!("{mark}{line}{mark}") }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}\n")).collect()
}
