//! The text format: the last answer on standard output, all else on standard error.

use crate::headless::{Outcome, Streams};
use crate::protocol::{Event, HookEnd, Level};
use crate::text::clean::{Mode, clean};

/// Notices appear as they come, so that a long wait has its reason on the screen.
pub fn event(event: &Event, streams: &mut Streams<'_>) -> std::io::Result<()> {
    match event {
        Event::Noticed { level, text } => {
            let word = match level {
                Level::Info => "note",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            writeln!(streams.err, "tern: {word}: {}", clean(text, Mode::Prose))
        }
        Event::TrustNeeded { trust } => {
            let things = match trust.items.len() {
                1 => "1 thing".to_owned(),
                n => format!("{n} things"),
            };
            writeln!(
                streams.err,
                "tern: note: this folder brings {things} that do not count, as it is not trusted; \
                 --trust trusts it for one run"
            )
        }
        Event::Retrying { attempt, of, wait_ms, why, .. } => writeln!(
            streams.err,
            "tern: {}; trying again in {:.1} s ({attempt} of {of})",
            clean(why, Mode::Prose),
            std::time::Duration::from_millis(*wait_ms).as_secs_f64()
        ),
        Event::HookRan { run } if run.end == HookEnd::Failed => writeln!(
            streams.err,
            "tern: warning: the {} hook {} {}",
            run.event.name(),
            clean(&run.command, Mode::Name),
            clean(&run.text, Mode::Prose)
        ),
        Event::Within { event, .. } => self::event(event, streams),
        _ => Ok(()),
    }
}

pub fn end(outcome: &Outcome, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let text = outcome.text();
    if !text.is_empty() {
        if streams.out_is_terminal {
            writeln!(streams.out, "{}", clean(text, Mode::Prose))?;
        } else {
            writeln!(streams.out, "{text}")?;
        }
        streams.out.flush()?;
    }
    if let Some((_, message, hints)) = outcome.error() {
        writeln!(streams.err, "tern: error: {}", clean(message, Mode::Prose))?;
        for hint in hints {
            writeln!(streams.err, "  hint: {}", clean(hint, Mode::Prose))?;
        }
    }
    Ok(())
}
