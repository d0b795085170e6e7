//! `tern doctor`: looks at what tern needs and says what is amiss. Changes nothing, sends nothing,
//! and never shows a key.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use crate::cli::Env;
use crate::config::layer::{Inputs, Loaded, load};
use crate::config::login;
use crate::config::problem::one_line;
use crate::config::{Managed, Sandbox, SandboxMode};
use crate::process::sandbox::{Available, Kind, probe};
use crate::protocol::Source;

#[derive(clap::Args, Debug, Clone)]
pub struct DoctorArgs {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Error,
}

impl Check {
    fn ok(name: &'static str, text: impl Into<String>) -> Check {
        Check { name, state: State::Ok, text: text.into(), hint: None }
    }

    fn warning(name: &'static str, text: impl Into<String>, hint: &str) -> Check {
        Check { state: State::Warning, hint: Some(hint.to_owned()), ..Check::ok(name, text) }
    }

    fn error(name: &'static str, text: impl Into<String>, hint: &str) -> Check {
        Check { state: State::Error, ..Check::warning(name, text, hint) }
    }
}

/// Exit code 1 where something is an error; warnings do not count.
pub fn run(args: &DoctorArgs, env: &Env, out: &mut dyn Write) -> anyhow::Result<u8> {
    let (loaded, problems) = load(&Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone()));
    let mut checks = vec![
        Check::ok("version", format!("tern {}", env!("CARGO_PKG_VERSION"))),
        platform(std::env::consts::OS, std::env::consts::ARCH),
    ];
    for (name, folder) in [
        ("config folder", &env.dirs.config),
        ("data folder", &env.dirs.data),
        ("state folder", &env.dirs.state),
        ("cache folder", &env.dirs.cache),
    ] {
        checks.push(check_folder(name, folder));
    }
    checks.push(files(&loaded));
    checks.push(policy(&loaded.config.managed));
    checks.extend(problems.iter().filter(|problem| problem.source != Source::Managed).map(
        |problem| {
            let text = one_line(&problem.to_string());
            Check::warning("settings", text, "the rest of the file counts")
        },
    ));
    checks.push(terminal(env));
    checks.push(git());
    checks.push(keys(&loaded, env));
    checks.push(sandbox(&loaded.config.sandbox, probe()));
    let failed = checks.iter().any(|check| check.state == State::Error);
    if args.json {
        let report = serde_json::json!({ "ok": !failed, "checks": checks });
        writeln!(out, "{report}")?;
    } else {
        show(&checks, out)?;
    }
    Ok(u8::from(failed))
}

fn show(checks: &[Check], out: &mut dyn Write) -> anyhow::Result<()> {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "!!",
            State::Error => "XX",
        };
        writeln!(out, "{mark}  {:width$}  {}", check.name, check.text)?;
        if let Some(hint) = &check.hint {
            writeln!(out, "    {:width$}  {hint}", "")?;
        }
    }
    Ok(())
}

fn platform(os: &str, arch: &str) -> Check {
    let text = format!("{os} {arch}");
    match os {
        "linux" => Check::ok("platform", text),
        _ => Check::warning("platform", text, "tern is tested on Linux only; here it is untested"),
    }
}

/// A folder that is not there yet is well, if it can be made.
fn check_folder(name: &'static str, folder: &Path) -> Check {
    let shown = one_line(&folder.to_string_lossy());
    let Some(there) = folder.ancestors().find(|dir| dir.exists()) else {
        return Check::error(name, shown, "no folder above it is there");
    };
    if !there.is_dir() || !writable(there) {
        let hint = format!("{} cannot be written to", one_line(&there.to_string_lossy()));
        return Check::error(name, shown, &hint);
    }
    if there != folder {
        return Check::ok(name, format!("{shown} (will be made when needed)"));
    }
    match open_to_others(folder) {
        true => Check::warning(name, shown, "others can look into it; `chmod 700` closes it"),
        false => Check::ok(name, shown),
    }
}

#[cfg(unix)]
fn writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|facts| !facts.permissions().readonly())
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> bool {
    false
}

fn files(loaded: &Loaded) -> Check {
    let found: Vec<String> = loaded
        .files
        .iter()
        .filter(|file| file.found)
        .map(|file| one_line(&file.path.to_string_lossy()))
        .collect();
    match found.as_slice() {
        [] => Check::ok("settings files", "none, so all settings are at their defaults"),
        found => Check::ok("settings files", found.join(", ")),
    }
}

/// What whoever manages the machine has locked.
fn policy(managed: &Managed) -> Check {
    const NAME: &str = "managed policy";
    if let Some(problem) = &managed.broken {
        let text = one_line(&problem.to_string());
        return Check::error(NAME, text, "no session begins until whoever manages it mends it");
    }
    if !managed.is_there() {
        return Check::ok(NAME, "none");
    }
    let names = |file: &std::path::PathBuf| one_line(&file.to_string_lossy());
    let files: Vec<String> = managed.files.iter().map(names).collect();
    let words = match managed.words() {
        words if words.is_empty() => "settings only".to_owned(),
        words => words.join("; "),
    };
    Check::ok(NAME, format!("{words} ({})", files.join(", ")))
}

fn terminal(env: &Env) -> Check {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let hint = "only `tern -p` works where input or output is not a terminal";
        return Check::warning("terminal", "none here", hint);
    }
    let var = |name: &str| env.vars.get(name).map_or("unset".to_owned(), |value| one_line(value));
    let colours = match env.vars.get("NO_COLOR").filter(|value| !value.is_empty()) {
        Some(_) => ", without colours (NO_COLOR)",
        None => "",
    };
    let size = match crossterm::terminal::size() {
        Ok((columns, rows)) => format!("{columns}x{rows}"),
        Err(_) => "of unknown size".to_owned(),
    };
    let text = format!("{size}, TERM {}, COLORTERM {}{colours}", var("TERM"), var("COLORTERM"));
    match env.vars.get("TERM").map(String::as_str) {
        None | Some("" | "dumb") => Check::warning(
            "terminal",
            text,
            "this terminal says that it can do nothing; try --linear",
        ),
        Some(_) => Check::ok("terminal", text),
    }
}

fn git() -> Check {
    let asked = Command::new("git").arg("--version").stdin(Stdio::null()).output();
    match asked {
        Ok(answer) if answer.status.success() => {
            Check::ok("git", one_line(String::from_utf8_lossy(&answer.stdout).trim()))
        }
        _ => Check::warning("git", "not found", "without it, branch and changes are not shown"),
    }
}

/// What holds commands in, and why nothing better does.
fn sandbox(settings: &Sandbox, found: &Available) -> Check {
    const CONTAINER: &str = "run tern in a container for work that you do not trust";
    const INSTALL: &str = "install bubblewrap (the package is called that) for one that holds all";
    let text = one_line(&format!("{} ({})", found.words(settings.network), found.why));
    match (settings.mode, found.kind) {
        (SandboxMode::Off, _) => {
            let text = format!("off (sandbox.mode); this machine has: {}", found.words(false));
            Check::ok("sandbox", one_line(&text))
        }
        (SandboxMode::Required, Kind::None) => {
            let text = one_line(&format!("none, but required: {}", found.why));
            Check::error("sandbox", text, "install bubblewrap, or no command will run")
        }
        (SandboxMode::Auto, Kind::None) => {
            let text = format!("none: {}; commands run with your own rights", found.why);
            Check::warning("sandbox", one_line(&text), CONTAINER)
        }
        (_, Kind::Bubblewrap) if found.network => Check::ok("sandbox", text),
        (_, Kind::Seatbelt) => Check::warning("sandbox", text, CONTAINER),
        (_, Kind::Bubblewrap | Kind::Landlock) => Check::warning("sandbox", text, INSTALL),
    }
}

/// Where keys were found: names only.
fn keys(loaded: &Loaded, env: &Env) -> Check {
    let mut found = Vec::new();
    for (name, provider) in &loaded.config.providers {
        let key = &provider.key;
        if key.value.is_some() {
            found.push(format!("{name}: in the settings"));
        }
        if key.command.is_some() {
            found.push(format!("{name}: by a command of the settings"));
        }
        let set = key.env.iter().filter(|name| env.vars.get(*name).is_some_and(|v| !v.is_empty()));
        found.extend(set.map(|variable| format!("{name}: {variable}")));
    }
    let saved = match login::names(&env.dirs) {
        Ok(saved) => saved,
        Err(error) => return Check::error("keys", one_line(&error.to_string()), error.hint()),
    };
    found.extend(saved.iter().map(|name| format!("{name}: saved by login")));
    if !saved.is_empty() && open_to_others(&env.dirs.keys()) {
        return Check::error("keys", found.join(", "), "others can read keys.toml; `chmod 600` it");
    }
    match found.as_slice() {
        [] => Check::warning(
            "keys",
            "none found",
            "`tern login anthropic` saves one; local servers need none; `tern --demo` needs neither",
        ),
        found => Check::ok("keys", one_line(&found.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::dirs::Dirs;
    use secrecy::SecretString;

    fn staged(vars: &[(&str, &str)]) -> (tempfile::TempDir, Env) {
        let top = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(&top.path().join("t"), top.path());
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let env = Env { dirs, cwd: top.path().to_owned(), vars };
        (top, env)
    }

    fn report(env: &Env) -> (u8, serde_json::Value) {
        let mut out = Vec::new();
        let code = run(&DoctorArgs { json: true }, env, &mut out).unwrap();
        (code, serde_json::from_slice(&out).unwrap())
    }

    fn find<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
    }

    #[test]
    fn keys_are_named_and_never_shown() {
        let (_top, env) = staged(&[("ANTHROPIC_API_KEY", "sk-secret"), ("OPENAI_API_KEY", "")]);
        login::save(&env.dirs, "openrouter", &SecretString::from("sk-secret")).unwrap();
        let (code, report) = report(&env);
        assert_eq!(code, 0);
        let keys = &find(&report, "keys")["text"];
        assert_eq!(keys, "anthropic: ANTHROPIC_API_KEY, openrouter: saved by login");
        assert!(!report.to_string().contains("sk-secret"));
    }

    #[test]
    fn nothing_there_is_no_error_and_nothing_is_made() {
        let (top, env) = staged(&[]);
        let (code, report) = report(&env);
        assert_eq!((code, &report["ok"]), (0, &true.into()));
        assert_eq!(find(&report, "keys")["state"], "warning");
        let text = find(&report, "data folder")["text"].as_str().unwrap();
        assert!(text.ends_with("t/data (will be made when needed)"), "{text}");
        assert_eq!(std::fs::read_dir(top.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_amiss_is_said_with_a_hint() {
        use std::os::unix::fs::PermissionsExt;
        let (top, env) = staged(&[]);
        std::fs::create_dir_all(&env.dirs.config).unwrap();
        std::fs::write(env.dirs.user_file(), "ui.tehme = 1").unwrap();
        std::fs::set_permissions(&env.dirs.config, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(top.path().join("t/state"), "a file in the way").unwrap();
        let (code, report) = report(&env);
        assert_eq!((code, &report["ok"]), (1, &false.into()));
        assert_eq!(find(&report, "config folder")["state"], "warning");
        assert_eq!(find(&report, "state folder")["state"], "error");
        let settings = find(&report, "settings")["text"].as_str().unwrap();
        assert!(settings.starts_with("config.toml line 1: unknown setting ui.tehme"), "{settings}");
    }

    #[test]
    fn other_platforms_are_called_untested() {
        assert_eq!(platform("linux", "x86_64"), Check::ok("platform", "linux x86_64"));
        assert_eq!(platform("macos", "aarch64").state, State::Warning);
    }

    #[test]
    fn the_sandbox_is_named_with_the_reason() {
        let with = |mode| Sandbox { mode, ..Sandbox::default() };
        let auto = with(SandboxMode::Auto);
        let none = Available::none("bubblewrap is not installed and Landlock is too old");
        let [mut landlock, mut full] = [none.clone(), none.clone()];
        (landlock.kind, landlock.network) = (Kind::Landlock, true);
        (full.kind, full.network, full.read_only_inside) = (Kind::Bubblewrap, true, true);
        for (settings, found, state, begins) in [
            (&auto, &full, State::Ok, "bubblewrap, network off (bubblewrap is not"),
            (&auto, &landlock, State::Warning, "Landlock, network off, protected files only"),
            (&auto, &none, State::Warning, "none: bubblewrap is not installed and Landlock is too"),
            (
                &with(SandboxMode::Required),
                &none,
                State::Error,
                "none, but required: bubblewrap is",
            ),
            (&with(SandboxMode::Off), &full, State::Ok, "off (sandbox.mode); this machine has"),
        ] {
            let check = sandbox(settings, found);
            assert_eq!(check.state, state, "{}", check.text);
            assert!(check.text.starts_with(begins), "{}", check.text);
        }
    }

    #[test]
    fn a_person_reads_a_list() {
        let mut out = Vec::new();
        show(&[Check::ok("git", "2.47"), Check::error("keys", "none", "get one")], &mut out)
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "ok  git   2.47\nXX  keys  none\n          get one\n");
    }
}
