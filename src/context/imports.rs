//! `@path` in an instruction file: which paths it names. Reading them is done elsewhere.

/// The paths, as written, in order, each once. Code blocks, code spans and HTML comments name none.
pub fn named(text: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let first = trimmed.chars().next();
        let mark: String = trimmed.chars().take_while(|c| Some(*c) == first).collect();
        let is_fence = mark.len() >= 3 && (mark.starts_with('`') || mark.starts_with('~'));
        match &fence {
            Some(open) => {
                if is_fence && mark.starts_with(open.as_str()) && trimmed.trim() == mark {
                    fence = None;
                }
            }
            None if is_fence => fence = Some(mark),
            None => {
                for path in of_line(line) {
                    if !paths.contains(&path) {
                        paths.push(path);
                    }
                }
            }
        }
    }
    paths
}

fn of_line(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    // Every second piece between backticks is code; an odd last one is not closed, so it is text.
    let pieces: Vec<&str> = line.split('`').collect();
    let closed = pieces.len() % 2 == 1;
    for (at, piece) in pieces.iter().enumerate() {
        if at % 2 == 1 && (closed || at + 1 < pieces.len()) {
            continue;
        }
        for word in piece.split_whitespace() {
            let word = word.trim_start_matches(['(', '[', '"', '\'', '*', '_']);
            let Some(path) = word.strip_prefix('@') else { continue };
            let path = path
                .trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '*', '_']);
            if path.contains(['/', '.']) && !path.starts_with('@') {
                paths.push(path.to_owned());
            }
        }
    }
    paths
}

/// The text without HTML comments that stand on lines of their own: they are for people. Those in
/// code blocks stay, and so does one that is never closed.
pub fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut in_code = false;
    let mut may_close = true;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_code = !in_code;
        }
        if in_code || !may_close || !trimmed.starts_with("<!--") {
            kept.push_str(line);
            continue;
        }
        // The comment ends with the line on which it closes, if nothing follows there.
        let mut ahead = lines.clone();
        let closes = |line: &str| line.trim().ends_with("-->");
        if closes(line) {
            continue;
        }
        if ahead.by_ref().any(closes) {
            lines = ahead;
        } else {
            // None closes from here on, so the rest need not be searched again.
            may_close = false;
            kept.push_str(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_outside_code_only() {
        for (text, paths) in [
            ("See @docs/style.md.", vec!["docs/style.md"]),
            ("@a.md and (@~/b.md), @./c", vec!["a.md", "~/b.md", "./c"]),
            ("- **@README.md**\n- @README.md", vec!["README.md"]),
            ("mail me@example.com or @someone", vec![]),
            ("`@a.md` but @b.md", vec!["b.md"]),
            ("an open ` tick @b.md", vec!["b.md"]),
            ("```\n@a.md\n```\n@b.md", vec!["b.md"]),
            ("~~~~\n~~~\n@a.md\n~~~~\n@b.md", vec!["b.md"]),
            ("@@x/y @", vec![]),
        ] {
            assert_eq!(named(text), paths, "{text:?}");
        }
    }

    #[test]
    fn comments_for_people_are_left_out() {
        for (text, kept) in [
            ("a\n<!-- note -->\nb", "a\nb"),
            ("a\n<!-- two\nlines -->\nb", "a\nb"),
            ("a <!-- inline --> b", "a <!-- inline --> b"),
            ("<!-- open\nb\n", "<!-- open\nb\n"),
            ("```\n<!-- code -->\n```\n", "```\n<!-- code -->\n```\n"),
        ] {
            assert_eq!(without_comments(text), kept, "{text:?}");
        }
    }
}
