//! The layers as a whole: staged files in, configuration and problems out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::dirs::Dirs;
use crate::config::layer::{Flags, Inputs, Loaded, load};
use crate::config::{Config, DiffStyle, Effort, Keymap, Sandbox, SandboxMode, Wire};
use crate::protocol::{Mode, Money, Source, Sourced};

/// A home and a project folder with files in them.
struct Stage {
    top: tempfile::TempDir,
    inputs: Inputs,
}

const USER: &str = "tern/config/config.toml";
const PROJECT: &str = "project/.tern/config.toml";
const LOCAL: &str = "project/.tern/config.local.toml";
const CLAUDE: &str = "project/.claude/settings.json";
const CLAUDE_LOCAL: &str = "project/.claude/settings.local.json";
const MANAGED: &str = "etc/managed.toml";

impl Stage {
    fn new(files: &[(&str, &str)]) -> Stage {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("project/.git")).unwrap();
        for (name, text) in files {
            let path = top.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let dirs = Dirs::under(&top.path().join("tern"), top.path());
        let mut inputs = Inputs::new(dirs, &top.path().join("project"), BTreeMap::new());
        inputs.managed = top.path().join(MANAGED);
        Stage { top, inputs }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn load(&self) -> (Loaded, Vec<String>) {
        let (loaded, problems) = load(&self.inputs);
        (loaded, problems.iter().map(ToString::to_string).collect())
    }

    /// The configuration, where no problem is expected.
    fn config(&self) -> Config {
        let (loaded, problems) = self.load();
        assert_eq!(problems, [] as [String; 0]);
        loaded.config
    }
}

#[test]
fn defaults_are_those_of_the_interface() {
    let config = Config::default();
    assert_eq!(config, Stage::new(&[]).config());
    assert_eq!(config.network.connect_timeout, Duration::from_secs(10));
    assert_eq!(config.network.header_timeout, Some(Duration::from_secs(120)));
    assert_eq!(config.network.idle_timeout, Duration::from_secs(120));
    assert_eq!(
        (config.network.retries, config.network.max_retry_wait),
        (6, Duration::from_secs(60))
    );
    assert_eq!(config.compact.at, 0.8);
    assert_eq!(config.session.keep_days, None);
    assert!(config.ui.mouse && !config.ui.ascii);
    assert_eq!(config.sandbox, Sandbox::default());
    let names: Vec<&str> = config.providers.keys().map(String::as_str).collect();
    let expected =
        ["anthropic", "demo", "llamacpp", "lmstudio", "ollama", "openai", "openrouter", "vllm"];
    assert_eq!(names, expected);
    assert_eq!(config.providers["ollama"].network.header_timeout, None);
    assert_eq!(config.providers["openai"].network, config.network);
}

#[test]
fn every_setting_reaches_its_field() {
    let config = Stage::new(&[(
        USER,
        r#"
model = "work/big"
small-model = "work/small"
fallback-model = "work/other"
effort = "max"
[providers.work]
api = "openai-chat"
base-url = "https://llm.example.com/v1/"
key = "sk-1"
key-command = "pass show llm"
key-env = ["A", "B"]
auth = "bearer"
headers = { X-Team = "infra" }
local = true
network = { retries = 0, idle-timeout-s = 5 }
[models."work/big"]
window = 1000
prices = [{ from = 2026-01-01, input = 3 }]
[ui]
theme = "light"
keymap = "vim"
diff = "split"
mouse = false
notifications = false
reduced-motion = true
ascii = true
[keys]
quit = ["ctrl+q", "f10"]
[session]
keep-days = 30
checkpoint-max-mb = 7
checksums = true
[compact]
at = 0.5
keep-tokens = 9
instructions = "keep names"
[budget]
session-usd = 1
day-usd = 2.5
warn-at = 0.9
[network]
connect-timeout-s = 1
[sandbox]
mode = "required"
network = true
fewer-questions = false
writable = ["~/.cache/tool", "/srv/out"]
"#,
    )])
    .config();
    let work = &config.providers["work"];
    assert_eq!(config.model.as_deref(), Some("work/big"));
    assert_eq!(config.small_model.as_deref(), Some("work/small"));
    assert_eq!(config.fallback_model.as_deref(), Some("work/other"));
    assert_eq!(config.effort, Some(Effort::Max));
    assert_eq!(
        (work.wire, work.base_url.as_str()),
        (Wire::OpenaiChat, "https://llm.example.com/v1")
    );
    assert_eq!(work.key.value.as_deref(), Some("sk-1"));
    assert_eq!(work.key.command.as_deref(), Some("pass show llm"));
    assert_eq!(work.key.env, ["A", "B"]);
    assert_eq!(work.auth, crate::config::Auth::Bearer);
    assert_eq!(work.headers["X-Team"], "infra");
    assert_eq!((work.local, work.network.header_timeout), (true, None));
    assert_eq!((work.network.retries, work.network.idle_timeout), (0, Duration::from_secs(5)));
    assert_eq!(work.network.connect_timeout, Duration::from_secs(1));
    let expected: toml::Table =
        "window = 1000\nprices = [{ from = 2026-01-01, input = 3 }]".parse().unwrap();
    assert_eq!(config.models["work/big"], toml::Value::Table(expected));
    assert_eq!(config.ui.theme.as_deref(), Some("light"));
    assert_eq!((config.ui.keymap, config.ui.diff), (Keymap::Vim, DiffStyle::Split));
    assert_eq!((config.ui.mouse, config.ui.notifications), (false, false));
    assert_eq!((config.ui.reduced_motion, config.ui.ascii), (true, true));
    assert_eq!(config.keys["quit"], ["ctrl+q", "f10"]);
    assert_eq!((config.session.keep_days, config.session.checkpoint_max_mb), (Some(30), 7));
    assert!(config.session.checksums);
    assert_eq!((config.compact.at, config.compact.keep_tokens), (0.5, 9));
    assert_eq!(config.compact.instructions.as_deref(), Some("keep names"));
    assert_eq!(config.budget.session, Some(Money(1_000_000)));
    assert_eq!((config.budget.day, config.budget.warn_at), (Some(Money(2_500_000)), 0.9));
    let sandbox = Sandbox {
        mode: SandboxMode::Required,
        network: true,
        fewer_questions: false,
        writable: vec!["~/.cache/tool".into(), "/srv/out".into()],
    };
    assert_eq!(config.sandbox, sandbox);
}

#[test]
fn a_higher_layer_wins_all_the_way_up() {
    let mut stage = Stage::new(&[]);
    let steps: [(&str, &str, Source); 4] = [
        (USER, "model = \"user\"", Source::User),
        (PROJECT, "\nmodel = \"project\"", Source::Project),
        (LOCAL, "model = \"local\"", Source::Local),
        ("extra.toml", "model = \"extra\"", Source::SettingsFile),
    ];
    for (file, text, source) in steps {
        let path = stage.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if file == "extra.toml" {
            stage.inputs.settings_file = Some(path.clone());
        }
        let (loaded, _) = stage.load();
        let origin = loaded.origins.one(&["model"]).unwrap();
        let line = text.lines().position(|line| line.starts_with("model")).unwrap() as u32 + 1;
        assert_eq!(
            (origin.source, origin.file.as_deref(), origin.line),
            (source, Some(path.as_path()), Some(line))
        );
    }
    stage.inputs.env.insert("TERN_MODEL".into(), "env".into());
    assert_eq!(stage.config().model.as_deref(), Some("env"));
    stage.inputs.flags.model = Some("flag".into());
    assert_eq!(stage.config().model.as_deref(), Some("flag"));
    std::fs::create_dir_all(stage.path("etc/managed.d")).unwrap();
    std::fs::write(stage.path(MANAGED), "model = \"managed\"").unwrap();
    assert_eq!(stage.config().model.as_deref(), Some("managed"));
    std::fs::write(stage.path("etc/managed.d/20.toml"), "model = \"m20\"").unwrap();
    std::fs::write(stage.path("etc/managed.d/10.toml"), "model = \"m10\"").unwrap();
    assert_eq!(stage.config().model.as_deref(), Some("m20"));
}

#[test]
fn rules_add_up_each_with_its_file_and_line() {
    let mut stage = Stage::new(&[
        (USER, "[permissions]\nallow = [\n  \"A\",\n  \"B\",\n]\n"),
        (CLAUDE, "{\"permissions\": {\n\"allow\": [\"C\"],\n\"deny\": [\"D\"]}}"),
        (CLAUDE_LOCAL, "{\"permissions\": {\"ask\": [\"E\"], \"defaultMode\": \"plan\"}}"),
        (PROJECT, "permissions.allow = [\"F\", \"A\"]"),
        (MANAGED, "[permissions]\ndeny = [\"G\"]"),
    ]);
    stage.inputs.flags = Flags { allow: vec!["H".into()], ..Flags::default() };
    let permissions = stage.config().permissions;
    let at = |value: &str, source, file: &str, line| Sourced {
        value: value.to_owned(),
        source,
        file: Some(stage.path(file)),
        line: Some(line),
    };
    let expected = vec![
        at("A", Source::User, USER, 3),
        at("B", Source::User, USER, 4),
        at("C", Source::Project, CLAUDE, 2),
        at("F", Source::Project, PROJECT, 1),
        at("A", Source::Project, PROJECT, 1),
        Sourced::new("H".to_owned(), Source::Flag),
    ];
    assert_eq!(permissions.allow, expected);
    let denied = vec![at("D", Source::Project, CLAUDE, 3), at("G", Source::Managed, MANAGED, 2)];
    assert_eq!(permissions.deny, denied);
    assert_eq!(permissions.ask, [at("E", Source::Local, CLAUDE_LOCAL, 1)]);
    assert_eq!(permissions.mode.map(|mode| mode.value), Some(Mode::Plan));
}

#[test]
fn files_of_a_folder_below_the_root_count_above_those_of_the_root() {
    let mut stage = Stage::new(&[
        (PROJECT, "model = \"root\"\n[permissions]\ndeny = [\"A\"]"),
        ("project/sub/.tern/config.toml", "model = \"sub\"\n[permissions]\ndeny = [\"B\"]"),
    ]);
    stage.inputs.cwd = stage.path("project/sub");
    let config = stage.config();
    assert_eq!(config.model.as_deref(), Some("sub"));
    let denied: Vec<String> = config.permissions.deny.into_iter().map(|rule| rule.value).collect();
    assert_eq!(denied, ["A", "B"]);
}

/// Twenty-odd mistakes: what is said, and that the good line beside each still counts.
#[test]
fn a_mistake_is_told_with_its_place_and_the_rest_counts() {
    let good = "small-model = \"good\"\n";
    for (file, line, told) in [
        (
            USER,
            "[permisions]\nmode = \"plan\"",
            "config.toml line 2: unknown setting permisions; did you mean permissions?",
        ),
        (
            USER,
            "ui.tehme = \"x\"",
            "config.toml line 2: unknown setting ui.tehme; did you mean ui.theme?",
        ),
        (
            USER,
            "theme = \"x\"",
            "config.toml line 2: unknown setting theme; did you mean ui.theme?",
        ),
        (
            USER,
            "qqqqqqqq = 1",
            "config.toml line 2: unknown setting qqqqqqqq; `tern config show` lists all",
        ),
        (
            USER,
            "permissions.mode = \"yolo\"",
            "config.toml line 2: unknown mode \"yolo\"; modes are default, acceptEdits, plan, dontAsk, bypassPermissions",
        ),
        (
            USER,
            "permissions.mode = \"plna\"",
            "config.toml line 2: unknown mode \"plna\"; did you mean \"plan\"? modes are default, acceptEdits, plan, dontAsk, bypassPermissions",
        ),
        (
            USER,
            "permissions.mode = \"auto\"",
            "config.toml line 2: mode \"auto\" is not available and counts as default; modes are default, acceptEdits, plan, dontAsk, bypassPermissions",
        ),
        (USER, "permissions = \"plan\"", "config.toml line 2: permissions is a table, not text"),
        (
            USER,
            "permissions.allow = \"Bash\"",
            "config.toml line 2: permissions.allow is a list of texts, not text; write [\"..\", \"..\"]",
        ),
        (
            USER,
            "permissions.allow = [\"A\",\n3]",
            "config.toml line 3: permissions.allow holds texts, not a whole number",
        ),
        (
            USER,
            "ui.mouse = \"yes\"",
            "config.toml line 2: ui.mouse is true or false, not text; write it without quotes",
        ),
        (
            USER,
            "effort = \"hihg\"",
            "config.toml line 2: unknown effort \"hihg\"; did you mean \"high\"? it is low, medium, high, max",
        ),
        (
            USER,
            "compact.at = 80",
            "config.toml line 2: compact.at is 80, but it goes from 0 to 1; 80 % is written 0.8",
        ),
        (
            USER,
            "network.retries = -1",
            "config.toml line 2: network.retries is -1, but it goes from 0 to 100",
        ),
        (USER, "budget.day-usd = -1", "config.toml line 2: budget.day-usd is not a sum of money"),
        (USER, "model = 2026-01-01", "config.toml line 2: model is text, not a date"),
        (
            USER,
            "providers.work.base-url = \"http://h\"",
            "config.toml line 2: providers.work has no api and does not count; a provider of your own needs api and base-url",
        ),
        (
            USER,
            "providers.openai.base-url = \"h:p\"",
            "config.toml line 2: providers.openai.base-url has the scheme \"h\", not http or https; a base URL looks like \"http://127.0.0.1:8080/v1\"",
        ),
        (USER, "mcp.servers.x = \"y\"", "config.toml line 2: mcp.servers.x is a table, not text"),
        (
            USER,
            "ui.ascii =",
            "config.toml line 2: string values must be quoted, expected literal string; the line does not count",
        ),
        (
            PROJECT,
            "providers.openai.base-url = \"http://evil\"",
            ".tern/config.toml line 2: providers.openai.base-url cannot be set by a file of the project; put it in your own config.toml",
        ),
        (
            LOCAL,
            "providers.openai.key-command = \"evil\"",
            ".tern/config.local.toml line 2: providers.openai.key-command cannot be set by a file of the project; put it in your own config.toml",
        ),
        (
            PROJECT,
            "providers.openai.headers.X = \"evil\"",
            ".tern/config.toml line 2: providers.openai.headers.X cannot be set by a file of the project; put it in your own config.toml",
        ),
        (
            PROJECT,
            "sandbox.mode = \"off\"",
            ".tern/config.toml line 2: sandbox.mode cannot be set by a file of the project; put it in your own config.toml",
        ),
        (
            LOCAL,
            "sandbox.writable = [\"/\"]",
            ".tern/config.local.toml line 2: sandbox.writable cannot be set by a file of the project; put it in your own config.toml",
        ),
        (
            USER,
            "sandbox.mode = \"on\"",
            "config.toml line 2: unknown sandbox.mode \"on\"; it is auto, required, off",
        ),
        (
            PROJECT,
            "permissions.mode = \"bypassPermissions\"",
            ".tern/config.toml line 2: mode bypassPermissions cannot be set by a file of the project; start with --permission-mode bypassPermissions",
        ),
        (
            PROJECT,
            "permissions.mode = \"acceptEdits\"",
            ".tern/config.toml line 2: mode acceptEdits does not count yet; it does once you trust this folder",
        ),
    ] {
        let stage = Stage::new(&[(file, &format!("{good}{line}\n"))]);
        let (loaded, problems) = stage.load();
        assert_eq!(problems, [told], "{line}");
        assert_eq!(loaded.config.small_model.as_deref(), Some("good"), "{line}");
        let evil = loaded.config.providers["openai"].clone();
        assert_eq!(evil, Config::default().providers["openai"], "{line}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_others_count() {
    let stage = Stage::new(&[(CLAUDE, "{,}"), (PROJECT, "model = \"m\"")]);
    std::fs::create_dir_all(stage.path(USER)).unwrap();
    let (loaded, problems) = stage.load();
    assert_eq!(loaded.config.model.as_deref(), Some("m"));
    assert_eq!(
        problems,
        [
            "config.toml: is not a file; the file does not count",
            ".claude/settings.json line 1: is not valid JSON: key must be a string at line 1 column 2; the file does not count",
        ]
    );
}

#[test]
fn flags_and_variables_are_named_in_their_problems() {
    let mut stage = Stage::new(&[]);
    stage.inputs.settings_file = Some(stage.path("none.toml"));
    stage.inputs.env.insert("OPENAI_BASE_URL".into(), "nonsense".into());
    stage.inputs.env.insert("TERN_MODEL".into(), String::new());
    stage.inputs.flags = Flags {
        permission_mode: Some("yolo".into()),
        effort: Some("lots".into()),
        max_budget_usd: Some(f64::NAN),
        ..Flags::default()
    };
    let (loaded, problems) = stage.load();
    assert_eq!(loaded.config.model, None);
    assert_eq!(
        problems,
        [
            "none.toml: is not there; check the path given to --settings",
            "OPENAI_BASE_URL is not a URL: relative URL without a base; a base URL looks like \"http://127.0.0.1:8080/v1\"",
            "unknown --effort \"lots\"; it is low, medium, high, max",
            "--permission-mode: unknown mode \"yolo\"; modes are default, acceptEdits, plan, dontAsk, bypassPermissions",
            "--max-budget-usd is not a sum of money",
        ]
    );
}

#[test]
fn a_project_file_may_lower_a_budget_and_not_raise_it() {
    let stage = Stage::new(&[
        (USER, "[budget]\nsession-usd = 2\nday-usd = 10"),
        (PROJECT, "[budget]\nsession-usd = 1\nday-usd = 99"),
    ]);
    let (loaded, problems) = stage.load();
    assert_eq!(loaded.config.budget.session, Some(Money(1_000_000)));
    assert_eq!(loaded.config.budget.day, Some(Money(10_000_000)));
    assert_eq!(
        problems,
        [
            ".tern/config.toml line 3: budget.day-usd stays at $10.00; a project file may only lower it"
        ]
    );
}

#[test]
fn a_trusted_folder_may_loosen_the_mode_but_not_to_the_last() {
    let mut stage = Stage::new(&[(PROJECT, "permissions.mode = \"acceptEdits\"")]);
    stage.inputs.trusted = true;
    let mode = |stage: &Stage| stage.load().0.config.permissions.mode.map(|mode| mode.value);
    assert_eq!(mode(&stage), Some(Mode::AcceptEdits));
    std::fs::write(stage.path(PROJECT), "permissions.mode = \"bypassPermissions\"").unwrap();
    assert_eq!(mode(&stage), None);
}

#[test]
fn the_environments_base_urls_stand_above_files() {
    let mut stage = Stage::new(&[(USER, "providers.anthropic.base-url = \"http://a\"")]);
    stage.inputs.env.insert("ANTHROPIC_BASE_URL".into(), "http://127.0.0.1:1/".into());
    let anthropic = stage.config().providers["anthropic"].clone();
    assert_eq!((anthropic.base_url.as_str(), anthropic.local), ("http://127.0.0.1:1", false));
}

#[test]
fn all_files_that_were_looked_for_are_named() {
    let stage = Stage::new(&[(LOCAL, "")]);
    let (loaded, _) = stage.load();
    let found: Vec<&Path> =
        loaded.files.iter().filter(|f| f.found).map(|f| f.path.as_path()).collect();
    assert_eq!(found, [stage.path(LOCAL)]);
    let names: Vec<String> =
        loaded.files.iter().map(|f| crate::config::problem::short(&f.path)).collect();
    let expected = [
        "config.toml",
        ".claude/settings.json",
        ".claude/settings.local.json",
        ".tern/config.toml",
        ".tern/config.local.toml",
        "managed.toml",
    ];
    assert_eq!(names, expected);
}

#[test]
fn keys_and_headers_do_not_show_in_debug_output() {
    let stage = Stage::new(&[(
        USER,
        "[providers.openai]\nkey = \"sk-secret\"\nheaders = { Authorization = \"sk-secret\" }\n",
    )]);
    let (loaded, problems) = load(&stage.inputs);
    assert_eq!(loaded.config.providers["openai"].key.value.as_deref(), Some("sk-secret"));
    let shown = format!("{loaded:?} {problems:?}");
    assert!(!shown.contains("sk-secret"), "{shown}");
}

#[test]
fn a_mistake_in_a_line_with_a_key_does_not_tell_the_key() {
    for line in ["providers.openai.key = sk-secret", "providers.openai.kye = \"sk-secret\""] {
        let (_, problems) = Stage::new(&[(USER, line)]).load();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(!problems[0].contains("sk-secret"), "{problems:?}");
    }
}
