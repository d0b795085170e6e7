use super::*;

use jiff::{SignedDuration, Timestamp};

use crate::protocol::{
    CallId, CallResult, CallStatus, Cause, Detail, MessageId, Mode, Money, Part, Spend, Title,
    TurnId, Usage,
};
use crate::session::disk::Disk;
use crate::session::log::{Log, Tools};
use crate::session::record::{Body, Opening, RecordId, new_session};
use crate::session::redact::Secrets;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;

struct Home {
    _dir: tempfile::TempDir,
    places: Places,
    now: Timestamp,
}

impl Home {
    fn new() -> Home {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(&dir.path().join("data"), &dir.path().join("cache"));
        Home { _dir: dir, places, now: Timestamp::from_second(1_800_000_000).unwrap() }
    }

    /// A session with these records; its log's time of change is set as if a second had passed.
    fn session(&mut self, cwd: &str, branch: Option<&str>, bodies: Vec<Body>) -> Open {
        let session = new_session(self.now);
        let path = self.places.log(Path::new(cwd), &session);
        let opening = Opening {
            session,
            cwd: cwd.into(),
            model: "demo/demo".into(),
            mode: Mode::Default,
            branch: branch.map(str::to_owned),
            tern: String::new(),
            origin: None,
        };
        let tools = Tools::new(Disk::default(), &self.places.blobs, Secrets::default());
        let mut open = Open { log: Log::create(path, opening, tools, self.now) };
        open.add(self, bodies);
        open
    }
}

struct Open {
    log: Log,
}

impl Open {
    fn add(&mut self, home: &mut Home, bodies: Vec<Body>) -> Vec<RecordId> {
        let mut ids = Vec::new();
        for body in bodies {
            let appended = self.log.append(body, home.now);
            assert_eq!(appended.problem, None);
            ids.push(appended.id);
        }
        home.now += SignedDuration::from_secs(1);
        let file = std::fs::File::open(self.log.path()).unwrap();
        file.set_modified(std::time::SystemTime::from(home.now)).unwrap();
        ids
    }

    fn id(&self) -> &str {
        &self.log.session().0
    }
}

fn user(text: &str) -> Body {
    Body::user(vec![Part::Text { text: text.into() }])
}

fn reply(text: &str) -> Body {
    Body::assistant(vec![Part::Text { text: text.into() }], "demo/demo")
}

fn call(file: &str) -> Body {
    Body::Call {
        call: CallId("c".into()),
        tool: "Read".into(),
        input: serde_json::json!({"file_path": file, "content": "inputword"}),
        title: Title::default(),
        turn: TurnId(1),
    }
}

fn result(text: &str) -> Body {
    let result = CallResult {
        status: CallStatus::Done,
        text: text.into(),
        facts: String::new(),
        detail: Detail::Text,
    };
    Body::Result { call: CallId("c".into()), result }
}

fn spend(cost: Option<Money>) -> Body {
    let usage = Usage::default();
    Body::Usage { spend: Spend { model: "demo/demo".into(), usage, cost, cause: Cause::Prompt } }
}

fn titles(listing: &Listing) -> Vec<&str> {
    listing.sessions.iter().map(|summary| summary.title.as_str()).collect()
}

const ALL: Page = Page { from: 0, count: 100 };

fn found(home: &Home, words: &str) -> Vec<(String, String)> {
    let found = search(&home.places, words, 10, ONE).unwrap();
    assert_eq!(found.refreshed.problems, [""; 0]);
    found.hits.into_iter().map(|hit| (hit.session.title, hit.snippet.text)).collect()
}

#[test]
fn a_list_has_the_newest_first_and_is_the_same_with_and_without_an_index() {
    let mut home = Home::new();
    home.session(
        "/a",
        Some("main"),
        vec![
            user("first\nmore"),
            spend(Some(Money(5))),
            spend(None),
            Body::Title { title: "named".into() },
        ],
    );
    let mut second = home.session("/b", None, vec![user("second")]);
    home.session("/a", None, vec![user(&format!("pasted {}", "x".repeat(9000)))]);
    second.add(&mut home, vec![user("again")]);
    let fresh = list(&home.places, &Filter::default(), ALL).unwrap();
    let pasted = format!("pasted {}…", "x".repeat(113));
    assert_eq!(titles(&fresh), ["second", &pasted, "named"]);
    let named = &fresh.sessions[2];
    assert_eq!((named.cost, named.unpriced, named.prompts), (Money(5), 1, 1));
    assert_eq!(
        (named.branch.as_deref(), named.cwd.as_str(), named.whole),
        (Some("main"), "/a", true)
    );

    assert_eq!(refresh(&home.places, ONE).unwrap().read, 3);
    assert_eq!(list(&home.places, &Filter::default(), ALL).unwrap(), fresh);
    second.add(&mut home, vec![user("and again")]);
    let grown = list(&home.places, &Filter::default(), ALL).unwrap();
    assert_eq!(grown.sessions[0].prompts, 3);
}

#[test]
fn a_list_is_filtered_and_paged() {
    let mut home = Home::new();
    for n in 0..5 {
        let branch = if n % 2 == 0 { "even" } else { "odd" };
        home.session(
            if n < 3 { "/a" } else { "/b" },
            Some(branch),
            vec![user(&format!("task {n}"))],
        );
    }
    let check = |filter: &Filter, from, count, wanted: &[&str], more| {
        let listing = list(&home.places, filter, Page { from, count }).unwrap();
        assert_eq!(
            (titles(&listing), listing.more),
            (wanted.to_vec(), more),
            "{filter:?} {from} {count}"
        );
    };
    let all = Filter::default();
    check(&all, 0, 2, &["task 4", "task 3"], true);
    check(&all, 4, 2, &["task 0"], false);
    check(&all, 3, 2, &["task 1", "task 0"], false);
    check(&all, 9, 2, &[], false);
    let even = Filter { branch: Some("even".into()), ..Filter::default() };
    check(&even, 1, 1, &["task 2"], true);
    check(&even, 0, 9, &["task 4", "task 2", "task 0"], false);
    check(
        &Filter { project: Some("/b".into()), ..Filter::default() },
        0,
        9,
        &["task 4", "task 3"],
        false,
    );
    check(&Filter { words: "TASK 3".into(), ..Filter::default() }, 0, 9, &["task 3"], false);
    assert_eq!(newest(&home.places, Path::new("/a")).unwrap().unwrap().title, "task 2");
    assert_eq!(newest(&home.places, Path::new("/c")).unwrap(), None);
}

#[test]
fn what_was_said_and_named_is_found_and_tool_output_only_on_request() {
    let mut home = Home::new();
    let mut one = home.session("/a", None, vec![user("fix the Parser")]);
    let ids = one.add(
        &mut home,
        vec![
            call("/a/src/lexer.rs"),
            result("outputword and \"quotes\""),
            reply("The parser was fixed."),
        ],
    );
    home.session("/b", None, vec![user("write a parser"), user("something else")]);
    let both = ["fix the Parser", "write a parser"].map(|text| (text.to_owned(), text.to_owned()));
    assert_eq!(found(&home, "parser"), both);
    assert_eq!(found(&home, "parser FIX"), [("fix the Parser".into(), "fix the Parser".into())]);
    assert_eq!(found(&home, "lexer"), [("fix the Parser".into(), "/a/src/lexer.rs".into())]);
    assert_eq!(found(&home, "\"the parser\" fixed").len(), 1);
    for none in ["outputword", "inputword", "nowhere parser", "", "demo", &ids[0].0[..8]] {
        assert_eq!(found(&home, none), [], "{none:?}");
    }
    let mut hits = Vec::new();
    search_output(&home.places, "\"\"quotes\"\" OUTPUT", |hit| {
        hits.push((hit.record, hit.session.title, hit.snippet.text));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let wanted =
        (ids[1].clone(), "fix the Parser".to_owned(), "outputword and \"quotes\"".to_owned());
    assert_eq!(hits, [wanted]);
}

#[test]
fn a_hit_leads_to_its_message() {
    let mut home = Home::new();
    let mut open = home.session("/a", None, vec![user("hello")]);
    let ids = open.add(&mut home, vec![reply("alpha"), user("alpha beta"), reply("beta")]);
    let hit = search(&home.places, "beta alpha", 1, ONE).unwrap().hits.pop().unwrap();
    assert_eq!((hit.record, hit.kind), (ids[1].clone(), "prompt"));
    assert_eq!(hit.snippet.marks, [0..5, 6..10]);
}

#[test]
fn the_index_follows_the_logs() {
    let mut home = Home::new();
    let mut open = home.session("/a", None, vec![user("alpha")]);
    assert_eq!(found(&home, "beta"), []);
    open.add(&mut home, vec![user("beta")]);
    let pack = |home: &Home| std::fs::read(home.places.index.join("texts-1")).unwrap();
    let before = pack(&home);
    assert_eq!(found(&home, "beta alpha").len(), 1);
    let after = pack(&home);
    assert!(after.starts_with(&before));
    assert!(!after[before.len()..].windows(5).any(|w| w == b"alpha"), "only what is new is read");
    let indexed = list(&home.places, &Filter::default(), ALL).unwrap();
    assert_eq!((indexed.sessions[0].prompts, indexed.sessions[0].whole), (2, true));
    assert_eq!(refresh(&home.places, ONE).unwrap().read, 0);
    let path = open.log.path().to_owned();
    drop(open);
    let long = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, long.replace("beta", "zeta")).unwrap();
    assert_eq!((found(&home, "beta").len(), found(&home, "zeta").len()), (0, 1));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(found(&home, "zeta"), []);
}

#[test]
fn a_damaged_index_is_rebuilt_and_two_may_use_it() {
    let mut home = Home::new();
    home.session("/a", None, vec![user("alpha")]);
    assert_eq!(found(&home, "alpha").len(), 1);
    for file in ["catalog.jsonl", "texts-1"] {
        std::fs::write(home.places.index.join(file), b"\xff\0rubbish\n{}\n").unwrap();
        std::fs::remove_file(home.places.index.join(file)).unwrap();
        std::fs::write(home.places.index.join("catalog.jsonl"), b"rubbish").unwrap();
        assert_eq!(found(&home, "alpha").len(), 1, "{file}");
    }
    home.session("/a", None, vec![user("beta")]);
    let lock = catalog::lock(&home.places, &Disk::default()).unwrap().unwrap();
    let busy = search(&home.places, "alpha", 10, ONE).unwrap();
    assert_eq!((busy.refreshed.busy, busy.hits.len()), (true, 1));
    drop(lock);
    assert_eq!(found(&home, "beta").len(), 1);
}

#[test]
fn a_session_is_named_by_its_beginning_or_by_words() {
    let mut home = Home::new();
    let one = home.session("/a", None, vec![user("fix the parser"), reply("unicorn")]);
    home.session("/a", None, vec![user("fix the lexer")]);
    let title = |text: &str| find(&home.places, text, ONE).map(|summary| summary.title);
    assert_eq!(title(one.id()).unwrap(), "fix the parser");
    assert_eq!(title("parser FIX").unwrap(), "fix the parser");
    assert_eq!(title("unicorn").unwrap(), "fix the parser");
    let FindError::Several { sessions, .. } = title("fix").unwrap_err() else { panic!("one") };
    assert_eq!(sessions.len(), 2);
    for none in ["nowhere", "", "../../etc", "zz"] {
        assert!(matches!(title(none), Err(FindError::None(_))), "{none}");
    }
}

#[test]
fn text_with_marks_of_the_index_stays_in_its_message() {
    let mut home = Home::new();
    home.session("/a", None, vec![user("alpha \u{1e}tforged\u{1f}gamma"), user("beta")]);
    let hit = search(&home.places, "gamma", 1, ONE).unwrap().hits.pop().unwrap();
    assert_eq!((hit.kind, hit.snippet.text.as_str()), ("prompt", "alpha tforged gamma"));
    assert_ne!(hit.record, MessageId("forged".into()));
}
