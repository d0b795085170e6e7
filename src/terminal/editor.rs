//! The person's own editor, for the prompt and for files.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Opens `text` in `editor` and gives what was saved. The terminal must have been given back.
/// The error is one sentence for a person.
pub fn edit(editor: &str, text: &str) -> Result<String, String> {
    let words = shell_words::split(editor).ok().filter(|words| !words.is_empty());
    let Some(words) = words else {
        return Err(format!("$EDITOR is not a command: {editor}"));
    };
    let mut file = tempfile::Builder::new()
        .prefix("tern-prompt-")
        .suffix(".md")
        .tempfile()
        .map_err(|error| format!("no file for the editor: {error}"))?;
    file.write_all(text.as_bytes()).map_err(|error| format!("no file for the editor: {error}"))?;
    let status = Command::new(&words[0])
        .args(&words[1..])
        .arg(file.path())
        .status()
        .map_err(|error| format!("{} did not start: {error}", words[0]))?;
    if !status.success() {
        return Err(format!("{} ended with {status}; the prompt is as it was", words[0]));
    }
    // Editors often write a new file in place of the old one, so the path is read, not the handle.
    std::fs::read_to_string(file.path())
        .map_err(|error| format!("what was written cannot be read: {error}"))
}

/// Opens a file at a line. The terminal must have been given back. The error is one sentence for a
/// person.
pub fn open(editor: &str, path: &Path, line: usize) -> Result<(), String> {
    let words = shell_words::split(editor).ok().filter(|words| !words.is_empty());
    let Some(words) = words else {
        return Err(format!("$EDITOR is not a command: {editor}"));
    };
    let status = Command::new(&words[0])
        .args(&words[1..])
        .args(at_line(&words[0], path, line))
        .status()
        .map_err(|error| format!("{} did not start: {error}", words[0]))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{} ended with {status}", words[0])),
    }
}

/// How an editor is told the line; one that is not known gets the path alone.
fn at_line(program: &str, path: &Path, line: usize) -> Vec<OsString> {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let joined = || {
        let mut joined = path.as_os_str().to_owned();
        joined.push(format!(":{line}"));
        joined
    };
    match &*name {
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "emacsclient" | "kak" | "micro" | "joe" => {
            vec![format!("+{line}").into(), path.into()]
        }
        "hx" | "helix" | "subl" | "zed" => vec![joined()],
        "code" | "codium" | "cursor" => vec!["--goto".into(), joined()],
        _ => vec![path.into()],
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_the_editor_saves_comes_back() {
        assert_eq!(edit("sed -i s/a/b/", "banana\n"), Ok("bbnana\n".to_owned()));
        assert_eq!(edit("true", "as it was"), Ok("as it was".to_owned()));
        for (editor, told) in [
            ("false", "the prompt is as it was"),
            ("no-such-editor-here", "did not start"),
            ("'", "is not a command"),
            ("", "is not a command"),
        ] {
            let error = edit(editor, "x").unwrap_err();
            assert!(error.contains(told), "{editor}: {error}");
        }
    }

    #[test]
    fn each_editor_is_told_the_line_in_its_own_way() {
        for (editor, told) in [
            ("/usr/bin/nvim", &["+7", "a b.rs"][..]),
            ("hx", &["a b.rs:7"]),
            ("code", &["--goto", "a b.rs:7"]),
            ("unknown", &["a b.rs"]),
        ] {
            assert_eq!(at_line(editor, Path::new("a b.rs"), 7), told, "{editor}");
        }
        assert_eq!(open("true", Path::new("x"), 1), Ok(()));
        assert!(open("false", Path::new("x"), 1).is_err());
    }
}
