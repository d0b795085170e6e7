//! One key press, as written in the configuration and as the terminal reports it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in one normal form: a shifted letter is the capital letter without
/// `shift`, a back-tab is `shift+tab`, letters with ctrl are small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

/// Names in the configuration. The first name of a code is the one that is shown.
const NAMES: [(&str, KeyCode); 20] = [
    ("enter", KeyCode::Enter),
    ("return", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("escape", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("del", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("plus", KeyCode::Char('+')),
    ("null", KeyCode::Null),
];

impl Key {
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Key {
        let known = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut key = Key { code, modifiers: modifiers & known };
        match key.code {
            KeyCode::BackTab => {
                key.code = KeyCode::Tab;
                key.modifiers |= KeyModifiers::SHIFT;
            }
            KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => {
                key.code = KeyCode::Char(c.to_ascii_lowercase());
            }
            KeyCode::Char(c) => {
                if key.modifiers.contains(KeyModifiers::SHIFT) && c.is_lowercase() {
                    key.code = KeyCode::Char(c.to_uppercase().next().unwrap_or(c));
                }
                key.modifiers -= KeyModifiers::SHIFT;
            }
            _ => {}
        }
        key
    }

    pub fn plain(code: KeyCode) -> Key {
        Key::new(code, KeyModifiers::NONE)
    }

    /// The text that the key would type.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Reads `ctrl+x`, `alt+enter`, `G`, `?`, `f1`. `None`: there is no such key.
    pub fn parse(text: &str) -> Option<Key> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('+').filter(|(_, tail)| !tail.is_empty()) {
            modifiers |= match head.to_ascii_lowercase().as_str() {
                "ctrl" | "control" | "c" => KeyModifiers::CONTROL,
                "alt" | "option" | "meta" | "a" => KeyModifiers::ALT,
                "shift" | "s" => KeyModifiers::SHIFT,
                _ => return None,
            };
            rest = tail;
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(c), None) => KeyCode::Char(c),
            (Some('f' | 'F'), Some(_)) if rest[1..].parse::<u8>().is_ok() => {
                KeyCode::F(rest[1..].parse().ok().filter(|n| (1..=24).contains(n))?)
            }
            _ => NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest))?.1,
        };
        Some(Key::new(code, modifiers))
    }

    /// `ctrl+x ctrl+e` as two keys.
    pub fn parse_all(text: &str) -> Option<Vec<Key>> {
        let keys: Option<Vec<Key>> = text.split_whitespace().map(Key::parse).collect();
        keys.filter(|keys| !keys.is_empty())
    }

    /// `hello<enter><ctrl+x>c`, as it would be typed. `None`: a name in brackets is no key.
    pub fn script(text: &str) -> Option<Vec<Key>> {
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            match name {
                Some((name, after)) => {
                    keys.push(Key::parse(name)?);
                    rest = after;
                }
                None => {
                    keys.push(Key::plain(KeyCode::Char(c)));
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        Some(keys)
    }
}

impl From<Key> for KeyEvent {
    fn from(key: Key) -> KeyEvent {
        KeyEvent::new(key.code, key.modifiers)
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Key {
        Key::new(event.code, event.modifiers)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (modifier, name) in [
            (KeyModifiers::CONTROL, "ctrl+"),
            (KeyModifiers::ALT, "alt+"),
            (KeyModifiers::SHIFT, "shift+"),
        ] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "f{n}"),
            (None, code) => write!(f, "{code:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written_in_one_form() {
        for (written, shown) in [
            ("enter", "enter"),
            ("Return", "enter"),
            ("ctrl+x", "ctrl+x"),
            ("Control+X", "ctrl+x"),
            ("shift+g", "G"),
            ("G", "G"),
            ("shift+tab", "shift+tab"),
            ("alt+enter", "alt+enter"),
            ("ctrl+alt+left", "ctrl+alt+left"),
            ("+", "plus"),
            ("ctrl++", "ctrl+plus"),
            ("f12", "f12"),
            ("f", "f"),
            ("?", "?"),
            ("é", "é"),
        ] {
            assert_eq!(Key::parse(written).map(|key| key.to_string()).as_deref(), Some(shown));
        }
        for wrong in ["", "hyper+x", "f0", "f99", "entr", "ctrl+nosuch"] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_terminals_forms_are_made_one() {
        let shift = KeyModifiers::SHIFT;
        for (code, modifiers, text) in [
            (KeyCode::BackTab, KeyModifiers::NONE, "shift+tab"),
            (KeyCode::BackTab, shift, "shift+tab"),
            (KeyCode::Char('G'), shift, "G"),
            (KeyCode::Char('g'), shift, "G"),
            (KeyCode::Char('?'), shift, "?"),
            (KeyCode::Char('E'), KeyModifiers::CONTROL, "ctrl+e"),
        ] {
            assert_eq!(Key::new(code, modifiers).to_string(), text);
        }
    }
}
