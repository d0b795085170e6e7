//! Tools that no request carries: found by ToolSearch, called through UseTool or by their own
//! name, judged by their own name.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tern::api::ToolSpec;
use tern::protocol::{CallStatus, Decision, Event, Mode, Preview, Title};
use tern::tools::{Class, Outcome, Prepared, Tool, ToolCtx};

use crate::support::script::{call, text};
use crate::support::session::{Options, Session, setup};

/// A tool of a server, with a name that is known only at run time.
#[derive(Debug)]
struct Foreign(String);

#[async_trait]
impl Tool for Foreign {
    fn name(&self) -> &str {
        &self.0
    }

    fn spec(&self) -> ToolSpec {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let description = "Tells the weather of a city.".to_owned();
        ToolSpec { name: self.0.clone(), description, schema }
    }

    fn class(&self, _input: &Value) -> Class {
        Class::Mutating
    }

    fn title(&self, input: &Value, _cwd: &Path) -> Title {
        Title::new("Asking", "Asked", format!("about {}", input["city"]))
    }

    async fn preview(&self, input: &Value, _ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        let preview = Preview::Other { text: input.to_string() };
        Ok(Prepared { preview, base: None, note: None })
    }

    async fn run(&self, input: Value, _ctx: &ToolCtx) -> Outcome {
        Outcome::done(format!("sunny in {}", input["city"]), "sunny")
    }
}

const NAME: &str = "mcp__weather__now";

#[tokio::test]
async fn a_tool_that_comes_later_is_told_of_found_and_asked_about_by_its_own_name() {
    let wrapped = json!({"name": NAME, "input": {"city": "Bonn"}});
    let options = Options { mode: Mode::Default, ..Options::default() };
    let mut session = Session::with(
        options,
        [
            call("a", "ToolSearch", json!({"query": "weather city"})),
            call("b", "UseTool", wrapped),
            call("c", NAME, json!({"city": "Ulm"})),
            call("d", "UseTool", json!({"name": "UseTool", "input": {}})),
            text("done"),
        ],
    );
    session.tools.add([Arc::new(Foreign(NAME.to_owned())) as Arc<dyn Tool>]);
    session.submit("weather?").await;
    for city in ["Bonn", "Ulm"] {
        let question = session.question().await;
        assert_eq!(question.tool, NAME);
        assert_eq!(question.preview, Preview::Other { text: json!({"city": city}).to_string() });
        session.answer(&question, Decision::Once).await;
    }
    session.end().await;
    let results = session.results();
    assert!(results[0].text.contains(NAME) && results[0].text.contains("\"city\""));
    assert_eq!(results[1].text, "sunny in \"Bonn\"");
    assert_eq!(results[2].text, "sunny in \"Ulm\"");
    assert_eq!(results[3].status, CallStatus::Failed);
    let queued: Vec<&str> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CallQueued { tool, .. } => Some(tool.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(queued, ["ToolSearch", NAME, NAME, "UseTool"]);

    let requests = session.script.requests();
    assert!(requests.iter().all(|request| request.tools == requests[0].tools));
    assert!(!format!("{:?}", requests[0].tools).contains(NAME));
    let first = format!("{:?}", requests[0].messages);
    assert!(first.contains(&format!("new tools, see ToolSearch: {NAME}")), "{first}");
}

#[tokio::test]
async fn rules_see_through_the_wrapping() {
    let options = Options { mode: Mode::BypassPermissions, ..Options::default() };
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("project")).unwrap();
    let run = json!({"name": "Bash", "input": {"command": "touch made"}});
    let as_text = json!({"name": "Bash", "input": "{\"command\":\"touch made\"}"});
    let script = crate::support::script::Script::new([
        call("a", "UseTool", run),
        call("b", "UseTool", as_text),
        text("done"),
    ]);
    let mut setup = setup(dir.path(), &script, options);
    let rule = tern::protocol::Sourced::new("Bash".to_owned(), tern::protocol::Source::User);
    setup.rules.texts.deny.push(rule);
    let mut session = Session::of(dir, script, setup);
    session.ask("go").await;
    assert!(session.results().iter().all(|result| result.status == CallStatus::Denied));
    assert!(!session.dir.path().join("project/made").exists());
}
