//! A project that was set up for Claude Code works as it is; so do plugins.

use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Tern, aside};
use crate::support::wire::{calls, says};

fn write(tern: &Tern, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = tern.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const SETTINGS: &str = r#"{
  "enableAllProjectMcpServers": true,
  "outputStyle": "terse",
  "permissions": {"allow": ["Bash(printf *)", "Edit", "mcp__notes"], "deny": ["Bash(rm *)"]},
  "hooks": {
    "PreToolUse": [{"matcher": "Write", "hooks": [
      {"type": "command", "command": "cat > \"$CLAUDE_PROJECT_DIR\"/seen.json"}]}],
    "UserPromptSubmit": [{"hooks": [{"type": "command", "command": "echo rainy"}]}]
  }
}"#;

/// A definition of the scripted server.
fn servers(tern: &Tern, name: &str) -> String {
    let script =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mcp_server.sh");
    let args = json!([script, "plain", tern.dir.path()]);
    json!({"mcpServers": {name: {"command": "sh", "args": args}}}).to_string()
}

fn set_up(tern: &Tern) {
    write(
        tern,
        &[
            ("project/.claude/settings.json", SETTINGS),
            (
                "project/.claude/commands/fix.md",
                "---\ndescription: fix it\nargument-hint: [number]\n---\nFix issue $1. Branch: !`printf main`",
            ),
            (
                "project/.claude/agents/reviewer.md",
                "---\nname: reviewer\ndescription: reviews changes\ntools: Read, Grep\n---\nYou review.",
            ),
            (
                "project/.claude/skills/pdf/SKILL.md",
                "---\nname: pdf\ndescription: reads PDF files\n---\nUse pdftotext.",
            ),
            (
                "project/.claude/output-styles/terse.md",
                "---\nname: terse\ndescription: short\n---\nThree words at most.",
            ),
            ("project/CLAUDE.md", "Always be brief."),
        ],
    );
    write(tern, &[("project/.mcp.json", &servers(tern, "notes"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claude_code_project_works_unchanged() {
    let make = json!({"file_path": "made.txt", "content": "x"});
    let hand =
        json!({"description": "review", "prompt": "Review made.txt", "subagent_type": "reviewer"});
    let server = FakeServer::start(vec![
        Reply::sse(calls("Write", &make)),
        Reply::sse(calls("Agent", &hand)),
        Reply::sse(says("Looks fine.")),
        Reply::sse(calls("mcp__notes__add", &json!({"a": 5}))),
        Reply::sse(says("Fixed.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    set_up(&tern);
    let project = tern.project();
    let ran = aside(move || (tern.run(&["-p", "/fix 7", "--trust"]), tern)).await;
    assert_eq!((ran.0.code, ran.0.out.as_str()), (Some(0), "Fixed.\n"), "{:?}", ran.0);
    let requests = server.requests();
    let first = requests[0].body["messages"].to_string();
    for part in [
        "Fix issue 7. Branch: main",
        "rainy",
        "Always be brief.",
        "- pdf: reads PDF files",
        "- reviewer: reviews changes",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(requests[0].body["system"].to_string().contains("Three words at most."));
    let seen: Value =
        serde_json::from_str(&std::fs::read_to_string(project.join("seen.json")).unwrap()).unwrap();
    assert_eq!(seen["tool_input"]["file_path"], "made.txt");
    assert!(project.join("made.txt").exists());
    assert!(requests[2].body["system"].to_string().contains("You review."));
    assert!(requests[3].body["messages"].to_string().contains("Looks fine."));
    assert!(requests[4].body["messages"].to_string().contains("sum 5"), "{}", requests[4].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_counts_before_the_folder_is_trusted() {
    let server = FakeServer::start(vec![Reply::sse(says("Hi."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    set_up(&tern);
    let (command, plain) =
        aside(move || (tern.run(&["-p", "/fix 7"]), tern.run(&["-p", "hello"]))).await;
    assert_eq!(command.code, Some(2), "{command:?}");
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let first = server.requests()[0].body["messages"].to_string();
    assert!(!first.contains("rainy") && !first.contains("reviewer") && !first.contains("pdf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_from_a_git_repository_says_what_it_does_and_then_works() {
    let server = FakeServer::start(vec![Reply::sse(says("Tidied."))]).await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    write(
        &tern,
        &[
            ("repo/.claude-plugin/plugin.json", r#"{"name": "tidy", "description": "tidies"}"#),
            ("repo/commands/up.md", "---\ndescription: tidy up\n---\nTidy $ARGUMENTS."),
            (
                "repo/hooks/hooks.json",
                r#"{"hooks": {"UserPromptSubmit": [{"hooks": [
                    {"type": "command", "command": "cat \"${CLAUDE_PLUGIN_ROOT}/note.txt\""}]}]}}"#,
            ),
            ("repo/note.txt", "a tidy note"),
        ],
    );
    write(&tern, &[("repo/.mcp.json", &servers(&tern, "notes"))]);
    let repo = tern.dir.path().join("repo");
    let git = "git init -q . && git add -A && git -c user.name=t -c user.email=t@t commit -qm one";
    let made = std::process::Command::new("sh").args(["-c", git]).current_dir(&repo).status();
    assert!(made.unwrap().success());
    let url = format!("file://{}", repo.display());
    let (added, listed, before, enabled, known, after) = aside(move || {
        (
            tern.run(&["plugin", "add", &url]),
            tern.run(&["plugin", "list"]),
            tern.run(&["mcp", "list"]),
            tern.run(&["plugin", "enable", "tidy"]),
            tern.run(&["mcp", "list"]),
            tern.run(&["-p", "/tidy:up now"]),
        )
    })
    .await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let notes = "plugin_tidy_notes";
    assert!(!before.out.contains(notes) && known.out.contains(notes), "{before:?} {known:?}");
    for part in ["disabled", "UserPromptSubmit", "/tidy:up  tidy up", notes] {
        assert!(added.out.contains(part), "{part}: {}", added.out);
    }
    assert_eq!(enabled.code, Some(0), "{enabled:?}");
    assert_eq!((after.code, after.out.as_str()), (Some(0), "Tidied.\n"), "{after:?}");
    let sent = server.requests()[0].body["messages"].to_string();
    assert!(sent.contains("Tidy now.") && sent.contains("a tidy note"), "{sent}");
    assert!(listed.out.contains("disabled"), "{listed:?}");
}
