//! What whoever manages the machine has set, in the real program: `/etc/tern/managed.toml` in a
//! view of the file system of its own.

#![cfg(target_os = "linux")]

use std::process::Command;

use serde_json::{Value, json};

use crate::support::server::{FakeServer, Reply};
use crate::support::tern::{Ran, Tern, aside, ran};
use crate::support::wire::{calls, says};

const POLICY: &str = r#"
model = "fake/theirs"
[permissions]
deny = ["Bash(rm *)"]
allow = ["Bash(touch allowed)"]
[managed]
modes = ["default", "plan"]
rules-only = true
hooks = "managed"
mcp-deny = ["*"]
models = ["fake/theirs"]
"#;

/// tern as it is where this is the managed file. `None`: no such view can be had here.
fn managed(tern: &Tern, policy: &str, args: &[&str]) -> Option<Ran> {
    let etc = tern.dir.path().join("etc");
    std::fs::create_dir_all(etc.join("tern")).unwrap();
    std::fs::write(etc.join("tern/managed.toml"), policy).unwrap();
    let plain = tern.command(args);
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount --bind \"$1\" /etc || exit 99; shift; exec \"$@\"")
        .args(["sh".as_ref(), etc.as_os_str(), plain.get_program()])
        .args(plain.get_args())
        .current_dir(tern.project())
        .env_clear();
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let ran = command.output().ok().map(ran)?;
    (ran.code != Some(99) && !ran.err.contains("unshare")).then_some(ran)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_machine_beats_every_other_layer() {
    let bash = |command: &str| Reply::sse(calls("Bash", &json!({"command": command})));
    let server = FakeServer::start(vec![
        bash("rm -f made"),
        bash("touch other"),
        bash("touch allowed"),
        Reply::sse(says("Done.")),
    ])
    .await;
    let tern = Tern::new();
    tern.fake_provider(&server.base_url());
    let path = tern.home().join("config/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let own = "[permissions]\nallow = [\"Bash\"]\n[[hooks.pre-tool-use]]\ncommand = \"touch hooked\"\n\
               [mcp.servers.mine]\ncommand = \"touch\"\nargs = [\"served\"]\n";
    std::fs::write(path, format!("{text}{own}")).unwrap();
    std::fs::write(tern.project().join("made"), "").unwrap();
    let project = tern.project();
    let tern = std::sync::Arc::new(tern);
    let first = tern.clone();
    let args = ["-p", "go", "-m", "fake/mine", "--output-format", "json"];
    let Some(ran) = aside(move || managed(&first, POLICY, &args)).await else {
        println!("SKIPPED the_policy_of_the_machine_beats_every_other_layer: no mount namespace");
        return;
    };
    let requests = server.requests();
    assert_eq!(requests.len(), 4, "{ran:?}");
    assert_eq!(requests[0].body["model"], "theirs");
    let results =
        |n: usize| requests[n].body["messages"].as_array().unwrap().last().unwrap().to_string();
    assert!(results(1).contains("Bash(rm *)"), "{}", results(1));
    assert!(results(2).contains("Denied"), "{}", results(2));
    assert!(!results(3).contains("Denied"), "{}", results(3));
    let there = |name: &str| project.join(name).exists();
    let made: Vec<bool> = ["made", "other", "allowed", "hooked", "served"].map(there).to_vec();
    assert_eq!(made, [true, false, true, false, false], "{ran:?}");

    // What is locked is refused with its reason, and a policy that cannot be read lets nothing begin.
    for (policy, args, words) in [
        (POLICY, &["-p", "go", "--permission-mode", "acceptEdits"][..], "acceptEdits"),
        (POLICY, &["-p", "go", "--allow", "Bash(touch other)"], "only managed rules count"),
        ("[managed\n", &["-p", "go"], "managed policy is not in order"),
    ] {
        let tern = tern.clone();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let policy = policy.to_owned();
        let ran = aside(move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            managed(&tern, &policy, &args)
        })
        .await
        .unwrap();
        let said = format!("{}{}", ran.out, ran.err);
        assert!(ran.code != Some(0) && said.contains(words), "{ran:?}");
    }
    let value: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(value["model"], "fake/theirs");
}
