//! The profile for macOS. Nobody has run it there: it follows the documentation, and is called
//! untested wherever it is named.
#![cfg(any(target_os = "macos", test))]

use std::ffi::OsString;
use std::path::PathBuf;

use crate::process::sandbox::layout::Layout;

pub(super) const PROGRAM: &str = "/usr/bin/sandbox-exec";

/// Paths go in as parameters, so none can end a string of the profile.
pub(super) fn argv(argv: &[OsString], layout: &Layout, network: bool) -> Vec<OsString> {
    let mut profile = String::from("(version 1)\n(allow default)\n(deny file-write*)\n");
    profile += "(allow file-write* (literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/tty\"))\n";
    let mut parameters: Vec<OsString> = Vec::new();
    let mut rule = |verb: &str, filter: &str, path: &PathBuf| {
        let name = format!("P{}", parameters.len() / 2);
        let mut value = OsString::from(format!("{name}="));
        value.push(path);
        parameters.extend(["-D".into(), value]);
        profile += &format!("({verb} ({filter} (param \"{name}\")))\n");
    };
    // The last rule that fits counts.
    for path in &layout.writable {
        rule("allow file-write*", "subpath", path);
    }
    for path in layout.read_only.iter().chain(&layout.absent) {
        rule("deny file-write*", "subpath", path);
    }
    for path in layout.writable.iter().filter(|path| layout.is_writable(path)) {
        // Again those that lie inside a protected one.
        if layout.read_only.iter().any(|above| path.starts_with(above)) {
            rule("allow file-write*", "subpath", path);
        }
    }
    for path in &layout.pinned {
        rule("deny file-write-unlink", "literal", path);
    }
    for path in &layout.hidden {
        rule("deny file-read*", "subpath", path);
    }
    if !network {
        profile += "(deny network*)\n";
    }
    let mut words: Vec<OsString> = vec![PROGRAM.into(), "-p".into(), profile.into()];
    words.extend(parameters);
    words.push("--".into());
    words.extend(argv.iter().cloned());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_names_no_path() {
        let hostile = PathBuf::from("/p/\") (allow default) (\"");
        let layout = Layout {
            writable: ["/p".into()].into(),
            read_only: [hostile.clone()].into(),
            ..Layout::default()
        };
        let words = argv(&["-c".into()], &layout, false);
        let profile = "(version 1)\n(allow default)\n(deny file-write*)\n\
            (allow file-write* (literal \"/dev/null\") (literal \"/dev/zero\") (literal \"/dev/tty\"))\n\
            (allow file-write* (subpath (param \"P0\")))\n\
            (deny file-write* (subpath (param \"P1\")))\n\
            (deny network*)\n";
        let mut value = OsString::from("P1=");
        value.push(&hostile);
        let expected: Vec<OsString> = vec![
            PROGRAM.into(),
            "-p".into(),
            profile.into(),
            "-D".into(),
            "P0=/p".into(),
            "-D".into(),
            value,
            "--".into(),
            "-c".into(),
        ];
        assert_eq!(words, expected);
    }
}
