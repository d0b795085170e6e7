//! Copying: through the terminal itself (OSC 52), which also works over SSH, and where the screen is
//! on this machine through the programs that its desktop has for it.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Terminals drop longer texts, some of them all of it.
const MOST: usize = 100_000;
/// A program that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// How this terminal can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// tmux stands between, and hands on only what is wrapped for it.
    pub tmux: bool,
    /// Programs that take the text on standard input, with their arguments; each is tried.
    pub programs: Vec<&'static [&'static str]>,
}

impl Ways {
    /// By the variables of the environment.
    pub fn of(var: impl Fn(&str) -> Option<String>) -> Ways {
        let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let tmux = set("TMUX");
        let mut programs: Vec<&'static [&'static str]> = Vec::new();
        if tmux {
            programs.push(&["tmux", "load-buffer", "-w", "-"]);
        }
        // Over SSH the desktop of this machine is somebody else's.
        if !set("SSH_CONNECTION") && !set("SSH_TTY") {
            if cfg!(target_os = "macos") {
                programs.push(&["pbcopy"]);
            } else if set("WAYLAND_DISPLAY") {
                programs.push(&["wl-copy"]);
            } else if set("DISPLAY") {
                programs.push(&["xclip", "-selection", "clipboard"]);
                programs.push(&["xsel", "--input", "--clipboard"]);
            }
            if set("WSL_DISTRO_NAME") {
                programs.push(&["clip.exe"]);
            }
        }
        Ways { tmux, programs }
    }
}

/// Copies at most [`MOST`] bytes; false where the text was longer.
pub fn copy(text: &str, ways: &Ways, terminal: &mut impl Write) -> io::Result<bool> {
    let end = (0..=text.len().min(MOST)).rev().find(|end| text.is_char_boundary(*end));
    let head = &text[..end.unwrap_or(0)];
    let sequence = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(head));
    if ways.tmux {
        // Every escape within is doubled. Where tmux does not pass it on, nothing happens.
        let wrapped = sequence.replace('\x1b', "\x1b\x1b");
        write!(terminal, "\x1bPtmux;{wrapped}\x1b\\")?;
    }
    terminal.write_all(sequence.as_bytes())?;
    terminal.flush()?;
    Ok(head.len() == text.len())
}

/// Gives all of the text to each program. One that is not there, or fails, is no loss: the
/// terminal has the text too.
pub fn hand_over(text: &str, programs: &[&[&str]]) {
    for program in programs {
        if let Err(error) = give(text, program) {
            tracing::debug!("{}: {error}", program.join(" "));
        }
    }
}

fn give(text: &str, program: &[&str]) -> io::Result<()> {
    let Some((name, arguments)) = program.split_first() else { return Ok(()) };
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // A program that does not read must not hold this thread: the text goes in on another.
    if let Some(mut stdin) = child.stdin.take() {
        let text = text.to_owned();
        std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
    let end = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_goes_to_the_terminal_and_through_tmux() {
        let copied = |text: &str, tmux| {
            let mut out = Vec::new();
            let whole = copy(text, &Ways { tmux, programs: Vec::new() }, &mut out).unwrap();
            (String::from_utf8(out).unwrap(), whole)
        };
        assert_eq!(copied("hé", false), ("\x1b]52;c;aMOp\x07".to_owned(), true));
        let (through, _) = copied("hé", true);
        assert_eq!(through, "\x1bPtmux;\x1b\x1b]52;c;aMOp\x07\x1b\\\x1b]52;c;aMOp\x07");
        assert!(!copied(&"é".repeat(MOST), false).1);
    }

    #[test]
    fn programs_are_those_of_the_desktop_in_front() {
        let ways = |set: &[&str]| {
            Ways::of(|name| set.contains(&name).then(|| "x".to_owned())).programs.concat()
        };
        if cfg!(target_os = "linux") {
            assert_eq!(ways(&["WAYLAND_DISPLAY", "DISPLAY"]), ["wl-copy"]);
            assert_eq!(ways(&["DISPLAY", "SSH_TTY"]), [""; 0]);
            assert_eq!(ways(&["TMUX", "SSH_TTY"]), ["tmux", "load-buffer", "-w", "-"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_gets_the_whole_text_and_one_that_hangs_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copied").display().to_string();
        let text = "long ".repeat(100_000);
        give(&text, &["sh", "-c", "cat > \"$0\"", &file]).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        let begun = Instant::now();
        give(&text, &["sleep", "60"]).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
