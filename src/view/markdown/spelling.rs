//! Hides definitions of links (`[label]: url`) from the parser.
//!
//! A definition acts on text before it that may have been drawn long ago, vanishes itself, and
//! changes how the line after it is read. As plain text it does none of this. The colon is put
//! back when the parsed text is drawn.

use std::borrow::Cow;

/// Stands for the colon; clean text does not have it.
const HIDDEN: char = '\u{1}';

/// The text, of the same length, without definitions; those of footnotes stay.
pub(super) fn without_definitions(text: &str) -> Cow<'_, str> {
    if !text.contains("]:") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let label = line.trim_start().strip_prefix("[^").and_then(|rest| rest.split("]:").next());
        match label.is_some_and(|label| !label.contains(char::is_whitespace)) {
            true => out.push_str(line),
            false => out.push_str(&line.replace("]:", "]\u{1}")),
        }
    }
    Cow::Owned(out)
}

/// Whether a text begins with a hidden definition: those keep to lines of their own.
pub(super) fn is_definition(text: &str) -> bool {
    let line = text.lines().next().unwrap_or("");
    line.trim_start().starts_with('[') && line.contains("]\u{1}")
}

/// The text as it was written.
pub(super) fn restored(text: &str) -> Cow<'_, str> {
    match text.contains(HIDDEN) {
        true => Cow::Owned(text.replace(HIDDEN, ":")),
        false => Cow::Borrowed(text),
    }
}
