//! A session that is taken up from its end: its last turns are shown at once, and what came before
//! is told behind them and put in front of them. Nothing on the screen moves when it comes.
//!
//! Also where the screen stands, as a session keeps it.

use crate::app::agent_events;
use crate::app::browse;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::scroll::{Anchor, Scroll};
use crate::app::transcript::Transcript;
use crate::protocol::{Command, Event, Place};

/// While the beginning is told, entries go to a transcript of its own.
pub fn fold(model: &mut Model, mut earlier: Transcript, event: Event) -> Vec<Effect> {
    if event == Event::EarlierEnded {
        ended(model, earlier);
        return Vec::new();
    }
    // Entries are counted from another beginning as yet: the jump waits.
    let jump = model.jump.take();
    std::mem::swap(&mut model.transcript, &mut earlier);
    let effects = agent_events::now(model, event);
    std::mem::swap(&mut model.transcript, &mut earlier);
    model.jump = jump;
    // Another session may have begun meanwhile.
    model.earlier.get_or_insert(earlier);
    effects
}

fn ended(model: &mut Model, earlier: Transcript) {
    let more = earlier.entries().len();
    model.transcript.put_before(earlier);
    model.scroll = match model.scroll {
        Scroll::Follow => Scroll::Follow,
        Scroll::At(at) => Scroll::At(Anchor { entry: at.entry + more, ..at }),
        Scroll::Show { entry } => Scroll::Show { entry: entry + more },
        Scroll::Match { entry, nth } => Scroll::Match { entry: entry + more, nth },
    };
    model.seen.top.entry += more;
    for (.., entry) in &mut model.seen.entries {
        *entry += more;
    }
    if let Some(search) = &mut model.search {
        search.hits.iter_mut().for_each(|hit| hit.entry += more);
    }
    if let Some((_, entry)) = &mut model.sent {
        *entry += more;
    }
    model.browse = model.browse.map(|entry| entry + more);
    model.selection = None;
    if let Some((_, message)) =
        model.jump.take_if(|(session, _)| model.session.id.as_ref() == Some(session))
    {
        browse::jump(model, Some(&message));
    }
}

/// The session is about to be left: where the screen stands goes with it.
pub fn leave(model: &Model, command: Option<Command>) -> Vec<Effect> {
    let place = match model.scroll {
        Scroll::Follow => None,
        Scroll::At(_) | Scroll::Show { .. } | Scroll::Match { .. } => Some(place(model)),
    };
    // Of a session that is not there whole, nothing is known.
    let known = model.session.id.is_some() && model.earlier.is_none() && !model.opening;
    let leave = known.then_some(Command::Leave { place });
    leave.into_iter().chain(command).map(Effect::Send).collect()
}

fn place(model: &Model) -> Place {
    let Anchor { entry, row } = match model.scroll {
        Scroll::At(at) => at,
        Scroll::Follow | Scroll::Show { .. } | Scroll::Match { .. } => model.seen.top,
    };
    let entries = model.transcript.entries();
    let above = entries.iter().take(entry + 1).rposition(|entry| entry.message.is_some());
    Place {
        message: above.and_then(|at| entries[at].message.clone()),
        entries: entry - above.unwrap_or(0).min(entry),
        row,
    }
}

/// Back to where the screen stood.
pub fn back_to(model: &mut Model, place: &Place) {
    let entries = model.transcript.entries();
    let from = match &place.message {
        Some(message) => entries.iter().rposition(|entry| entry.message.as_ref() == Some(message)),
        None => Some(0),
    };
    // Someone who looks for a message, or has scrolled already, stays where they are.
    if model.browse.is_some() || model.scroll != Scroll::Follow {
        return;
    }
    let entry = from.map(|from| from.saturating_add(place.entries));
    if let Some(entry) = entry.filter(|entry| *entry < entries.len()) {
        model.scroll = Scroll::At(Anchor { entry, row: place.row });
    }
}
