//! The folder name of a project's logs.

use std::path::Path;

use crate::session::blobs::hash;

/// Characters of the readable part.
const READABLE: usize = 60;

/// The path with everything but ASCII letters and digits as `-`, its end where it is long, and the
/// start of the path's hash, as `/a-b` and `/a/b` are two projects.
pub fn of(project: &Path) -> String {
    let path = project.to_string_lossy();
    let readable: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let tail = &readable[readable.len().saturating_sub(READABLE)..];
    let tail = tail.trim_matches('-');
    let hash = &hash(project.as_os_str().as_encoded_bytes())[..8];
    if tail.is_empty() { format!("root-{hash}") } else { format!("{tail}-{hash}") }
}

/// The first words of a title, as part of a file's name.
pub fn words(title: &str) -> String {
    let lower = title.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.take(6).map(|word| &word[..word.len().min(20)]).collect();
    if words.is_empty() { "session".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_title_can_be_a_file_name() {
        for (title, wanted) in [
            ("Fix the parser's panic on empty input, now!", "fix-the-parser-s-panic-on"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本語", "session"),
            ("", "session"),
        ] {
            assert_eq!(words(title), wanted);
        }
    }

    #[test]
    fn slugs_are_readable_and_distinct() {
        assert_eq!(of(Path::new("/home/me/my proj")), "home-me-my-proj-2e6cab42");
        assert_ne!(of(Path::new("/a-b")), of(Path::new("/a/b")));
        assert!(of(Path::new("/")).starts_with("root-"));
        let long = of(Path::new(&format!("/{}/été/../x", "deep/".repeat(200))));
        assert!(long.len() <= READABLE + 9 && long.is_ascii(), "{long}");
    }
}
