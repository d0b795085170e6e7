//! One line for several calls that only looked at something.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::Model;
use crate::app::calls::{Call, CallState};
use crate::app::transcript::Entry;
use crate::protocol::CallStatus;
use crate::text::{clip, width};
use crate::view::entry::call_mark;
use crate::view::marks::Marks;
use crate::view::theme::Theme;
use crate::view::words;

/// `Read 4 more files, searched 2 times     parser.rs, lexer.rs, "fn next"`; while one of them
/// runs, what it does.
pub fn line(entries: &[Entry], columns: usize, theme: &Theme) -> Line<'static> {
    let running = entries.iter().filter_map(Entry::call).rfind(|call| call.is_running());
    let (words, facts) = match running {
        Some(call) => (doing(call), progress(entries)),
        None => (done(entries), names(entries)),
    };
    let words = clip::end(&words, columns).into_owned();
    let room = columns.saturating_sub(width(&words) + 2);
    let facts = clip::end(&facts, room).into_owned();
    let pad = columns.saturating_sub(width(&words) + width(&facts));
    Line::from(vec![
        Span::styled(words, theme.text),
        Span::raw(" ".repeat(pad)),
        Span::styled(facts, theme.faint),
    ])
}

/// The mark of the call that matters most: one that asks, one that runs, then how they ended.
pub fn mark(
    model: &Model,
    entries: &[Entry],
    theme: &Theme,
    marks: &Marks,
) -> (&'static str, Style) {
    let call = entries.iter().filter_map(Entry::call).max_by_key(|call| weight(call));
    call.map_or(("", theme.text), |call| call_mark(model, call, theme, marks))
}

fn weight(call: &Call) -> u8 {
    match &call.state {
        CallState::Asked => 5,
        CallState::Running => 4,
        CallState::Queued => 3,
        CallState::Ended(result) => match result.status {
            CallStatus::Interrupted | CallStatus::Unknown => 2,
            CallStatus::Done => 1,
            // What failed among others is told in words.
            CallStatus::Failed | CallStatus::Denied => 0,
        },
    }
}

fn doing(call: &Call) -> String {
    format!("{} {}", call.verb(), call.title.object.replace('\n', " "))
}

fn progress(entries: &[Entry]) -> String {
    let ended = entries.iter().filter_map(Entry::call).filter(|call| !call.is_running()).count();
    format!("{ended} of {}", entries.len())
}

fn done(entries: &[Entry]) -> String {
    let (mut read, mut searched, mut listed) = (0, 0, 0);
    for call in entries.iter().filter_map(Entry::call) {
        match call.tool.as_str() {
            "Read" => read += 1,
            "LS" => listed += 1,
            _ => searched += 1,
        }
    }
    let times = |n| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let parts = [
        (read > 0).then(|| format!("read {}", words::count(read, "more file", "more files"))),
        (searched > 0).then(|| format!("searched {}", times(searched))),
        (listed > 0).then(|| format!("listed {}", words::count(listed, "folder", "folders"))),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Names of files, and what was searched for; those that failed are counted first.
fn names(entries: &[Entry]) -> String {
    let calls = || entries.iter().filter_map(Entry::call);
    let failed = calls().filter(|call| call.status() != Some(CallStatus::Done)).count();
    let failed = (failed > 0).then(|| format!("{failed} failed"));
    let name = |call: &Call| {
        let object = call.title.object.replace('\n', " ");
        match call.tool.as_str() {
            "Read" | "LS" => object.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => object,
        }
    };
    failed.into_iter().chain(calls().map(name)).collect::<Vec<_>>().join(", ")
}
