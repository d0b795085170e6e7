//! The full-screen session: what the screen knows before its first frame, and how it gets an agent
//! after it.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;

use crate::agent;
use crate::app::keys::Keymap;
use crate::app::model::ModelRow;
use crate::app::panels::history;
use crate::app::start::{Choice, Start};
use crate::app::vim::Vim;
use crate::app::{Effect, Look, Model, SessionInfo};
use crate::cli::args::Cli;
use crate::cli::services::Local;
use crate::cli::start::{self, Prepared, Trust};
use crate::cli::{Env, Failure, demo, router, warn};
use crate::config::{self, Config, login};
use crate::models;
use crate::protocol::{ErrorKind, Mode};
use crate::terminal::clipboard::Ways;
use crate::terminal::manners::{self, Wants};
use crate::terminal::pictures;
use crate::terminal::{self, Connect, Connection, Exit, Form, How, notify, probe};
use crate::text::clean;
use crate::view::theme::{ColorDepth, Library};

pub fn run(cli: &Cli, env: &Env) -> anyhow::Result<u8> {
    let linear = is_linear(cli, env);
    if !linear && (!std::io::stdin().is_terminal() || !std::io::stdout().is_terminal()) {
        return Err(Failure::new(ErrorKind::Config, "the screen needs a terminal")
            .hint("Use tern -p \"PROMPT\" where there is none, or --linear.")
            .into());
    }
    // A demonstration keeps nothing, but what the terminal looks like holds for it too.
    let background = env.dirs.state.join("background");
    let project = cli.demo.then(demo::Project::create).transpose()?;
    let env = &match &project {
        Some(project) => project.env(env),
        None => env.clone(),
    };
    let (loaded, problems, trusted) = start::configuration(cli, env, Trust::default());
    start::refuse_broken_policy(&problems)?;
    let config = loaded.config;
    let wanted = if cli.demo { Ok(demo::MODEL.to_owned()) } else { router::model(&config, env) };
    if let Err(failure) = &wanted
        && failure.kind != ErrorKind::Auth
    {
        return Err(failure.clone().into());
    }
    let themes = themes(env);
    let (mut model, mut complaints) =
        first_model(&config, env, &themes, &background, wanted.ok().as_deref());
    complaints.extend(problems.iter().map(ToString::to_string));
    if linear {
        model.look.theme = "mono".to_owned();
        model.look.follows_terminal = false;
        (model.look.ascii, model.look.reduced_motion) = (true, true);
    }
    if cli.demo {
        model.prompt.insert(crate::api::demo::FIRST_PROMPT);
    }
    // Without an id or words, the person picks from the list.
    let picks = cli.resume.as_deref() == Some("");
    let first = if picks { history::open(&mut model, None) } else { Vec::<Effect>::new() };
    model.hook_list = config
        .hooks
        .iter()
        .map(|hook| (hook.clone(), trusted || !hook.source.is_project()))
        .collect();
    for complaint in complaints {
        model.warn(&complaint);
    }
    model.pictures.drawn = !linear && !cli.inline && pictures::are_drawn(&env.vars);
    let mut services = Local::new(env, &config);
    // Lines have one look.
    if !linear {
        services.follows(cli, &background);
    }
    let services = Arc::new(services);
    let setup = terminal::Setup {
        connect: connect(cli, env),
        services,
        themes,
        colours: colours(env),
        mouse: config.ui.mouse,
        form: match (linear, cli.inline) {
            (true, _) => Form::Lines,
            (false, true) => Form::Inline,
            (false, false) => Form::Screen,
        },
        notifications: (config.ui.notifications && !linear).then(|| notify::Form::of(&env.vars)),
        manners: Wants {
            titles: config.ui.tab_title && !linear,
            progress: config.ui.notifications && !linear && manners::shows_progress(&env.vars),
        },
        background: model.look.follows_terminal.then_some(background),
        status_command: config.ui.status_command.map(|command| {
            terminal::StatusCommand::new(command, env.cwd.clone(), env.vars.clone())
        }),
        editor: ["VISUAL", "EDITOR"]
            .iter()
            .filter(|_| !linear)
            .find_map(|name| env.vars.get(*name).cloned()),
        clipboard: Ways::of(|name| env.vars.get(name).cloned()),
        prompt: cli.prompt.clone(),
        first,
        model,
    };
    let runtime = start::runtime()?;
    let exit = runtime.block_on(terminal::run(setup));
    // What still looks for sessions or servers is not worth waiting for.
    runtime.shutdown_background();
    let exit = exit?;
    Ok(farewell(&exit, project.is_some()))
}

/// A terminal whose cursor cannot be moved still takes lines.
fn is_linear(cli: &Cli, env: &Env) -> bool {
    cli.linear || env.vars.get("TERM").is_some_and(|name| name == "dumb")
}

/// What is known before anything was asked: look, keys, folder, mode, model.
fn first_model(
    config: &Config,
    env: &Env,
    themes: &Library,
    background: &Path,
    wanted: Option<&str>,
) -> (Model, Vec<String>) {
    let (look, keymap, problems) = look(config, env, themes, background);
    let mode = config.permissions.mode.as_ref().map_or(Mode::Default, |mode| mode.value);
    let session = SessionInfo {
        cwd: env.cwd.display().to_string(),
        window: wanted.and_then(models::find).map(|model| model.window),
        model: wanted.unwrap_or_default().to_owned(),
        mode,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..SessionInfo::default()
    };
    let mut model = Model::default();
    model.session = session;
    model.keymap = keymap;
    model.vim = (config.ui.keymap == config::Keymap::Vim).then(Vim::default);
    model.look = look;
    model.models = choices(config, env);
    model.may_bypass = mode == Mode::BypassPermissions;
    let locked = |mode: &Mode| config.managed.mode(*mode).is_err();
    model.locked = Mode::ALL.into_iter().filter(locked).collect();
    model.start = wanted.is_none().then(Start::default);
    (model, problems)
}

/// How the screen looks and which keys it has, as set; the third value are sentences about what
/// is wrong in that.
pub fn look(
    config: &Config,
    env: &Env,
    themes: &Library,
    background: &Path,
) -> (Look, Keymap, Vec<String>) {
    let (keymap, key_problems) = Keymap::new(config.ui.keymap, &config.keys);
    let mut problems: Vec<String> = key_problems.iter().map(ToString::to_string).collect();
    let said = by_terminal(env);
    let follows_terminal = config.ui.theme.is_none() && said.is_none();
    let theme = config.ui.theme.clone().unwrap_or_else(|| {
        let last = || match probe::last(background) {
            Some(true) => "light",
            Some(false) | None => "dark",
        };
        said.unwrap_or_else(last).to_owned()
    });
    if !themes.has(&theme) {
        problems.push(format!("there is no theme \"{theme}\"; /theme lists them"));
    }
    let look = Look {
        theme,
        follows_terminal,
        themes: themes.names().into_iter().map(str::to_owned).collect(),
        ascii: config.ui.ascii,
        reduced_motion: config.ui.reduced_motion,
        diff: config.ui.diff,
    };
    (look, keymap, problems)
}

/// Known models of the providers that can be asked.
pub fn choices(config: &Config, env: &Env) -> Vec<ModelRow> {
    models::all()
        .iter()
        .filter(|model| {
            let provider = config.providers.get(&model.provider);
            provider.is_some_and(|p| p.local || router::has_key(p, env))
        })
        .map(|model| {
            let today = jiff::Zoned::now().date();
            let price = model.price(today, &crate::protocol::Usage::default());
            let window = format!("{} k", model.window / 1_000);
            let facts = match price {
                Some(price) => format!("{window} · in {} · out {}", price.input, price.output),
                None => window,
            };
            ModelRow { name: model.full_name(), facts }
        })
        .collect()
}

fn connect(cli: &Cli, env: &Env) -> Connect {
    let (cli, env) = (cli.clone(), env.clone());
    // A sample project that was chosen on the screen lives as long as the screen.
    let sample = Arc::new(Mutex::new(None));
    Box::new(move |choice| {
        let (cli, env, sample) = (cli.clone(), env.clone(), sample.clone());
        Box::pin(async move {
            let prepare = move || match choice {
                Some(Choice::Demo) => demo::choose(&cli, &env, &sample),
                choice => chosen(cli, &env, choice),
            };
            let prepared = tokio::task::spawn_blocking(prepare).await??;
            let secrets = prepared.setup.log.secrets.clone();
            let agent = agent::spawn(prepared.setup);
            let events = start::recorded(agent.events, prepared.record, secrets);
            Ok(Connection { commands: agent.commands, events })
        })
    })
}

/// The session as configured, or as chosen on the first start screen.
fn chosen(mut cli: Cli, env: &Env, choice: Option<Choice>) -> Result<Prepared, Failure> {
    match choice {
        None | Some(Choice::Demo) => {}
        Some(Choice::FoundKey { provider, .. }) => {
            cli.session.model = default_model(&provider)?;
        }
        Some(Choice::Server { provider, model, .. }) => {
            let model = model.ok_or_else(|| {
                Failure::new(ErrorKind::Config, format!("{provider} has no model loaded"))
            })?;
            cli.session.model = Some(format!("{provider}/{model}"));
        }
        Some(Choice::Enter { provider, key }) => {
            login::save(&env.dirs, &provider, &SecretString::from(key.0))
                .map_err(|error| Failure::new(ErrorKind::Config, error.to_string()))?;
            cli.session.model = default_model(&provider)?;
        }
    }
    if cli.demo {
        return demo::prepare(&cli, env);
    }
    let mut prepared = start::prepare(&cli, env, Trust::default(), true)?;
    // Sessions of the screen stand in a list for a person to choose from.
    prepared.setup.titles = true;
    // Lines that are only ever added begin with the first.
    prepared.setup.end_first = !is_linear(&cli, env);
    Ok(prepared)
}

fn default_model(provider: &str) -> Result<Option<String>, Failure> {
    router::default_of(provider).map(Some).ok_or_else(|| {
        Failure::new(ErrorKind::Config, format!("{provider} has no default model"))
            .hint(format!("Start with tern -m {provider}/MODEL."))
    })
}

/// The person's own themes lie beside the configuration. One that cannot be read is left out.
pub fn themes(env: &Env) -> Library {
    let mut library = Library::default();
    let folder = env.dirs.config.join("themes");
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && let (Some(name), Some(text)) = (stem(&path), std::fs::read_to_string(&path).ok())
        {
            library.add(&name, &text);
        }
    }
    library
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

/// What the environment says of the background; `None`: the terminal is to be asked. 7 and 15 are
/// light.
fn by_terminal(env: &Env) -> Option<&'static str> {
    let var = |name: &str| env.vars.get(name).filter(|value| !value.is_empty());
    if var("NO_COLOR").is_some() {
        return Some("mono");
    }
    match var("COLORFGBG").and_then(|value| value.rsplit(';').next()) {
        Some("7" | "15") => Some("light"),
        Some(number) if number.parse::<u8>().is_ok() => Some("dark"),
        // The console would show the question.
        Some(_) | None => var("TERM").filter(|term| *term == "linux").map(|_| "dark"),
    }
}

fn colours(env: &Env) -> ColorDepth {
    let var = |name: &str| env.vars.get(name).map_or("", String::as_str);
    if !var("NO_COLOR").is_empty() {
        return ColorDepth::None;
    }
    if matches!(var("COLORTERM"), "truecolor" | "24bit") {
        return ColorDepth::True;
    }
    let term = var("TERM");
    let known = |names: &[&str], text: &str| names.iter().any(|name| text.contains(name));
    // xterm takes COLORTERM away from what it starts, and others do not set it.
    if !var("XTERM_VERSION").is_empty()
        || !var("WT_SESSION").is_empty()
        || known(&["kitty", "alacritty", "foot", "ghostty", "wezterm", "direct"], term)
        || known(&["iTerm", "WezTerm", "vscode", "ghostty"], var("TERM_PROGRAM"))
    {
        ColorDepth::True
    } else if term == "dumb" {
        ColorDepth::None
    } else if term.contains("256color") {
        ColorDepth::Ansi256
    } else {
        ColorDepth::Ansi16
    }
}

/// How to come back, and the exit code.
fn farewell(exit: &Exit, demo: bool) -> u8 {
    for problem in &exit.problems {
        warn(&clean::clean(problem, clean::Mode::Prose));
    }
    match exit.how {
        How::Quit => {
            if let (Some(session), false) = (&exit.session, demo) {
                // The screen is gone; this is the first line of the shell again.
                let _ = crate::cli::say(&format!("Resume with: tern -r {}", session.0));
            }
            0
        }
        How::Signal(signal) => u8::try_from(128 + signal).unwrap_or(1),
    }
}
