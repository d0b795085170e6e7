//! The terminal's events, read on a thread of their own.
//!
//! crossterm may wait inside a read for the rest of a sequence, and never comes back from one
//! when the terminal has gone away. Neither may stop the loop, which has to draw and to hear
//! signals; so a thread reads, and the loop only ever looks into a channel.

use std::io;
use std::thread;

use crossterm::event::EventStream;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::terminal::probe::{Heard, PATIENCE, Replies};

/// Dropping it ends the thread, which then leaves what is typed to others.
#[derive(Debug)]
pub struct Keys {
    events: mpsc::UnboundedReceiver<io::Result<Heard>>,
    stop: Option<oneshot::Sender<()>>,
    stopped: Option<oneshot::Receiver<()>>,
}

impl Keys {
    /// Begins to read. Errors: no thread could be started.
    pub fn read() -> io::Result<Keys> {
        let (sender, events) = mpsc::unbounded_channel();
        let (stop, mut asked) = oneshot::channel();
        let (ended, stopped) = oneshot::channel();
        let runtime = Handle::current();
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            runtime.block_on(async {
                let mut stream = EventStream::new();
                let mut replies = Replies::default();
                loop {
                    let heard: Vec<io::Result<Heard>> = tokio::select! {
                        event = stream.next() => match event {
                            Some(Ok(event)) => replies.take(event).into_iter().map(Ok).collect(),
                            Some(Err(error)) => vec![Err(error)],
                            None => break,
                        },
                        () = tokio::time::sleep(PATIENCE), if replies.is_holding() => {
                            replies.let_go().into_iter().map(Ok).collect()
                        }
                        _ = &mut asked => break,
                    };
                    if heard.into_iter().any(|heard| sender.send(heard).is_err()) {
                        break;
                    }
                }
            });
            let _ = ended.send(());
        })?;
        Ok(Keys { events, stop: Some(stop), stopped: Some(stopped) })
    }

    /// Begins to read lines that the terminal edits. Errors: no thread could be started.
    pub fn lines() -> io::Result<Keys> {
        let (sender, events) = mpsc::unbounded_channel();
        thread::Builder::new().name("lines".to_owned()).spawn(move || {
            for line in io::stdin().lines() {
                if sender.send(line.map(Heard::Line)).is_err() {
                    return;
                }
            }
            let _ = sender.send(Ok(Heard::End));
        })?;
        // Nobody else reads here, so nothing has to wait for the thread's end.
        Ok(Keys { events, stop: None, stopped: None })
    }

    /// The next event. `None`: there will be no more.
    pub async fn next(&mut self) -> Option<io::Result<Heard>> {
        self.events.recv().await
    }

    /// An event that is there already.
    pub fn waiting(&mut self) -> Option<io::Result<Heard>> {
        self.events.try_recv().ok()
    }

    /// Returns when nothing is read any more, so that another program can have the keys.
    pub async fn end(mut self) {
        self.stop.take();
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.await;
        }
    }
}
