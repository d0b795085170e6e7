//! What a person calls with a slash and a file describes: the command becomes the text that goes to
//! the model, after what it runs has been run.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::agent::dispatch::{self, Call};
use crate::agent::shared::{Shared, lock};
use crate::extend::recipe::{self, Around, Piece};
use crate::extend::{Places, Skill, load};
use crate::protocol::{CallId, CallStatus, Event, Level};
use crate::tools::SessionState;

/// Problems with files that are told one by one.
const TOLD: usize = 3;

/// Reads again what there is, as what the folder brings counts now or no longer.
pub async fn reload(shared: &Shared, trusted: bool) {
    let session = lock(&shared.session).clone();
    let before = lock(&session.extensions).listing();
    let places = Places { trusted, ..shared.agents.extend.clone() };
    load_all(shared, &session, places).await;
    let now = lock(&session.extensions).listing();
    if now != before && !now.is_empty() {
        shared.agents.tell(None, format!("(tern: what you can use has changed.){now}"));
    }
}

/// Reads what there is, for the tools of the session and for whoever shows it.
pub async fn load_all(shared: &Shared, session: &SessionState, places: Places) {
    let found = tokio::task::spawn_blocking(move || load(&places)).await.unwrap_or_default();
    let more = found.problems.len().saturating_sub(TOLD);
    for problem in found.problems.iter().take(TOLD) {
        shared.notice(Level::Warning, problem.clone()).await;
    }
    if more > 0 {
        shared.notice(Level::Warning, format!("and {more} more files do not count")).await;
    }
    let (commands, styles) = (found.commands(), found.own_styles());
    *lock(&session.extensions) = Arc::new(found);
    if !commands.is_empty() || !styles.is_empty() {
        shared.emit(Event::CommandsChanged { commands, styles }).await;
    }
}

/// The text for the model; `None`: nothing that is known is called. What it runs passes the gate like
/// any command; what the command allows is allowed until the turn is over.
pub async fn called(
    shared: &Arc<Shared>,
    text: &str,
    cancel: &CancellationToken,
) -> Option<String> {
    let rest = text.trim().strip_prefix('/')?;
    let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let extensions = lock(&lock(&shared.session).extensions).clone();
    let skill = extensions.skill(name).filter(|skill| skill.for_person)?;
    shared.gate.rules.lend(&skill.allowed);
    let text = filled(shared, skill, args, cancel).await;
    let file = skill.file.display();
    Some(format!("<command name=\"/{name}\" file=\"{file}\">\n{text}\n</command>"))
}

async fn filled(
    shared: &Arc<Shared>,
    skill: &Skill,
    args: &str,
    cancel: &CancellationToken,
) -> String {
    let session = shared.purse.session().0.clone();
    let around = Around { session: &session, folder: &skill.folder };
    let mut text = String::new();
    for piece in recipe::pieces(&skill.body, args, &around) {
        match piece {
            Piece::Text(piece) => text.push_str(&piece),
            Piece::Run(command) => text.push_str(&output(shared, &command, cancel).await),
        }
    }
    text
}

async fn output(shared: &Arc<Shared>, command: &str, cancel: &CancellationToken) -> String {
    let call = Call {
        id: CallId(format!("command-{}", uuid::Uuid::now_v7().simple())),
        tool: "Bash".to_owned(),
        input: json!({ "command": command }),
        malformed: None,
    };
    let result = dispatch::aside(shared, &call, cancel).await;
    match result.status {
        CallStatus::Done => result.text.trim_end().to_owned(),
        CallStatus::Failed | CallStatus::Denied | CallStatus::Interrupted | CallStatus::Unknown => {
            format!("(`{command}`: {})", result.text.trim())
        }
    }
}
