//! Commands that show one file: they count as having read it, so that an edit that follows is not
//! refused for a look that was had.

use std::path::{Path, PathBuf};

use crate::process::{End, Ended};
use crate::tools::seen::Extent;
use crate::tools::{ToolCtx, disk, lock};

/// Notes the file that `command` showed in full view of the model, if it was such a command.
pub(super) fn note(command: &str, cwd: &Path, ended: &Ended, ctx: &ToolCtx) {
    if ended.end != End::Exited(0) || ended.output.omitted > 0 {
        return;
    }
    let Some(path) = shown_file(command).map(|path| cwd.join(path)) else { return };
    let Ok(real) = path.canonicalize() else { return };
    // Through the same door as an edit, which refuses devices and what is too large.
    let Ok(found) = disk::find(&real, &real.display().to_string()) else { return };
    let Some(old) = found.old else { return };
    let mut seen = lock(&ctx.session.seen);
    if !seen.stands(&real, &old.hash) {
        seen.note(real, old.hash, Extent::Part);
    }
}

/// The one file that a lone command without any shell syntax prints from.
fn shown_file(command: &str) -> Option<PathBuf> {
    if command
        .contains(['|', '&', ';', '<', '>', '$', '`', '(', ')', '{', '}', '*', '?', '~', '\n'])
    {
        return None;
    }
    let words = shell_words::split(command).ok()?;
    let (program, rest) = words.split_first()?;
    let operands: Vec<&String> = rest.iter().filter(|word| !word.starts_with('-')).collect();
    let file = match (program.as_str(), operands.as_slice()) {
        ("cat" | "nl", [file]) => file,
        // The number of lines may stand apart: `head -n 20 file`.
        ("head" | "tail", [file]) => file,
        ("head" | "tail", [number, file]) if number.parse::<u64>().is_ok() => file,
        ("sed", [_script, file]) if rest.iter().any(|word| word == "-n") => file,
        ("grep" | "rg", [_pattern, file]) => file,
        _ => return None,
    };
    Some(PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_looks_at_one_file_count() {
        for (command, expected) in [
            ("cat a.rs", Some("a.rs")),
            ("cat -A 'a b.rs'", Some("a b.rs")),
            ("head -n 20 a", Some("a")),
            ("tail -20 a", Some("a")),
            ("sed -n 1,20p a", Some("a")),
            ("grep -n fn a", Some("a")),
            ("sed s/a/b/ a", None),
            ("sed -i s/a/b/ a", None),
            ("cat a b", None),
            ("cat a | head", None),
            ("cat a > b", None),
            ("cat $F", None),
            ("rm a", None),
            ("cat 'a", None),
            ("", None),
        ] {
            assert_eq!(shown_file(command), expected.map(PathBuf::from), "{command}");
        }
    }
}
