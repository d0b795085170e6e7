//! The permission dialog: what it shows, and what its keys answer.

use tern::protocol::{Command, Decision, RequestId, Scope};

use crate::support::screen::{Screen, screen};

fn answers(screen: &Screen) -> Vec<(u64, Decision)> {
    let answer = |command| match command {
        Command::Answer { request: RequestId(id), decision } => Some((id, decision)),
        _ => None,
    };
    screen.commands().into_iter().filter_map(answer).collect()
}

fn edit(keys: &str) -> Vec<(u64, Decision)> {
    answers(&screen(120, 40).events("edit-asked").keys(keys))
}

fn hunks(kept: &[usize]) -> Decision {
    Decision::Hunks { kept: kept.to_vec(), changed: Vec::new() }
}

fn rules(rule: &str, scope: Scope) -> Decision {
    Decision::Rules { rules: vec![rule.to_owned()], scope }
}

#[test]
fn every_key_has_its_answer() {
    let denied = |message: Option<&str>| Decision::Deny { message: message.map(str::to_owned) };
    for (keys, decision) in [
        ("<enter>", Decision::Once),
        ("y", Decision::Once),
        ("s", rules("Edit(src/**)", Scope::Session)),
        ("A<enter>", rules("Edit(src/**)", Scope::Project)),
        ("A<tab><enter>", rules("Edit(src/**)", Scope::User)),
        ("A<ctrl+u>Edit(src/parser.rs)<enter>", rules("Edit(src/parser.rs)", Scope::Project)),
        ("n", denied(None)),
        ("<tab>use a guard<enter>", denied(Some("use a guard"))),
        ("<tab><enter>", denied(None)),
        ("<space><enter>", hunks(&[1])),
        ("]<space><enter>", hunks(&[0])),
        ("<space><space><enter>", Decision::Once),
        ("<space>]<space><enter>", denied(Some("every hunk of the edit was dropped"))),
    ] {
        assert_eq!(edit(keys), [(1, decision)], "{keys}");
    }
    for keys in ["A<esc>", "<tab>hm<esc>", "w", "]", "<pagedown>", "x", "<shift+tab>"] {
        assert_eq!(edit(keys), [], "{keys}");
    }
    assert_eq!(edit("A<ctrl+u><enter>"), [], "an empty rule is not saved");
}

#[test]
fn a_command_is_changed_and_a_hunk_is_what_the_editor_made_of_it() {
    use tern::app::{Effect, Msg, Reply};
    use tern::protocol::ChangedHunk;

    let changed = |keys: &str| answers(&screen(100, 30).events("command-asked").keys(keys));
    let command = |command: &str| Decision::Command { command: command.to_owned() };
    assert_eq!(
        changed("e<ctrl+w><ctrl+w>--dry-run<enter>"),
        [(2, command("cargo test -p parser && git push --dry-run"))]
    );
    assert_eq!(changed("e<enter>"), [(2, Decision::Once)], "nothing was changed");
    for keys in ["e<ctrl+u><enter>", "ex<esc>"] {
        assert_eq!(changed(keys), [], "{keys}");
    }

    let mut screen = screen(120, 40).events("edit-asked").keys("]e");
    let opened = screen.off.effects.iter().find_map(|effect| match effect {
        Effect::OpenEditor(text) => Some(text.clone()),
        _ => None,
    });
    let text = opened.unwrap().replace('x', "y") + "// mine\n";
    screen = screen.send(Msg::Done(Reply::Edited(Ok(text.clone()))));
    let shown = screen.text();
    assert!(shown.contains("// mine") && shown.contains("1 changed by you"), "{shown}");
    let changed = vec![ChangedHunk { hunk: 1, text }];
    assert_eq!(
        answers(&screen.keys("<enter>")),
        [(1, Decision::Hunks { kept: vec![0, 1], changed })]
    );
}

#[test]
fn the_dialog_takes_the_whole_screen_and_gives_it_back() {
    let mut screen = screen(90, 40).events("edit-asked");
    let small = screen.text();
    screen = screen.keys("f");
    assert!(screen.text().starts_with('╭'), "{}", screen.text());
    screen = screen.keys("f");
    assert_eq!(screen.text(), small);
}

#[test]
fn escape_stops_the_turn_and_denies_nothing() {
    let screen = screen(120, 40).events("edit-asked").keys("<esc>");
    assert!(matches!(screen.commands().as_slice(), [Command::Interrupt { .. }]));
}

#[test]
fn keys_typed_for_something_else_do_not_answer() {
    // The question comes while someone is writing; what they write stays text.
    let mut screen = screen(100, 30).events("streaming").typed_ahead("yes, and als");
    for event in crate::support::screen::events("edit-asked") {
        if let tern::protocol::Event::PermissionAsked { .. } = event.body {
            screen = screen.event(event.body);
        }
    }
    screen = screen.typed_ahead("o any<enter>s");
    assert_eq!(answers(&screen), []);
    assert!(
        matches!(&screen.commands()[..], [Command::Queue { input, .. }] if input.text == "yes, and also any")
    );
    assert_eq!(screen.off.model.prompt.expanded(), "s");
    screen = screen.keys("<enter>");
    assert_eq!(answers(&screen), [(1, Decision::Once)]);
}

#[test]
fn what_is_asked_about_is_on_the_screen() {
    let text = screen(80, 24).events("command-asked").text();
    for part in ["$ cargo test -p parser && git push origin main", "no rule · reaches the network"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn the_rules_of_always_can_be_read_before_they_are_saved() {
    insta::assert_snapshot!(screen(90, 26).events("command-asked").keys("A<tab>").text());
}

#[test]
fn why_and_deny_with_a_message() {
    insta::assert_snapshot!("why", screen(90, 30).events("edit-asked").keys("w").text());
    insta::assert_snapshot!(
        "deny",
        screen(90, 30).events("edit-asked").keys("<tab>no, keep").text()
    );
}

#[test]
fn a_long_change_scrolls_and_goes_from_hunk_to_hunk() {
    use tern::protocol::{Event, Preview};

    let mut long = crate::support::screen::events("edit-asked");
    if let Some(Event::PermissionAsked { request }) = long.last_mut().map(|event| &mut event.body)
        && let Preview::Edit { hunks, .. } = &mut request.preview
    {
        let second = hunks[1].clone();
        for n in 2..40 {
            let start = 71 + 30 * n;
            let moved =
                tern::protocol::Hunk { old_start: start, new_start: start, ..second.clone() };
            hunks.push(moved);
        }
    }
    let mut screen = screen(100, 30);
    for event in long {
        screen.off.event(event);
    }
    screen = screen.keys("");
    assert!(screen.text().contains("hunk 1 of 40"));
    screen = screen.keys("<pagedown><down>");
    let scrolled = screen.off.model.dialogs.front().unwrap().scroll;
    assert_eq!(screen.off.seen().inner.top, scrolled);
    assert!(scrolled > 1, "{scrolled}");
    screen = screen.keys(&"]".repeat(39));
    assert!(screen.text().contains("hunk 40 of 40"));
    let top = screen.off.seen().inner.top;
    screen = screen.keys("<up>");
    assert_eq!(screen.off.seen().inner.top, top - 1, "scrolling goes on from what is shown");
    assert_eq!(answers(&screen.keys("<space><enter>")).len(), 1);
}
