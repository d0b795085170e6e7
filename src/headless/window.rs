//! What fills the model's window, as a text.

use crate::protocol::{Filler, Window};
use crate::text::clean::{Mode, clean};
use crate::view::tokens;

/// A source a line, the largest first, and below it each thing.
pub fn text(window: &Window) -> String {
    let share = |part: u64, of: u64| (part.saturating_mul(100) + of / 2) / of.max(1);
    let how = if window.exact { "counted by the server" } else { "estimated" };
    let mut text = match window.size {
        Some(size) => {
            let (used, all) = (tokens(window.tokens), tokens(size));
            format!("{used} of {all} tokens, {} %, {how}", share(window.tokens, size))
        }
        None => format!("{} tokens, {how}; window not known", tokens(window.tokens)),
    };
    if let Some(at) = window.compacts_at {
        text.push_str(&format!("; room is made at {}", tokens(at)));
    }
    let mut sources: Vec<(&Filler, u64)> = Vec::new();
    for item in &window.items {
        match sources.iter_mut().find(|(source, _)| **source == item.source) {
            Some((_, sum)) => *sum += item.tokens,
            None => sources.push((&item.source, item.tokens)),
        }
    }
    sources.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    for (source, sum) in sources {
        let part = share(sum, window.tokens);
        let name = source.name();
        text.push_str(&format!("\n{:>7}  {part:>3} %  {}", tokens(sum), clean(&name, Mode::Name)));
        for item in window.items.iter().filter(|item| item.source == *source) {
            let state = match (item.pinned, item.dropped) {
                (true, _) => "pinned: ",
                (false, true) => "dropped: ",
                (false, false) => "",
            };
            let name = clean(&item.name, Mode::Name);
            text.push_str(&format!("\n{:>7}           {state}{name}", tokens(item.tokens)));
        }
    }
    text
}
