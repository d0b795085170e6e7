//! When to draw: at once after a key, at most once in 24 ms for what streams in, never for nothing.

use std::time::{Duration, Instant};

/// 40 frames a second: more of them cost as much again, and nobody reads that fast.
const FRAME: Duration = Duration::from_millis(24);

#[derive(Debug)]
pub struct Pace {
    drawn: Option<Instant>,
    wanted: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Nothing,
    Soon,
    Now,
}

impl Pace {
    /// The first frame is wanted now.
    pub fn new() -> Pace {
        Pace { drawn: None, wanted: Wanted::Now }
    }

    /// Something changed that can wait for the next frame.
    pub fn soon(&mut self) {
        self.wanted = self.wanted.max(Wanted::Soon);
    }

    /// Something changed that a person did.
    pub fn now(&mut self) {
        self.wanted = Wanted::Now;
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// When to draw; `None`: nothing has changed.
    pub fn due(&self) -> Option<Instant> {
        match (self.wanted, self.drawn) {
            (Wanted::Nothing, _) => None,
            (Wanted::Now, Some(drawn)) => Some(drawn),
            (Wanted::Soon, Some(drawn)) => Some(drawn + FRAME),
            (_, None) => Some(Instant::now()),
        }
    }

    pub fn drawn(&mut self, now: Instant) {
        self.drawn = Some(now);
        self.wanted = Wanted::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_drawn_at_once_and_streams_at_forty_frames() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new();
        pace.drawn(start);
        assert_eq!(pace.due(), None, "nothing changed: no wake-up");
        pace.soon();
        assert!(!pace.is_due(after(23)) && pace.is_due(after(24)));
        pace.now();
        assert!(pace.is_due(after(1)));
        pace.soon();
        assert!(pace.is_due(after(1)), "a key is not put off by what streams in");
        pace.drawn(after(1));
        assert_eq!(pace.due(), None);
    }
}
