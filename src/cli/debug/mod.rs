//! `tern debug replay`: looks at a recorded event stream, in the terminal or as a picture.

mod picture;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::app::keys::Key;
use crate::app::{Model, SessionInfo};
use crate::protocol::{Envelope, Event};
use crate::terminal::clipboard::Ways;
use crate::terminal::manners::Wants;
use crate::terminal::offscreen::Offscreen;
use crate::terminal::{self, NoServices, Setup};
use crate::view::State;
use crate::view::theme::{ColorDepth, Library};

#[derive(clap::Args, Debug, Clone)]
pub struct DebugArgs {
    #[command(subcommand)]
    command: DebugCommand,
}

#[derive(clap::Subcommand, Debug, Clone)]
enum DebugCommand {
    /// Draw a recorded event stream
    Replay(ReplayArgs),
}

#[derive(clap::Args, Debug, Clone)]
pub struct ReplayArgs {
    /// JSON lines as written by --record; `-` is standard input
    events: PathBuf,
    /// Columns and rows; without it the stream plays in this terminal
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u16, u16)>,
    #[arg(long, default_value = "dark")]
    theme: String,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Keys that are pressed afterwards, as in `hello<enter><ctrl+x>c`
    #[arg(long, default_value = "", value_parser = keys)]
    keys: Script,
    /// Marks and frames in ASCII
    #[arg(long)]
    ascii: bool,
    /// Milliseconds that a pause lasts at most when the stream plays in the terminal
    #[arg(long, default_value_t = 1_000)]
    longest: u64,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Ansi,
    Svg,
}

#[derive(Debug, Clone)]
struct Script(Vec<Key>);

pub fn run(args: &DebugArgs, out: &mut dyn Write) -> anyhow::Result<u8> {
    let DebugCommand::Replay(args) = &args.command;
    let events = read(args)?;
    match args.size {
        Some(size) => draw(args, events, size, out)?,
        None => play(args, events)?,
    }
    Ok(0)
}

/// Bad lines are errors here: a picture of half a stream would mislead.
fn read(args: &ReplayArgs) -> anyhow::Result<Vec<Envelope<Event>>> {
    let name = args.events.display();
    let input: Box<dyn BufRead> = if args.events.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let file =
            std::fs::File::open(&args.events).with_context(|| format!("cannot open {name}"))?;
        Box::new(BufReader::new(file))
    };
    let mut events = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {name}"))?;
        if !line.trim().is_empty() {
            let event = serde_json::from_str(&line)
                .with_context(|| format!("{name} line {}: not an event", number + 1))?;
            events.push(event);
        }
    }
    Ok(events)
}

fn model(args: &ReplayArgs) -> anyhow::Result<(Model, Library)> {
    let library = Library::default();
    let themes: Vec<String> = library.names().into_iter().map(str::to_owned).collect();
    if !themes.contains(&args.theme) {
        bail!("unknown theme \"{}\"; themes are {}", args.theme, themes.join(", "));
    }
    let mut model = Model::default();
    model.look.theme.clone_from(&args.theme);
    model.look.themes = themes;
    model.look.ascii = args.ascii;
    model.session =
        SessionInfo { version: env!("CARGO_PKG_VERSION").to_owned(), ..SessionInfo::default() };
    Ok((model, library))
}

fn draw(
    args: &ReplayArgs,
    events: Vec<Envelope<Event>>,
    (width, height): (u16, u16),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (model, library) = model(args)?;
    let mut screen = Offscreen::new(model, State::new(library, ColorDepth::True), width, height);
    for event in events {
        screen.event(event);
    }
    screen.wait(1_000);
    screen.frame();
    screen.keys(&args.keys.0);
    let (buffer, cursor) = screen.frame();
    let picture = match args.format {
        Format::Text => picture::text(&buffer),
        Format::Ansi => picture::ansi(&buffer),
        Format::Svg => picture::svg(&buffer, cursor, &screen.state.theme),
    };
    out.write_all(picture.as_bytes())?;
    Ok(())
}

fn play(args: &ReplayArgs, events: Vec<Envelope<Event>>) -> anyhow::Result<()> {
    let (model, themes) = model(args)?;
    let longest = args.longest;
    let mut events = Some(events);
    let setup = Setup {
        model,
        connect: Box::new(move |_| {
            let events = events.take().unwrap_or_default();
            Box::pin(async move { Ok(terminal::replayed(events, longest)) })
        }),
        services: Arc::new(NoServices),
        themes,
        colours: ColorDepth::True,
        mouse: true,
        form: terminal::Form::Screen,
        notifications: None,
        manners: Wants::default(),
        background: None,
        status_command: None,
        editor: None,
        clipboard: Ways::default(),
        prompt: None,
        first: Vec::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(terminal::run(setup));
    runtime.shutdown_background();
    exit.map(drop)
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed = text
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let possible =
        |(width, height): &(u16, u16)| (1..=1_000).contains(width) && (1..=1_000).contains(height);
    parsed.filter(possible).ok_or_else(|| "columns and rows, as in 120x40".to_owned())
}

fn keys(text: &str) -> Result<Script, String> {
    Key::script(text).map(Script).ok_or_else(|| "keys look like hello<enter><ctrl+x>c".to_owned())
}
