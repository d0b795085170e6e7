//! `tern config show, get, set, path`: the settings, each with the file and line that set it.

use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use crate::cli::Env;
use crate::config::layer::{Inputs, Loaded, load};
use crate::config::problem::one_line;
use crate::config::table::{self, Found, Project, SETTINGS, Setting};
use crate::config::value::{Kind, Value, toml_text};
use crate::config::{Problem, build, write};
use crate::context::{Place, memory};
use crate::protocol::{Source, Sourced};

#[derive(clap::Args, Debug, Clone)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand, Debug, Clone)]
pub enum Action {
    /// Show every setting and what it is
    Show {
        /// With the file and line that set each, and every file that is read
        #[arg(long)]
        origin: bool,
    },
    /// Print one setting
    Get { key: String },
    /// Change one setting; for a list of rules, add one
    Set {
        key: String,
        value: String,
        /// In the project's .tern/config.toml
        #[arg(long, conflicts_with = "local")]
        project: bool,
        /// In the project's .tern/config.local.toml
        #[arg(long)]
        local: bool,
    },
    /// Print where the user's settings file is
    Path,
}

/// Errors are `config::ConfigError` where the setting or the file is at fault.
pub fn run(args: &ConfigArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let inputs = Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone());
    match &args.action {
        Action::Path => writeln!(out, "{}", env.dirs.user_file().display())?,
        Action::Show { origin } => {
            let (loaded, problems) = load(&inputs);
            show(&loaded, *origin, out)?;
            if *origin {
                files(&loaded, &inputs, out)?;
            }
            for problem in problems {
                writeln!(out, "# problem: {}", one_line(&problem.to_string()))?;
            }
        }
        Action::Get { key } => return get(&load(&inputs).0, key, out),
        Action::Set { key, value, project, local } => {
            let (file, own) = match (project, local) {
                (true, _) => (inputs.project_root.join(".tern/config.toml"), false),
                (_, true) => (inputs.project_root.join(".tern/config.local.toml"), false),
                _ => (env.dirs.user_file(), true),
            };
            let (_, setting) = write::resolve(key)?;
            may_stand_in(&file, own, key, setting)?;
            write::set(&file, key, value)?;
            writeln!(out, "{}", file.display())?;
        }
    }
    Ok(0)
}

/// Whether a file, one of the person's `own` or one of the project, may set this.
pub fn may_stand_in(
    file: &Path,
    own: bool,
    key: &str,
    setting: &Setting,
) -> Result<(), crate::config::ConfigError> {
    let (source, message, hint) = match setting.project {
        Project::Managed => (
            Source::User,
            format!("{key} counts in a managed file only"),
            "that is /etc/tern/managed.toml",
        ),
        Project::Never if !own => (
            Source::Project,
            format!("{key} cannot be set by a file of the project"),
            "leave out --project and --local",
        ),
        Project::Sets | Project::Lowers | Project::Never => return Ok(()),
    };
    let file = Some(file.to_owned());
    Err(Problem { source, file, line: None, message, hint: Some(hint.into()) }.into())
}

/// Every setting as a line of TOML; those that are not set as comments.
fn show(loaded: &Loaded, origin: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    for setting in SETTINGS.iter().filter(|setting| setting.kind != Kind::Unused) {
        let set: Vec<_> = loaded.origins.iter().filter(|(path, _)| names(path, setting)).collect();
        if set.is_empty() {
            match setting.default {
                "" => writeln!(out, "# {}: {}", setting.name, setting.doc)?,
                default if origin => writeln!(out, "{} = {default}  # default", setting.name)?,
                default => writeln!(out, "{} = {default}", setting.name)?,
            }
        }
        for (path, values) in set {
            line(&table::dotted(path), setting, values, origin, out)?;
        }
    }
    Ok(())
}

/// A table of another module's without what may be keys: the environment and headers of a server.
fn unkeyed(value: &Value) -> Value {
    let Value::Raw(toml::Value::Table(table)) = value else { return value.clone() };
    let mut table = table.clone();
    for name in ["env", "headers"] {
        if let Some(toml::Value::Table(pairs)) = table.get_mut(name) {
            pairs.iter_mut().for_each(|(_, value)| *value = "[hidden]".into());
        }
    }
    Value::Raw(toml::Value::Table(table))
}

/// Whether a path is one of this setting, and not only of one that looks alike.
fn names(path: &[String], setting: &Setting) -> bool {
    matches!(table::find(path), Found::Setting(found) if found.name == setting.name)
}

fn line(
    name: &str,
    setting: &Setting,
    values: &[Sourced<Value>],
    origin: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = |value: &Value| match setting.kind {
        Kind::Secret => "\"[hidden]\"".to_owned(),
        Kind::Raw => toml_text(&unkeyed(value)),
        _ => toml_text(value),
    };
    if setting.kind == Kind::Adds && origin {
        writeln!(out, "{name} = [")?;
        for entry in values {
            writeln!(out, "  {},  # {}", shown(&entry.value), place(entry))?;
        }
        writeln!(out, "]")?;
    } else if setting.kind == Kind::Adds {
        let all: Vec<String> = values.iter().map(|entry| shown(&entry.value)).collect();
        writeln!(out, "{name} = [{}]", all.join(", "))?;
    } else if let Some(entry) = values.last() {
        match origin {
            true => writeln!(out, "{name} = {}  # {}", shown(&entry.value), place(entry))?,
            false => writeln!(out, "{name} = {}", shown(&entry.value))?,
        }
    }
    Ok(())
}

/// `/home/me/.config/tern/config.toml:14`, or what set it where that was no file.
pub fn place<T>(entry: &Sourced<T>) -> String {
    let file = entry.file.as_ref().map(|file| one_line(&file.to_string_lossy()));
    match (file, entry.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file,
        (None, _) => source(entry.source).to_owned(),
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::BuiltIn => "default",
        Source::User => "user",
        Source::Project => "project",
        Source::Local => "project, own",
        Source::SettingsFile => "--settings",
        Source::Environment => "environment",
        Source::Flag => "flag",
        Source::Session => "session",
        Source::Managed => "managed",
    }
}

/// The files that were looked for, and the instruction files that a session here would be given.
fn files(loaded: &Loaded, inputs: &Inputs, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\n# settings files, lowest first")?;
    for file in &loaded.files {
        let found = if file.found { "" } else { "  (none)" };
        let path = one_line(&file.path.to_string_lossy());
        writeln!(out, "# {path}  {}{found}", source(file.source))?;
    }
    let place = Place {
        cwd: inputs.cwd.clone(),
        root: inputs.project_root.clone(),
        home: inputs.dirs.home.clone(),
        config: inputs.dirs.config.clone(),
        date: String::new(),
        platform: String::new(),
        shell: None,
        trusted: inputs.trusted,
    };
    let memory = memory::read(&place);
    writeln!(out, "# instruction files, in the order the model gets them")?;
    for file in &memory.files {
        let path = one_line(&file.path.to_string_lossy());
        writeln!(out, "# {path}  {} bytes{}", file.bytes, if file.cut { ", cut" } else { "" })?;
    }
    for notice in &memory.notices {
        writeln!(out, "# {}", one_line(notice))?;
    }
    Ok(())
}

/// Exit code 1, and no output, where the setting has no value.
fn get(loaded: &Loaded, key: &str, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (path, setting) = write::resolve(key)?;
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut values: Vec<Value> =
        loaded.origins.all(&path).iter().map(|entry| entry.value.clone()).collect();
    if values.is_empty() {
        values.extend(build::default(&path));
    }
    for value in &values {
        match value {
            _ if setting.kind == Kind::Secret => writeln!(out, "[hidden]")?,
            Value::Text(text) => writeln!(out, "{}", one_line(text))?,
            Value::Words(words) => {
                words.iter().try_for_each(|word| writeln!(out, "{}", one_line(word)))?;
            }
            value => writeln!(out, "{}", toml_text(value))?,
        }
    }
    Ok(u8::from(values.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::dirs::Dirs;

    struct Stage {
        top: tempfile::TempDir,
        env: Env,
    }

    fn stage(user: &str) -> Stage {
        let top = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(&top.path().join("t"), &top.path().join("home"));
        let cwd = top.path().join("p");
        std::fs::create_dir_all(cwd.join(".git")).unwrap();
        std::fs::create_dir_all(&dirs.config).unwrap();
        std::fs::write(dirs.user_file(), user).unwrap();
        let vars = [("TERN_MODEL".to_owned(), "env/model".to_owned())].into();
        Stage { top, env: Env { dirs, cwd, vars } }
    }

    impl Stage {
        /// Exit code (`None`: an error) and output, the temporary folder's name left out.
        fn run(&self, action: Action) -> (Option<u8>, String) {
            let mut out = Vec::new();
            let done = run(&ConfigArgs { action }, &self.env, &mut out);
            let text = match &done {
                Ok(_) => String::from_utf8(out).unwrap(),
                Err(error) => error.to_string(),
            };
            (done.ok(), text.replace(&format!("{}/", self.top.path().display()), ""))
        }

        fn set(&self, key: &str, value: &str, project: bool) -> (Option<u8>, String) {
            let (key, value) = (key.to_owned(), value.to_owned());
            self.run(Action::Set { key, value, project, local: false })
        }
    }

    #[test]
    fn one_setting_is_printed_bare() {
        let stage = stage(
            "[permissions]\nallow = [\"A\", \"B\"]\n[providers.openai]\nkey = \"sk-1\"\n[keys]\nquit = [\"f10\", \"f9\"]\n",
        );
        for (key, code, text) in [
            ("model", Some(0), "env/model\n"),
            ("effort", Some(1), ""),
            ("ui.mouse", Some(0), "true\n"),
            ("compact.at", Some(0), "0.8\n"),
            ("permissions.allow", Some(0), "A\nB\n"),
            ("permissions.deny", Some(1), ""),
            ("keys.quit", Some(0), "f10\nf9\n"),
            ("providers.openai.key", Some(0), "[hidden]\n"),
            ("ui.mosue", None, "unknown setting ui.mosue; did you mean ui.mouse?"),
        ] {
            let got = stage.run(Action::Get { key: key.into() });
            assert_eq!(got, (code, text.to_owned()), "{key}");
        }
    }

    #[test]
    fn show_says_where_each_value_came_from_and_hides_keys() {
        let stage = stage(
            "[permissions]\nallow = [\n  \"A\",\n]\n[providers.openai]\nkey = \"sk-1\"\nheaders.X = \"sk-2\"\n[ui]\ntehme = \"x\"\n",
        );
        std::fs::write(stage.env.cwd.join("AGENTS.md"), "hello").unwrap();
        let (code, text) = stage.run(Action::Show { origin: true });
        assert_eq!(code, Some(0));
        for expected in [
            "model = \"env/model\"  # environment\n",
            "# effort: How long the model thinks\n",
            "permissions.allow = [\n  \"A\",  # t/config/config.toml:3\n]\n",
            "providers.openai.key = \"[hidden]\"  # t/config/config.toml:6\n",
            "ui.mouse = true  # default\n",
            "# p/.tern/config.toml  project  (none)\n",
            "# p/AGENTS.md  5 bytes\n",
            "# problem: config.toml line 9: unknown setting ui.tehme; did you mean ui.theme?\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(!text.contains("sk-"), "{text}");
        let (_, text) = stage.run(Action::Show { origin: false });
        assert!(text.contains("permissions.allow = [\"A\"]\n") && !text.contains(":3"), "{text}");
    }

    #[test]
    fn a_setting_is_changed_where_it_belongs() {
        let stage = stage("# mine\n");
        let file = "t/config/config.toml\n".to_owned();
        assert_eq!(stage.set("ui.theme", "light", false), (Some(0), file.clone()));
        assert_eq!(stage.set("permissions.deny", "Bash(rm *)", false), (Some(0), file));
        let text = std::fs::read_to_string(stage.env.dirs.user_file()).unwrap();
        assert_eq!(
            text,
            "# mine\n[ui]\ntheme = \"light\"\n\n[permissions]\ndeny = [\"Bash(rm *)\"]\n"
        );
        let project = "p/.tern/config.toml".to_owned();
        assert_eq!(stage.set("model", "a/b", true), (Some(0), project + "\n"));
        let refused = ".tern/config.toml: keys.quit cannot be set by a file of the project; leave out --project and --local";
        assert_eq!(stage.set("keys.quit", "f10", true), (None, refused.to_owned()));
        assert_eq!(stage.run(Action::Path), (Some(0), "t/config/config.toml\n".to_owned()));
    }
}
