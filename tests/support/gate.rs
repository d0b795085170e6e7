//! A project on disk for one permission case, and the decision for a call in it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be staged should fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tern::permissions::rule::{Folders, RuleSet, RuleTexts};
use tern::permissions::{Policy, Verdict, access, check, facts};
use tern::protocol::{Mode, Source, Sourced};

/// `{P}`: a git repository with two commits and one changed file, `{H}`: a home, `{O}`: neither.
#[derive(Debug)]
pub struct Stage {
    _temp: tempfile::TempDir,
    pub project: PathBuf,
    pub home: PathBuf,
    pub outside: PathBuf,
}

fn git(dir: &Path, args: &[&str]) {
    let out = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "t")
        .env("GIT_AUTHOR_EMAIL", "t@example.invalid")
        .env("GIT_COMMITTER_NAME", "t")
        .env("GIT_COMMITTER_EMAIL", "t@example.invalid")
        .output()
        .expect("git runs");
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// What every project begins as; git is slow enough to run it once only.
fn template() -> &'static Path {
    static TEMPLATE: OnceLock<tempfile::TempDir> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let p = temp.path();
        for (name, text) in [
            ("README.md", "hello\nworld\n"),
            ("Cargo.toml", "[package]\nname = \"x\"\n"),
            ("package.json", "{\"name\":\"x\"}\n"),
            ("src/main.rs", "fn main() {}\n"),
            ("tests/a.rs", "\n"),
            (".env", "KEY=1\n"),
            ("pkg/.env", "KEY=2\n"),
            ("docs/a.md", "x\n"),
            ("docs2.md", "x\n"),
            ("list", "x\n"),
            (".gitignore", "target\n"),
        ] {
            write(&p.join(name), text);
        }
        git(p, &["init", "-q", "-b", "main"]);
        git(p, &["add", "."]);
        git(p, &["commit", "-q", "-m", "one"]);
        write(&p.join("README.md"), "hello\nworld\nmore\n");
        git(p, &["commit", "-q", "-am", "two"]);
        for entry in std::fs::read_dir(p.join(".git/hooks")).expect("hooks").flatten() {
            std::fs::remove_file(entry.path()).expect("a sample removed");
        }
        write(&p.join("README.md"), "hello\nworld\nmore\ndirty\n");
        temp
    });
    TEMPLATE.get().expect("made above").path()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

impl Stage {
    pub fn new() -> Stage {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let base = temp.path().canonicalize().expect("a real path");
        let stage = Stage {
            _temp: temp,
            project: base.join("home/me/proj"),
            home: base.join("home/me"),
            outside: base.join("outside"),
        };
        copy(template(), &stage.project);
        write(&stage.home.join(".bashrc"), "# rc\n");
        write(&stage.home.join("notes/a.md"), "note\n");
        write(&stage.outside.join("secret.txt"), "secret\n");
        stage
    }

    /// Replaces the placeholders of the case files.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{M}", &self.outside.join("MARK").display().to_string())
            .replace("{P}", &self.project.display().to_string())
            .replace("{H}", &self.home.display().to_string())
            .replace("{O}", &self.outside.display().to_string())
    }

    pub fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), self.fill_value(value))).collect()
            }
            other => other.clone(),
        }
    }

    /// One entry of a case's `setup`, placeholders still in it.
    pub fn set_up(&self, entry: &Value) {
        let entry = self.fill_value(entry);
        let text = |field: &str| entry.get(field).and_then(Value::as_str);
        if let Some(name) = text("file") {
            let path = self.project.join(name);
            write(&path, text("text").unwrap_or_default());
            if text("mode").is_some() {
                use std::os::unix::fs::PermissionsExt;
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(&path, mode).expect("a mode");
            }
        } else if let Some(name) = text("symlink") {
            let path = self.project.join(name);
            std::os::unix::fs::symlink(text("to").expect("a target"), path).expect("a link");
        } else if let Some(path) = text("dir_abs") {
            std::fs::create_dir_all(path).expect("a folder");
        } else if let Some(config) = entry.get("gitconfig").and_then(Value::as_object) {
            self.git_config(&self.project, config);
        } else if let Some(name) = text("gitrepo") {
            let dir = self.project.join(name);
            for part in ["objects", "refs"] {
                std::fs::create_dir_all(dir.join(".git").join(part)).expect("a folder");
            }
            write(&dir.join(".git/HEAD"), "ref: refs/heads/main\n");
            write(&dir.join(".git/config"), "[core]\n\trepositoryformatversion = 0\n");
            self.git_config(&dir, entry["config"].as_object().expect("config"));
        } else {
            panic!("unknown setup {entry}");
        }
    }

    /// Adds keys as `git config` would.
    pub fn git_config(&self, dir: &Path, config: &serde_json::Map<String, Value>) {
        let path = dir.join(".git/config");
        let mut text = std::fs::read_to_string(&path).expect("a configuration");
        for (key, value) in config {
            let (section, name) = key.rsplit_once('.').expect("section.key");
            let section = match section.split_once('.') {
                Some((section, sub)) => format!("{section} \"{sub}\""),
                None => section.to_owned(),
            };
            let value = value.as_str().expect("text").replace('\\', "\\\\").replace('"', "\\\"");
            text.push_str(&format!("[{section}]\n\t{name} = \"{value}\"\n"));
        }
        write(&path, &text);
    }

    pub fn policy(&self, mode: Mode, texts: &RuleTexts, trusted: bool) -> Policy {
        let folders = Folders {
            cwd: self.project.clone(),
            root: self.project.clone(),
            home: self.home.clone(),
            additional: Vec::new(),
        };
        let (rules, _problems) = RuleSet::new(texts, &folders, trusted);
        Policy {
            mode,
            rules,
            cwd: self.project.clone(),
            home: self.home.clone(),
            own: vec![self.home.join(".config/tern"), self.home.join(".local/share/tern")],
            trusted,
            ..Policy::default()
        }
    }

    pub fn decide(&self, policy: &Policy, tool: &str, input: &Value) -> Verdict {
        let access = access::of(tool, input, &policy.cwd);
        let facts = facts::gather(&access, policy);
        check::check(&access, policy, &facts)
    }

    /// The decision for a shell command with these rules of the user.
    pub fn command(&self, mode: Mode, rules: &Rules, command: &str) -> Verdict {
        let policy = self.policy(mode, &rules.texts(), true);
        self.decide(&policy, "Bash", &serde_json::json!({ "command": command }))
    }
}

/// Rules as a test writes them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    pub allow: &'a [&'a str],
    pub ask: &'a [&'a str],
    pub deny: &'a [&'a str],
}

impl Rules<'_> {
    pub fn texts(&self) -> RuleTexts {
        let list = |rules: &[&str]| {
            rules.iter().map(|rule| Sourced::new((*rule).to_owned(), Source::User)).collect()
        };
        RuleTexts { allow: list(self.allow), ask: list(self.ask), deny: list(self.deny) }
    }
}

/// The rules of a case: the user's own, and the project's.
pub fn case_rules(stage: &Stage, case: &Value) -> RuleTexts {
    let mut texts = RuleTexts::default();
    for (field, source) in [("rules", Source::User), ("project_rules", Source::Project)] {
        let add = |list: &str, into: &mut Vec<Sourced<String>>| {
            for rule in case[field][list].as_array().into_iter().flatten() {
                into.push(Sourced::new(stage.fill(rule.as_str().expect("text")), source));
            }
        };
        add("allow", &mut texts.allow);
        add("ask", &mut texts.ask);
        add("deny", &mut texts.deny);
    }
    texts
}
