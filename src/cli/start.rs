//! From arguments and configuration to an agent that can be started.

use std::io::Write;
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::agent::servers::Mcp;
use crate::agent::{self, Limits};
use crate::cli::args::{Cli, SessionArgs};
use crate::cli::router::{self, Configured};
use crate::cli::{Env, Failure, mcp, permissions};
use crate::config::layer::{self, Flags, Inputs};
use crate::config::{Config, Problem, dirs};
use crate::context::Place;
use crate::extend::{self, plugins};
use crate::hooks::Hooks;
use crate::mcp::Servers;
use crate::permissions::RuleSet;
use crate::permissions::rule::{Folders, RuleTexts};
use crate::protocol::{Envelope, ErrorKind, Event, Mode, SessionId};
use crate::session::Places;
use crate::session::disk::Disk;
use crate::session::index::{self, FindError};
use crate::session::log;
use crate::session::redact::Secrets;
use crate::tools::table::{self, Table};
use crate::tools::web_search::WebSearch;
use crate::tools::{self, Tool};
use crate::trust;

/// A session that is ready to begin.
#[derive(Debug)]
pub struct Prepared {
    pub setup: agent::Setup,
    pub problems: Vec<Problem>,
    pub record: Option<PathBuf>,
}

/// How far the folder is trusted beyond what is on record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust {
    /// `--trust`
    pub this_run: bool,
}

/// Reads the configuration with the command line on top.
pub fn configuration(cli: &Cli, env: &Env, trust: Trust) -> (layer::Loaded, Vec<Problem>, bool) {
    let trusted = trust.this_run || is_trusted(env, &env.cwd);
    let (loaded, problems) = configured(cli, env, trusted);
    (loaded, problems, trusted)
}

fn configured(cli: &Cli, env: &Env, trusted: bool) -> (layer::Loaded, Vec<Problem>) {
    let args = &cli.session;
    let mut inputs = Inputs::new(env.dirs.clone(), &env.cwd, env.vars.clone());
    inputs.settings_file.clone_from(&args.settings);
    inputs.flags = Flags {
        model: args.model.clone(),
        fallback_model: args.fallback_model.clone(),
        effort: args.effort.clone(),
        permission_mode: args.permission_mode.clone(),
        allow: args.allow.clone(),
        ask: args.ask.clone(),
        deny: args.deny.clone(),
        add_dirs: args.add_dir.clone(),
        max_budget_usd: args.max_budget_usd,
        theme: cli.theme.clone(),
    };
    inputs.trusted = trusted;
    layer::load(&inputs)
}

/// Reads the settings again while a session runs.
#[derive(Debug)]
struct Again {
    cli: Cli,
    env: Env,
}

impl agent::Settings for Again {
    fn read(&self, trusted: bool) -> agent::Reread {
        let (loaded, problems) = configured(&self.cli, &self.env, trusted);
        let (rules, problems) = rules(&loaded.config, &self.env, trusted, problems);
        agent::Reread {
            mode: loaded.config.permissions.mode.map_or(Mode::Default, |mode| mode.value),
            style: loaded.config.output_style,
            problems: problems.iter().map(ToString::to_string).collect(),
            rules,
        }
    }
}

/// A policy that cannot be read whole may hold a lock that cannot be seen: nothing begins.
pub fn refuse_broken_policy(problems: &[Problem]) -> Result<(), Failure> {
    let Some(problem) =
        problems.iter().find(|problem| problem.source == crate::protocol::Source::Managed)
    else {
        return Ok(());
    };
    Err(Failure::new(ErrorKind::Config, format!("the managed policy is not in order: {problem}"))
        .hint("No session begins until it is. Ask whoever manages this machine."))
}

/// Whether the person has trusted what the project's files would do, as they are now. Settings are
/// read from the project's root and from the folder itself, so both must be.
pub fn is_trusted(env: &Env, cwd: &Path) -> bool {
    let Ok(store) = trust::Store::load(&env.dirs.trust()) else { return false };
    trust::Survey::of(cwd, &store).state == trust::State::Trusted
}

/// Rules, mode and folders as a session in `cwd` would have them, for `tern permissions check`.
pub fn permission_defaults(env: &Env, cwd: &Path) -> permissions::Defaults {
    let mut inputs = Inputs::new(env.dirs.clone(), cwd, env.vars.clone());
    let trusted = is_trusted(env, cwd);
    inputs.trusted = trusted;
    let (loaded, _) = layer::load(&inputs);
    let written = loaded.config.permissions;
    let additional = written
        .additional_directories
        .iter()
        .filter(|dir| trusted || !dir.source.is_project())
        .map(|dir| expand(&dir.value, env))
        .collect();
    permissions::Defaults {
        mode: written.mode.map_or(Mode::Default, |mode| mode.value),
        rules: RuleTexts { allow: written.allow, ask: written.ask, deny: written.deny },
        additional,
        trusted,
        refused: loaded.config.managed.broken.map(|problem| problem.to_string()),
    }
}

/// tern's own folders: what they hold decides what is asked.
pub fn own_folders(env: &Env) -> Vec<PathBuf> {
    [&env.dirs.config, &env.dirs.data, &env.dirs.state].map(Clone::clone).to_vec()
}

/// Everything for a session, but for the demo's. Errors are those a person can mend.
pub fn prepare(cli: &Cli, env: &Env, trust: Trust, can_ask: bool) -> Result<Prepared, Failure> {
    let (loaded, problems, trusted) = configuration(cli, env, trust);
    let config = loaded.config;
    let args = &cli.session;
    let flagged = problems.iter().find(|problem| problem.source == crate::protocol::Source::Flag);
    if let Some(problem) = flagged {
        return Err(Failure::new(ErrorKind::Config, problem.to_string()));
    }
    let (rules, mut problems) = rules(&config, env, trusted, problems);
    refuse_broken_policy(&problems)?;
    let model = router::model(&config, env)?;
    let resume = resumed(cli, env)?;
    let (servers, more) = servers(&config, env, trusted, args);
    problems.extend(more);
    let wait = if can_ask { Duration::ZERO } else { SERVERS_WAIT };
    let places = Places::new(&env.dirs.data, &env.dirs.cache);
    let setup = agent::Setup {
        cwd: env.cwd.clone(),
        model,
        fallback: config.fallback_model.clone(),
        effort: config.effort,
        mode: config.permissions.mode.as_ref().map_or(Mode::Default, |mode| mode.value),
        compact: config.compact.clone(),
        budget: config.budget.clone(),
        limits: Limits { max_turns: args.max_turns },
        router: Arc::new(Configured::new(&config, env)),
        tools: tools(args, servers.as_ref(), &config)?,
        rules,
        hooks: hooks(&config, env),
        checks: config.checks.clone(),
        settings: Arc::new(Again { cli: cli.clone(), env: env.clone() }),
        can_ask,
        prompt: prompt(args, env)?,
        style: config.output_style.clone(),
        place: place(env, trusted),
        log: log::Tools {
            checksums: config.session.checksums,
            ..log::Tools::new(Disk::default(), &places.blobs, router::secrets(&config, env))
        },
        places,
        checkpoints: config.session.checkpoint_max_mb.saturating_mul(1 << 20),
        ledger: env.dirs.ledger(),
        book_scripted: false,
        spill: env.dirs.cache.join("outputs"),
        sandbox: config.sandbox.clone(),
        secret_env: config.providers.values().flat_map(|p| p.key.env.clone()).collect(),
        keep_log: !args.no_session,
        mcp: servers.map(|servers| Mcp { servers, wait }),
        titles: false,
        resume,
        fork: cli.fork,
        view: false,
        end_first: false,
    };
    Ok(Prepared { setup, problems, record: args.record.clone() })
}

fn rules(
    config: &Config,
    env: &Env,
    trusted: bool,
    mut problems: Vec<Problem>,
) -> (agent::Rules, Vec<Problem>) {
    let permissions = &config.permissions;
    let additional: Vec<PathBuf> = permissions
        .additional_directories
        .iter()
        .filter(|dir| trusted || !dir.source.is_project())
        .map(|dir| expand(&dir.value, env))
        .collect();
    let root = dirs::project_root(&env.cwd);
    let texts = RuleTexts {
        allow: permissions.allow.clone(),
        ask: permissions.ask.clone(),
        deny: permissions.deny.clone(),
    };
    let folders = Folders {
        cwd: env.cwd.clone(),
        root: root.clone(),
        home: env.dirs.home.clone(),
        additional: additional.clone(),
    };
    let (_, faults) = RuleSet::new(&texts, &folders, trusted);
    problems.extend(faults.into_iter().map(|fault| Problem {
        source: fault.rule.source,
        message: format!("{}: {}", fault.rule.value, fault.message),
        file: fault.rule.file,
        line: fault.rule.line,
        hint: fault.hint,
    }));
    let own = own_folders(env);
    let rules = agent::Rules {
        texts,
        root: root.clone(),
        additional,
        own,
        trusted,
        user_file: env.dirs.user_file(),
        project_file: root.join(".tern/config.local.toml"),
        trust_file: env.dirs.trust(),
        managed: config.managed.clone(),
    };
    (rules, problems)
}

/// A folder as written in a setting: `~` is the home, anything else counts from here.
fn expand(dir: &str, env: &Env) -> PathBuf {
    match dir.strip_prefix("~/") {
        Some(rest) => env.dirs.home.join(rest),
        None if dir == "~" => env.dirs.home.clone(),
        None => env.cwd.join(dir),
    }
}

/// Those of the settings and those of plugins. What is wrong with a plugin's is told where it is
/// listed.
pub fn hooks(config: &Config, env: &Env) -> Hooks {
    let (plugins, _) = plugins::installed(&crate::cli::plugins::folder(env));
    let enabled = plugins.iter().filter(|plugin| plugin.state == plugins::State::Enabled);
    let theirs = enabled.flat_map(|plugin| plugin.hooks().0);
    Hooks::new(config.hooks.iter().cloned().chain(theirs).collect())
}

/// Where commands, skills and agents of files are looked for.
pub fn extend_places(env: &Env, trusted: bool) -> extend::Places {
    extend::Places {
        cwd: env.cwd.clone(),
        root: dirs::project_root(&env.cwd),
        home: env.dirs.home.clone(),
        config: env.dirs.config.clone(),
        plugins: crate::cli::plugins::folder(env),
        trusted,
    }
}

/// How long a prompt without a screen waits for servers that were never met.
const SERVERS_WAIT: Duration = Duration::from_secs(10);

/// The servers of this folder, none of them started; `None` where none is defined.
fn servers(
    config: &Config,
    env: &Env,
    trusted: bool,
    args: &SessionArgs,
) -> (Option<Arc<Servers>>, Vec<Problem>) {
    let extra = mcp::Extra { file: args.mcp_config.as_deref(), given: args.mcp_given.as_ref() };
    let found = mcp::find_all(config, env, trusted, extra);
    let mut problems = found.problems.clone();
    if found.definitions.is_empty() {
        return (None, problems);
    }
    let (servers, damage) = Servers::new(found, mcp::places(config, env));
    problems.extend(damage.map(|message| Problem {
        source: crate::protocol::Source::User,
        file: None,
        line: None,
        message,
        hint: None,
    }));
    (Some(servers), problems)
}

/// The built-in tools, or those of `--tools`, and what MCP servers are known to offer.
fn tools(
    args: &SessionArgs,
    servers: Option<&Arc<Servers>>,
    config: &Config,
) -> Result<Arc<Table>, Failure> {
    let split = |servers| tools::mcp_tool::split(servers, config.mcp_direct_tokens);
    let (sent, deferred) = servers.map(split).unwrap_or_default();
    let all = table::all();
    let search: Arc<dyn Tool> = Arc::new(WebSearch::new(config.web_search.clone()));
    let as_set =
        |tool: Arc<dyn Tool>| if tool.name() == search.name() { search.clone() } else { tool };
    let own_deferred: Vec<_> = table::deferred().into_iter().map(as_set).collect();
    let Some(list) = &args.tools else {
        return Ok(Table::new([table::sent(), sent].concat(), [own_deferred, deferred].concat()));
    };
    let wanted: Vec<&str> = list.split([',', ' ']).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|tool| tool.name() == **name))
    {
        let names: Vec<&str> = all.iter().map(|tool| tool.name()).collect();
        return Err(Failure::new(ErrorKind::Config, format!("there is no tool named {unknown}"))
            .hint(format!("The tools are: {}.", names.join(", "))));
    }
    let among = |tools: Vec<Arc<dyn Tool>>| {
        tools.into_iter().filter(|tool| wanted.contains(&tool.name())).collect()
    };
    let own: (Vec<_>, Vec<_>) = (among(table::sent()), among(own_deferred));
    Ok(Table::new([own.0, sent].concat(), [own.1, deferred].concat()))
}

fn prompt(args: &SessionArgs, env: &Env) -> Result<agent::Prompt, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(env.cwd.join(path)).map_err(|error| {
            Failure::new(ErrorKind::Config, format!("cannot read {}: {error}", path.display()))
        })
    };
    let system = match (&args.system_prompt, &args.system_prompt_file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(path)) => Some(read(path)?),
        (None, None) => None,
    };
    let append = match (&args.append_system_prompt, &args.append_system_prompt_file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(path)) => Some(read(path)?),
        (None, None) => None,
    };
    Ok(agent::Prompt { system, append })
}

/// Where the session is, and when, for what the model is told about it.
pub fn place(env: &Env, trusted: bool) -> Place {
    Place {
        cwd: env.cwd.clone(),
        root: dirs::project_root(&env.cwd),
        home: env.dirs.home.clone(),
        config: env.dirs.config.clone(),
        date: jiff::Zoned::now().date().to_string(),
        platform: std::env::consts::OS.to_owned(),
        shell: env.vars.get("SHELL").cloned(),
        trusted,
    }
}

/// The session that `-c` or `-r` means.
fn resumed(cli: &Cli, env: &Env) -> Result<Option<SessionId>, Failure> {
    let places = Places::new(&env.dirs.data, &env.dirs.cache);
    let failed = |error: String| Failure::new(ErrorKind::Config, error);
    if cli.continue_ {
        let newest = index::newest(&places, &env.cwd).map_err(|error| failed(error.to_string()))?;
        return match newest {
            Some(summary) => Ok(Some(summary.session)),
            None => Err(failed("there is no session of this folder to continue".to_owned())
                .hint("`tern sessions list` shows those of other folders.")),
        };
    }
    let words = match cli.resume.as_deref() {
        None | Some("") => return Ok(None),
        Some(words) => words,
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    index::find(&places, words, threads).map(|summary| Some(summary.session)).map_err(|error| {
        let failure = failed(error.to_string());
        match error {
            FindError::None(_) => failure.hint("`tern sessions list` shows them."),
            FindError::Several { sessions, .. } => {
                let list: Vec<String> = sessions
                    .iter()
                    .take(5)
                    .map(|summary| format!("{}  {}", summary.session.0, summary.title))
                    .collect();
                failure.hint(format!("Name one of them:\n    {}", list.join("\n    ")))
            }
            FindError::Io(_) => failure,
        }
    })
}

/// Two workers are plenty for a program that mostly waits; each would cost memory.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_keep_alive(std::time::Duration::from_secs(2))
        .enable_all()
        .build()
}

/// With `--record`: passes the events on and writes each to the file, keys taken out.
pub fn recorded(
    mut events: mpsc::Receiver<Event>,
    record: Option<PathBuf>,
    secrets: Secrets,
) -> mpsc::Receiver<Event> {
    let Some(path) = record else { return events };
    let (pass, passed) = mpsc::channel(1024);
    tokio::spawn(async move {
        let mut file = private_file(&path).ok();
        let began = Instant::now();
        let mut seq = 0;
        while let Some(event) = events.recv().await {
            let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let line = serde_json::to_value(Envelope::of(seq, ms, &event));
            seq += 1;
            if let (Some(open), Ok(mut value)) = (&mut file, line) {
                secrets.clean_value(&mut value);
                if writeln!(open, "{value}").is_err() {
                    file = None;
                }
            }
            if pass.send(event).await.is_err() {
                break;
            }
        }
    });
    passed
}

/// Diagnostics go to a file, never to the screen; the guard flushes them at the end.
pub fn diagnostics(
    path: Option<&Path>,
) -> Result<Option<tracing_appender::non_blocking::WorkerGuard>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let file = private_file(path).map_err(|error| {
        Failure::new(ErrorKind::Config, format!("cannot write {}: {error}", path.display()))
    })?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let filter = tracing_subscriber::EnvFilter::try_from_env("TERN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("tern=debug,warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer).init();
    Ok(Some(guard))
}

fn private_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
