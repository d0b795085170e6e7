//! Signals that concern the terminal.

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// End, with the number of the signal.
    End(i32),
    Suspend,
    /// The program goes on after it was stopped.
    Continue,
    /// The terminal has another size.
    Resized,
}

#[cfg(unix)]
pub use unix::{Signals, stop_self};

#[cfg(unix)]
mod unix {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Asked;

    #[derive(Debug)]
    pub struct Signals {
        terminate: Signal,
        hangup: Signal,
        interrupt: Signal,
        suspend: Signal,
        go_on: Signal,
        resized: Signal,
    }

    impl Signals {
        pub fn listen() -> io::Result<Signals> {
            let stop = rustix::process::Signal::TSTP.as_raw();
            let go_on = rustix::process::Signal::CONT.as_raw();
            Ok(Signals {
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                suspend: signal(SignalKind::from_raw(stop))?,
                go_on: signal(SignalKind::from_raw(go_on))?,
                resized: signal(SignalKind::window_change())?,
            })
        }

        pub async fn next(&mut self) -> Asked {
            tokio::select! {
                _ = self.terminate.recv() => Asked::End(SignalKind::terminate().as_raw_value()),
                _ = self.hangup.recv() => Asked::End(SignalKind::hangup().as_raw_value()),
                _ = self.interrupt.recv() => Asked::End(SignalKind::interrupt().as_raw_value()),
                _ = self.suspend.recv() => Asked::Suspend,
                _ = self.go_on.recv() => Asked::Continue,
                _ = self.resized.recv() => Asked::Resized,
            }
        }
    }

    /// Stops the whole group, as the terminal's own suspend key would; returns when it goes on.
    pub fn stop_self() {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
    }
}

#[cfg(not(unix))]
pub use elsewhere::{Signals, stop_self};

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use super::Asked;

    #[derive(Debug)]
    pub struct Signals;

    impl Signals {
        pub fn listen() -> io::Result<Signals> {
            Ok(Signals)
        }

        pub async fn next(&mut self) -> Asked {
            std::future::pending().await
        }
    }

    /// There is no such thing here.
    pub fn stop_self() {}
}
