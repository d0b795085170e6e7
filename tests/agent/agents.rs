//! Sub-agents, and the commands and skills that files describe.

use serde_json::{Value, json};
use tern::protocol::{
    AgentInfo, AgentState, CallStatus, Cause, Command, Decision, Event, Mode, Request, Role,
    TurnEnd,
};

use crate::support::script::{Answer, calls, text};
use crate::support::session::{Options, Session};

fn agent(id: &str, kind: &str, prompt: &str) -> (String, &'static str, Value) {
    let input =
        json!({"description": format!("task {id}"), "prompt": prompt, "subagent_type": kind});
    (id.to_owned(), "Agent", input)
}

fn agents(tasks: &[(String, &'static str, Value)]) -> Answer {
    let tasks: Vec<(&str, &str, Value)> =
        tasks.iter().map(|(id, tool, input)| (id.as_str(), *tool, input.clone())).collect();
    calls(&tasks)
}

/// What has happened within agents.
fn within(session: &Session) -> Vec<(String, Event)> {
    let inner = session.events.iter().filter_map(|event| match event {
        Event::Within { agent, event } => Some((agent.0.clone(), (**event).clone())),
        _ => None,
    });
    inner.collect()
}

fn changes(session: &Session) -> Vec<AgentInfo> {
    let changed = session.events.iter().filter_map(|event| match event {
        Event::AgentChanged { info } => Some(info.clone()),
        _ => None,
    });
    changed.collect()
}

async fn question(session: &mut Session) -> Box<Request> {
    session
        .until(|event| match event {
            Event::Within { event, .. } => match &**event {
                Event::PermissionAsked { request } => Some(request.clone()),
                _ => None,
            },
            _ => None,
        })
        .await
}

#[tokio::test]
async fn an_agent_works_by_itself_and_only_its_answer_comes_back() {
    let mut session = Session::start([
        agents(&[agent("a", "explore", "Where is main?")]),
        calls(&[("r", "Glob", json!({"pattern": "*.rs"}))]),
        text("It is in main.rs."),
        text("ok"),
    ]);
    session.file("main.rs", "fn main() {}");
    assert_eq!(session.ask("find main").await, TurnEnd::Done);
    let result = session.results().pop().unwrap();
    assert_eq!((result.status, result.text.as_str()), (CallStatus::Done, "It is in main.rs."));
    let requests = session.script.requests();
    assert_eq!(requests.len(), 4);
    let sent = |at: usize| serde_json::to_string(&requests[at].messages).unwrap();
    assert!(sent(1).contains("Where is main?") && !sent(1).contains("find main"));
    assert!(!sent(3).contains("main.rs\\\"") && sent(3).contains("It is in main.rs."));
    // It only reads: what would write is not even there.
    let names: Vec<&str> = requests[1].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert!(names.contains(&"Read") && !names.contains(&"Edit") && !names.contains(&"Agent"));
    let states: Vec<AgentState> = changes(&session).into_iter().map(|info| info.state).collect();
    assert_eq!(states, [AgentState::Running, AgentState::Done]);
    assert!(within(&session).iter().all(|(id, _)| id == "a1"));
    let spent = |event: &Event| match event {
        Event::UsageAdded { spend, .. } => Some(spend.cause.clone()),
        _ => None,
    };
    let causes: Vec<Cause> = within(&session).iter().filter_map(|(_, e)| spent(e)).collect();
    assert_eq!(causes, [Cause::SubAgent, Cause::SubAgent]);
}

#[tokio::test]
async fn four_agents_run_at_once_and_their_money_is_the_sessions() {
    let tasks: Vec<_> = ["a", "b", "c", "d"].map(|id| agent(id, "general", "Do it")).to_vec();
    let mut answers = vec![agents(&tasks)];
    let wait = json!({"command": "while [ ! -e go ]; do sleep 0.05; done"});
    answers.extend((0..4).map(|_| calls(&[("w", "Bash", wait.clone())])));
    answers.extend((0..4).map(|n| text(&format!("part {n}"))));
    answers.push(text("all done"));
    let mut session = Session::start(answers);
    session.submit("go").await;
    let mut waiting = 0;
    while waiting < 4 {
        let Event::Within { event, .. } = session.next().await else { continue };
        waiting += usize::from(matches!(*event, Event::CallStarted { .. }));
    }
    session.file("go", "");
    assert_eq!(session.end().await, TurnEnd::Done);
    let infos = changes(&session);
    assert!(infos[..4].iter().all(|info| info.state == AgentState::Running));
    assert_eq!(session.results().len(), 4);
    let ledger: Vec<Value> = std::fs::read_dir(session.dir.path().join("data/ledger"))
        .unwrap()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
        })
        .collect();
    let by_agents = ledger.iter().filter(|entry| entry["agent"] == "general").count();
    assert_eq!((ledger.len(), by_agents), (10, 8));
}

#[tokio::test]
async fn an_agent_asks_the_person_and_is_never_freer_than_the_session() {
    let write = json!({"file_path": "made.txt", "content": "x"});
    let mut session = Session::with(
        Options { mode: Mode::Default, ..Options::default() },
        [
            agents(&[agent("a", "general", "Write it")]),
            calls(&[("w", "Write", write)]),
            text("written"),
            text("ok"),
        ],
    );
    session.submit("go").await;
    let request = question(&mut session).await;
    assert_eq!(request.tool, "Write");
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(session.dir.path().join("project/made.txt").exists());
}

#[tokio::test]
async fn one_that_explores_changes_nothing_even_where_everything_is_allowed() {
    let mut session = Session::start([
        agents(&[agent("a", "explore", "Look")]),
        calls(&[("w", "Bash", json!({"command": "touch made"}))]),
        text("could not"),
        text("ok"),
    ]);
    session.submit("go").await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(!session.dir.path().join("project/made").exists());
    let denied = within(&session).into_iter().any(|(_, event)| {
        matches!(event, Event::CallEnded { result, .. } if result.status == CallStatus::Denied)
    });
    assert!(denied);
}

#[tokio::test]
async fn an_interrupt_reaches_the_agents() {
    let mut session =
        Session::start([agents(&[agent("a", "general", "Wait")]), Answer::Hangs(Vec::new())]);
    let turn = session.submit("go").await;
    session
        .until(|event| match event {
            Event::Within { event, .. } if matches!(**event, Event::RequestStarted { .. }) => {
                Some(())
            }
            _ => None,
        })
        .await;
    session.send(Command::Interrupt { turn }).await;
    assert_eq!(session.end().await, TurnEnd::Interrupted);
    assert_eq!(session.results()[0].status, CallStatus::Interrupted);
    assert_eq!(changes(&session).pop().unwrap().state, AgentState::Stopped);
}

#[tokio::test]
async fn one_can_be_stopped_and_told_something() {
    let mut session = Session::start([
        agents(&[agent("a", "general", "Work")]),
        calls(&[("s", "Bash", json!({"command": "while [ ! -e go ]; do sleep 0.05; done"}))]),
        text("as you said"),
        text("ok"),
    ]);
    session.submit("go").await;
    session
        .until(|event| match event {
            Event::Within { event, .. } if matches!(**event, Event::CallStarted { .. }) => Some(()),
            _ => None,
        })
        .await;
    let agent = changes(&session)[0].id.clone();
    let steer = Command::SteerAgent { agent: agent.clone(), text: "mind the tests".into() };
    session.send(steer).await;
    session
        .until(|event| match event {
            Event::Within { event, .. } if matches!(**event, Event::QueueChanged { .. }) => {
                Some(())
            }
            _ => None,
        })
        .await;
    session.file("go", "");
    assert_eq!(session.end().await, TurnEnd::Done);
    let sent = serde_json::to_string(&session.script.requests()[2].messages).unwrap();
    assert!(sent.contains("mind the tests"));
}

#[tokio::test]
async fn one_in_the_background_reports_later() {
    let mut task = agent("a", "general", "Later");
    task.2["run_in_background"] = true.into();
    let mut session =
        Session::start([agents(&[task]), text("it runs"), text("late result"), text("thanks")]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert!(session.results()[0].text.contains("in the background"));
    while changes(&session).last().is_none_or(|info| info.state == AgentState::Running) {
        session.next().await;
    }
    assert_eq!(session.ask("and now?").await, TurnEnd::Done);
    let requests = session.script.requests();
    let sent = serde_json::to_string(&requests[3].messages).unwrap();
    assert!(sent.contains("late result"), "{sent}");
}

#[tokio::test]
async fn agents_do_not_start_agents_without_end() {
    let mut answers: Vec<Answer> =
        (0..3).map(|_| agents(&[agent("n", "general", "Hand it on")])).collect();
    // The deepest has no such tool any more; that it tries all the same leads nowhere.
    answers.push(agents(&[agent("n", "general", "Hand it on")]));
    answers.extend((0..4).map(|_| text("done")));
    let mut session = Session::start(answers);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    assert_eq!(session.script.requests().len(), 8);
    assert_eq!(changes(&session).iter().filter(|i| i.state == AgentState::Running).count(), 3);
}

#[tokio::test]
async fn two_that_write_one_file_are_told_of_each_other() {
    let write = |id: &str, content: &str| {
        calls(&[(id, "Write", json!({"file_path": "same.txt", "content": content}))])
    };
    let mut session = Session::start([
        agents(&[agent("a", "general", "Write")]),
        write("w1", "one"),
        text("one"),
        calls(&[("r", "Read", json!({"file_path": "same.txt"}))]),
        write("w2", "two"),
        text("ok"),
    ]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let last = session.results().pop().unwrap();
    assert!(last.text.contains("the agent a1 has changed this file, too"), "{}", last.text);
}

#[tokio::test]
async fn what_agents_change_is_undone_with_the_turn() {
    let write = json!({"file_path": "made.txt", "content": "x"});
    let mut session = Session::start([
        agents(&[agent("a", "general", "Write")]),
        calls(&[("w", "Write", write)]),
        text("done"),
        text("ok"),
    ]);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    session.send(Command::Undo).await;
    let rewind = session
        .until(|event| match event {
            Event::RewindAsked { rewind } => Some(rewind.clone()),
            _ => None,
        })
        .await;
    assert_eq!(rewind.files.len(), 1);
    assert_eq!(rewind.files[0].path, "made.txt");
}

#[tokio::test]
async fn an_agent_with_a_copy_of_the_repository_hands_its_branch_back() {
    let mut task = agent("a", "general", "Change it");
    task.2["isolation"] = "worktree".into();
    let mut session = Session::start([
        agents(&[task]),
        calls(&[("w", "Bash", json!({"command": "echo changed > a.txt"}))]),
        text("changed"),
        text("ok"),
    ]);
    session.file("a.txt", "before\n");
    let project = session.dir.path().join("project");
    let git = |args: &str| {
        let command = format!("git -c user.name=t -c user.email=t@t {args}");
        let mut shell = std::process::Command::new("sh");
        let done = shell.args(["-c", &command]).current_dir(&project).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    git("init -q . && git add -A && git -c user.name=t -c user.email=t@t commit -qm first");
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let result = session.results().pop().unwrap();
    assert!(result.text.contains("on the branch tern/"), "{}", result.text);
    let read = |name: &str| std::fs::read_to_string(session.dir.path().join("project").join(name));
    assert_eq!(read("a.txt").unwrap(), "before\n");
    let branch = result.text.split("on the branch ").nth(1).unwrap().split(';').next().unwrap();
    assert_eq!(git(&format!("show {branch}:a.txt")), "changed\n");
    assert_eq!(git("worktree list").lines().count(), 1);
}

fn project(files: &[(&str, &str)], answers: impl IntoIterator<Item = Answer>) -> Session {
    let mut options = Options { mode: Mode::Default, ..Options::default() };
    options.rules.trusted = true;
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join("project").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let script = crate::support::script::Script::new(answers);
    let setup = crate::support::session::setup(dir.path(), &script, options);
    Session::of(dir, script, setup)
}

#[tokio::test]
async fn a_command_of_a_file_is_filled_in_run_and_sent() {
    let fix = "---\ndescription: fix an issue\nallowed-tools: Bash(printf *)\n---\n\
               Fix $1 in @src.txt. Branch: !`printf '%s' main-branch`";
    let mut session =
        project(&[(".claude/commands/fix.md", fix), ("src.txt", "the source")], [text("fixed")]);
    assert_eq!(session.ask("/fix 42").await, TurnEnd::Done);
    let request = &session.script.requests()[0];
    let sent = serde_json::to_string(&request.messages).unwrap();
    for part in ["Fix 42 in @src.txt", "Branch: main-branch", "the source", "/fix 42"] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    let named = session.events.iter().any(|event| {
        matches!(event, Event::CommandsChanged { commands, .. } if commands.iter().any(|c| c.name == "fix"))
    });
    assert!(named);
}

#[tokio::test]
async fn what_a_command_runs_is_asked_about_where_nothing_allows_it() {
    let go = "Look: !`touch made`";
    let mut session = project(&[(".claude/commands/go.md", go)], [text("ok")]);
    session.submit("/go").await;
    let request = session.question().await;
    session.answer(&request, Decision::Deny { message: None }).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    assert!(!session.dir.path().join("project/made").exists());
    let sent = serde_json::to_string(&session.script.requests()[0].messages).unwrap();
    assert!(sent.contains("Denied"), "{sent}");
}

#[tokio::test]
async fn skills_are_listed_and_read_on_demand() {
    let skill = "---\nname: pdf\ndescription: reads PDF files\n---\nUse pdftotext, see ref.md.";
    let files = [(".claude/skills/pdf/SKILL.md", skill)];
    let call = json!({"name": "Skill", "input": {"skill": "pdf"}});
    let mut session = project(&files, [calls(&[("s", "UseTool", call)]), text("ok")]);
    session.submit("read it").await;
    let request = session.question().await;
    assert_eq!(request.tool, "Skill");
    session.answer(&request, Decision::Once).await;
    assert_eq!(session.end().await, TurnEnd::Done);
    let result = &session.results()[0];
    assert!(result.text.contains("Use pdftotext"), "{}", result.text);
    let first = &session.script.requests()[0].messages[0];
    assert_eq!(first.role, Role::User);
    assert!(first.text().contains("- pdf: reads PDF files"));
    assert!(!first.text().contains("pdftotext"));
}

#[tokio::test]
async fn agents_of_files_have_their_own_prompt_tools_and_model() {
    let reviewer = "---\nname: reviewer\ndescription: reviews\ntools: Read, Grep\nmodel: script/other\n---\nYou review.";
    let files = [(".claude/agents/reviewer.md", reviewer)];
    let answers = [agents(&[agent("a", "reviewer", "Review it")]), text("fine"), text("ok")];
    let mut session = project(&files, answers);
    assert_eq!(session.ask("go").await, TurnEnd::Done);
    let requests = session.script.requests();
    assert!(requests[0].messages[0].text().contains("- reviewer: reviews"));
    assert_eq!(&*requests[1].system, "You review.");
    assert_eq!(requests[1].model, "other");
    let names: Vec<&str> = requests[1].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert!(names.contains(&"Read") && !names.contains(&"Bash"));
}
