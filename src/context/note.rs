//! Adds a line to an instruction file, for the person who wants something remembered.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Characters of a note.
const LONGEST: usize = 2_000;

/// Appends `text` as one item of a list. The file is made where there is none; nothing that stands
/// in it is written again. `within`: the file must really stand in this folder, so that a link in a
/// project cannot lead a note elsewhere. The error is a sentence for the person.
pub fn append(file: &Path, text: &str, within: &Path) -> Result<(), String> {
    let line = line(text).ok_or("There is nothing to note.")?;
    let shown = file.display();
    let why = |error: std::io::Error| format!("{shown} could not be written: {error}");
    let folder = file.parent().unwrap_or(within);
    std::fs::create_dir_all(folder).map_err(why)?;
    stands_within(file, folder, within)?;
    let mut open =
        OpenOptions::new().read(true).append(true).create(true).open(file).map_err(why)?;
    if !open.metadata().map_err(why)?.is_file() {
        return Err(format!("{shown} is not a file."));
    }
    let mut last = [b'\n'];
    if open.seek(SeekFrom::End(-1)).is_ok() {
        open.read_exact(&mut last).map_err(why)?;
    }
    let gap = if last == *b"\n" { "" } else { "\n" };
    // One write, so that two programs do not mix their lines.
    open.write_all(format!("{gap}- {line}\n").as_bytes()).map_err(why)
}

/// Takes the note back that was appended last. A file that has changed since stays as it is; one
/// that holds nothing else goes away.
pub fn take_back(file: &Path, text: &str, within: &Path) -> Result<(), String> {
    let item = format!("- {}\n", line(text).ok_or("There is nothing to take back.")?);
    let shown = file.display();
    let why = |error: std::io::Error| format!("{shown} could not be written: {error}");
    stands_within(file, file.parent().unwrap_or(within), within)?;
    let open = OpenOptions::new().read(true).write(true).open(file).map_err(why)?;
    let bytes = std::fs::read(file).map_err(why)?;
    let Some(rest) = bytes.strip_suffix(item.as_bytes()) else {
        return Err(format!("{shown} has changed since, so nothing is taken back."));
    };
    if rest.is_empty() {
        return std::fs::remove_file(file).map_err(why);
    }
    open.set_len(rest.len() as u64).map_err(why)
}

/// The note in one line.
fn line(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    (!line.is_empty()).then_some(line)
}

/// Of a file that is not there yet, the folder decides.
fn stands_within(file: &Path, folder: &Path, within: &Path) -> Result<(), String> {
    let shown = file.display();
    let why = |error: std::io::Error| format!("{shown} could not be written: {error}");
    let real = |path: &Path| std::fs::canonicalize(path).map_err(why);
    let stands = match file.symlink_metadata() {
        Ok(_) => real(file)?,
        Err(_) => real(folder)?,
    };
    if stands.starts_with(real(within)?) {
        return Ok(());
    }
    Err(format!("{shown} leads out of its folder, so nothing is noted there."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_lines_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub/AGENTS.md");
        append(&file, "  use tabs\n\u{1b}[31mnever\tspaces ", dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "- use tabs [31mnever spaces\n");
        std::fs::write(&file, "# Rules").unwrap();
        append(&file, "one", dir.path()).unwrap();
        append(&file, "two", dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "# Rules\n- one\n- two\n");
        append(&file, " \n ", dir.path()).unwrap_err();
    }

    #[test]
    fn a_note_is_taken_back_while_nothing_came_after_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("AGENTS.md");
        append(&file, "use  tabs", dir.path()).unwrap();
        take_back(&file, "use tabs", dir.path()).unwrap();
        assert!(!file.exists());
        std::fs::write(&file, "# Rules\n").unwrap();
        append(&file, "one", dir.path()).unwrap();
        take_back(&file, "two", dir.path()).unwrap_err();
        take_back(&file, "one", dir.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "# Rules\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_a_note_out_of_the_project() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        std::fs::create_dir(&project).unwrap();
        let target = dir.path().join("bashrc");
        std::fs::write(&target, "").unwrap();
        for link in ["AGENTS.md", "dangling.md"] {
            let to = if link == "AGENTS.md" { target.clone() } else { dir.path().join("none") };
            std::os::unix::fs::symlink(to, project.join(link)).unwrap();
            append(&project.join(link), "alias ls=rm", &project).unwrap_err();
        }
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "");
        assert!(!dir.path().join("none").exists());
    }
}
