//! The panels.

use tern::app::panels::cost::{Group, Report};
use tern::app::panels::history::{Change, Form, Preview, SessionRow, lines};
use tern::app::panels::memory::MemoryRow;
use tern::app::spend::Total;
use tern::app::start::{Found, FoundKey, FoundServer, Start};
use tern::app::{Effect, Msg, Reply};
use tern::protocol::budget::Limits;
use tern::protocol::{
    CallId, Command, DenialInfo, Event, MessageId, Mode, Money, Role, RuleBook, RuleChange,
    RuleInfo, Ruling, Scope, SessionId, Source, Sourced, Usage,
};

use crate::support::screen::{Screen, resumed, screen};

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn total(cost: i64) -> Total {
    let usage = Usage { input: 1_000, cache_read: 40_000, output: 1_900, ..Usage::default() };
    Total { usage, cost: Money(cost), requests: 3, unpriced: 0 }
}

fn seq(screen: &Screen) -> u64 {
    let seq = screen.off.effects.iter().rev().find_map(|effect| match effect {
        Effect::LoadCosts { seq, .. } | Effect::ListSessions { seq, .. } => Some(*seq),
        _ => None,
    });
    seq.unwrap_or_default()
}

fn answered_cost(screen: Screen) -> Screen {
    let report = Report {
        groups: vec![Group { name: "2026-11-24".to_owned(), total: total(3_100_000) }],
        week: [1, 3, 2, 5, 2, 1, 3].map(|n| Money(n * 800_000)).to_vec(),
        saved: Money(1_950_000),
        lost: Money(120_000),
    };
    let seq = seq(&screen);
    let limits = Limits { session: None, day: Some(Money(10_000_000)) };
    let screen = screen.event(Event::BudgetSet { limits });
    screen.send(Msg::Done(Reply::Costs { seq, report: Ok(report) }))
}

#[test]
fn cost() {
    for (width, height) in SIZES {
        let mut turns = answered_cost(screen(width, height).events("fixed").keys("/cost<enter>"))
            .keys("<enter>");
        insta::assert_snapshot!(format!("cost-{width}x{height}"), turns.text());
    }
    let days = screen(80, 24).events("fixed").keys("<ctrl+x>c<tab><tab><tab><tab>");
    insta::assert_snapshot!("cost-days", answered_cost(days).text());
}

fn sessions() -> Vec<SessionRow> {
    let row = |n: u64, title: &str, age: &str, here| SessionRow {
        id: SessionId(format!("01930000-0000-7000-8000-00000000000{n}")),
        title: title.to_owned(),
        age: age.to_owned(),
        project: "parser".to_owned(),
        cost: (n != 2).then_some(Money(420_000)),
        prompts: n as u32,
        here,
        branch: if here { "main".to_owned() } else { String::new() },
        days: if n == 3 { 4 } else { 0 },
        snippet: None,
        found: None,
    };
    vec![
        row(1, "Fix the parser's panic on empty input", "3 min", true),
        row(2, "Add a benchmark for long files and find out where its time goes", "2 h", true),
        row(3, "Release notes", "4 d", false),
    ]
}

fn history(width: u16, height: u16) -> Screen {
    let screen = screen(width, height).events("fixed").keys("<ctrl+x>h");
    let seq = seq(&screen);
    let mut screen = screen.send(Msg::Done(Reply::Sessions { seq, rows: Ok(sessions()) }));
    let said = |role, text: &str| (role, text.to_owned());
    screen = screen.send(Msg::Done(Reply::Preview {
        id: sessions()[0].id.clone(),
        around: None,
        preview: Ok(Preview {
            head: vec![
                said(Role::User, "The parser panics on an empty file. Find out why and fix it."),
                said(Role::Assistant, "I'll look at the parser and its tests first."),
            ],
            left_out: 12,
            tail: vec![said(Role::Assistant, "Fixed. An empty file now gives no tokens.")],
            at: None,
        }),
    }));
    screen
}

#[test]
fn history_lists_and_shows_conversations() {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("history-{width}x{height}"), history(width, height).text());
    }
    insta::assert_snapshot!("history-filter", history(80, 24).keys("/notes").text());
}

#[test]
fn history_resumes() {
    let screen = history(80, 24).keys("j<enter>");
    let resume = Command::Resume { session: sessions()[1].id.clone() };
    assert_eq!(screen.commands(), [Command::Leave { place: None }, resume]);
    assert!(screen.off.model.panel.is_none());
}

fn changes_asked(screen: &Screen) -> Vec<Change> {
    let asked = screen.off.effects.iter().filter_map(|effect| match effect {
        Effect::ChangeSession { change, .. } => Some(change.clone()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn history_renames_forks_and_exports() {
    let id = sessions()[1].id.clone();
    let renamed = history(80, 24).keys("jr<ctrl+u>A new title<enter>");
    assert_eq!(changes_asked(&renamed), [Change::Rename("A new title".to_owned())]);
    let kept = history(80, 24).keys("/notes<enter>r<ctrl+u>other<esc>");
    assert_eq!(changes_asked(&kept), []);
    assert_eq!(kept.off.model.panel.as_ref().map(|panel| panel.query()), Some("notes".to_owned()));
    let fork = Command::Fork { session: Some(id) };
    assert_eq!(history(80, 24).keys("jf").commands(), [fork]);
    let exported = history(80, 24).keys("xX");
    let forms = [Change::Export(Form::Markdown), Change::Export(Form::Html)];
    assert_eq!(changes_asked(&exported), forms);
}

#[test]
fn history_deletes_only_after_a_question() {
    let mut asked = history(80, 24).keys("jd");
    insta::assert_snapshot!("history-delete-80x24", asked.text());
    for (keys, wanted) in [
        ("dy", vec![Change::Delete]),
        ("dn", vec![]),
        ("d<esc>", vec![]),
        ("d<enter>", vec![]),
        ("dxd", vec![]),
        ("dny", vec![]),
    ] {
        assert_eq!(changes_asked(&history(80, 24).keys("j").keys(keys)), wanted, "{keys}");
    }
    assert_eq!(changes_asked(&history(80, 24).keys("dy")), [], "not the one that is open");
}

#[test]
fn history_is_limited_by_folder_branch_and_time() {
    let shown = |keys: &str| lines(&history(100, 30).keys(keys).off.model).len();
    for (keys, count) in [("", 3), ("p", 2), ("pp", 3), ("b", 2), ("t", 2), ("ttt", 3), ("pbt", 2)]
    {
        assert_eq!(shown(keys), count, "{keys}");
    }
    let text = history(120, 40).keys("pbtt").text();
    assert!(text.contains("titles · this folder · branch main · last 7 days"), "{text}");
}

#[test]
fn a_hit_leads_to_its_message() {
    let id = sessions()[2].id.clone();
    let found = Some(MessageId("m5".to_owned()));
    let row = SessionRow {
        snippet: Some("…the parser…".to_owned()),
        found: found.clone(),
        ..sessions().remove(2)
    };
    let screen = screen(120, 40).keys("<ctrl+x>h<ctrl+f>parser");
    let seq = seq(&screen);
    let rows = Ok(vec![row]);
    let screen = screen.send(Msg::Done(Reply::Sessions { seq, rows }));
    let asked = Effect::PreviewSession { id: id.clone(), around: found.clone() };
    assert!(screen.off.effects.contains(&asked));
    let at = Some(MessageId("m4".to_owned()));
    let preview = Ok(Preview { at, ..Preview::default() });
    let preview = Reply::Preview { id: id.clone(), around: found, preview };
    let mut screen = screen.send(Msg::Done(preview)).keys("<enter><enter>");
    assert_eq!(screen.commands(), [Command::Resume { session: id.clone() }]);
    screen = screen.event(resumed(&id));
    for n in 1..9 {
        let (message, role) = (MessageId(format!("m{n}")), Role::User);
        screen = screen.event(Event::Restored { message, role, text: format!("message {n}") });
    }
    assert_eq!(screen.off.model.browse, Some(3));
}

#[test]
fn a_session_that_is_open_elsewhere_can_be_copied_or_looked_at() {
    let session = SessionId("s1".to_owned());
    let busy = || screen(80, 24).event(Event::SessionBusy { session: session.clone() });
    insta::assert_snapshot!("busy-80x24", busy().text());
    let fork = Command::Fork { session: Some(session.clone()) };
    let view = Command::View { session: session.clone() };
    for (keys, command) in [
        ("<enter>", fork),
        ("j<enter>", view),
        ("jj<enter>", Command::Resume { session: session.clone() }),
        ("jjj<enter>", Command::Clear),
        ("<esc>", Command::Clear),
    ] {
        assert_eq!(busy().keys(keys).commands(), [command], "{keys}");
    }
    let viewed = busy().keys("j<enter>").event(resumed(&session));
    let sent = viewed.keys("hello<enter>").commands().len();
    assert_eq!(sent, 1, "nothing is sent to a session that is looked at");
}

#[test]
fn stale_answers_fall_on_the_floor() {
    let screen = screen(80, 24).keys("<ctrl+x>h");
    let old = seq(&screen);
    let screen = screen
        .keys("<esc><ctrl+x>h")
        .send(Msg::Done(Reply::Sessions { seq: old, rows: Ok(sessions()) }));
    assert!(
        !screen.off.effects.iter().any(|effect| matches!(effect, Effect::PreviewSession { .. }))
    );
}

#[test]
fn help_is_made_from_the_tables() {
    insta::assert_snapshot!("help", screen(100, 40).keys("?").text());
    insta::assert_snapshot!("help-filter", screen(80, 24).keys("?/undo").text());
}

#[test]
fn themes_are_shown_while_they_are_chosen() {
    let screen = screen(80, 24).keys("/theme<enter>j");
    let chosen = screen.off.model.look.theme.clone();
    assert_ne!(chosen, "dark");
    let back = screen.keys("<esc>");
    assert_eq!(back.off.model.look.theme, "dark");
    let kept = back.keys("/theme<enter>j<enter>");
    assert_eq!(kept.off.model.look.theme, chosen);
    assert!(kept.off.effects.iter().any(|effect| matches!(effect, Effect::Save(_))));
}

#[test]
fn a_first_start_offers_what_was_found() {
    let found = Found {
        keys: vec![FoundKey { provider: "anthropic".into(), variable: "ANTHROPIC_API_KEY".into() }],
        servers: vec![FoundServer {
            provider: "ollama".into(),
            url: "http://127.0.0.1:11434".into(),
            models: vec!["qwen3:8b".into(), "llama3.2".into()],
        }],
    };
    let mut screen = screen(80, 24).with(|model| model.start = Some(Start::default()));
    insta::assert_snapshot!("start-looking", screen.text());
    screen = screen.send(Msg::Done(Reply::Found(found)));
    insta::assert_snapshot!("start-found", screen.text());
    screen = screen.keys("jj<enter>sk-ant-secret");
    insta::assert_snapshot!("start-key", screen.text());
    screen = screen.keys("<enter>");
    let shown = format!("{:?}", screen.off.effects);
    assert!(shown.contains("Connect(Enter") && !shown.contains("sk-ant"), "{shown}");
    screen = screen.send(Msg::Done(Reply::Connected(Err("the key was refused (401)".into()))));
    assert!(screen.text().contains("the key was refused (401)"));
}

#[test]
fn background_commands() {
    use tern::protocol::{Event, JobId};
    let changed = |job, command: &str, running, facts: &str| {
        let (job, command) = (JobId(job), command.to_owned());
        Msg::Agent(Box::new(Event::JobChanged { job, command, running, facts: facts.to_owned() }))
    };
    let output = |job, text: &str| {
        Msg::Agent(Box::new(Event::JobOutput { job: JobId(job), text: text.to_owned() }))
    };
    for (width, height) in SIZES {
        let mut panel = screen(width, height)
            .events("fixed")
            .send(changed(1, "cargo build --release", false, "exit 1 · 12 s"))
            .send(changed(2, "npm run dev", true, ""))
            .keys("/tasks<enter>")
            .send(output(2, "\u{1b}[32mready\u{1b}[0m on port 3000\n"))
            .send(output(2, "GET /\n"));
        insta::assert_snapshot!(format!("tasks-{width}x{height}"), panel.text());
        let panel = panel.keys("x<down>x<esc>");
        let sent: Vec<&Effect> = panel.off.effects.iter().rev().take(3).collect();
        let follow = |job: Option<u64>| Effect::Send(Command::FollowJob { job: job.map(JobId) });
        let kill = Effect::Send(Command::Kill { job: JobId(2) });
        assert_eq!(sent, [&follow(None), &follow(Some(1)), &kill]);
    }
}

#[test]
fn memory_lists_instruction_files_and_opens_them() {
    let row = |name: &str, scope, bytes, cut| MemoryRow {
        path: format!("/p/{name}").into(),
        name: name.to_owned(),
        scope,
        bytes,
        cut,
        imported: name.starts_with("docs"),
    };
    let rows = vec![
        row("~/.claude/CLAUDE.md", "user", Some(2_048), false),
        row("AGENTS.md", "project", Some(49_000), true),
        row("docs/style.md", "project", Some(700), false),
        row("CLAUDE.local.md", "local", None, false),
    ];
    let listed =
        || screen(80, 24).keys("/memory<enter>").send(Msg::Done(Reply::Memory(rows.clone())));
    insta::assert_snapshot!("memory-80x24", listed().text());
    let opened = listed().keys("jj<enter>");
    assert!(opened.off.effects.contains(&Effect::EditFile("/p/docs/style.md".into())));
}

fn book() -> RuleBook {
    let rule = |ruling, value: &str, source, line, problem: Option<&str>| RuleInfo {
        ruling,
        rule: Sourced {
            value: value.to_owned(),
            source,
            file: Some("/home/me/.config/tern/config.toml".into()),
            line: Some(line),
        },
        problem: problem.map(str::to_owned),
    };
    let denial = |tool: &str, what: &str, because: &str, firm| DenialInfo {
        call: CallId(what.to_owned()),
        tool: tool.to_owned(),
        what: what.to_owned(),
        because: because.to_owned(),
        firm,
    };
    RuleBook {
        rules: vec![
            rule(Ruling::Deny, "Read(./.env)", Source::User, 4, None),
            rule(Ruling::Ask, "Bash(git push *)", Source::Project, 9, None),
            rule(Ruling::Allow, "Bash(cargo test *)", Source::User, 6, None),
            rule(
                Ruling::Allow,
                "Write(docs/**)",
                Source::User,
                7,
                Some("it has no effect; write Edit(docs/**)"),
            ),
            RuleInfo {
                rule: Sourced::new("Bash(make *)".to_owned(), Source::Flag),
                ..rule(Ruling::Allow, "", Source::Flag, 1, None)
            },
        ],
        denials: vec![
            denial("Bash", "touch made", "no rule allows it, and dontAsk mode refuses", false),
            denial("Read", "/p/.env", "the rule Read(./.env) forbids reading it", true),
        ],
        in_a_row: 2,
        in_all: 5,
    }
}

fn permissions(width: u16, height: u16) -> Screen {
    let screen = screen(width, height).keys("/permissions<enter>");
    assert_eq!(screen.commands(), [Command::AskRules]);
    screen.event(Event::RulesShown { book: Box::new(book()) })
}

#[test]
fn permissions_lists_rules_with_their_places_and_what_was_denied() {
    for (width, height) in SIZES {
        let name = format!("permissions-{width}x{height}");
        insta::assert_snapshot!(name, permissions(width, height).keys("jj").text());
    }
    let mut form = permissions(80, 24).keys("a").keys("Bash(npm test *)<tab><ctrl+t>");
    insta::assert_snapshot!("permissions-form", form.text());
    let mut delete = permissions(80, 24).keys("jd");
    insta::assert_snapshot!("permissions-delete", delete.text());
}

#[test]
fn permissions_changes_rules_and_asks_again() {
    let old = |at: usize| (book().rules[at].ruling, book().rules[at].rule.clone());
    let sent = |keys: &str| permissions(120, 40).keys(keys).commands().split_off(1);
    let change = |change| vec![Command::ChangeRule { change }];
    assert_eq!(
        sent("jjaBash(x *)<tab><shift+tab><enter>"),
        change(RuleChange::Add {
            ruling: Ruling::Deny,
            rule: "Bash(x *)".to_owned(),
            scope: Scope::User
        })
    );
    let (ruling, rule) = old(0);
    assert_eq!(sent("jdn"), []);
    assert_eq!(sent("jdy"), change(RuleChange::Remove { ruling, old: rule.clone() }));
    let replaced = RuleChange::Replace { ruling, old: rule, rule: "Read(./.en)".to_owned() };
    assert_eq!(sent("je<left><backspace><enter>"), change(replaced));
    // What was given on the command line stands in no file.
    assert_eq!((sent("jjjjjd"), sent("jjjjje")), (Vec::new(), Vec::new()));
    let again = sent("Gkr");
    assert_eq!(again[0], Command::AskAgain { call: CallId("touch made".to_owned()) });
    let Command::Submit { input, .. } = &again[1] else { panic!("{again:?}") };
    assert!(input.text.contains("touch made"), "{input:?}");
    assert_eq!(sent("Gr"), []);
    assert_eq!(sent("m"), [Command::SetMode { mode: Mode::AcceptEdits }]);
}
