//! The real program in a pseudo-terminal: first keys, leaving, signals, and the terminal as it was
//! found.

#![cfg(unix)]

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const LIMIT: Duration = Duration::from_secs(20);

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
}

fn start(events: &str) -> Terminal {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tern"));
    let file = format!("tests/screens/events/{events}.jsonl");
    command.args(["debug", "replay", &file, "--longest", "20"]);
    run(command)
}

fn run(mut command: CommandBuilder) -> Terminal {
    let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    command.cwd(env!("CARGO_MANIFEST_DIR"));
    command.env("TERM", "xterm-256color");
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
    let screen = vt100::Parser::new(30.try_into().unwrap(), 100.try_into().unwrap(), 0);
    Terminal { child, master: pair.master, keys, output, screen }
}

impl Terminal {
    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Reads until the screen holds the text.
    fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        while !self.screen.screen().contents().contains(text) {
            assert!(start.elapsed() < LIMIT, "no {text:?} in\n{}", self.screen.screen().contents());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.screen.process(&bytes);
            }
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Reads to the end, and checks that every mode is as it was before.
    /// `echoed` is what the terminal itself may have written, before it was taken.
    fn assert_as_found(mut self, echoed: &str) {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < LIMIT, "still running");
            while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.screen.process(&bytes);
            }
        }
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(100)) {
            self.screen.process(&bytes);
        }
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "alternate screen");
        assert!(!screen.bracketed_paste(), "bracketed paste");
        assert!(!screen.hide_cursor(), "cursor");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        let left = screen.contents().trim().to_owned();
        // Keys that come before raw mode are echoed by the terminal, later ones are not.
        assert!(left.is_empty() || left == echoed, "left on the screen: {left:?}");
        let modes = self.master.get_termios().unwrap();
        // The type is that of a crate that is no dependency of ours: what it prints is enough.
        let modes = format!("{modes:?}");
        assert!(modes.contains("ECHO") && modes.contains("ICANON"), "raw mode: {modes}");
    }
}

#[test]
fn keys_typed_before_the_first_frame_count() {
    let mut terminal = start("resumed");
    terminal.press("early keys");
    terminal.wait_for("› early keys");
    terminal.press("\x03\x03");
    terminal.assert_as_found("early keys");
}

#[test]
fn leaving_puts_the_terminal_back() {
    let mut terminal = start("resumed");
    terminal.wait_for("cut off in the middle");
    terminal.press("\x04\x04");
    terminal.assert_as_found("");
}

#[test]
fn signals_put_the_terminal_back_in_every_state() {
    for (events, shown) in
        [("streaming", "writing"), ("edit-asked", "apply"), ("resumed", "cargo build")]
    {
        for signal in ["-TERM", "-HUP", "-INT"] {
            let mut terminal = start(events);
            terminal.wait_for(shown);
            terminal.signal(signal);
            terminal.assert_as_found("");
        }
    }
}

#[test]
fn an_idle_screen_writes_nothing() {
    let mut terminal = start("resumed");
    terminal.wait_for("cut off in the middle");
    while terminal.output.recv_timeout(Duration::from_millis(300)).is_ok() {}
    let quiet = terminal.output.recv_timeout(Duration::from_secs(2));
    assert!(
        quiet.is_err(),
        "{:?}",
        quiet.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    );
    terminal.press("\x03\x03");
    terminal.assert_as_found("");
}

#[test]
fn a_lost_terminal_ends_the_program() {
    let mut terminal = start("streaming");
    terminal.wait_for("writing");
    let Terminal { mut child, master, keys, output, .. } = terminal;
    drop((master, keys));
    // The reader keeps the terminal open until the program is gone.
    let start = Instant::now();
    drop(output);
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < LIMIT, "still running without a terminal");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The words of the panic stand on the screen that the shell had, not on ours.
#[test]
fn a_panic_puts_the_terminal_back() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["pty::panics_on_purpose", "--exact", "--ignored", "--nocapture"]);
    command.env("RUST_BACKTRACE", "0");
    let mut terminal = run(command);
    terminal.wait_for("broken on purpose");
    let start = Instant::now();
    while terminal.child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < LIMIT, "still running");
        std::thread::sleep(Duration::from_millis(10));
    }
    let screen = terminal.screen.screen();
    assert!(!screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor());
    let modes = format!("{:?}", terminal.master.get_termios().unwrap());
    assert!(modes.contains("ECHO") && modes.contains("ICANON"), "raw mode: {modes}");
}

/// The screen as the program runs it, but for a connection that breaks it.
#[test]
#[ignore = "a part of a_panic_puts_the_terminal_back, run by it in a process of its own"]
fn panics_on_purpose() {
    let setup = tern::terminal::Setup {
        model: tern::app::Model::default(),
        connect: Box::new(|_| panic!("broken on purpose")),
        services: std::sync::Arc::new(tern::terminal::NoServices),
        themes: tern::view::theme::Library::default(),
        colours: tern::view::theme::ColorDepth::True,
        mouse: true,
        form: tern::terminal::Form::Screen,
        notifications: None,
        manners: tern::terminal::manners::Wants::default(),
        background: None,
        status_command: None,
        editor: None,
        clipboard: tern::terminal::clipboard::Ways::default(),
        prompt: None,
        first: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _never = runtime.block_on(tern::terminal::run(setup));
}
