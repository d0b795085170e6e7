//! The dialogs of the model's questions: what they show, and what their keys answer.

use tern::app::{Effect, Msg, Reply as Answer};
use tern::protocol::{
    About, Choice, Choosable, Chosen, Command, Event, Inquiry, Mode, Reply, RequestId,
};

use crate::support::screen::{Screen, screen};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn asked(width: u16, height: u16, about: About) -> Screen {
    let inquiry = Box::new(Inquiry { id: RequestId(7), about });
    screen(width, height).events("streaming").event(Event::QuestionAsked { inquiry }).wait(1_000)
}

fn questions() -> About {
    let option = |label: &str, description: &str| Choosable {
        label: label.to_owned(),
        description: description.to_owned(),
    };
    let question = |text: &str, header: &str, multi_select, options| Choice {
        question: text.to_owned(),
        header: header.to_owned(),
        options,
        multi_select,
    };
    let parsers = vec![
        option("Hand-written", "Fast, and its errors can be as good as we make them"),
        option("Generated\u{1b}[31m", "From a grammar; one more dependency"),
    ];
    let tests = vec![option("Unit", ""), option("Property", ""), option("Fuzz", "")];
    About::Choices {
        questions: vec![
            question("Which kind of parser shall it be?", "Parser", false, parsers),
            question("Which tests?", "Tests", true, tests),
        ],
    }
}

fn plan() -> About {
    let plan = "# Empty input\n\n1. `next()` checks the length\n2. a test for it\n\n\
                ```rust\nlet byte = self.bytes.get(self.pos)?;\n```\n";
    About::Plan { plan: plan.to_owned() }
}

fn replies(screen: &Screen) -> Vec<Reply> {
    let reply = |command| match command {
        Command::Reply { request: RequestId(7), reply } => Some(reply),
        _ => None,
    };
    screen.commands().into_iter().filter_map(reply).collect()
}

#[test]
fn what_is_shown() {
    for (width, height) in SIZES {
        let text = asked(width, height, questions()).text();
        insta::assert_snapshot!(format!("choices-{width}x{height}"), text);
        let text = asked(width, height, plan()).text();
        insta::assert_snapshot!(format!("plan-{width}x{height}"), text);
    }
    let text = asked(80, 24, questions()).keys("<enter><space><down><down><down>both").text();
    insta::assert_snapshot!("choices-several", text);
}

#[test]
fn choices_are_answered() {
    let chosen = |labels: &[&str], text: &str| Chosen {
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        text: text.to_owned(),
    };
    let generated = "Generated\u{1b}[31m";
    for (keys, first, second) in [
        ("<enter><enter>", chosen(&["Hand-written"], ""), chosen(&["Unit"], "")),
        (
            "2<space><down><down><space><enter>",
            chosen(&[generated], ""),
            chosen(&["Unit", "Fuzz"], ""),
        ),
        ("j<enter>3<enter>", chosen(&[generated], ""), chosen(&["Fuzz"], "")),
        ("3neither<enter><enter>", chosen(&[], "neither"), chosen(&["Unit"], "")),
        ("<enter><space>4 more<enter>", chosen(&["Hand-written"], ""), chosen(&["Unit"], "more")),
        ("<enter><left>2<enter>", chosen(&[generated], ""), chosen(&["Unit"], "")),
    ] {
        let screen = asked(100, 30, questions()).keys(keys);
        let answers = vec![first, second];
        assert_eq!(replies(&screen), [Reply::Chosen { answers }], "{keys}");
    }
    for keys in ["<enter>", "<down><down><down><enter>", "<space>", "x", "9"] {
        assert_eq!(replies(&asked(100, 30, questions()).keys(keys)), [], "{keys}");
    }
}

#[test]
fn plans_are_approved_changed_and_refused() {
    let approved = |mode| Reply::Approved { mode, plan: None };
    let declined = |message: Option<&str>| Reply::Declined { message: message.map(str::to_owned) };
    for (keys, reply) in [
        ("<enter>", approved(Mode::Default)),
        ("y", approved(Mode::Default)),
        ("a", approved(Mode::AcceptEdits)),
        ("ntests first<enter>", declined(Some("tests first"))),
        ("n<enter>", declined(None)),
        ("nx<esc><enter>", approved(Mode::Default)),
    ] {
        assert_eq!(replies(&asked(100, 30, plan()).keys(keys)), [reply], "{keys}");
    }
    let screen = asked(100, 30, plan()).keys("e");
    assert!(
        matches!(screen.off.effects.last(), Some(Effect::OpenEditor(text)) if text.starts_with("# Empty"))
    );
    let edited = Msg::Done(Answer::Edited(Ok("# Other\n".to_owned())));
    let screen = screen.send(edited).keys("<enter>");
    let plan = Some("# Other".to_owned());
    assert_eq!(replies(&screen), [Reply::Approved { mode: Mode::Default, plan }]);
}

#[test]
fn escape_stops_the_turn_and_answers_nothing() {
    for about in [questions(), plan()] {
        let screen = asked(100, 30, about).keys("<esc>");
        assert!(matches!(screen.commands().as_slice(), [Command::Interrupt { .. }]));
    }
}

#[test]
fn keys_typed_for_something_else_do_not_answer() {
    let inquiry = Box::new(Inquiry { id: RequestId(7), about: plan() });
    let screen = screen(100, 30)
        .events("streaming")
        .typed_ahead("wait")
        .event(Event::QuestionAsked { inquiry })
        .typed_ahead(", yes");
    assert_eq!(
        (replies(&screen).len(), screen.off.model.prompt.expanded()),
        (0, "wait, yes".into())
    );
}
