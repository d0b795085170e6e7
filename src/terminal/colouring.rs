//! Colours of code, worked out on a thread of their own.
//!
//! One thread, whatever is wanted: the grammars' patterns keep a cache for each thread that uses
//! them, some megabytes in all. While it works nothing more is handed to it, so that a code which
//! grows meanwhile is read once and not once a frame.

use std::sync::{Arc, mpsc as blocking};
use std::thread;

use tokio::sync::mpsc;

use crate::highlight::Tokens;
use crate::view::code::{Colours, Key, Wanted};

pub type Coloured = (Key, Arc<Tokens>);

/// The thread begins with the first code that is seen, and ends when this is dropped.
#[derive(Debug)]
pub struct Colouring {
    work: Option<blocking::Sender<Wanted>>,
    /// Given to the thread and not come back.
    given: usize,
    done: (mpsc::UnboundedSender<Coloured>, mpsc::UnboundedReceiver<Coloured>),
}

impl Colouring {
    pub fn new() -> Colouring {
        Colouring { work: None, given: 0, done: mpsc::unbounded_channel() }
    }

    /// Gives the thread what is wanted, unless it is busy.
    pub fn give(&mut self, colours: &mut Colours) {
        if self.given > 0 {
            return;
        }
        for wanted in colours.take_wanted() {
            let work = self.work.get_or_insert_with(|| begin(self.done.0.clone()));
            // Without a thread code stays plain.
            if work.send(wanted).is_ok() {
                self.given += 1;
            }
        }
    }

    /// The next answer. Never `None`: this keeps a sender.
    pub async fn next(&mut self) -> Option<Coloured> {
        let coloured = self.done.1.recv().await;
        self.given = self.given.saturating_sub(1);
        coloured
    }
}

fn begin(done: mpsc::UnboundedSender<Coloured>) -> blocking::Sender<Wanted> {
    let (work, wanted) = blocking::channel::<Wanted>();
    let colour = move || {
        while let Ok(wanted) = wanted.recv() {
            let tokens = wanted.work();
            if done.send((wanted.key, tokens)).is_err() {
                break;
            }
        }
    };
    // A thread that cannot be started drops its end of the channel, and code stays plain.
    let _ = thread::Builder::new().name("colours".to_owned()).spawn(colour);
    work
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_grows_while_the_thread_works_is_read_once() {
        let mut colours = Colours::new();
        let mut colouring = Colouring::new();
        colours.get("rust", "fn a");
        colouring.give(&mut colours);
        for code in ["fn a(", "fn a()", "fn a() {}"] {
            colours.get("rust", code);
            colouring.give(&mut colours);
        }
        assert_eq!(colouring.given, 1, "the rest waits, and only the last of it");
        let (key, tokens) = colouring.next().await.unwrap();
        colours.put(key, tokens);
        colouring.give(&mut colours);
        assert_eq!(colouring.given, 1);
        let (key, tokens) = colouring.next().await.unwrap();
        colours.put(key, Arc::clone(&tokens));
        assert_eq!(colours.get("rust", "fn a() {}"), Some(tokens));
    }
}
