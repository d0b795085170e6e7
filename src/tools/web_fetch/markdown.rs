//! What a server sent, as text.

use std::collections::HashMap;
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8};
use htmd::{HtmlToMarkdown, Node};

use crate::tools::web_fetch::get::Got;

/// Levels of elements that are walked. Deeper pages are hostile or broken, and walking them would
/// take the stack.
const DEEPEST: usize = 250;

/// `None`: it is no text.
pub(super) fn text(got: &Got) -> Option<String> {
    let named = got.charset.as_deref().and_then(|name| Encoding::for_label(name.as_bytes()));
    let kind = got.kind.as_str();
    let looks_binary = named.is_none() && got.bytes.iter().take(4_096).any(|byte| *byte == 0);
    let is_text = kind.is_empty()
        || kind.starts_with("text/")
        || kind.ends_with("json")
        || kind.ends_with("xml")
        || kind.ends_with("javascript")
        || kind.ends_with("yaml")
        || kind.ends_with("toml");
    if !is_text || looks_binary {
        return None;
    }
    let (text, ..) = named.unwrap_or(UTF_8).decode(&got.bytes);
    let begins = text.trim_start().get(..15).unwrap_or_default().to_ascii_lowercase();
    let html = kind.contains("html")
        || (kind.is_empty()
            && (begins.starts_with("<!doctype html") || begins.starts_with("<html")));
    let mut text = if html { markdown(&text) } else { text.into_owned() };
    if got.cut {
        text.push_str("\n[the page is larger; the rest was not fetched]");
    }
    Some(text)
}

/// Elements that hold nothing, or that the next of their kind closes.
const FLAT: &[&str] = &[
    "area", "base", "br", "caption", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input",
    "li", "link", "meta", "optgroup", "option", "p", "rp", "rt", "source", "tbody", "td", "tfoot",
    "th", "thead", "tr", "track", "wbr",
];

fn markdown(html: &str) -> String {
    if nests_deeply(html) {
        return without_tags(html);
    }
    let skipped = vec!["script", "style", "noscript", "svg", "iframe", "template", "head", "nav"];
    let converter = HtmlToMarkdown::builder().skip_tags(skipped).build();
    match converter.html_to_tree(html) {
        Ok(tree) if depth(&tree) <= DEEPEST => converter.tree_to_markdown(&tree),
        Ok(_) | Err(_) => without_tags(html),
    }
}

/// Whether more elements may be open at once than are worth walking. Looked at before the page is
/// parsed, since a parser's work for each tag grows with what is open.
fn nests_deeply(html: &str) -> bool {
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut level = 0;
    let bytes = html.as_bytes();
    for at in memchr::memchr_iter(b'<', bytes) {
        let closes = bytes.get(at + 1) == Some(&b'/');
        let name = &bytes[(at + 1 + usize::from(closes)).min(bytes.len())..];
        let ends = name.iter().take(32).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let name = String::from_utf8_lossy(&name[..ends]).to_ascii_lowercase();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        if !closes {
            *count += 1;
            level += 1;
        } else if *count > 0 {
            *count -= 1;
            level -= 1;
        }
        if level > 2 * DEEPEST {
            return true;
        }
    }
    false
}

/// Not by recursion: the depth is what is in question.
fn depth(root: &Rc<Node>) -> usize {
    let mut deepest = 0;
    let mut open = vec![(Rc::clone(root), 0)];
    while let Some((node, level)) = open.pop() {
        deepest = deepest.max(level);
        open.extend(node.children.borrow().iter().map(|child| (Rc::clone(child), level + 1)));
    }
    deepest
}

/// The text between the tags, for pages that are no tree anybody could walk.
fn without_tags(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('>') else { return out };
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn got(kind: &str, charset: Option<&str>, bytes: &[u8]) -> Got {
        Got {
            kind: kind.to_owned(),
            charset: charset.map(str::to_owned),
            bytes: bytes.to_vec(),
            cut: false,
        }
    }

    #[test]
    fn pages_become_markdown() {
        let html = "<html><head><title>t</title><script>x()</script></head><body><h1>Title</h1>\
                    <p>A <a href=\"/b\">link</a> and <code>code</code>.</p><script>y()</script></body>";
        let text = text(&got("text/html", None, html.as_bytes())).unwrap();
        assert_eq!(text, "# Title\n\nA [link](/b) and `code`.");
    }

    #[test]
    fn other_text_stays_as_it_is_and_the_rest_is_refused() {
        assert_eq!(text(&got("application/json", None, b"{}")).as_deref(), Some("{}"));
        assert_eq!(text(&got("text/plain", Some("latin1"), b"\xe9")).as_deref(), Some("é"));
        assert_eq!(text(&got("image/png", None, b"\x89PNG")), None);
        assert_eq!(text(&got("text/plain", None, b"a\0b")), None);
    }

    #[test]
    fn a_page_of_endless_depth_does_no_harm() {
        let html = format!("{}deep", "<div>".repeat(200_000));
        let text = text(&got("text/html", None, html.as_bytes())).unwrap();
        assert_eq!(text.trim(), "deep");
    }
}
