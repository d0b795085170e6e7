//! The panel of commands in the background: the list, and the output of the chosen one as it comes.

use crate::app::calls::Output;
use crate::app::clean;
use crate::app::effect::Effect;
use crate::app::model::{Job, Model};
use crate::app::panels::{Kind, open as open_panel};
use crate::protocol::{CallId, Command, JobId};

/// What is shown of the chosen job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Jobs {
    pub shown: Option<JobId>,
    pub output: Output,
}

/// Opens the panel on the newest job.
pub fn open(model: &mut Model) -> Vec<Effect> {
    if matches!(model.panel.as_ref().map(|panel| &panel.kind), Some(Kind::Jobs(_))) {
        model.panel = None;
        return follow(model);
    }
    open_panel(model, Kind::Jobs(Jobs::default()));
    follow(model)
}

/// The jobs that the filter leaves, the newest first.
pub fn lines(model: &Model) -> Vec<&Job> {
    let query = model.panel.as_ref().map(|panel| panel.query()).unwrap_or_default().to_lowercase();
    let jobs = model.jobs.iter().rev();
    jobs.filter(|job| job.command.to_lowercase().contains(&query)).collect()
}

/// Has the output of the chosen job told, and that of no other.
pub fn follow(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    let chosen = lines(model).get(at).map(|job| job.id);
    let chosen = match model.panel.as_mut().map(|panel| &mut panel.kind) {
        Some(Kind::Jobs(panel)) if panel.shown == chosen => return Vec::new(),
        Some(Kind::Jobs(panel)) => {
            *panel = Jobs { shown: chosen, output: Output::default() };
            chosen
        }
        _ => None,
    };
    vec![Effect::Send(Command::FollowJob { job: chosen })]
}

pub fn kill(model: &mut Model) -> Vec<Effect> {
    let at = model.panel.as_ref().map_or(0, |panel| panel.at);
    match lines(model).get(at) {
        Some(job) if job.running => vec![Effect::Send(Command::Kill { job: job.id })],
        Some(_) => {
            model.say("this command has ended already");
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// The commands that the turn waits for go on in the background.
pub fn send_to_background(model: &mut Model) -> Vec<Effect> {
    if model.commands.is_empty() {
        model.say("no command is running");
        return Vec::new();
    }
    vec![Effect::Send(Command::Background)]
}

pub fn changed(model: &mut Model, id: JobId, command: &str, running: bool, facts: &str) {
    let job = Job { id, command: clean::line(command), running, facts: clean::line(facts) };
    match model.jobs.iter_mut().find(|known| known.id == id) {
        Some(known) => *known = job,
        None => model.jobs.push(job),
    }
    if !running {
        model.say(&format!("task {} has ended: {}", id.0, clean::line(facts)));
    }
}

/// Output that nobody looks at any more is not wanted.
pub fn output(model: &mut Model, job: JobId, text: &str) -> Vec<Effect> {
    match model.panel.as_mut().map(|panel| &mut panel.kind) {
        Some(Kind::Jobs(panel)) if panel.shown == Some(job) => {
            panel.output.push(text);
            Vec::new()
        }
        Some(Kind::Jobs(_)) => Vec::new(),
        _ => vec![Effect::Send(Command::FollowJob { job: None })],
    }
}

pub fn call_started(model: &mut Model, call: &CallId) {
    if model.transcript.call(call).is_some_and(|call| call.tool == "Bash") {
        model.commands.insert(call.clone());
    }
}
