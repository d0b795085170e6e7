//! Old and new text that a model wrote with one level of escapes too many: `\n` for a line end,
//! `\"` for a quote.

/// Both texts with one level taken off; `None` where that is not certainly what was meant.
///
/// The old text must spell its line ends as escapes throughout, or have none, and the new text may
/// hold no kind of escape that the old one does not: it could be meant as it stands.
pub(super) fn taken_off(old: &str, new: &str) -> Option<(String, String)> {
    let (plain_old, kinds) = unescape(old)?;
    let (plain_new, of_new) = unescape(new)?;
    let breaks = |kinds: &[char], text: &str| kinds.contains(&'n') && text.contains('\n');
    if kinds.is_empty()
        || breaks(&kinds, old)
        || breaks(&of_new, new)
        || of_new.iter().any(|kind| !kinds.contains(kind))
        || (kinds.contains(&'n') && new.contains('\n'))
    {
        return None;
    }
    Some((plain_old, plain_new))
}

/// The text, and the kinds of escapes that it held. `None`: one that is not known.
fn unescape(text: &str) -> Option<(String, Vec<char>)> {
    let mut out = String::with_capacity(text.len());
    let mut kinds = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let kind = chars.next()?;
        out.push(match kind {
            'n' => '\n',
            't' => '\t',
            '"' | '\'' | '\\' | '/' => kind,
            _ => return None,
        });
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Some((out, kinds))
}
