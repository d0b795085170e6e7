//! How a command line becomes an argument list.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The arguments that run `command` in bash (else sh) and, when the shell ends by itself, write
/// its last directory to `last_dir`.
///
/// The command is handed over as one argument and evaluated, so what runs is exactly its text: no
/// quoting can break out, and comments, here-documents and `exit` work as in a script.
pub fn shell(command: &str, last_dir: Option<&Path>) -> Vec<OsString> {
    let program = find_shell();
    let Some(last_dir) = last_dir.and_then(Path::to_str) else {
        return vec![program.into(), "-c".into(), command.into()];
    };
    let report = format!("pwd -P >{} 2>/dev/null", shell_words::quote(last_dir));
    let script = format!("trap {} EXIT; eval 'shift;' \"$1\"", shell_words::quote(&report));
    vec![program.into(), "-c".into(), script.into(), "bash".into(), command.into()]
}

fn find_shell() -> PathBuf {
    ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/run/current-system/sw/bin/bash"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from("sh"))
}
