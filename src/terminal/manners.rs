//! What the terminal itself is told besides the frame: the tab's title, and whether something goes
//! on. Written only when it changes.

use std::collections::BTreeMap;

use crate::app::Model;
use crate::text::clean::Mode;
use crate::text::{clean, clip};

/// Columns of a title that are worth sending.
const LONGEST: usize = 80;

/// What the terminal is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    pub titles: bool,
    /// Only where the terminal is known to show it in its tab or task bar.
    pub progress: bool,
}

#[derive(Debug)]
pub struct Manners {
    wants: Wants,
    title: String,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Working,
    /// A question waits.
    Asking,
}

impl Manners {
    pub fn new(wants: Wants) -> Manners {
        Manners { wants, title: String::new(), state: State::Idle }
    }

    /// The bytes that tell what has changed since the last call.
    pub fn bytes(&mut self, model: &Model) -> Vec<u8> {
        let mut bytes = Vec::new();
        let state = state(model);
        if self.wants.titles {
            let title = title(model, state);
            if title != self.title {
                bytes.extend_from_slice(format!("\x1b]2;{title}\x1b\\").as_bytes());
                self.title = title;
            }
        }
        if self.wants.progress && state != self.state {
            let code = match state {
                State::Idle => "0",
                State::Working => "3",
                State::Asking => "4;100",
            };
            bytes.extend_from_slice(format!("\x1b]9;4;{code}\x1b\\").as_bytes());
        }
        self.state = state;
        bytes
    }

    /// After something else had the terminal.
    pub fn forget(&mut self) {
        self.title.clear();
        self.state = State::Idle;
    }
}

/// Terminals that take OSC 9;4 for progress. Others show it as a notification, or not at all.
pub fn shows_progress(vars: &BTreeMap<String, String>) -> bool {
    let var = |name: &str| vars.get(name).map_or("", String::as_str);
    !var("WT_SESSION").is_empty()
        || var("ConEmuANSI") == "ON"
        || var("TERM") == "xterm-ghostty"
        || matches!(var("TERM_PROGRAM"), "ghostty" | "WezTerm")
}

fn state(model: &Model) -> State {
    let asks = !model.dialogs.is_empty() || model.confirm.is_some();
    match (asks, model.is_working()) {
        (true, _) => State::Asking,
        (false, true) => State::Working,
        (false, false) => State::Idle,
    }
}

/// `? fix the parser · tern`; foreign text in it is clean and on one line.
fn title(model: &Model, state: State) -> String {
    let mark = match state {
        State::Idle => "",
        State::Working => "… ",
        State::Asking => "? ",
    };
    let folder = || model.session.cwd.rsplit('/').next().unwrap_or_default().to_owned();
    let about = match model.session.title.as_str() {
        "" => folder(),
        title => title.to_owned(),
    };
    let about = clean(&about, Mode::Name);
    let about = clip::end(&about, LONGEST);
    if about.is_empty() { format!("{mark}tern") } else { format!("{mark}{about} · tern") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Millis;
    use crate::app::model::{Activity, Phase};
    use crate::protocol::TurnId;

    #[test]
    fn the_tab_is_told_what_changed_and_nothing_foreign_gets_out() {
        let mut model = Model::default();
        model.session.title = "fix\x1b]0;evil\x07 it".to_owned();
        let mut manners = Manners::new(Wants { titles: true, progress: true });
        let told =
            |manners: &mut Manners, model: &Model| String::from_utf8(manners.bytes(model)).unwrap();
        let first = told(&mut manners, &model);
        assert!(first.starts_with("\x1b]2;fix") && first.ends_with(" · tern\x1b\\"), "{first:?}");
        assert_eq!(first.matches('\x1b').count(), 2, "{first:?}");
        assert_eq!(told(&mut manners, &model), "", "nothing changed");
        model.activity =
            Activity::Working { turn: TurnId(1), since: Millis(0), phase: Phase::Waiting };
        let working = told(&mut manners, &model);
        assert!(working.contains("\x1b]2;… ") && working.contains("\x1b]9;4;3"), "{working:?}");
        model.activity = Activity::Idle;
        assert!(told(&mut manners, &model).contains("\x1b]9;4;0"));
    }
}
