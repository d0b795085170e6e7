//! Links of the text that the terminal can open (OSC 8).
//!
//! A cell carries the number of its link as its underline colour, which no theme uses: so links are
//! wrapped, kept, moved and compared with the text they belong to. The number names the address
//! here; it is never used for another one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Style};
use url::Url;

/// Addresses known in one session; further ones are plain text.
const MOST: usize = 50_000;
/// Terminals drop longer ones.
const LONGEST: usize = 2_000;

#[derive(Debug, Default)]
pub struct Links {
    /// By number, which follows from the address: what is drawn anew gets the same.
    addresses: HashMap<u32, Arc<str>>,
}

impl Links {
    /// The style that makes text a link to this address; none where it is not safe to open.
    pub fn style(&mut self, address: &str) -> Style {
        let Some(address) = safe(address) else { return Style::new() };
        let number = number(&address);
        match self.addresses.get(&number) {
            // Whoever came first keeps the number: a link never leads elsewhere.
            Some(known) if **known != address => return Style::new(),
            Some(_) => {}
            None if self.addresses.len() >= MOST => return Style::new(),
            None => drop(self.addresses.insert(number, address.into())),
        }
        let [_, high, middle, low] = number.to_be_bytes();
        Style::new().underline_color(Color::Rgb(high, middle, low))
    }

    /// The address that the cell is a link to.
    pub fn address(&self, cell: &Cell) -> Option<&str> {
        let Color::Rgb(high, middle, low) = cell.underline_color else { return None };
        let number = u32::from_be_bytes([0, high, middle, low]);
        self.addresses.get(&number).map(|address| &**address)
    }
}

/// 24 bits, as a colour has.
fn number(address: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    address.hash(&mut hasher);
    let [high, middle, low, ..] = hasher.finish().to_be_bytes();
    u32::from_be_bytes([0, high, middle, low])
}

/// The address as it may stand in an escape sequence: only ASCII that is visible, only pages of the
/// web, no name or password before the host.
fn safe(address: &str) -> Option<String> {
    let url = Url::parse(address.trim()).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let bare = url.username().is_empty() && url.password().is_none();
    let text = String::from(url);
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (web && bare && visible && text.len() <= LONGEST).then_some(text)
}

/// The address as a person is shown it: a host in letters that look like others is spelled out
/// (`xn--...`).
pub fn shown(address: &str) -> Cow<'_, str> {
    match Url::parse(address) {
        Ok(url) if url.domain().is_some_and(|host| !address.contains(host)) => {
            if address.is_ascii() { Cow::Borrowed(address) } else { Cow::Owned(url.into()) }
        }
        _ => Cow::Borrowed(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_become_links() {
        let mut links = Links::default();
        let mut opens = |address: &str| {
            let mut cell = Cell::new("x");
            cell.set_style(links.style(address));
            links.address(&cell).map(str::to_owned)
        };
        for (address, wanted) in [
            ("https://docs.rs/a?b=c#d", Some("https://docs.rs/a?b=c#d")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080/")),
            ("https://x.org/a b\u{1b}]8;;evil", Some("https://x.org/a%20b%1B]8;;evil")),
            ("https://раypal.com/", Some("https://xn--ypal-43d9g.com/")),
            ("javascript:alert(1)", None),
            ("file:///etc/passwd", None),
            ("https://google.com@evil.org/", None),
            ("src/parser.rs", None),
        ] {
            assert_eq!(opens(address).as_deref(), wanted, "{address}");
        }
        assert_eq!(opens("https://docs.rs/a?b=c#d").as_deref(), Some("https://docs.rs/a?b=c#d"));
        assert_eq!(links.addresses.len(), 4);
    }

    #[test]
    fn a_host_of_look_alikes_is_spelled_out() {
        assert_eq!(shown("https://раypal.com/x"), "https://xn--ypal-43d9g.com/x");
        for plain in ["https://docs.rs/a", "HTTPS://Docs.RS", "a.md", "https://x.org/ä"] {
            assert_eq!(shown(plain), plain);
        }
    }
}
