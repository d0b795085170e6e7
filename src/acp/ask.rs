//! Questions to the person through the client, and their answers. Pure. Whatever is not a plain yes
//! is a no: a client that is gone, an option that was not offered, a turn that was cancelled.

use agent_client_protocol::v1::schema as acp;

use crate::acp::tell::{Teller, fenced};
use crate::protocol::question::{About, Choice, Chosen, Inquiry, Reply};
use crate::protocol::{Decision, Mode, Preview, Request, Ruling, Scope};
use crate::text::clean::{self, clean};

const ONCE: &str = "once";
const SESSION: &str = "session";
const NO: &str = "no";
const EDITS: &str = "accept-edits";

/// The call as it stands before the person, and what can be answered.
pub fn permission(
    request: &Request,
    teller: &Teller,
) -> (acp::ToolCallUpdate, Vec<acp::PermissionOption>) {
    let mut content = match &request.preview {
        Preview::Command { command, .. } => vec![fenced(&spelled(command)).into()],
        Preview::Edit { path, hunks, new_file, .. } => teller.diffs(path, hunks, *new_file),
        Preview::Url { url } => vec![spelled(url).into()],
        Preview::Other { text } => vec![fenced(&spelled(text)).into()],
    };
    let mut why = vec![format!("Asked because {}.", request.because.trim_end_matches('.'))];
    // With one part its reason is the one that was given.
    if request.parts.len() > 1 {
        why.extend(request.parts.iter().map(|part| {
            let mark = match part.decision {
                Ruling::Allow => "allowed",
                Ruling::Ask => "asked",
                Ruling::Deny => "denied",
            };
            format!("- {mark}: `{}` ({})", spelled(&part.text), part.because)
        }));
    }
    why.extend(request.reason.iter().map(|reason| format!("The model's reason: {reason}")));
    content.push(why.join("\n").into());
    let fields = acp::ToolCallUpdateFields::new()
        .title(asked(request))
        .name(request.tool.clone())
        .kind(crate::acp::tell::kind(&request.tool))
        .status(acp::ToolCallStatus::Pending)
        .content(content);
    let call = acp::ToolCallUpdate::new(request.call.0.clone(), fields);
    let mut options = vec![option(ONCE, "Allow once", acp::PermissionOptionKind::AllowOnce)];
    if !request.suggestions.is_empty() {
        let rules: Vec<&str> = request.suggestions.iter().map(|s| s.rule.as_str()).collect();
        let name = format!("Allow for this session: {}", spelled(&rules.join(", ")));
        options.push(option(SESSION, &name, acp::PermissionOptionKind::AllowAlways));
    }
    options.push(option(NO, "Deny", acp::PermissionOptionKind::RejectOnce));
    (call, options)
}

pub fn decision(request: &Request, answer: &acp::RequestPermissionOutcome) -> Decision {
    match chosen(answer) {
        Some(ONCE) => Decision::Once,
        Some(SESSION) if !request.suggestions.is_empty() => Decision::Rules {
            rules: request.suggestions.iter().map(|s| s.rule.clone()).collect(),
            scope: Scope::Session,
        },
        _ => Decision::Deny { message: None },
    }
}

/// A question of the model as the client's own kind of question: one at a time.
#[derive(Debug)]
pub struct Step {
    pub call: acp::ToolCallUpdate,
    pub options: Vec<acp::PermissionOption>,
}

/// The steps in which an inquiry is put. None of them allows anything but what it says.
pub fn steps(inquiry: &Inquiry) -> Vec<Step> {
    let id = |at: usize| format!("question-{}-{at}", inquiry.id.0);
    match &inquiry.about {
        About::Plan { plan } => {
            let fields = acp::ToolCallUpdateFields::new()
                .title("Carry out this plan?")
                .kind(acp::ToolKind::SwitchMode)
                .status(acp::ToolCallStatus::Pending)
                .content(vec![plan.as_str().into()]);
            let options = vec![
                option(ONCE, "Yes, and ask before edits", acp::PermissionOptionKind::AllowOnce),
                option(EDITS, "Yes, and accept edits", acp::PermissionOptionKind::AllowAlways),
                option(NO, "No, keep planning", acp::PermissionOptionKind::RejectOnce),
            ];
            vec![Step { call: acp::ToolCallUpdate::new(id(0), fields), options }]
        }
        About::Choices { questions } => questions
            .iter()
            .enumerate()
            .map(|(at, question)| Step {
                call: acp::ToolCallUpdate::new(id(at), put(question)),
                options: answers(question),
            })
            .collect(),
    }
}

/// The reply, once every step has its answer.
pub fn reply(inquiry: &Inquiry, outcomes: &[acp::RequestPermissionOutcome]) -> Reply {
    match &inquiry.about {
        About::Plan { .. } => match outcomes.first().and_then(chosen) {
            Some(ONCE) => Reply::Approved { mode: Mode::Default, plan: None },
            Some(EDITS) => Reply::Approved { mode: Mode::AcceptEdits, plan: None },
            _ => Reply::Declined { message: None },
        },
        About::Choices { questions } => {
            let pick = |(question, outcome): (&Choice, &acp::RequestPermissionOutcome)| {
                let at: usize = chosen(outcome)?.parse().ok()?;
                let label = question.options.get(at)?.label.clone();
                Some(Chosen { labels: vec![label], text: String::new() })
            };
            let picked: Option<Vec<Chosen>> = questions.iter().zip(outcomes).map(pick).collect();
            match picked.filter(|answers| answers.len() == questions.len()) {
                Some(answers) => Reply::Chosen { answers },
                None => Reply::Declined { message: None },
            }
        }
    }
}

fn put(question: &Choice) -> acp::ToolCallUpdateFields {
    let described = question.options.iter().filter(|option| !option.description.is_empty());
    let lines: Vec<String> =
        described.map(|option| format!("- {}: {}", option.label, option.description)).collect();
    let fields = acp::ToolCallUpdateFields::new()
        .title(question.question.clone())
        .kind(acp::ToolKind::Other)
        .status(acp::ToolCallStatus::Pending);
    if lines.is_empty() { fields } else { fields.content(vec![lines.join("\n").into()]) }
}

fn answers(question: &Choice) -> Vec<acp::PermissionOption> {
    let mut options: Vec<_> = question
        .options
        .iter()
        .enumerate()
        .map(|(at, choice)| {
            option(&at.to_string(), &choice.label, acp::PermissionOptionKind::AllowOnce)
        })
        .collect();
    options.push(option(NO, "No answer", acp::PermissionOptionKind::RejectOnce));
    options
}

fn option(id: &str, name: &str, kind: acp::PermissionOptionKind) -> acp::PermissionOption {
    acp::PermissionOption::new(id.to_owned(), name, kind)
}

fn chosen(answer: &acp::RequestPermissionOutcome) -> Option<&str> {
    match answer {
        acp::RequestPermissionOutcome::Selected(selected) => Some(&selected.option_id.0),
        _ => None,
    }
}

fn asked(request: &Request) -> String {
    match &request.preview {
        Preview::Command { command, .. } => format!("Run {}", one_line(command)),
        Preview::Edit { path, added, removed, new_file: false, .. } => {
            format!("Edit {} (+{added} −{removed})", one_line(path))
        }
        Preview::Edit { path, added, .. } => format!("Write {} (+{added})", one_line(path)),
        Preview::Url { url } => format!("Fetch {}", one_line(url)),
        Preview::Other { .. } => format!("Use {}", one_line(&request.tool)),
    }
}

/// What is to be decided on must look like what it is.
fn spelled(text: &str) -> String {
    clean(text, clean::Mode::Security).into_owned()
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let text = clean(text, clean::Mode::Name);
    crate::text::clip::end(&text, LONGEST).into_owned()
}
