//! The HTML form: one file, no script, nothing fetched. Every text is foreign and escaped; the
//! policy in the head would stop a script even if one got through.

use std::fmt::Write;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

use crate::protocol::{CallStatus, Detail, Hunk, HunkLine, LineKind};
use crate::session::export::{Call, Document, Item};

const STYLE: &str = include_str!("page.css");

pub(super) fn page(document: &Document) -> String {
    let title = escape(&document.title);
    let mut body = String::new();
    for item in &document.items {
        body += &match item {
            Item::Person(text) => section("person", &format!("<pre>{}</pre>", escape(text))),
            Item::Model(text) => section("model", &markdown(text)),
            Item::Thought(text) => details("thought", "thought", &plain(text)),
            Item::Call(call) => call_details(call),
            Item::Summary(text) => {
                details("summary", "summary of what came before", &markdown(text))
            }
            Item::Notice(text) => section("notice", &plain(text)),
        };
    }
    let facts: String = document
        .facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escape(value)))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1>{title}</h1><dl>{facts}</dl>\n{body}</body></html>\n"
    )
}

fn call_details(call: &Call) -> String {
    let (mark, facts) = match &call.result {
        None => ("?", "outcome unknown"),
        Some(result) => (mark(result.status), result.facts.as_str()),
    };
    let heading = format!("<b>{mark}</b> {} <i>{}</i>", escape(&call.heading()), escape(facts));
    let shown = match call.result.as_ref().map(|result| &result.detail) {
        Some(Detail::Diff { hunks, .. }) => diff(hunks),
        _ => format!("<pre>{}</pre><pre>{}</pre>", escape(&call.input), escape(call.outcome())),
    };
    format!("<details class=\"call\"><summary>{heading}</summary>{shown}</details>\n")
}

fn mark(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Done => "✓",
        CallStatus::Failed => "✗",
        CallStatus::Denied | CallStatus::Interrupted => "‖",
        CallStatus::Unknown => "?",
    }
}

fn diff(hunks: &[Hunk]) -> String {
    let mut rows = String::new();
    for hunk in hunks {
        let (mut old, mut new) = (hunk.old_start, hunk.new_start);
        let _ = writeln!(rows, "<span class=\"at\">@@ -{old} +{new} @@</span>");
        for line in &hunk.lines {
            let (class, sign, number) = match line.kind {
                LineKind::Context => ("same", ' ', new),
                LineKind::Removed => ("gone", '-', old),
                LineKind::Added => ("new", '+', new),
            };
            if line.kind != LineKind::Added {
                old = old.saturating_add(1);
            }
            if line.kind != LineKind::Removed {
                new = new.saturating_add(1);
            }
            let _ =
                writeln!(rows, "<span class=\"{class}\">{number:>5} {sign} {}</span>", words(line));
        }
    }
    format!("<pre class=\"diff\">{rows}</pre>")
}

/// The text of a line with its changed words marked.
fn words(line: &HunkLine) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (start, end) in &line.changed {
        let (start, end) = (*start as usize, *end as usize);
        // The ranges come from a file: one that does not fit the text marks nothing.
        let (Some(before), Some(word)) = (line.text.get(at..start), line.text.get(start..end))
        else {
            continue;
        };
        let _ = write!(out, "{}<mark>{}</mark>", escape(before), escape(word));
        at = end;
    }
    out + &escape(line.text.get(at..).unwrap_or_default())
}

/// Markdown in which HTML is text, images are links and links lead to the web or nowhere.
fn markdown(text: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: web_only(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: web_only(dest_url), title, id })
        }
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Link),
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

fn web_only(url: CowStr<'_>) -> CowStr<'_> {
    let lower = url.trim_start().to_ascii_lowercase();
    let allowed = ["https://", "http://", "mailto:", "#"].iter().any(|s| lower.starts_with(s));
    if allowed { url } else { CowStr::Borrowed("#") }
}

fn section(class: &str, html: &str) -> String {
    format!("<section class=\"{class}\">{html}</section>\n")
}

fn details(class: &str, heading: &str, html: &str) -> String {
    format!("<details class=\"{class}\"><summary>{heading}</summary>{html}</details>\n")
}

fn plain(text: &str) -> String {
    format!("<pre>{}</pre>", escape(text))
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            c => html.push(c),
        }
    }
    html
}
