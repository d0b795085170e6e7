//! How full the window is, and whether that is full enough to make room.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::agent::compact::size;
use crate::agent::conversation::Conversation;
use crate::api::Purpose;
use crate::protocol::Usage;

/// How full the window is: what the server counted last, and what has come since.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauge {
    /// Tokens of the last request and its answer.
    counted: u64,
    /// Bytes of the history that `counted` stands for.
    counted_bytes: usize,
    /// Learned from the last request; 0 before the first.
    bytes_per_token: f64,
    /// `counted` is the server's own count.
    exact: bool,
}

/// What a token is taken for before a server has counted anything.
const BYTES_PER_TOKEN: f64 = 3.6;
/// After room was made, the window must fill by this share of it before more is made.
const REST: u64 = 10;
/// An estimate of more than this share of the window is worth an exact count.
const GUESSED: u64 = 50;
/// Tokens that an answer wants at least.
const LEAST_ROOM: u64 = 4_000;
/// How long a count may take before the estimate has to do.
const PATIENCE: Duration = Duration::from_secs(10);

impl Conversation {
    /// Tokens the next request will carry: the server's own count plus an estimate of the rest.
    pub fn estimated_tokens(&self) -> u64 {
        let bytes = size::bytes(&self.history);
        let since = bytes.saturating_sub(self.gauge.counted_bytes);
        let counted = if self.gauge.counted == 0 {
            tokens(self.fixed_bytes(), self.bytes_per_token())
        } else {
            self.gauge.counted
        };
        counted + tokens(since, self.bytes_per_token())
    }

    pub fn bytes_per_token(&self) -> f64 {
        if self.gauge.bytes_per_token > 0.0 { self.gauge.bytes_per_token } else { BYTES_PER_TOKEN }
    }

    /// Tokens at which room is made.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a window"
    )]
    pub fn compacts_at(&self) -> u64 {
        (self.route.window().unwrap_or_default() as f64 * self.compact.at) as u64
    }

    /// Whether the window is as full as the configuration allows.
    pub fn is_full(&self) -> bool {
        let at = self.compact.at;
        #[expect(clippy::cast_precision_loss, reason = "a share of a window needs no 53 bits")]
        self.route
            .window()
            .is_some_and(|window| self.estimated_tokens() as f64 >= window as f64 * at)
    }

    /// Whether room is to be made now.
    pub fn is_due(&self) -> bool {
        let rests = self.settled.zip(self.route.window()).is_some_and(|(settled, window)| {
            self.estimated_tokens() < settled.saturating_add(window / REST)
        });
        self.is_full() && self.can_compact() && !self.refuses_to_shrink && !rests
    }

    /// Whether the window has room for another answer although it should be smaller by now.
    pub fn has_room(&self) -> bool {
        let answer = u64::from(self.route.max_tokens()).min(LEAST_ROOM);
        self.route.window().is_none_or(|window| self.estimated_tokens() + answer <= window)
    }

    /// Room was made.
    pub fn settle(&mut self) {
        self.settled = Some(self.estimated_tokens());
    }

    /// Whether a good part of the count is an estimate.
    pub fn is_guessed(&self) -> bool {
        let bytes = size::bytes(&self.history).saturating_sub(self.gauge.counted_bytes);
        let window = self.route.window().unwrap_or(u64::MAX);
        !self.gauge.exact || self.in_tokens(bytes) > window / GUESSED
    }

    /// Has the server count the next request, where it does. True if it has.
    pub async fn count(&mut self, cancel: &CancellationToken) -> bool {
        let request = self.next_request(self.route.max_tokens(), Purpose::Conversation);
        let provider = self.route.provider.clone();
        let counted = tokio::select! {
            counted = tokio::time::timeout(PATIENCE, provider.count(request)) => counted,
            () = cancel.cancelled() => return false,
        };
        let Ok(Some(Ok(tokens))) = counted else { return false };
        let usage = Usage { input: tokens, ..Usage::default() };
        self.gauge.measured(&usage, size::bytes(&self.history), self.fixed_bytes());
        true
    }

    /// Whether nothing of [`Conversation::estimated_tokens`] is an estimate.
    pub fn is_exact(&self) -> bool {
        self.gauge.exact && self.gauge.counted_bytes == size::bytes(&self.history)
    }

    /// Tokens of the next request if its history were of so many bytes.
    pub fn estimated_after(&self, history: usize) -> u64 {
        self.in_tokens(history + self.fixed_bytes())
    }

    pub fn in_tokens(&self, bytes: usize) -> u64 {
        tokens(bytes, self.bytes_per_token())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a positive count"
    )]
    pub fn in_bytes(&self, tokens: u64) -> usize {
        (tokens as f64 * self.bytes_per_token()) as usize
    }

    /// The history is another one: nobody has counted it.
    pub fn remeasure(&mut self) {
        let bytes = size::bytes(&self.history);
        self.gauge = Gauge {
            counted: self.estimated_after(bytes),
            counted_bytes: bytes,
            bytes_per_token: self.bytes_per_token(),
            exact: false,
        };
    }

    pub fn fixed_bytes(&self) -> usize {
        let tools: usize = self
            .specs
            .iter()
            .map(|spec| spec.name.len() + spec.description.len() + spec.schema.to_string().len())
            .sum();
        self.system.len() + tools
    }
}

impl Gauge {
    pub fn measured(&mut self, usage: &Usage, history: usize, fixed: usize) {
        self.counted = usage.context();
        self.counted_bytes = history;
        self.exact = true;
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no 53 bits")]
        let ratio = (history + fixed) as f64 / usage.context().max(1) as f64;
        // Servers that report nonsense shall not make the window look endless.
        if (1.0..=8.0).contains(&ratio) {
            self.bytes_per_token = ratio;
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of a positive count"
)]
fn tokens(bytes: usize, bytes_per_token: f64) -> u64 {
    (bytes as f64 / bytes_per_token).ceil() as u64
}
