//! The loop.

mod away;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::app::start::Choice;
use crate::app::{Effect, Millis, Model, Msg, Reply, submit, update};
use crate::protocol::{CallId, Command, Event};
use crate::terminal::colouring::{Coloured, Colouring};
use crate::terminal::effects::{Own, ask, carry_out};
use crate::terminal::files::Files;
use crate::terminal::inline::Inline;
use crate::terminal::keys::Keys;
use crate::terminal::lines::{self, Lines};
use crate::terminal::manners::Manners;
use crate::terminal::pace::Pace;
use crate::terminal::pictures::{self, Numbers};
use crate::terminal::probe::{self, Heard};
use crate::terminal::raw::Guard;
use crate::terminal::signals::{Asked, Signals};
use crate::terminal::status_command::StatusCommand;
use crate::terminal::surface::Surface;
use crate::terminal::watch::{self, Told, Watch};
use crate::terminal::{
    Connection, Exit, Form, Fresh, How, Services, Setup, clipboard, input, notify,
};
use crate::tools::picture::Small;
use crate::view::{self, State};

/// Events that are folded before the screen looks at its keys again.
const BATCH: usize = 512;
/// Keys that are taken together where many wait.
const KEYS: usize = 64;

pub struct Screen<'a> {
    model: Model,
    state: State,
    surface: Surface,
    guard: &'a Guard,
    pace: Pace,
    /// Columns and rows of the terminal. `None`: to be asked for.
    size: Option<(u16, u16)>,
    begun: Instant,
    setup: Rest,
    keys: Option<Keys>,
    commands: Option<mpsc::Sender<Command>>,
    events: Option<mpsc::Receiver<Event>>,
    /// What could not be sent yet. Nothing here ever waits for the agent, which may itself be
    /// waiting for its events to be taken.
    unsent: VecDeque<Command>,
    replies: (UnboundedSender<Msg>, UnboundedReceiver<Msg>),
    colouring: Colouring,
    manners: Manners,
    /// In the place of frames.
    lines: Option<Lines>,
    /// The frames stand below what has been said, which scrolls away.
    inline: Option<Inline>,
    /// There will be no more lines.
    no_more: bool,
    status_command: Option<StatusCommand>,
    watch: Watch,
    files: Files,
    numbers: Numbers,
    loaded: (UnboundedSender<Loaded>, UnboundedReceiver<Loaded>),
    /// The session's folder, exactly as the agent told it.
    folder: PathBuf,
    connecting: (UnboundedSender<Connected>, UnboundedReceiver<Connected>),
    /// Back from a suspension of our own, whose signal to go on is still to come.
    resumed: bool,
    ended: Option<How>,
}

/// The image of a call, decoded.
type Loaded = (CallId, Small);

type Connected = anyhow::Result<Connection>;

/// What of the setup is needed later.
struct Rest {
    connect: crate::terminal::Connect,
    services: Arc<dyn Services>,
    notifications: Option<notify::Form>,
    background: Option<PathBuf>,
    editor: Option<String>,
    clipboard: clipboard::Ways,
    prompt: Option<String>,
    first: Vec<Effect>,
}

/// What woke the loop.
enum Woken {
    Key(io::Result<Heard>),
    Agent(Box<Event>),
    AgentGone,
    Reply(Msg),
    Coloured(Coloured),
    Settings(Told),
    Picture(CallId, Small),
    Connected(Connected),
    Signal(Asked),
    Sent,
    Time,
}

impl<'a> Screen<'a> {
    pub fn new(setup: Setup, guard: &'a Guard) -> Screen<'a> {
        let folder = PathBuf::from(&setup.model.session.cwd);
        Screen {
            model: setup.model,
            state: State::new(setup.themes, setup.colours),
            surface: Surface::default(),
            guard,
            manners: Manners::new(setup.manners),
            lines: (setup.form == Form::Lines).then(Lines::default),
            inline: (setup.form == Form::Inline).then(Inline::default),
            no_more: false,
            status_command: setup.status_command,
            watch: Watch::new(),
            pace: Pace::new(),
            size: None,
            begun: Instant::now(),
            setup: Rest {
                connect: setup.connect,
                services: setup.services,
                notifications: setup.notifications,
                background: setup.background,
                editor: setup.editor,
                clipboard: setup.clipboard,
                prompt: setup.prompt,
                first: setup.first,
            },
            keys: None,
            commands: None,
            events: None,
            unsent: VecDeque::new(),
            replies: mpsc::unbounded_channel(),
            colouring: Colouring::new(),
            files: Files::default(),
            numbers: Numbers::default(),
            loaded: mpsc::unbounded_channel(),
            folder,
            connecting: mpsc::unbounded_channel(),
            resumed: false,
            ended: None,
        }
    }

    pub async fn run(&mut self) -> anyhow::Result<Exit> {
        self.draw()?;
        self.keys = Some(if self.lines.is_some() { Keys::lines()? } else { Keys::read()? });
        self.ask_background()?;
        let mut signals = Signals::listen()?;
        self.begin();
        while self.ended.is_none() {
            let woken = self.wait(&mut signals).await;
            self.tick();
            self.take(woken).await?;
            self.flush();
            self.read_settings();
            // Nobody is left to answer; what runs may end.
            let idle = !self.model.is_working() || !self.model.dialogs.is_empty();
            if self.no_more && idle && self.unsent.is_empty() {
                self.ended = Some(How::Quit);
            }
            if let Some(status) = &mut self.status_command {
                status.run_if_due(Instant::now(), &self.replies.0);
            }
            let due = self.ended.is_none() || self.lines.is_some();
            if due && self.pace.is_due(Instant::now()) {
                self.draw()?;
            }
        }
        if let Some(inline) = &mut self.inline {
            let mut out = io::stdout().lock();
            inline.end(&self.model, &mut self.state, self.size, self.guard, &mut out)?;
        }
        io::stdout().write_all(self.numbers.forget().as_bytes())?;
        let how = self.ended.unwrap_or(How::Quit);
        Ok(Exit { session: self.model.session.id.clone(), how, problems: Vec::new() })
    }

    /// Tells the agent to end; its last words are still to come.
    pub fn leave(self) -> Option<mpsc::Receiver<Event>> {
        if let Some(commands) = &self.commands {
            // Where there is no room for it, the end of the channel says the same.
            let _ = commands.try_send(Command::Stop);
        }
        self.events
    }

    /// What starts once the first frame is on the screen.
    fn begin(&mut self) {
        let services = &self.setup.services;
        ask(services, &self.replies.0, |services| Reply::Prompts(services.prompts()));
        let (watching, told) = (Arc::clone(services), self.watch.sender());
        tokio::task::spawn_blocking(move || watch::begin(&watching.watched(), &told));
        if self.model.start.is_some() {
            ask(services, &self.replies.0, |services| Reply::Found(services.find()));
        } else {
            self.connect(None);
        }
        let mut effects = std::mem::take(&mut self.setup.first);
        if let Some(prompt) = self.setup.prompt.take() {
            effects.extend(submit::send(&mut self.model, &prompt));
            self.pace.now();
        }
        for effect in effects {
            if let Own::Send(command) = carry_out(effect, &self.setup.services, &self.replies.0) {
                self.unsent.push_back(command);
            }
        }
    }

    fn connect(&mut self, choice: Option<Choice>) {
        let connecting = (self.setup.connect)(choice);
        let done = self.connecting.0.clone();
        tokio::spawn(async move {
            let _ = done.send(connecting.await);
        });
    }

    async fn wait(&mut self, signals: &mut Signals) -> Woken {
        let wake = self.model.wake_at().map(|at| self.begun + Duration::from_millis(at.0));
        let status = self.status_command.as_ref().and_then(|status| status.due);
        let due = [self.pace.due(), wake, status, self.watch.due].into_iter().flatten().min();
        let unsent = !self.unsent.is_empty();
        tokio::select! {
            biased;
            Some(event) = next_key(&mut self.keys) => Woken::Key(event),
            asked = signals.next() => Woken::Signal(asked),
            Some(msg) = self.replies.1.recv() => Woken::Reply(msg),
            Some(connected) = self.connecting.1.recv() => Woken::Connected(connected),
            () = room(&self.commands), if unsent => Woken::Sent,
            () = until(due) => Woken::Time,
            event = next_event(&mut self.events) => match event {
                Some(event) => Woken::Agent(Box::new(event)),
                None => Woken::AgentGone,
            },
            Some(coloured) = self.colouring.next() => Woken::Coloured(coloured),
            Some(told) = self.watch.next() => Woken::Settings(told),
            Some((call, small)) = self.loaded.1.recv() => Woken::Picture(call, small),
        }
    }

    async fn take(&mut self, woken: Woken) -> anyhow::Result<()> {
        match woken {
            Woken::Key(event) => {
                self.key(event?).await?;
                // Keys that wait already are drawn together.
                for _ in 0..KEYS {
                    let Some(event) = self.keys.as_mut().and_then(Keys::waiting) else { break };
                    self.key(event?).await?;
                }
                self.pace.now();
            }
            Woken::Agent(event) => {
                self.agent(event).await?;
                for _ in 0..BATCH {
                    let next = self.events.as_mut().and_then(|events| events.try_recv().ok());
                    let Some(event) = next else { break };
                    self.agent(Box::new(event)).await?;
                }
                self.pace.soon();
            }
            Woken::AgentGone => {
                self.events = None;
                self.commands = None;
                self.update(Msg::Disconnected("the agent has ended".to_owned())).await?;
                self.pace.now();
            }
            Woken::Reply(msg) => {
                self.update(msg).await?;
                self.pace.now();
            }
            Woken::Coloured((key, tokens)) => {
                self.state.colours().put(key, tokens);
                self.pace.soon();
            }
            Woken::Settings(told) => {
                if let Some(fresh) = self.watch.take(told, Instant::now()) {
                    self.settings(*fresh).await?;
                }
            }
            Woken::Picture(call, small) => self.show(call, &small).await?,
            Woken::Connected(connected) => self.connected(connected).await?,
            Woken::Signal(Asked::End(2)) if self.lines.is_some() => {
                self.update(lines::interrupt()).await?;
                self.pace.now();
            }
            Woken::Signal(Asked::End(signal)) => self.ended = Some(How::Signal(signal)),
            Woken::Signal(Asked::Resized) => {
                self.notice_size().await?;
                self.pace.now();
            }
            Woken::Signal(Asked::Suspend) => self.suspend()?,
            Woken::Signal(Asked::Continue) if self.resumed => self.resumed = false,
            // Something else stopped the program, and may have changed the terminal meanwhile.
            Woken::Signal(Asked::Continue) => {
                self.give_back()?;
                self.take_back()?;
            }
            Woken::Sent => {}
            // Time itself is what changed: a spinner, a remark that goes.
            Woken::Time => self.pace.now(),
        }
        Ok(())
    }

    async fn agent(&mut self, event: Box<Event>) -> anyhow::Result<()> {
        if let Event::Started { cwd, .. } = &*event {
            self.folder = PathBuf::from(cwd);
        }
        self.update(Msg::Agent(event)).await
    }

    async fn key(&mut self, heard: Heard) -> anyhow::Result<()> {
        let event = match heard {
            Heard::Event(event) => event,
            Heard::Background { light } => return self.background(light).await,
            Heard::Line(line) => return self.line(&line).await,
            Heard::End => {
                self.no_more = true;
                return Ok(());
            }
        };
        match event {
            crossterm::event::Event::Resize(..) => self.size = None,
            // Whoever comes back may have turned the light on.
            crossterm::event::Event::FocusGained => self.ask_background()?,
            _ => {}
        }
        match input::message(event) {
            Some(msg) => self.update(msg).await,
            None => Ok(()),
        }
    }

    /// crossterm tells of a new size, too, but not where a key arrives in the same moment: it hands
    /// out the key and drops what else it was woken for.
    async fn notice_size(&mut self) -> anyhow::Result<()> {
        let (Some(known), Ok(now)) = (self.size, crossterm::terminal::size()) else {
            return Ok(());
        };
        if now == known {
            return Ok(());
        }
        self.size = None;
        self.update(Msg::Resized { width: now.0, height: now.1 }).await
    }

    async fn settings(&mut self, fresh: Fresh) -> anyhow::Result<()> {
        let Fresh { themes, look, keymap, problems } = fresh;
        self.state.set_themes(themes);
        self.pace.now();
        self.update(Msg::Settings { look: Box::new(look), keymap: Box::new(keymap), problems })
            .await
    }

    /// Reads the settings off the drawing thread, where a change of them has settled.
    fn read_settings(&mut self) {
        if self.watch.due.is_none_or(|due| due > Instant::now()) {
            return;
        }
        self.watch.due = None;
        let (services, told) = (Arc::clone(&self.setup.services), self.watch.sender());
        tokio::task::spawn_blocking(move || {
            if let Some(fresh) = services.settings() {
                let _ = told.send(Told::Read(Box::new(fresh)));
            }
        });
    }

    async fn line(&mut self, line: &str) -> anyhow::Result<()> {
        let Some(lines) = &mut self.lines else { return Ok(()) };
        for msg in lines.heard(&self.model, line) {
            self.update(msg).await?;
        }
        Ok(())
    }

    /// Nothing waits for the answer.
    fn ask_background(&self) -> io::Result<()> {
        if self.setup.background.is_none() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(probe::QUESTION)?;
        out.flush()
    }

    async fn background(&mut self, light: bool) -> anyhow::Result<()> {
        if let Some(file) = self.setup.background.clone() {
            tokio::task::spawn_blocking(move || {
                let _ = probe::keep(&file, light);
            });
        }
        self.update(Msg::Background { light }).await
    }

    async fn update(&mut self, msg: Msg) -> anyhow::Result<()> {
        for effect in update(&mut self.model, msg) {
            match carry_out(effect, &self.setup.services, &self.replies.0) {
                Own::Nothing => {}
                Own::Send(command) => self.unsent.push_back(command),
                Own::Copy(_) | Own::CopySelection if self.lines.is_some() => {
                    self.model.say("copying needs a screen");
                }
                Own::Copy(text) => self.copy(text)?,
                Own::CopySelection => {
                    let text = view::selection::text(&self.model, &mut self.state);
                    self.model.say(&format!("copied {} characters", text.chars().count()));
                    self.copy(text)?;
                }
                Own::OpenFile { path, line } => self.open(&path, line).await?,
                Own::FindFiles { seq, query } => {
                    self.files.find(&self.folder, seq, query, &self.replies.0);
                }
                Own::ShowPicture { call, path } => self.load(call, &path),
                Own::OpenEditor(text) => self.edit(&text).await?,
                Own::EditFile(path) => self.open(&path.to_string_lossy(), 1).await?,
                Own::Connect(choice) => self.connect(Some(choice)),
                Own::Notify(text) => {
                    if let Some(form) = self.setup.notifications {
                        notify::notify(&text, form, &mut io::stdout())?;
                    }
                }
                Own::Redraw => self.surface.forget(),
                Own::Suspend => self.suspend()?,
                Own::Quit => self.ended = Some(How::Quit),
            }
        }
        Ok(())
    }

    /// Decodes an image off the drawing thread. One that cannot be drawn stays a line of text.
    fn load(&self, call: CallId, path: &str) {
        let (path, loaded) = (self.folder.join(path), self.loaded.0.clone());
        tokio::task::spawn_blocking(move || match pictures::load(&path) {
            Ok(small) => drop(loaded.send((call, small))),
            Err(why) => tracing::info!("{} is not drawn: {why}", path.display()),
        });
    }

    async fn show(&mut self, call: CallId, small: &Small) -> anyhow::Result<()> {
        let (picture, bytes) = pictures::handed_over(small, self.numbers.take());
        let mut out = io::stdout().lock();
        out.write_all(bytes.as_bytes())?;
        out.flush()?;
        drop(out);
        self.pace.now();
        Box::pin(self.update(Msg::Done(Reply::Picture { call, picture }))).await
    }

    async fn connected(&mut self, connected: Connected) -> anyhow::Result<()> {
        let result = match connected {
            Ok(connection) => {
                self.commands = Some(connection.commands);
                self.events = Some(connection.events);
                Ok(())
            }
            Err(error) => Err(format!("{error:#}")),
        };
        self.pace.now();
        Box::pin(self.update(Msg::Done(Reply::Connected(result)))).await
    }

    fn copy(&mut self, text: String) -> anyhow::Result<()> {
        let ways = &self.setup.clipboard;
        if !clipboard::copy(&text, ways, &mut io::stdout())? && ways.programs.is_empty() {
            self.model.say("only the first 100,000 bytes were copied");
        }
        let programs = ways.programs.clone();
        if !programs.is_empty() {
            tokio::task::spawn_blocking(move || clipboard::hand_over(&text, &programs));
        }
        Ok(())
    }

    fn tick(&mut self) {
        let now = Millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        update(&mut self.model, Msg::Tick(now));
    }

    /// Sends what can be sent without waiting.
    fn flush(&mut self) {
        let Some(commands) = &self.commands else { return };
        while let Some(command) = self.unsent.pop_front() {
            match commands.try_send(command) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(command)) => {
                    self.unsent.push_front(command);
                    return;
                }
                // The end of the events tells the person.
                Err(mpsc::error::TrySendError::Closed(_)) => return,
            }
        }
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        if let Some(lines) = &mut self.lines {
            self.pace.drawn(Instant::now());
            return Ok(lines.tell(&self.model, &mut self.state, &mut io::stdout().lock())?);
        }
        let (width, height) = match self.size {
            Some(size) => size,
            None => *self.size.insert(crossterm::terminal::size()?),
        };
        let area = Rect::new(0, 0, width, height);
        let whole = match &mut self.inline {
            Some(inline) => inline.whole(&self.model, self.guard, &mut self.surface)?,
            None => true,
        };
        let (mut bytes, seen) = match &mut self.inline {
            Some(inline) if !whole => inline.draw(&self.model, &mut self.state, area)?,
            _ => {
                let mut buffer = Buffer::empty(area);
                let (seen, cursor) = view::render(&self.model, &mut self.state, area, &mut buffer);
                let moving = 0..u16::try_from(seen.transcript).unwrap_or(0).min(height);
                (self.surface.draw(buffer, cursor, moving, self.state.links())?, seen)
            }
        };
        bytes.extend(self.manners.bytes(&self.model));
        if !bytes.is_empty() {
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()?;
        }
        self.pace.drawn(Instant::now());
        update(&mut self.model, Msg::Drawn(seen));
        self.colouring.give(self.state.colours());
        if let Some(status) = &mut self.status_command {
            status.look(&self.model, Instant::now());
        }
        Ok(())
    }
}

async fn next_key(keys: &mut Option<Keys>) -> Option<io::Result<Heard>> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

async fn next_event(events: &mut Option<mpsc::Receiver<Event>>) -> Option<Event> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

/// Until the agent has room for a command.
async fn room(commands: &Option<mpsc::Sender<Command>>) {
    match commands {
        Some(commands) => drop(commands.reserve().await),
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
