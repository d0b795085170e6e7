//! What to do when a request fails, and when an answer stops for another reason than being done.
//!
//! Pure: over the error, what was tried before, and the limits. Every kind of error has its arm;
//! there is no `_`, so that a new kind does not compile until someone has decided about it.

use std::time::Duration;

use crate::api::{ApiError, ApiErrorKind, Limits, StopReason};
use crate::protocol::ErrorKind;

/// What was already tried for this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    /// Retries so far, of any cause.
    pub retries: u32,
    /// Overloads in a row.
    pub overloads: u32,
    pub key_refreshed: bool,
    pub shrunk: bool,
    pub dropped_images: bool,
    pub compactions: u32,
    /// Requests that continued an answer cut by `max_tokens`.
    pub continuations: u32,
    pub fell_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub retries: u32,
    pub max_wait: Duration,
    /// What the delay would be without advice from the server.
    pub backoff: Duration,
    pub has_fallback: bool,
    /// Asking for the key again may bring another one.
    pub key_may_change: bool,
    pub has_images: bool,
    pub filled_by: FilledBy,
    pub max_tokens: u32,
}

/// What takes the most room in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilledBy {
    /// History that compaction could shorten.
    History,
    /// What the person has just sent; nothing stands before it.
    Prompt,
    /// System prompt, tools and instruction files.
    Fixed,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Retry {
        wait: Duration,
    },
    /// Resolve the key again (its command may print a fresh one), then try once more.
    RefreshKey,
    /// Try once more with fewer output tokens.
    Shrink {
        max_tokens: u32,
    },
    /// Put a sentence in the place of every image.
    DropImages,
    Compact,
    /// Go on with the fallback model.
    FallBack,
    Stop {
        kind: ErrorKind,
        hints: Vec<String>,
    },
}

/// Overloads in a row after which a fallback model takes over.
const OVERLOADS_BEFORE_FALLBACK: u32 = 3;
/// Tokens kept free when `max_tokens` is fitted into a window.
const MARGIN: u64 = 1_000;
/// Fewer output tokens than this are not worth a request.
const LEAST_OUTPUT: u64 = 1_024;
const COMPACTIONS: u32 = 2;
pub const CONTINUATIONS: u32 = 3;

pub fn after_error(error: &ApiError, past: &Past, bounds: &Bounds) -> Step {
    use ApiErrorKind as K;
    let stop = |kind, hints: &[&str]| Step::Stop {
        kind,
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
    };
    match error.kind {
        K::RateLimit => retry(error, past, bounds, ErrorKind::RateLimit),
        K::Overloaded => {
            let enough = past.overloads + 1 >= OVERLOADS_BEFORE_FALLBACK;
            if bounds.has_fallback && !past.fell_back && enough {
                return Step::FallBack;
            }
            retry(error, past, bounds, ErrorKind::Overloaded)
        }
        K::Server => retry(error, past, bounds, ErrorKind::Overloaded),
        K::Connect | K::HeaderTimeout | K::IdleTimeout | K::Cut => {
            retry(error, past, bounds, ErrorKind::Network)
        }
        // One garbled stream can be an accident of the line; two are the server's way.
        K::BadStream if past.retries == 0 => Step::Retry { wait: bounds.backoff },
        K::BadStream => stop(
            ErrorKind::Network,
            &["Check that the base URL belongs to the provider's wire format."],
        ),
        K::Auth if bounds.key_may_change && !past.key_refreshed => Step::RefreshKey,
        K::Auth => {
            stop(ErrorKind::Auth, &["Run `tern login PROVIDER`, or set the key's variable."])
        }
        K::Billing => {
            stop(ErrorKind::Auth, &["Add credit to the account, or choose another model."])
        }
        K::Forbidden => stop(
            ErrorKind::Auth,
            &["The key has no right to this model: choose another with /model."],
        ),
        K::UnknownModel => stop(ErrorKind::Config, &["`tern models` lists the known models."]),
        K::NotAnApi => stop(ErrorKind::Config, &["Check the provider's base-url."]),
        K::TooLarge if bounds.has_images && !past.dropped_images => Step::DropImages,
        K::TooLarge | K::PromptTooLong => {
            if bounds.filled_by == FilledBy::History && past.compactions < COMPACTIONS {
                return Step::Compact;
            }
            stop(ErrorKind::Context, &[too_long(bounds.filled_by)])
        }
        K::MaxTokensTooLarge => match shrunk(error.limits, bounds.max_tokens) {
            Some(max_tokens) if !past.shrunk => Step::Shrink { max_tokens },
            _ if bounds.filled_by == FilledBy::History && past.compactions < COMPACTIONS => {
                Step::Compact
            }
            _ => stop(ErrorKind::Context, &[too_long(bounds.filled_by)]),
        },
        K::BadRequest => stop(ErrorKind::Internal, &[]),
    }
}

/// What the person can do about a request that nothing makes shorter.
fn too_long(filled_by: FilledBy) -> &'static str {
    match filled_by {
        FilledBy::History => "Start over with /clear, or choose a model with a larger window.",
        FilledBy::Prompt => {
            "The prompt alone fills the window: send less of it, or name a file for the model to read \
             in parts."
        }
        FilledBy::Fixed => {
            "The system prompt, the tools and the instruction files alone fill the window: shorten \
             CLAUDE.md or AGENTS.md, or choose a model with a larger window."
        }
    }
}

/// Retries after what the server asked for, or after the back-off; not at all if it asks for more
/// patience than the user's limit.
fn retry(error: &ApiError, past: &Past, bounds: &Bounds, kind: ErrorKind) -> Step {
    let hints = match kind {
        ErrorKind::RateLimit => {
            vec!["Wait a little, or choose another model with /model.".to_owned()]
        }
        ErrorKind::Overloaded => {
            vec!["Try again later, or set fallback-model in the configuration.".to_owned()]
        }
        _ => vec!["Check the network and the provider's base-url.".to_owned()],
    };
    if past.retries >= bounds.retries {
        return Step::Stop { kind, hints };
    }
    match error.retry_after {
        Some(wait) if wait > bounds.max_wait => Step::Stop {
            kind,
            hints: vec![format!(
                "The server asks to wait {} s, more than network.max-retry-wait-s allows.",
                wait.as_secs()
            )],
        },
        Some(wait) => Step::Retry { wait },
        None => Step::Retry { wait: bounds.backoff.min(bounds.max_wait) },
    }
}

/// The output tokens that fit beside the input, where the error says how much there is.
fn shrunk(limits: Option<Limits>, now: u32) -> Option<u32> {
    let limits = limits?;
    let free = match (limits.window, limits.input) {
        (Some(window), Some(input)) => window.checked_sub(input + MARGIN)?,
        // Only the output limit itself was named.
        _ => limits.max_tokens?,
    };
    let fits = u32::try_from(free).unwrap_or(u32::MAX);
    (free >= LEAST_OUTPUT && fits < now).then_some(fits)
}

/// What follows an answer that came whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Run the calls, then ask again with their results.
    RunCalls,
    Done,
    /// Ask the model to go on where it was cut off.
    Continue,
    /// Send the turn back as it is.
    Resend,
    Compact,
    Fail {
        kind: ErrorKind,
        message: String,
        hints: Vec<String>,
    },
}

pub fn after_answer(
    stop: &StopReason,
    calls: usize,
    cut_calls: usize,
    past: &Past,
    can_compact: bool,
) -> Next {
    match stop {
        // A complete call is run whatever the reason given: servers differ in what they report.
        StopReason::ToolUse
        | StopReason::EndTurn
        | StopReason::StopSequence
        | StopReason::PauseTurn
        | StopReason::WindowExceeded
        | StopReason::Other(_)
            if calls > 0 =>
        {
            Next::RunCalls
        }
        StopReason::ToolUse if cut_calls > 0 && past.continuations < CONTINUATIONS => {
            Next::Continue
        }
        StopReason::ToolUse
        | StopReason::EndTurn
        | StopReason::StopSequence
        | StopReason::Other(_) => Next::Done,
        // Complete calls run; the results tell the model which one was cut off.
        StopReason::MaxTokens if calls > 0 => Next::RunCalls,
        StopReason::MaxTokens if past.continuations < CONTINUATIONS => Next::Continue,
        StopReason::MaxTokens => Next::Fail {
            kind: ErrorKind::Context,
            message: format!(
                "the answer reached the output limit {} times in a row",
                past.continuations + 1
            ),
            hints: vec!["Ask for a smaller step at a time.".to_owned()],
        },
        StopReason::WindowExceeded if can_compact && past.compactions < COMPACTIONS => {
            Next::Compact
        }
        StopReason::WindowExceeded => Next::Fail {
            kind: ErrorKind::Context,
            message: "the model's window is full".to_owned(),
            hints: vec!["Start over with /clear.".to_owned()],
        },
        StopReason::PauseTurn if past.continuations < CONTINUATIONS => Next::Resend,
        StopReason::PauseTurn => Next::Done,
        StopReason::Refusal => Next::Fail {
            kind: ErrorKind::Tool,
            message: "the model refused to answer this".to_owned(),
            hints: vec![
                "Its answer is left out of what follows. Take the prompt back with /rewind and put it \
                 in other words, or choose another model."
                    .to_owned(),
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds {
            retries: 6,
            max_wait: Duration::from_secs(60),
            backoff: Duration::from_millis(500),
            has_fallback: true,
            key_may_change: true,
            has_images: false,
            filled_by: FilledBy::History,
            max_tokens: 32_000,
        }
    }

    fn error(kind: ApiErrorKind) -> ApiError {
        ApiError::new(kind, "x")
    }

    fn name(step: &Step) -> String {
        match step {
            Step::Retry { wait } => format!("retry {}", wait.as_millis()),
            Step::RefreshKey => "refresh key".into(),
            Step::Shrink { max_tokens } => format!("shrink {max_tokens}"),
            Step::DropImages => "drop images".into(),
            Step::Compact => "compact".into(),
            Step::FallBack => "fall back".into(),
            Step::Stop { kind, .. } => format!("stop {}", kind.exit_code()),
        }
    }

    #[test]
    fn first_failures() {
        use ApiErrorKind as K;
        for (kind, want) in [
            (K::RateLimit, "retry 500"),
            (K::Overloaded, "retry 500"),
            (K::Server, "retry 500"),
            (K::Connect, "retry 500"),
            (K::HeaderTimeout, "retry 500"),
            (K::IdleTimeout, "retry 500"),
            (K::Cut, "retry 500"),
            (K::BadStream, "retry 500"),
            (K::Auth, "refresh key"),
            (K::Billing, "stop 4"),
            (K::Forbidden, "stop 4"),
            (K::UnknownModel, "stop 2"),
            (K::NotAnApi, "stop 2"),
            (K::TooLarge, "compact"),
            (K::PromptTooLong, "compact"),
            (K::BadRequest, "stop 1"),
        ] {
            let step = after_error(&error(kind), &Past::default(), &bounds());
            assert_eq!(name(&step), want, "{kind:?}");
        }
    }

    #[test]
    fn later_failures() {
        use ApiErrorKind as K;
        let spent = Past { retries: 6, ..Past::default() };
        let tried = Past { retries: 1, key_refreshed: true, compactions: 2, ..Past::default() };
        let third = Past { overloads: 2, retries: 2, ..Past::default() };
        for (kind, past, want) in [
            (K::RateLimit, spent, "stop 5"),
            (K::Overloaded, Past { fell_back: true, overloads: 6, ..spent }, "stop 5"),
            (K::Overloaded, third, "fall back"),
            (K::Overloaded, Past { fell_back: true, ..third }, "retry 500"),
            (K::Cut, spent, "stop 6"),
            (K::BadStream, tried, "stop 6"),
            (K::Auth, tried, "stop 4"),
            (K::PromptTooLong, tried, "stop 8"),
        ] {
            assert_eq!(name(&after_error(&error(kind), &past, &bounds())), want, "{kind:?}");
        }
    }

    #[test]
    fn the_servers_own_wait_is_kept_unless_it_is_unreasonable() {
        let asks = |seconds| ApiError {
            retry_after: Some(Duration::from_secs(seconds)),
            ..error(ApiErrorKind::RateLimit)
        };
        let step = |seconds| name(&after_error(&asks(seconds), &Past::default(), &bounds()));
        assert_eq!(step(2), "retry 2000");
        assert_eq!(step(60), "retry 60000");
        assert_eq!(step(61), "stop 5");
    }

    #[test]
    fn max_tokens_are_fitted_once() {
        let limits = |window, input, max_tokens| ApiError {
            limits: Some(Limits { window, input, max_tokens }),
            ..error(ApiErrorKind::MaxTokensTooLarge)
        };
        let big = limits(Some(200_000), Some(190_000), Some(32_000));
        assert_eq!(name(&after_error(&big, &Past::default(), &bounds())), "shrink 9000");
        let again = Past { shrunk: true, ..Past::default() };
        assert_eq!(name(&after_error(&big, &again, &bounds())), "compact");
        let full = limits(Some(200_000), Some(199_500), None);
        assert_eq!(name(&after_error(&full, &Past::default(), &bounds())), "compact");
        let only_output = limits(None, None, Some(8_192));
        assert_eq!(name(&after_error(&only_output, &Past::default(), &bounds())), "shrink 8192");
    }

    #[test]
    fn a_key_that_cannot_change_is_not_tried_again() {
        let bounds = Bounds { key_may_change: false, ..bounds() };
        let step = after_error(&error(ApiErrorKind::Auth), &Past::default(), &bounds);
        assert_eq!(name(&step), "stop 4");
    }

    #[test]
    fn images_go_before_anything_else_where_bytes_are_too_many() {
        let bounds = Bounds { has_images: true, ..bounds() };
        let large = error(ApiErrorKind::TooLarge);
        assert_eq!(name(&after_error(&large, &Past::default(), &bounds)), "drop images");
        let dropped = Past { dropped_images: true, ..Past::default() };
        assert_eq!(name(&after_error(&large, &dropped, &bounds)), "compact");
        let long = error(ApiErrorKind::PromptTooLong);
        assert_eq!(name(&after_error(&long, &Past::default(), &bounds)), "compact");
    }

    #[test]
    fn what_fills_the_window_is_said() {
        for (filled_by, words) in [
            (FilledBy::Fixed, "system prompt"),
            (FilledBy::Prompt, "prompt alone"),
            (FilledBy::History, "/clear"),
        ] {
            for kind in [
                ApiErrorKind::PromptTooLong,
                ApiErrorKind::TooLarge,
                ApiErrorKind::MaxTokensTooLarge,
            ] {
                let bounds = Bounds { filled_by, ..bounds() };
                let often = Past { compactions: 2, ..Past::default() };
                let step = after_error(&error(kind), &often, &bounds);
                let Step::Stop { kind: ErrorKind::Context, hints } = step else {
                    panic!("{kind:?}: {step:?}");
                };
                assert!(hints[0].contains(words), "{hints:?}");
            }
        }
    }

    #[test]
    fn answers() {
        use StopReason as S;
        let fresh = Past::default();
        let often = Past { continuations: 3, compactions: 2, ..fresh };
        for (stop, calls, cut, past, want) in [
            (S::EndTurn, 0, 0, fresh, Next::Done),
            (S::EndTurn, 2, 0, fresh, Next::RunCalls),
            (S::ToolUse, 1, 0, fresh, Next::RunCalls),
            (S::ToolUse, 0, 0, fresh, Next::Done),
            (S::ToolUse, 0, 1, fresh, Next::Continue),
            (S::Other("x".into()), 1, 0, fresh, Next::RunCalls),
            (S::MaxTokens, 0, 0, fresh, Next::Continue),
            (S::MaxTokens, 1, 1, fresh, Next::RunCalls),
            (S::MaxTokens, 1, 0, fresh, Next::RunCalls),
            (S::WindowExceeded, 0, 0, fresh, Next::Compact),
            (S::WindowExceeded, 1, 0, fresh, Next::RunCalls),
            (S::PauseTurn, 0, 0, fresh, Next::Resend),
            (S::PauseTurn, 1, 0, fresh, Next::RunCalls),
            (S::PauseTurn, 0, 0, often, Next::Done),
        ] {
            assert_eq!(after_answer(&stop, calls, cut, &past, true), want, "{stop:?}");
        }
        for stop in [S::MaxTokens, S::WindowExceeded, S::Refusal] {
            assert!(matches!(after_answer(&stop, 0, 0, &often, true), Next::Fail { .. }));
        }
    }
}
