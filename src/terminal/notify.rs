//! Telling a person who looks elsewhere, in the way that their terminal knows, and by the bell.

use std::collections::BTreeMap;
use std::io::{self, Write};

/// The escape sequence for a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// OSC 9: iTerm2, WezTerm, ghostty, Windows Terminal.
    #[default]
    Nine,
    /// OSC 99: kitty.
    NinetyNine,
    /// OSC 777: urxvt, foot, terminals on VTE.
    SevenSevenSeven,
    /// The bell only: the console, tmux and screen, which pass nothing else on.
    Bell,
}

impl Form {
    pub fn of(vars: &BTreeMap<String, String>) -> Form {
        let var = |name: &str| vars.get(name).map_or("", String::as_str);
        let term = var("TERM");
        if term == "linux" || !var("TMUX").is_empty() || !var("STY").is_empty() {
            Form::Bell
        } else if term.contains("kitty") || !var("KITTY_WINDOW_ID").is_empty() {
            Form::NinetyNine
        } else if ["rxvt", "foot"].iter().any(|name| term.starts_with(name))
            || !var("VTE_VERSION").is_empty()
        {
            Form::SevenSevenSeven
        } else {
            Form::Nine
        }
    }
}

/// `text` must be clean: it stands within an escape sequence.
pub fn notify(text: &str, form: Form, terminal: &mut impl Write) -> io::Result<()> {
    match form {
        Form::Nine => write!(terminal, "\x1b]9;{text}\x07")?,
        Form::NinetyNine => write!(terminal, "\x1b]99;;{text}\x1b\\")?,
        Form::SevenSevenSeven => write!(terminal, "\x1b]777;notify;tern;{text}\x07")?,
        Form::Bell => {}
    }
    terminal.write_all(b"\x07")?;
    terminal.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_terminal_is_told_in_its_own_way() {
        let form = |vars: &[(&str, &str)]| {
            Form::of(&vars.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        assert_eq!(form(&[("TERM", "xterm-256color")]), Form::Nine);
        assert_eq!(form(&[("TERM", "xterm-kitty")]), Form::NinetyNine);
        assert_eq!(form(&[("TERM", "foot")]), Form::SevenSevenSeven);
        assert_eq!(
            form(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")]),
            Form::SevenSevenSeven
        );
        assert_eq!(form(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")]), Form::Bell);
        let mut bytes = Vec::new();
        notify("done", Form::Bell, &mut bytes).unwrap();
        assert_eq!(bytes, b"\x07");
    }
}
