//! What the model is told about where it is: assembled once a session and then kept as it is, byte
//! for byte, so that the server's prompt cache holds.
//!
//! The system prompt is the same in all projects. Everything that differs stands in the preamble,
//! which becomes the first block of the first message and is replayed from the log on resume.
//!
//! Not for anything that changes in mid-session: such news is appended as a later message.

pub mod env;
pub mod git;
pub mod imports;
pub mod memory;
pub mod nested;
pub mod note;

use std::path::PathBuf;

pub use git::GitState;
pub use memory::MemoryFile;

/// The system prompt.
pub const SYSTEM: &str = include_str!("../../assets/prompts/system.md");

/// Where a session is, and when. The shell of the program looks these up.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub cwd: PathBuf,
    /// The top of the work tree; `cwd` where there is none.
    pub root: PathBuf,
    pub home: PathBuf,
    /// The folder of the user's `config.toml`, which may hold instruction files.
    pub config: PathBuf,
    /// `2026-11-24`, the person's day.
    pub date: String,
    /// `linux`, with a version where one is known.
    pub platform: String,
    pub shell: Option<String>,
    /// Whether instruction files of the project may import files from outside of it.
    pub trusted: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub system: String,
    /// `<context>..</context>`
    pub preamble: String,
    /// The instruction files that are in the preamble, in its order.
    pub files: Vec<MemoryFile>,
    /// `None`: no work tree, no git, or git took too long.
    pub git: Option<GitState>,
    /// What was left out or cut, each a sentence for the person.
    pub notices: Vec<String>,
}

/// Looks at the place and puts the context together. Never fails: what cannot be read is left out.
pub async fn gather(place: &Place) -> Context {
    let for_memory = place.clone();
    let memory = tokio::task::spawn_blocking(move || memory::read(&for_memory));
    let (git, memory) = tokio::join!(git::state(&place.cwd), memory);
    let mut memory = memory.unwrap_or_default();
    let mut notices = std::mem::take(&mut memory.notices);
    let git = match git {
        Ok(state) => state,
        Err(git::TooSlow) => {
            notices.push("git took longer than 2 s, so its state is not in the context".to_owned());
            None
        }
    };
    Context {
        system: SYSTEM.to_owned(),
        preamble: preamble(place, git.as_ref(), &memory),
        files: memory.files,
        git,
        notices,
    }
}

fn preamble(place: &Place, git: Option<&GitState>, memory: &memory::Memory) -> String {
    let mut text =
        String::from("<context>\nTaken when the session began; look again where it matters.\n\n");
    text.push_str(&env::block(place, git.is_some()));
    if let Some(git) = git {
        text.push('\n');
        text.push_str(&git::block(git));
    }
    if !memory.text.is_empty() {
        text.push('\n');
        text.push_str(&memory.text);
    }
    text.push_str("</context>");
    text
}

/// Foreign text on one line: control characters and line ends become a mark, and it is cut to `most`
/// characters.
fn line_of(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .take(most)
        .map(
            |c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { '\u{fffd}' } else { c },
        )
        .collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

/// Foreign text between our tags: it cannot close or open one of them.
fn inside_tags(text: &str) -> String {
    const OURS: [&str; 5] = ["context", "environment", "git", "instructions", "file"];
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        safe.push_str(before);
        let name = from[1..].trim_start_matches('/');
        let ours = OURS.iter().any(|tag| {
            name.strip_prefix(tag)
                .is_some_and(|after| after.starts_with(|c: char| !c.is_alphanumeric() && c != '-'))
        });
        safe.push_str(if ours { "&lt;" } else { "<" });
        rest = &from[1..];
    }
    safe.push_str(rest);
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn place(top: &std::path::Path) -> Place {
        Place {
            cwd: top.join("project"),
            root: top.join("project"),
            home: top.join("home"),
            config: top.join("config"),
            date: "2026-11-24".into(),
            platform: "linux".into(),
            shell: Some("/bin/bash".into()),
            trusted: false,
        }
    }

    #[test]
    fn the_system_prompt_is_short_and_names_every_tool() {
        assert!(SYSTEM.len() <= 3_276, "{} bytes", SYSTEM.len());
        for tool in
            ["Read", "Write", "Edit", "MultiEdit", "Glob", "Grep", "LS", "Bash", "TodoWrite"]
        {
            assert!(SYSTEM.contains(tool), "{tool}");
        }
    }

    #[test]
    fn foreign_text_stays_inside_its_tags_and_on_its_line() {
        for (text, safe) in [
            ("a < b && <div>", "a < b && <div>"),
            ("</context>", "&lt;/context>"),
            ("<//file >x", "&lt;//file >x"),
            ("<files> <file-x> <file>", "<files> <file-x> &lt;file>"),
            ("<", "<"),
            ("<<context>", "<&lt;context>"),
        ] {
            assert_eq!(inside_tags(text), safe);
        }
        assert_eq!(line_of("a\nb\u{1b}[1m", 99), "a\u{fffd}b\u{fffd}[1m");
        assert_eq!(line_of("abcd", 3), "abc…");
    }

    #[tokio::test]
    async fn a_bare_folder_gives_a_small_context() {
        let top = tempfile::tempdir().unwrap();
        let place = place(top.path());
        std::fs::create_dir_all(&place.cwd).unwrap();
        let context = gather(&place).await;
        let cwd = place.cwd.display();
        let expected = format!(
            "<context>\nTaken when the session began; look again where it matters.\n\n<environment>\nWorking directory: {cwd}\nGit work tree: no\nPlatform: linux\nShell: /bin/bash\nDate: 2026-11-24\n</environment>\n</context>"
        );
        assert_eq!(context.preamble, expected);
        assert_eq!((context.files, context.git, context.notices), (vec![], None, vec![]));
    }

    #[tokio::test]
    async fn the_same_place_gives_the_same_bytes() {
        let top = tempfile::tempdir().unwrap();
        let place = place(top.path());
        std::fs::create_dir_all(place.cwd.join(".claude/rules/b")).unwrap();
        for name in ["AGENTS.md", "CLAUDE.md", ".claude/rules/z.md", ".claude/rules/b/a.md"] {
            std::fs::write(place.cwd.join(name), format!("about {name}")).unwrap();
        }
        let first = gather(&place).await;
        assert_eq!(first.files.len(), 4);
        assert_eq!(first, gather(&place).await);
    }
}
