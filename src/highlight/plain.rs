//! Patterns of grammars in which the classes of letters are small ones.
//!
//! `\w` and `\p{L}` name some hundred thousand characters, and each compiled pattern that holds
//! one takes up to half a megabyte; a grammar has hundreds. That every character beyond ASCII is a
//! letter is nearly the same for a name in a program, at a tenth of the memory.
//!
//! Where capitals count, those of Latin, Greek and Cyrillic do.
//!
//! Used where the program is built: `build.rs` has the grammars rewritten and packed.

/// What is beyond ASCII.
const BEYOND: &str = r"\x{80}-\x{10FFFF}";
const BLANKS: &str = r" \t\n\r\x0B\x0C";

/// `pattern` with small classes. Whatever is not known stays as it is.
pub fn plain(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern.chars();
    let mut depth = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, depth > 0, &mut out),
            // `[:alpha:]` within a class.
            '[' if depth > 0 && rest.as_str().starts_with(':') => {
                out.push('[');
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => {
                depth += 1;
                out.push('[');
                if rest.as_str().starts_with('^') {
                    out.extend(rest.next());
                }
                // First in its class it is itself.
                if rest.as_str().starts_with(']') {
                    out.push('\\');
                    out.extend(rest.next());
                }
            }
            ']' => {
                depth = depth.saturating_sub(1);
                out.push(']');
            }
            c => out.push(c),
        }
    }
    out
}

/// What follows a backslash.
fn escape(rest: &mut std::str::Chars<'_>, in_class: bool, out: &mut String) {
    let Some(c) = rest.next() else { return out.push('\\') };
    let class = match c {
        'w' => Some(format!("0-9A-Za-z_{BEYOND}")),
        'd' => Some("0-9".to_owned()),
        's' => Some(BLANKS.to_owned()),
        'W' if !in_class => Some(format!("^0-9A-Za-z_{BEYOND}")),
        'D' if !in_class => Some("^0-9".to_owned()),
        'S' if !in_class => Some(format!("^{BLANKS}")),
        'p' => property(rest),
        _ => None,
    };
    match class {
        Some(class) if in_class => out.push_str(&class),
        Some(class) => out.extend(["[", &class, "]"]),
        None => out.extend(['\\', c]),
    }
}

/// The rest of `\p{..}`, taken only where it is known.
fn property(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let (name, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
    let class = match name {
        "L" => format!("A-Za-z{BEYOND}"),
        "Lu" => r"A-Z\x{C0}-\x{D6}\x{D8}-\x{DE}\x{391}-\x{3A9}\x{410}-\x{42F}".to_owned(),
        "Ll" => r"a-z\x{DF}-\x{F6}\x{F8}-\x{FF}\x{3B1}-\x{3C9}\x{430}-\x{44F}".to_owned(),
        "N" | "Nd" => "0-9".to_owned(),
        _ => return None,
    };
    *rest = after.chars();
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_small_and_the_rest_stays() {
        for (pattern, wanted) in [
            (r"\w+\b", r"[0-9A-Za-z_\x{80}-\x{10FFFF}]+\b"),
            (r"[\p{L}_-]", r"[A-Za-z\x{80}-\x{10FFFF}_-]"),
            (r"\p{S}\p{Nd}", r"\p{S}[0-9]"),
            (r"[^\d.]\D[\D]", r"[^0-9.][^0-9][\D]"),
            (r"\\w[\]\\d]", r"\\w[\]\\d]"),
            (r"[]a][^]b]x]", r"[\]a][^\]b]x]"),
            (r"[[:alpha:]\w]", r"[[:alpha:]0-9A-Za-z_\x{80}-\x{10FFFF}]"),
            (r"(?x: \s # blanks", r"(?x: [ \t\n\r\x0B\x0C] # blanks"),
            (r"\p{", r"\p{"),
            ("\\", "\\"),
        ] {
            assert_eq!(plain(pattern), wanted, "{pattern}");
        }
    }
}
