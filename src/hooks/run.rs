//! Runs the hooks of an occasion, all at once.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Hook;
use crate::hooks::{Answer, Occasion, answer};
use crate::process::{Exchange, Mark, exchange, shell};
use crate::protocol::{HookEnd, HookRun};

/// Where hooks run, and with what.
#[derive(Debug)]
pub struct Place {
    pub cwd: PathBuf,
    /// Without keys.
    pub env: Vec<(OsString, OsString)>,
    pub mark: Mark,
}

/// Bytes of an output that are read.
const MOST: usize = 1 << 20;

/// Runs what the occasion is for and waits for all of it, at most `limit`; each with its answer. A
/// detached hook is started, and that is all.
pub async fn fire(
    hooks: &[&Hook],
    occasion: &Occasion<'_>,
    place: &Place,
    limit: Option<Duration>,
    cancel: &CancellationToken,
) -> Vec<(HookRun, Answer)> {
    let input = format!("{}\n", occasion.input).into_bytes();
    let runs = hooks.iter().filter_map(|hook| {
        let timeout = limit.map_or(hook.timeout, |limit| limit.min(hook.timeout));
        let spec = spec(hook, place, input.clone(), timeout);
        if hook.detached {
            let cancel = cancel.clone();
            tokio::spawn(async move { exchange(spec, &cancel).await });
            return None;
        }
        Some(one(hook, spec, cancel))
    });
    join_all(runs).await
}

async fn one(hook: &Hook, spec: Exchange, cancel: &CancellationToken) -> (HookRun, Answer) {
    let began = Instant::now();
    let (answer, end, text) = match exchange(spec, cancel).await {
        Ok(exchanged) => answer::read(hook.event, &exchanged),
        Err(error) => (Answer::default(), HookEnd::Failed, format!("did not start: {error}")),
    };
    let run = HookRun {
        event: hook.event,
        command: hook.command.clone(),
        end,
        text,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        call: None,
    };
    (run, answer)
}

fn spec(hook: &Hook, place: &Place, input: Vec<u8>, timeout: Duration) -> Exchange {
    Exchange {
        argv: shell(&hook.command, None),
        cwd: place.cwd.clone(),
        env: place.env.clone(),
        timeout,
        input,
        most: MOST,
        run: place.mark.next_run(),
    }
}
