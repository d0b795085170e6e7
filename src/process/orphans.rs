//! What is left when tern itself is killed: a shell that waits for tern's end and then kills what
//! tern's session had started.
//!
//! A signal at the parent's death would be less, but it means the thread that forked, reaches only
//! the first process, and not what that one started.

use std::io::{PipeWriter, pipe};
use std::process::{Command, Stdio};

use crate::process::Mark;

/// Held as long as tern lives. The system closes it however tern ends, and the watcher reads that.
#[derive(Debug)]
pub(super) struct Watcher {
    _line: PipeWriter,
}

/// Reads until the end of its input, then kills every process whose environment carries the name,
/// again until none is left.
const SCRIPT: &str = r#"
cat >/dev/null
for round in 1 2 3 4 5; do
  left=
  for file in /proc/[0-9]*/environ; do
    if tr '\0' '\n' <"$file" 2>/dev/null | grep -q "^TERN_RUN=$1"; then
      pid=${file#/proc/}; kill -9 "${pid%/environ}" 2>/dev/null; left=1
    fi
  done
  [ -z "$left" ] && exit 0
done
"#;

/// `None` where it cannot be had: commands then outlive a tern that is killed.
#[cfg(target_os = "linux")]
pub(super) fn watch(mark: &Mark) -> Option<Watcher> {
    use std::os::unix::process::CommandExt;
    let (reader, writer) = pipe().ok()?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "tern-watch", &mark.prefix()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::from(reader))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Not in the group that Ctrl+C or a closed terminal reaches.
        .process_group(0);
    let mut child = command.spawn().ok()?;
    // Its end is tern's end or close to it; a thread that waits for it leaves no zombie before.
    std::thread::Builder::new().name("orphan watch".into()).spawn(move || child.wait()).ok()?;
    Some(Watcher { _line: writer })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn watch(_mark: &Mark) -> Option<Watcher> {
    None
}
