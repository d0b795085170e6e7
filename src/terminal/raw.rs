//! The terminal's modes: taken at the start, given back at the end, also after a panic.

use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
    KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, execute, queue};

use crate::terminal::Form;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    pub mouse: bool,
    pub form: Form,
}

/// Buttons, wheel and moves while a button is held: reports of every move would wake an idle
/// program.
struct EnableButtons;
struct DisableButtons;

impl Command for EnableButtons {
    fn write_ansi(&self, f: &mut impl std::fmt::Write) -> std::fmt::Result {
        f.write_str("\x1b[?1002h\x1b[?1006h")
    }

    #[cfg(windows)]
    fn execute_winapi(&self) -> io::Result<()> {
        crossterm::event::EnableMouseCapture.execute_winapi()
    }
}

impl Command for DisableButtons {
    fn write_ansi(&self, f: &mut impl std::fmt::Write) -> std::fmt::Result {
        f.write_str("\x1b[?1006l\x1b[?1002l")
    }

    #[cfg(windows)]
    fn execute_winapi(&self) -> io::Result<()> {
        crossterm::event::DisableMouseCapture.execute_winapi()
    }
}

/// The title goes onto the terminal's stack of titles and comes back from it (XTWINOPS 22 and 23).
const SAVE_TITLE: &[u8] = b"\x1b[22;0t";
const RESTORE_TITLE: &[u8] = b"\x1b[23;0t";

/// Holds the terminal. Dropping it gives the terminal back, once.
#[derive(Debug)]
pub struct Guard {
    modes: Modes,
    /// Shared with the panic hook, so that only one of them restores.
    held: Arc<Held>,
}

/// What was taken and is to be given back.
#[derive(Debug, Default)]
struct Held {
    modes: AtomicBool,
    /// The alternate screen is shown.
    alternate: AtomicBool,
}

impl Guard {
    pub fn enter(modes: Modes) -> io::Result<Guard> {
        let guard = Guard { modes, held: Arc::default() };
        guard.restore_on_panic();
        guard.take()?;
        Ok(guard)
    }

    /// Takes the terminal again, after [`Guard::give_back`].
    pub fn take(&self) -> io::Result<()> {
        if self.modes.form == Form::Lines {
            return Ok(());
        }
        enable_raw_mode()?;
        self.held.modes.store(true, Ordering::SeqCst);
        if self.modes.form == Form::Screen {
            self.alternate(true)?;
        }
        let mut out = io::stdout().lock();
        queue!(out, EnableBracketedPaste, EnableFocusChange)?;
        // What has scrolled away is the terminal's own, and so are wheel and selection.
        if self.modes.mouse && self.modes.form == Form::Screen {
            queue!(out, EnableButtons)?;
        }
        // Not asked for first: terminals that do not know it ignore it, and asking costs a wait.
        let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES;
        queue!(out, PushKeyboardEnhancementFlags(flags))?;
        out.write_all(SAVE_TITLE)?;
        out.flush()
    }

    /// Shows the alternate screen, or the main one; false where it is shown already.
    pub fn alternate(&self, wanted: bool) -> io::Result<bool> {
        if self.held.alternate.swap(wanted, Ordering::SeqCst) == wanted {
            return Ok(false);
        }
        let mut out = io::stdout();
        match wanted {
            true => execute!(out, EnterAlternateScreen)?,
            false => execute!(out, LeaveAlternateScreen)?,
        }
        Ok(true)
    }

    pub fn give_back(&self) {
        give_back(&self.held);
    }

    /// A panic of this thread ends the program: the terminal comes first, then the message. A
    /// panic elsewhere becomes a failed call, and must not draw over the screen.
    fn restore_on_panic(&self) {
        let held = Arc::clone(&self.held);
        let screen = thread::current().id();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == screen {
                give_back(&held);
                before(info);
            } else if held.modes.load(Ordering::SeqCst) {
                tracing::error!("{info}");
            } else {
                before(info);
            }
        }));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn give_back(held: &Held) {
    if !held.modes.swap(false, Ordering::SeqCst) {
        return;
    }
    // Nothing can be done about a terminal that is gone.
    let _ = io::stdout().write_all(RESTORE_TITLE);
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        PopKeyboardEnhancementFlags,
        DisableButtons,
        DisableFocusChange,
        DisableBracketedPaste,
    );
    // Where there was no other screen, what stands below the cursor is no longer true.
    let _ = match held.alternate.swap(false, Ordering::SeqCst) {
        true => execute!(io::stdout(), LeaveAlternateScreen, Show),
        false => execute!(io::stdout(), Print("\r"), Clear(ClearType::FromCursorDown), Show),
    };
    let _ = disable_raw_mode();
}
