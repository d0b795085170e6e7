//! Whether a matcher is for something. Pure.

/// Empty and `*` fit everything; names joined by `|` fit as a whole; anything else is a regular
/// expression, which fits where it is found.
pub fn fits(matcher: &str, about: &str) -> bool {
    if matcher.is_empty() || matcher == "*" {
        return true;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|' | ' ' | ':');
    if matcher.chars().all(plain) {
        return matcher.split('|').any(|name| name.trim() == about);
    }
    // The settings were checked with the same limit.
    let expression = regex::RegexBuilder::new(matcher).size_limit(1 << 20).build();
    expression.is_ok_and(|expression| expression.is_match(about))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn matchers() {
        for (matcher, about, fitting) in [
            ("", "Bash", true),
            ("*", "", true),
            ("Bash", "Bash", true),
            ("Bash", "BashOutput", false),
            ("Edit|Write", "Write", true),
            ("Edit | Write", "Write", true),
            ("Edit|Write", "NotebookEdit", false),
            ("Notebook.*", "NotebookEdit", true),
            ("mcp__.*__write.*", "mcp__fs__write_file", true),
            ("^(?!x)", "y", false),
        ] {
            assert_eq!(fits(matcher, about), fitting, "{matcher} {about}");
        }
    }
}
