//! The rules and denials that the person sees, and what they do about them: a rule is added, changed
//! or deleted in the file where it stands, and a denied call may be asked about again.

use crate::agent::shared::{Shared, lock};
use crate::agent::trust;
use crate::protocol::{CallId, Event, Level, RuleBook, RuleChange};

/// Says what holds, as the files have it now: they may have been changed by hand.
pub async fn show(shared: &Shared) {
    let (settings, trusted) = (shared.settings.clone(), shared.gate.rules.trusted());
    match tokio::task::spawn_blocking(move || settings.read(trusted)).await {
        Ok(read) => shared.gate.rules.replace(read.rules),
        Err(_) => {
            let text = "The settings could not be read again: the rules stay as they were.";
            shared.notice(Level::Error, text).await;
        }
    }
    let rules = shared.gate.rules.shown();
    let book = {
        let denials = lock(&shared.gate.denials);
        RuleBook {
            rules,
            denials: denials.recent().cloned().collect(),
            in_a_row: denials.in_a_row,
            in_all: denials.in_all,
        }
    };
    shared.emit(Event::RulesShown { book: Box::new(book) }).await;
}

/// The rules are shown again afterwards, whatever came of it.
pub async fn change(shared: &Shared, change: RuleChange) {
    let rules = &shared.gate.rules;
    let done = match change {
        RuleChange::Add { ruling, rule, scope } => {
            rules.learn(ruling, &[rule.trim().to_owned()], scope).await
        }
        RuleChange::Replace { ruling, old, rule } => {
            rules.amend(ruling, &old, Some(rule.trim().to_owned())).await
        }
        RuleChange::Remove { ruling, old } => rules.amend(ruling, &old, None).await,
    };
    if let Err(problem) = done {
        shared.notice(Level::Error, format!("The rules are not as asked: {problem}")).await;
    }
    trust::follow(shared).await;
    show(shared).await;
    shared.answer_covered().await;
}

pub async fn ask_again(shared: &Shared, call: &CallId) {
    if lock(&shared.gate.denials).ask_again(call).is_none() {
        shared.notice(Level::Warning, "That denial is not on record any more.").await;
    }
}
