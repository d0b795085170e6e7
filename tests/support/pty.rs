//! The real binary in a pseudo-terminal: keys go in, the screen is read, and at the end the
//! terminal must be as it was found.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::tern::Tern;

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(30);

pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

impl Pty {
    /// tern with these arguments, in the home and project of `tern`.
    pub fn start(tern: &Tern, args: &[&str], (columns, rows): (u16, u16)) -> Pty {
        Pty::with(tern, args, &[], (columns, rows))
    }

    /// The same with more environment variables.
    pub fn with(
        tern: &Tern,
        args: &[&str],
        vars: &[(&str, &str)],
        (cols, rows): (u16, u16),
    ) -> Pty {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tern"));
        command.args(args);
        command.cwd(tern.project());
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", tern.dir.path());
        command.env("TERN_HOME", tern.home());
        command.env("TERM", "xterm-256color");
        for (name, value) in vars {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let screen = parser(rows, cols);
        Pty { child, master: pair.master, keys, output, screen, bytes: Vec::new() }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads until the screen holds the text.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    /// Reads until these bytes have come at some time.
    pub fn wait_for_bytes(&mut self, bytes: &str) {
        let start = Instant::now();
        while !String::from_utf8_lossy(&self.bytes).contains(bytes) {
            assert!(start.elapsed() < LIMIT, "no {bytes:?}");
            self.read(Duration::from_millis(50));
        }
    }

    /// Reads what comes within a moment.
    pub fn wait_a_moment(&mut self) {
        self.read(Duration::from_millis(300));
    }

    /// Everything that has come so far.
    pub fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// What the corner of the screen stands on.
    pub fn background(&self) -> vt100::Color {
        self.screen.screen().cell(0, 0).map(vt100::Cell::bgcolor).unwrap()
    }

    pub fn wait_until_background(&mut self, wish: &str, holds: impl Fn(vt100::Color) -> bool) {
        let start = Instant::now();
        while !holds(self.background()) {
            assert!(start.elapsed() < LIMIT, "not {wish}: {:?}", self.background());
            self.read(Duration::from_millis(50));
        }
    }

    /// Reads until the screen is as wished.
    pub fn wait_until(&mut self, wish: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !holds(&self.text()) {
            assert!(start.elapsed() < LIMIT, "no {wish:?} in\n{}", self.text());
            self.read(Duration::from_millis(50));
        }
    }

    /// Reads until the mark before the text has the text's own colour.
    pub fn wait_for_same_colour(&mut self, mark: &str, text: &str) {
        let start = Instant::now();
        while !self.same_colour(mark, text) {
            assert!(start.elapsed() < LIMIT, "{mark} {text:?} in\n{}", self.text());
            self.read(Duration::from_millis(50));
        }
    }

    fn same_colour(&self, mark: &str, text: &str) -> bool {
        let screen = self.screen.screen();
        let (_, columns) = screen.size();
        let rows: Vec<String> = screen.rows(0, columns.get()).collect();
        let Some(row) = rows.iter().position(|row| row.starts_with(mark) && row.contains(text))
        else {
            return false;
        };
        let colour = |column| {
            let cell = screen.cell(u16::try_from(row).unwrap(), column);
            cell.map(vt100::Cell::fgcolor)
        };
        // A border, a blank, the text.
        let first = rows[row].chars().take_while(|c| !text.starts_with(*c)).count();
        colour(0) == colour(u16::try_from(first).unwrap())
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(size(rows), size(cols));
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end and gives the exit code. Everything that was switched on has been
    /// switched off again, and the terminal's own modes are back.
    pub fn ends_as_found(mut self) -> u32 {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < LIMIT, "still running:\n{}", self.text());
            self.read(Duration::from_millis(20));
        };
        while self.read(Duration::from_millis(50)) {}
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        for (what, on, off) in [
            ("alternate screen", "\x1b[?1049h", "\x1b[?1049l"),
            ("bracketed paste", "\x1b[?2004h", "\x1b[?2004l"),
            ("focus reports", "\x1b[?1004h", "\x1b[?1004l"),
            ("mouse", "\x1b[?1000h", "\x1b[?1000l"),
            ("mouse in SGR", "\x1b[?1006h", "\x1b[?1006l"),
            ("hidden cursor", "\x1b[?25l", "\x1b[?25h"),
            ("synchronized output", "\x1b[?2026h", "\x1b[?2026l"),
        ] {
            let (on, off) = (text.rfind(on), text.rfind(off));
            assert!(off >= on, "{what} is left on: {on:?} {off:?}");
        }
        // Only a terminal that knows the protocol gets it, and every push is popped.
        let pushed = text.matches("\x1b[>").filter(|_| text.contains("\x1b[>1u")).count();
        assert!(pushed == 0 || text.contains("\x1b[<1u"), "keyboard protocol is left on");
        let modes = format!("{:?}", self.master.get_termios().unwrap());
        for mode in ["ECHO", "ICANON", "ISIG", "OPOST"] {
            assert!(modes.contains(mode), "{mode} is off: {modes}");
        }
        status.exit_code()
    }

    /// What comes after the screen was left, until the program ends.
    pub fn after_the_screen(&mut self) -> String {
        while self.child.try_wait().unwrap().is_none() {
            self.read(Duration::from_millis(20));
        }
        while self.read(Duration::from_millis(50)) {}
        let text = self.bytes();
        text.rsplit("\x1b[?1049l").next().unwrap_or_default().to_owned()
    }

    /// What it shows once nothing more comes: of a program that was killed.
    pub fn last_screen(&mut self) -> String {
        self.child.wait().unwrap();
        while self.read(Duration::from_millis(30)) {}
        self.text()
    }

    /// False where nothing came.
    fn read(&mut self, wait: Duration) -> bool {
        match self.output.recv_timeout(wait) {
            Ok(bytes) => {
                self.screen.process(&bytes);
                self.bytes.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn parser(rows: u16, cols: u16) -> vt100::Parser {
    vt100::Parser::new(size(rows), size(cols), 0)
}

fn size(cells: u16) -> std::num::NonZeroU16 {
    cells.try_into().unwrap()
}
