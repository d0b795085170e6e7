//! What the screen asks of this machine besides the agent: earlier sessions, the ledger, settings,
//! keys, prompts of earlier days.

mod history;
mod memory;
mod settings;

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::api::detect;
use crate::app::Setting;
use crate::app::panels::cost::{self as panel, Group, Report};
use crate::app::panels::history::{Change, Looks, Preview, SessionRow};
use crate::app::panels::memory::MemoryRow;
use crate::app::panels::settings::{Layer, SettingRow};
use crate::app::spend::Total;
use crate::app::start::{Found, FoundKey, FoundServer};
use crate::cli::args::Cli;
use crate::cli::start::{self, Trust, place};
use crate::cli::{Env, router, screen};
use crate::config::{Config, write};
use crate::cost::ledger;
use crate::cost::sums::{self, By, Sum};
use crate::protocol::budget::Limits;
use crate::protocol::{MessageId, SessionId};
use crate::session::Places;
use crate::terminal::{Fresh, Services};

#[derive(Debug)]
pub struct Local {
    env: Env,
    places: Places,
    config: Config,
    /// Arguments, and where the terminal's background is kept: settings are read again with them.
    follows: Option<(Cli, PathBuf)>,
}

/// Prompts that are kept for going back to them, and the bytes of their file.
const PROMPTS: usize = 1_000;
const PROMPTS_BYTES: u64 = 4 << 20;

impl Local {
    pub fn new(env: &Env, config: &Config) -> Local {
        let places = Places::new(&env.dirs.data, &env.dirs.cache);
        Local { env: env.clone(), places, config: config.clone(), follows: None }
    }

    /// Changes of settings and themes on disk count at once.
    pub fn follows(&mut self, cli: &Cli, background: &Path) {
        self.follows = Some((cli.clone(), background.to_owned()));
    }

    fn prompts_file(&self) -> std::path::PathBuf {
        self.env.dirs.state.join("prompts.jsonl")
    }
}

impl Services for Local {
    fn watched(&self) -> Vec<PathBuf> {
        if self.follows.is_none() {
            return Vec::new();
        }
        let config = &self.env.dirs.config;
        vec![config.clone(), config.join("themes"), self.env.cwd.join(".tern")]
    }

    fn settings(&self) -> Option<Fresh> {
        let (cli, background) = self.follows.as_ref()?;
        let (loaded, problems, _) = start::configuration(cli, &self.env, Trust::default());
        let themes = screen::themes(&self.env);
        let (look, keymap, more) = screen::look(&loaded.config, &self.env, &themes, background);
        let problems = problems.iter().map(ToString::to_string).chain(more).collect();
        Some(Fresh { themes, look, keymap, problems })
    }

    fn sessions(&self, query: &str, looks: Looks) -> Result<Vec<SessionRow>, String> {
        history::sessions(&self.places, &self.env.cwd, query, looks)
    }

    fn preview(&self, session: &SessionId, around: Option<&MessageId>) -> Result<Preview, String> {
        history::preview(&self.places, session, around)
    }

    fn memory(&self) -> Vec<MemoryRow> {
        memory::list(&place(&self.env, false))
    }

    fn note(&self, file: &Path, text: &str, back: bool) -> Result<String, String> {
        memory::note(&place(&self.env, false), file, text, back)
    }

    fn all_settings(&self) -> Vec<SettingRow> {
        let cli = self.follows.as_ref().map(|(cli, _)| cli);
        let trusted =
            cli.is_some_and(|cli| start::configuration(cli, &self.env, Trust::default()).2);
        settings::list(&self.env, trusted)
    }

    fn save_setting(&self, name: &str, value: &str, layer: Layer) -> Result<String, String> {
        settings::save(&self.env, name, value, layer)
    }

    fn change_session(&self, session: &SessionId, change: &Change) -> Result<String, String> {
        let secrets = router::secrets(&self.config, &self.env);
        history::change(&self.places, session, change, secrets, &self.env.cwd)
    }

    fn costs(&self, by: panel::By) -> Result<Report, String> {
        let zone = TimeZone::system();
        let today = Timestamp::now().to_zoned(zone.clone()).date();
        let days: Vec<_> =
            (0..7).rev().filter_map(|back| today.checked_sub(back.days()).ok()).collect();
        let ledger = ledger::read(&self.env.dirs.ledger(), None).map_err(|e| e.to_string())?;
        let by_day = sums::rows(&ledger.entries, By::Day, &zone);
        let of_day = |day: &jiff::civil::Date| {
            let name = day.to_string();
            by_day.iter().find(|(row, _)| *row == name).map(|(_, sum)| *sum).unwrap_or_default()
        };
        let sums: Vec<Sum> = days.iter().map(of_day).collect();
        let week = sums.iter().map(|sum| sum.cost).collect();
        let saved = sums.iter().map(|sum| sum.saved).sum();
        let lost = sums.iter().map(|sum| sum.lost).sum();
        let rows = |by| sums::rows(&ledger.entries, by, &zone).into_iter().map(group).collect();
        let groups = match by {
            panel::By::Turn | panel::By::Model => Vec::new(),
            panel::By::Day => by_day.into_iter().rev().map(group).collect(),
            panel::By::Tool => rows(By::Tool),
            panel::By::Agent => rows(By::Agent),
            panel::By::Project => rows(By::Project),
        };
        Ok(Report { groups, week, saved, lost })
    }

    fn save(&self, setting: &Setting) -> Result<String, String> {
        let (name, value) = match setting {
            Setting::Theme(theme) => ("ui.theme", theme),
            Setting::Model(model) => ("model", model),
            Setting::OutputStyle(style) => ("output-style", style),
            Setting::Budgets(limits) => return self.save_budgets(limits),
        };
        let file = self.env.dirs.user_file();
        write::set(&file, name, value).map_err(|error| error.to_string())?;
        Ok(format!("{name} = \"{value}\" kept in {}", file.display()))
    }

    fn find(&self) -> Found {
        let keys = self
            .config
            .providers
            .iter()
            .filter_map(|(name, provider)| {
                let set = |variable: &&String| {
                    self.env.vars.get(*variable).is_some_and(|value| !value.trim().is_empty())
                };
                let variable = provider.key.env.iter().find(set)?;
                Some(FoundKey { provider: name.clone(), variable: variable.clone() })
            })
            .collect();
        // Called off the drawing thread, where a runtime is at hand to wait on.
        let servers = tokio::runtime::Handle::try_current()
            .map(|runtime| runtime.block_on(detect::servers(&detect::usual_places())))
            .map(Result::unwrap_or_default)
            .unwrap_or_default()
            .into_iter()
            .map(|found| FoundServer {
                provider: found.provider,
                url: found.base_url,
                models: found.models,
            })
            .collect();
        Found { keys, servers }
    }

    fn prompts(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.prompts_file()).unwrap_or_default();
        let mut prompts: Vec<String> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        prompts.split_off(prompts.len().saturating_sub(PROMPTS))
    }

    /// A prompt that cannot be kept is not worth a word in the middle of somebody's work.
    fn remember(&self, prompt: &str) {
        if let Err(error) = self.keep(prompt) {
            tracing::warn!("the prompt was not kept: {error}");
        }
    }
}

impl Local {
    fn save_budgets(&self, limits: &Limits) -> Result<String, String> {
        let file = self.env.dirs.user_file();
        for (name, limit) in
            [("budget.session-usd", limits.session), ("budget.day-usd", limits.day)]
        {
            match limit {
                Some(limit) => write::set(&file, name, &limit.usd().to_string()),
                None => write::unset(&file, name),
            }
            .map_err(|error| error.to_string())?;
        }
        Ok(format!("budgets kept in {}", file.display()))
    }

    fn keep(&self, prompt: &str) -> std::io::Result<()> {
        let path = self.prompts_file();
        crate::config::dirs::private_dir(&self.env.dirs.state)?;
        // A file that has grown large is begun anew with what would be read of it.
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > PROMPTS_BYTES) {
            let kept: String = self
                .prompts()
                .iter()
                .filter_map(|prompt| Some(serde_json::to_string(prompt).ok()? + "\n"))
                .collect();
            write::replace(&path, &kept).map_err(std::io::Error::other)?;
        }
        let mut line = serde_json::to_string(prompt)?;
        line.push('\n');
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(line.as_bytes())
    }
}

fn group((name, sum): (String, Sum)) -> Group {
    let total =
        Total { usage: sum.usage, cost: sum.cost, requests: sum.requests, unpriced: sum.unpriced };
    Group { name, total }
}
