//! A scripted session on a disk that fails at its k-th call, for every k; a sample of them unless
//! `TERN_TEST_FULL` is set. Whatever was shown as done is in the log, or the person was told.

use rustix::io::Errno;
use serde_json::json;
use tern::protocol::{Command, Event, TurnEnd};
use tern::session::Places;
use tern::session::disk::{Disk, Fault, Plan};
use tern::session::read::{self, Loaded};

use crate::support::logs::{Dice, full};
use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};
use crate::support::shown::Shown;

fn answers() -> Vec<Answer> {
    let write = json!({"file_path": "a.txt", "content": "one\n"});
    let edit = json!({"file_path": "a.txt", "old_string": "one", "new_string": "two"});
    vec![
        calls(&[("write", "Write", write)]),
        calls(&[
            ("look", "LS", json!({"path": "."})),
            ("read", "Read", json!({"file_path": "a.txt"})),
        ]),
        text("Written."),
        calls(&[("edit", "Edit", edit)]),
        text("Edited."),
    ]
}

/// Two turns, the first with a paste, and an orderly end.
async fn session(disk: Disk) -> Session {
    let mut session = Session::with(Options { disk, ..Options::default() }, answers());
    for prompt in ["paste ".repeat(1_000).as_str(), "and now the other"] {
        assert_eq!(session.ask(prompt).await, TurnEnd::Done);
    }
    session.send(Command::Stop).await;
    session.until(|event| matches!(event, Event::Stopped).then_some(())).await;
    session
}

fn log(session: &Session) -> Option<Loaded> {
    let root = session.dir.path();
    let places = Places::new(&root.join("data"), &root.join("cache"));
    Some(read::load(&places.find(&session.id())?).unwrap().0)
}

async fn check(plan: Plan) {
    let ended = session(Disk::faulty(plan)).await;
    let file = std::fs::read_to_string(ended.dir.path().join("project/a.txt")).unwrap();
    assert_eq!(file, "two\n", "{plan:?}: the work goes on");
    let shown = Shown::of(&ended.events);
    assert_eq!(shown.len(), 8, "{plan:?}: {shown:?}");
    let lost = shown.lost(log(&ended).as_ref());
    let notices = ended.notices();
    let told = |words: &str| notices.iter().any(|notice| notice.contains(words));
    if lost.is_empty() {
        return;
    }
    assert!(plan.count > 1, "{plan:?}: {lost:?} are lost to one failing call");
    assert!(told("tries again"), "{plan:?}: {lost:?}, and only {notices:?}");
    assert!(told("The end of this session is lost"), "{plan:?}: {notices:?}");
}

#[tokio::test]
async fn no_failing_call_loses_what_was_shown_or_goes_untold() {
    let quiet = Plan { op: None, from: u64::MAX, count: 0, fault: Fault::Short(0) };
    let disk = Disk::faulty(quiet);
    let clean = session(disk.clone()).await;
    assert_eq!(Shown::of(&clean.events).lost(log(&clean).as_ref()), [""; 0]);
    let calls = disk.calls();
    assert!(calls > 60, "{calls}");
    let errors = [Errno::IO, Errno::NOSPC].map(|error| Fault::Error(error.raw_os_error()));
    let faults = errors.into_iter().chain([Fault::Short(1), Fault::Torn(7)]);
    let (mut dice, mut checked) = (Dice(11), 0);
    for fault in faults {
        for count in [1, 3, u64::MAX] {
            for from in 0..calls {
                if full() || dice.roll(24) == 0 {
                    check(Plan { op: None, from, count, fault }).await;
                    checked += 1;
                }
            }
        }
    }
    println!("{checked} sessions on a disk that fails, of {calls} file calls each");
}

#[tokio::test]
async fn what_could_not_be_kept_for_an_undo_is_told_before_it_changes() {
    let fault = Fault::Error(Errno::NOSPC.raw_os_error());
    // Only the store of contents is full: the log itself goes through.
    let mut session = Session::staged(
        Options::default(),
        [
            calls(&[("read", "Read", json!({"file_path": "a.txt"}))]),
            calls(&[(
                "edit",
                "Edit",
                json!({"file_path": "a.txt", "old_string": "one", "new_string": "two"}),
            )]),
            text("Edited."),
        ],
        |setup, root| {
            std::fs::write(root.join("project/a.txt"), "one\n").unwrap();
            let full = Disk::faulty(Plan { op: None, from: 0, count: u64::MAX, fault });
            setup.log.blobs = tern::session::blobs::Blobs::new(&setup.places.blobs, full);
        },
    );
    assert_eq!(session.ask("edit it").await, TurnEnd::Done);
    let notices = session.notices();
    assert!(
        notices.iter().any(|notice| notice.contains("/undo will not bring it back")),
        "{notices:?}"
    );
}
