//! Colours for code, which come after the code is on the screen.
//!
//! Classifying code takes too long for a frame. What is drawn asks here, gets what is known and is
//! plain otherwise; the front end takes what is wanted, works it out elsewhere and puts it back.
//! Colours never change where a row breaks, so that nothing moves when they arrive.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use lru::LruCache;
use ratatui::style::Style;

use crate::highlight::{self, Runs, Tokens};
use crate::text::Piece;
use crate::view::links::Links;
use crate::view::theme::Theme;

/// Memory for what is known, in bytes; the longest unused goes first.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Texts known at once.
const MOST_TEXTS: usize = 4096;
/// Texts waiting to be worked out; the oldest are given up, since they left the screen first.
const MOST_WANTED: usize = 32;
/// Texts of late that a growing one may begin with.
const MOST_GROWING: usize = 4;

/// Names a code in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    fn of(lang: &str, code: &str) -> Key {
        let mut hasher = DefaultHasher::new();
        (lang, code).hash(&mut hasher);
        Key(hasher.finish())
    }
}

/// Code that has been drawn plain.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub key: Key,
    pub lang: String,
    pub code: String,
    /// The tokens of its beginning, where that has been worked out.
    pub after: Option<Arc<Tokens>>,
}

impl Wanted {
    /// Works the tokens out; empty where that cannot be done. Takes long: not for the drawing
    /// thread.
    pub fn work(&self) -> Arc<Tokens> {
        let before = self.after.as_deref().cloned().unwrap_or_default();
        Arc::new(highlight::tokens_after(&before, &self.lang, &self.code).unwrap_or_default())
    }
}

/// What is known of the codes on the screen, and what is wanted.
#[derive(Debug)]
pub struct Colours {
    /// Addresses of links in what is drawn with these colours.
    pub links: Links,
    known: LruCache<Key, Arc<Tokens>>,
    known_bytes: usize,
    wanted: Vec<Wanted>,
    /// Taken and not put yet: language and length in bytes.
    taken: HashMap<Key, (String, usize)>,
    growing: Vec<(Key, String, usize)>,
    generation: u64,
    misses: u64,
    asks: bool,
}

impl Default for Colours {
    fn default() -> Colours {
        Colours {
            links: Links::default(),
            known: LruCache::new(NonZeroUsize::MIN.saturating_add(MOST_TEXTS - 1)),
            known_bytes: 0,
            wanted: Vec::new(),
            taken: HashMap::new(),
            growing: Vec::new(),
            generation: 0,
            misses: 0,
            asks: true,
        }
    }
}

impl Colours {
    pub fn new() -> Colours {
        Colours::default()
    }

    /// The tokens of `code`, or of its beginning while it grows. What is missing is wanted from
    /// now on, once.
    pub fn get(&mut self, lang: &str, code: &str) -> Option<Arc<Tokens>> {
        if lang.is_empty() || code.is_empty() {
            return None;
        }
        let key = Key::of(lang, code);
        if let Some(tokens) = self.known.get(&key) {
            return Some(Arc::clone(tokens));
        }
        self.misses += 1;
        let after = self.beginning(lang, code);
        if self.asks && !self.taken.contains_key(&key) {
            self.want(Wanted { key, lang: lang.into(), code: code.into(), after: after.clone() });
        }
        after
    }

    /// The same while nothing becomes wanted: for rows that are only measured.
    pub fn without_asking<T>(&mut self, work: impl FnOnce(&mut Colours) -> T) -> T {
        let asked = std::mem::replace(&mut self.asks, false);
        let result = work(self);
        self.asks = asked;
        result
    }

    /// What to work out, newest last. It is not wanted again until it has been put.
    pub fn take_wanted(&mut self) -> Vec<Wanted> {
        let wanted = std::mem::take(&mut self.wanted);
        let taken = wanted.iter().map(|w| (w.key, (w.lang.clone(), w.code.len())));
        self.taken.extend(taken);
        wanted
    }

    /// The answer to what was taken; an empty one means that it stays plain.
    pub fn put(&mut self, key: Key, tokens: Arc<Tokens>) {
        if let Some((lang, len)) = self.taken.remove(&key) {
            self.growing.retain(|(known, ..)| *known != key);
            self.growing.push((key, lang, len));
            if self.growing.len() > MOST_GROWING {
                self.growing.remove(0);
            }
        }
        self.known_bytes += tokens.size();
        if let Some((_, old)) = self.known.push(key, tokens) {
            self.known_bytes -= old.size();
        }
        while self.known_bytes > MOST_BYTES && self.known.len() > 1 {
            let Some((_, old)) = self.known.pop_lru() else { break };
            self.known_bytes -= old.size();
        }
        self.generation += 1;
    }

    /// Changes with every answer: rows drawn while something was missing may now be better.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How often something was missing, or only its beginning known.
    pub fn misses(&self) -> u64 {
        self.misses
    }

    fn beginning(&mut self, lang: &str, code: &str) -> Option<Arc<Tokens>> {
        let key = self.growing.iter().rev().find_map(|(key, of, len)| {
            let start = code.get(..*len)?;
            (of == lang && Key::of(lang, start) == *key).then_some(*key)
        })?;
        self.known.get(&key).cloned()
    }

    fn want(&mut self, wanted: Wanted) {
        // A text that grew replaces what it was.
        self.wanted.retain(|old| old.lang != wanted.lang || !wanted.code.starts_with(&old.code));
        self.wanted.push(wanted);
        if self.wanted.len() > MOST_WANTED {
            self.wanted.remove(0);
        }
    }
}

/// A line cut into pieces by its tokens, over `base`.
pub fn pieces(line: &str, runs: Option<&Runs>, theme: &Theme, base: Style) -> Vec<Piece<Style>> {
    let mut pieces = Vec::new();
    let mut add = |range: Range<usize>, style: Style| {
        if let Some(text) = line.get(range).filter(|text| !text.is_empty()) {
            pieces.push(Piece::new(text, style));
        }
    };
    let plain = base.patch(theme.token(highlight::Class::Plain));
    let mut at = 0;
    for (range, class) in runs.into_iter().flatten() {
        let (start, end) = (range.start as usize, range.end as usize);
        // Tokens of a text that has changed since may not fit; the rest of the line is plain.
        if start < at || !line.is_char_boundary(start) || !line.is_char_boundary(end) {
            break;
        }
        add(at..start, plain);
        add(start..end, base.patch(theme.token(*class)));
        at = end;
    }
    add(at..line.len(), plain);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(colours: &mut Colours) -> usize {
        let wanted = colours.take_wanted();
        wanted.iter().for_each(|wanted| colours.put(wanted.key, wanted.work()));
        wanted.len()
    }

    #[test]
    fn what_is_missing_is_wanted_once() {
        let mut colours = Colours::new();
        assert_eq!(colours.get("rust", "fn a() {}"), None);
        assert_eq!(colours.get("rust", "fn a() {}"), None);
        let wanted = colours.take_wanted();
        assert_eq!(wanted.len(), 1);
        assert_eq!(colours.get("rust", "fn a() {}"), None);
        assert_eq!(colours.take_wanted(), []);
        colours.put(wanted[0].key, wanted[0].work());
        assert_eq!(colours.get("rust", "fn a() {}"), Some(wanted[0].work()));
        assert_eq!(colours.take_wanted(), []);
    }

    #[test]
    fn a_growing_text_keeps_its_colours_and_is_asked_for_once() {
        let mut colours = Colours::new();
        let code = "fn a() {}\nfn b() {}\n";
        colours.get("rust", &code[..10]);
        assert_eq!(answer(&mut colours), 1);
        let start = colours.get("rust", code).expect("the beginning is known");
        assert_eq!(start.lines.len(), 1);
        colours.get("rust", "fn a() {}\nfn b() {}\nfn");
        let wanted = colours.take_wanted();
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].after, Some(start));
        assert_eq!(wanted[0].work().lines.len(), 3);
    }

    #[test]
    fn measuring_asks_for_nothing() {
        let mut colours = Colours::new();
        colours.without_asking(|colours| colours.get("rust", "fn"));
        assert_eq!(colours.take_wanted(), []);
        assert_eq!(colours.misses(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut colours = Colours::new();
        for index in 0..200 {
            let code = format!("fn f{index}() {{ let x = 1; }}\n").repeat(400);
            colours.get("rust", &code);
            let wanted = colours.take_wanted();
            let lines = vec![vec![(0..1, highlight::Class::Keyword); 40]; 400];
            colours.put(wanted[0].key, Arc::new(Tokens::from(lines)));
            assert!(colours.known_bytes <= MOST_BYTES + 400 * 600);
        }
        assert!(colours.known.len() < 200);
    }

    #[test]
    fn tokens_that_do_not_fit_do_no_harm() {
        let theme = Theme::named("dark").expect("dark");
        let base = Style::new();
        let text = |runs: &Runs| {
            let pieces = pieces("aé", Some(runs), &theme, base);
            pieces.into_iter().map(|piece| piece.text).collect::<String>()
        };
        for runs in [
            vec![],
            vec![(0..1, highlight::Class::Number)],
            vec![(0..2, highlight::Class::Number)],
            vec![(2..90, highlight::Class::Number)],
            vec![(1..3, highlight::Class::Number), (0..1, highlight::Class::Number)],
        ] {
            assert_eq!(text(&runs), "aé", "{runs:?}");
        }
    }
}
