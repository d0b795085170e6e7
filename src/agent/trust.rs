//! Trust in the session's folder: told when it is missing, shown on request, given and taken with
//! one command each, and in force at once.
//!
//! Whoever begins or ends something that needs trust (hooks, MCP servers, agents of the project)
//! does it in [`in_force`]; whoever only reads it asks `shared.gate.rules.trusted()`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::agent::recipes;
use crate::agent::shared::{Shared, lock};
use crate::protocol::{Event, Level, Mode, Trust, TrustItem, TrustState};
use crate::trust::{self, State, Store, Survey};

/// Says what waits for trust, where something does.
pub async fn tell(shared: &Shared) {
    if shared.gate.rules.trusted() {
        return;
    }
    match look(shared).await {
        Ok((_, trust)) if trust.state.waits() => {
            shared.emit(Event::TrustNeeded { trust: Box::new(trust) }).await;
        }
        Ok(_) => {}
        Err(problem) => shared.notice(Level::Warning, problem).await,
    }
}

/// Says what there is, whatever its state.
pub async fn show(shared: &Shared) {
    match look(shared).await {
        Ok((_, trust)) => shared.emit(Event::TrustShown { trust: Box::new(trust) }).await,
        Err(problem) => shared.notice(Level::Error, problem).await,
    }
}

/// Trusts what `seen` stands for. Where the files have changed since, nothing is trusted and they
/// are shown again.
pub async fn give(shared: &Shared, seen: &str) {
    let (survey, trust) = match look(shared).await {
        Ok(found) => found,
        Err(problem) => return shared.notice(Level::Error, problem).await,
    };
    if trust.seen != seen {
        let text = "Nothing was trusted: the files have changed since they were shown.";
        shared.notice(Level::Warning, text).await;
        return shared.emit(Event::TrustShown { trust: Box::new(trust) }).await;
    }
    let survey = Arc::new(survey);
    let shown = Arc::clone(&survey);
    let kept = keep(shared, move |store| shown.needs.iter().for_each(|needs| store.trust(needs)));
    match kept.await {
        Ok(()) => {
            let_servers_in(shared, &survey).await;
            in_force(shared, true).await;
        }
        Err(problem) => {
            shared.notice(Level::Error, format!("Nothing was trusted: {problem}")).await;
        }
    }
}

/// The list that was agreed to names each server with what it runs: nobody is asked that again.
async fn let_servers_in(shared: &Shared, survey: &Survey) {
    let Some(servers) = &shared.mcp else { return };
    let items = survey.needs.iter().flat_map(|needs| &needs.items);
    let servers_of = items.filter(|item| item.kind == trust::Kind::McpServer);
    let entries: Vec<&str> = servers_of.map(|item| item.detail.as_str()).collect();
    if let Err(problem) = servers.let_in(&entries) {
        shared.notice(Level::Warning, format!("The servers wait in /mcp: {problem}.")).await;
    }
}

pub async fn withdraw(shared: &Shared) {
    let cwd = shared.cwd();
    let kept = keep(shared, move |store| {
        for needs in Survey::of(&cwd, store).needs {
            store.forget(&needs.root);
        }
    });
    if let Err(problem) = kept.await {
        shared.notice(Level::Error, format!("The trust stays on record: {problem}")).await;
    }
    in_force(shared, false).await;
    tell(shared).await;
}

/// Where the folder has become trusted because a rule of the person's own is now all it holds, or
/// holds besides what was trusted, that counts from now on.
pub async fn follow(shared: &Shared) {
    if !shared.gate.rules.trusted()
        && let Ok((survey, _)) = look(shared).await
        && survey.state == State::Trusted
    {
        in_force(shared, true).await;
    }
}

/// Lets what the folder brings count, or no longer.
async fn in_force(shared: &Shared, trusted: bool) {
    let settings = shared.settings.clone();
    let read =
        tokio::task::spawn_blocking(move || (settings.read(!trusted), settings.read(trusted)));
    let Ok((before, now)) = read.await else {
        let text = "The settings could not be read again: they stay as they were.";
        return shared.notice(Level::Error, text).await;
    };
    for problem in now.problems.iter().filter(|problem| !before.problems.contains(problem)) {
        shared.notice(Level::Warning, problem.clone()).await;
    }
    lock(&lock(&shared.session).roots).clone_from(&now.rules.additional);
    shared.gate.rules.replace(now.rules);
    // A mode that the person has chosen meanwhile is theirs.
    if shared.gate.mode() == before.mode {
        set_mode(shared, now.mode).await;
    }
    if let Some(servers) = &shared.mcp {
        servers.set_trusted(trusted);
    }
    recipes::reload(shared, trusted).await;
    shared.emit(Event::TrustSet { trusted }).await;
    shared.answer_covered().await;
}

/// The mode in force from now on, told whether or not it could be had.
pub async fn set_mode(shared: &Shared, mode: Mode) {
    if mode == shared.gate.mode() {
        return;
    }
    if let Err(why) = shared.gate.rules.set_mode(mode) {
        shared.notice(Level::Warning, why).await;
    }
    shared.emit(Event::ModeSet { mode: shared.gate.mode() }).await;
}

async fn look(shared: &Shared) -> Result<(Survey, Trust), String> {
    let (file, cwd) = (shared.gate.rules.trust_file.clone(), shared.cwd());
    let counts = shared.gate.rules.trusted();
    let survey = tokio::task::spawn_blocking(move || {
        let store = Store::load(&file).map_err(|error| error.to_string())?;
        Ok(Survey::of(&cwd, &store))
    });
    let survey = survey.await.unwrap_or_else(|_| Err("the folder could not be read".to_owned()))?;
    let trust = plain(&survey, counts);
    Ok((survey, trust))
}

async fn keep(
    shared: &Shared,
    change: impl FnOnce(&mut Store) + Send + 'static,
) -> Result<(), String> {
    let file: PathBuf = shared.gate.rules.trust_file.clone();
    let kept = tokio::task::spawn_blocking(move || {
        let mut store = Store::load(&file).map_err(|error| error.to_string())?;
        change(&mut store);
        store.save(&file).map_err(|error| error.to_string())
    });
    kept.await.unwrap_or_else(|_| Err("the record could not be written".to_owned()))
}

/// `counts`: whether this session takes the folder's word already.
fn plain(survey: &Survey, counts: bool) -> Trust {
    let root = survey.needs.first().map(|needs| needs.root.clone()).unwrap_or_default();
    let items = survey.needs.iter().flat_map(|needs| {
        // Files are named as seen from the root, wherever they lie.
        let below = needs.root.strip_prefix(&root).unwrap_or(&needs.root).to_owned();
        needs.items.iter().map(move |item| item_of(item, &below))
    });
    let state = match survey.state {
        State::Nothing => TrustState::Nothing,
        State::Trusted => TrustState::Trusted,
        State::Changed | State::Untrusted if counts => TrustState::ThisRun,
        State::Changed => TrustState::Changed,
        State::Untrusted => TrustState::Untrusted,
    };
    Trust { folder: root.display().to_string(), state, items: items.collect(), seen: survey.hash() }
}

fn item_of(item: &trust::Item, below: &std::path::Path) -> TrustItem {
    TrustItem {
        kind: item.kind.name().to_owned(),
        text: item.text.clone(),
        file: below.join(&item.file).display().to_string(),
        line: item.line,
    }
}
