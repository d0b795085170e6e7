//! The layers, lowest to highest, and their merge: scalars of a higher layer win, rule lists add
//! up, tables merge by key. Each value keeps the place that set it.
//!
//! *Invariant:* a file of the project folder cannot say where requests go, which key is sent, or
//! what runs; `table` marks each setting. Rules of such a file are kept with their source, and the
//! permission layer leaves out those that need trust.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::dirs::Dirs;
use crate::config::file::{self, Fault, Item, Node};
use crate::config::table::{self, Found, Project, Setting};
use crate::config::value::{self, Kind, Value};
use crate::config::{Config, Problem, build, claude, managed};
use crate::protocol::{Mode, Source, Sourced};

/// Everything that the configuration depends on.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub dirs: Dirs,
    pub cwd: PathBuf,
    /// See [`dirs::project_root`](crate::config::dirs::project_root). Project files are read here
    /// and, where it is another folder, in `cwd`, which is the higher layer.
    pub project_root: PathBuf,
    /// `/etc/tern/managed.toml`; the folder `managed.d` beside it belongs to it.
    pub managed: PathBuf,
    /// From `--settings`: TOML, or JSON in the shape of `.claude/settings.json`.
    pub settings_file: Option<PathBuf>,
    pub env: BTreeMap<String, String>,
    pub flags: Flags,
    /// Whether the person trusts this folder: its files may then loosen the mode.
    pub trusted: bool,
}

/// What the command line sets, as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flags {
    pub model: Option<String>,
    pub fallback_model: Option<String>,
    pub effort: Option<String>,
    pub permission_mode: Option<String>,
    pub allow: Vec<String>,
    pub ask: Vec<String>,
    pub deny: Vec<String>,
    pub add_dirs: Vec<String>,
    pub max_budget_usd: Option<f64>,
    pub theme: Option<String>,
}

impl Inputs {
    /// With no flags, no settings file, and the folder not trusted.
    pub fn new(dirs: Dirs, cwd: &Path, env: BTreeMap<String, String>) -> Inputs {
        let managed = dirs.managed.clone();
        Inputs {
            dirs,
            cwd: cwd.to_owned(),
            project_root: crate::config::dirs::project_root(cwd),
            managed,
            settings_file: None,
            env,
            flags: Flags::default(),
            trusted: false,
        }
    }
}

/// The configuration and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub config: Config,
    pub origins: Store,
    /// The files that were looked for, lowest first.
    pub files: Vec<LayerFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    pub path: PathBuf,
    pub source: Source,
    pub found: bool,
}

/// Reads all layers. Never fails: what is wrong is told, and the rest counts.
pub fn load(inputs: &Inputs) -> (Loaded, Vec<Problem>) {
    let mut merge = Merge { trusted: inputs.trusted, ..Merge::default() };
    merge.file(&inputs.dirs.user_file(), Source::User);
    let mut folders = vec![inputs.project_root.as_path()];
    if inputs.cwd != inputs.project_root {
        folders.push(&inputs.cwd);
    }
    for (name, source) in [
        (".claude/settings.json", Source::Project),
        (".claude/settings.local.json", Source::Local),
        (".tern/config.toml", Source::Project),
        (".tern/config.local.toml", Source::Local),
    ] {
        for folder in &folders {
            merge.file(&folder.join(name), source);
        }
    }
    if let Some(path) = &inputs.settings_file {
        merge.file(path, Source::SettingsFile);
        if merge.files.last().is_some_and(|file| !file.found) {
            let hint = Some("check the path given to --settings".to_owned());
            merge.tell(&Place::file(path, Source::SettingsFile), None, "is not there".into(), hint);
        }
    }
    merge.environment(&inputs.env);
    merge.flags(&inputs.flags);
    let managed = managed_layer(&mut merge, &inputs.managed);
    merge.problems.extend(managed::enforce(&mut merge.store, &managed));
    let Merge { store, files, mut problems, .. } = merge;
    let (mut config, more) = build::config(&store, &inputs.env);
    problems.extend(more);
    managed.settle(&mut config.permissions);
    config.managed = managed;
    (Loaded { config, origins: store, files }, problems)
}

/// Reads the managed files on top of all others. Anything wrong in one of them counts: a lock that
/// was meant must not be missed because of a slip beside it.
fn managed_layer(merge: &mut Merge, file: &Path) -> managed::Managed {
    let before = merge.files.len();
    for path in managed::files(file) {
        match path {
            Ok(path) => merge.file(&path, Source::Managed),
            Err((folder, why)) => {
                let place = Place::file(&folder, Source::Managed);
                merge.tell(&place, None, format!("cannot be read: {why}"), None);
            }
        }
    }
    merge.problems.extend(managed::bad_modes(&merge.store));
    let broken = merge.problems.iter().find(|problem| problem.source == Source::Managed).cloned();
    let there = merge.files[before..].iter().filter(|file| file.found);
    let files = there.map(|file| file.path.clone()).collect();
    managed::read(&merge.store, files, broken)
}

/// Values by path. A scalar has one entry, a list that adds up one for each element.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Store {
    values: BTreeMap<Vec<String>, Vec<Sourced<Value>>>,
}

impl Store {
    pub fn all(&self, path: &[&str]) -> &[Sourced<Value>] {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.values.get(&path).map_or(&[], Vec::as_slice)
    }

    /// Removes the entries of a path that `out` names.
    pub(super) fn take_out(
        &mut self,
        path: &[&str],
        out: impl Fn(&Sourced<Value>) -> bool,
    ) -> Vec<Sourced<Value>> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let Some(entries) = self.values.remove(&path) else { return Vec::new() };
        let (gone, kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(out);
        if !kept.is_empty() {
            self.values.insert(path, kept);
        }
        gone
    }

    pub fn one(&self, path: &[&str]) -> Option<&Sourced<Value>> {
        self.all(path).last()
    }

    /// Every path that is set, in order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&[String], &[Sourced<Value>])> {
        self.values.iter().map(|(path, values)| (path.as_slice(), values.as_slice()))
    }

    /// The names that stand right below a path.
    pub fn below(&self, path: &[&str]) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .values
            .keys()
            .filter(|key| key.len() > path.len() && key.iter().zip(path).all(|(a, b)| a == b))
            .map(|key| key[path.len()].as_str())
            .collect();
        names.dedup();
        names
    }
}

/// Where values come from while a layer is read.
struct Place<'a> {
    source: Source,
    file: Option<&'a Path>,
    /// Set for the environment and flags, which have no file: what to call them.
    name: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn file(path: &'a Path, source: Source) -> Place<'a> {
        Place { source, file: Some(path), name: None }
    }

    fn named(name: &'a str, source: Source) -> Place<'a> {
        Place { source, file: None, name: Some(name) }
    }

    /// Whether it came with the project folder.
    fn foreign(&self) -> bool {
        self.source.is_project()
    }
}

#[derive(Default)]
struct Merge {
    trusted: bool,
    store: Store,
    files: Vec<LayerFile>,
    problems: Vec<Problem>,
}

impl Merge {
    fn file(&mut self, path: &Path, source: Source) {
        let place = Place::file(path, source);
        let text = file::text(path).unwrap_or_else(|fault| {
            self.faults(&place, vec![fault], "the file does not count");
            None
        });
        self.files.push(LayerFile { path: path.to_owned(), source, found: text.is_some() });
        let Some(text) = text else { return };
        if path.extension().is_some_and(|ext| ext == "json") {
            let (entries, faults) = claude::read(&text);
            self.faults(&place, faults, "the file does not count");
            self.table(&place, &mut Vec::new(), &entries);
        } else {
            let (entries, faults) = file::toml(&text);
            self.faults(&place, faults, "the line does not count");
            self.table(&place, &mut Vec::new(), &entries);
        }
    }

    fn environment(&mut self, env: &BTreeMap<String, String>) {
        for (name, path) in [
            ("TERN_MODEL", &["model"] as &[&str]),
            ("ANTHROPIC_BASE_URL", &["providers", "anthropic", "base-url"]),
            ("OPENAI_BASE_URL", &["providers", "openai", "base-url"]),
        ] {
            if let Some(value) = env.get(name).filter(|value| !value.trim().is_empty()) {
                let place = Place::named(name, Source::Environment);
                self.set(&place, path, Node::Text(value.clone()));
            }
        }
    }

    fn flags(&mut self, flags: &Flags) {
        let texts: [(&str, &[&str], &Option<String>); 5] = [
            ("--model", &["model"], &flags.model),
            ("--fallback-model", &["fallback-model"], &flags.fallback_model),
            ("--effort", &["effort"], &flags.effort),
            ("--permission-mode", &["permissions", "mode"], &flags.permission_mode),
            ("--theme", &["ui", "theme"], &flags.theme),
        ];
        for (name, path, text) in texts {
            if let Some(text) = text {
                self.set(&Place::named(name, Source::Flag), path, Node::Text(text.clone()));
            }
        }
        let lists: [(&str, &[&str], &[String]); 4] = [
            ("--allow", &["permissions", "allow"], &flags.allow),
            ("--ask", &["permissions", "ask"], &flags.ask),
            ("--deny", &["permissions", "deny"], &flags.deny),
            ("--add-dir", &["permissions", "additional-directories"], &flags.add_dirs),
        ];
        for (name, path, list) in lists {
            let item = |text: &String| Item { node: Node::Text(text.clone()), line: 0 };
            let node = Node::List(list.iter().map(item).collect());
            self.set(&Place::named(name, Source::Flag), path, node);
        }
        if let Some(usd) = flags.max_budget_usd {
            let place = Place::named("--max-budget-usd", Source::Flag);
            self.set(&place, &["budget", "session-usd"], Node::Float(usd));
        }
    }

    fn set(&mut self, place: &Place<'_>, path: &[&str], node: Node) {
        if let Found::Setting(setting) = table::find(path) {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            self.setting(place, &path, setting, &Item { node, line: 0 });
        }
    }

    fn table(&mut self, place: &Place<'_>, path: &mut Vec<String>, entries: &[(String, Item)]) {
        for (name, item) in entries {
            path.push(name.clone());
            match (table::find(path), &item.node) {
                (Found::Setting(setting), _) => self.setting(place, path, setting, item),
                (Found::Table, Node::Table(inner)) => self.table(place, path, inner),
                (Found::Table, node) => {
                    let message =
                        format!("{} is a table, not {}", table::dotted(path), node.kind());
                    self.tell(place, Some(item.line), message, None);
                }
                (Found::Unknown, _) => {
                    let message = format!("unknown setting {}", table::dotted(path));
                    let hint = match table::suggest(path) {
                        Some(name) => format!("did you mean {name}?"),
                        None => "`tern config show` lists all".to_owned(),
                    };
                    self.tell(place, Some(item.line), message, Some(hint));
                }
            }
            path.pop();
        }
    }

    fn setting(&mut self, place: &Place<'_>, path: &[String], setting: &Setting, item: &Item) {
        let name = match place.name {
            Some(name) => name.to_owned(),
            None => table::dotted(path),
        };
        if place.foreign() && setting.project == Project::Never && setting.kind != Kind::Unused {
            let message = format!("{name} cannot be set by a file of the project");
            let hint = "put it in your own config.toml".to_owned();
            return self.tell(place, Some(item.line), message, Some(hint));
        }
        if setting.project == Project::Managed && place.source != Source::Managed {
            let message = format!("{name} counts in a managed file only");
            let hint = "that is /etc/tern/managed.toml".to_owned();
            return self.tell(place, Some(item.line), message, Some(hint));
        }
        let mut complaints = Vec::new();
        let values = value::check(setting.kind, &name, item, &mut complaints);
        for complaint in complaints {
            // An unknown mode is called that, so only a flag's or variable's name tells the place.
            let message = match place.name {
                Some(name) if !complaint.message.contains(name) => {
                    format!("{name}: {}", complaint.message)
                }
                _ => complaint.message,
            };
            self.tell(place, Some(complaint.line), message, complaint.hint);
        }
        for (value, line) in values {
            if !self.may_set(place, path, setting, &value, line) {
                continue;
            }
            let slot = self.store.values.entry(path.to_vec()).or_default();
            if !matches!(setting.kind, Kind::Adds | Kind::Hooks) {
                slot.clear();
            } else if slot.iter().any(|old| old.value == value && old.source == place.source) {
                continue;
            }
            slot.push(Sourced {
                value,
                source: place.source,
                file: place.file.map(Path::to_owned),
                line: (line > 0).then_some(line),
            });
        }
    }

    /// What a file of the project may not do with a setting that it may set.
    fn may_set(
        &mut self,
        place: &Place<'_>,
        path: &[String],
        setting: &Setting,
        value: &Value,
        line: u32,
    ) -> bool {
        if !place.foreign() {
            return true;
        }
        let old = self.store.values.get(path).and_then(|slot| slot.last());
        let refusal = match (value, old.map(|old| &old.value)) {
            (Value::Usd(new), Some(Value::Usd(old)))
                if setting.project == Project::Lowers && new > old =>
            {
                Some((
                    format!("{} stays at {old}", setting.name),
                    "a project file may only lower it",
                ))
            }
            (Value::Text(mode), _) if setting.kind == Kind::Mode => match Mode::parse(mode) {
                Some(Mode::BypassPermissions) => Some((
                    "mode bypassPermissions cannot be set by a file of the project".to_owned(),
                    "start with --permission-mode bypassPermissions",
                )),
                Some(Mode::AcceptEdits) if !self.trusted => Some((
                    "mode acceptEdits does not count yet".to_owned(),
                    "it does once you trust this folder",
                )),
                _ => None,
            },
            // What runs nothing before trust must not hide a server of the person's own either.
            (Value::Raw(_), Some(_)) if setting.name == "mcp.servers.*" && !self.trusted => Some((
                format!("{} stays as it is in your own file", table::dotted(path)),
                "the project's counts once you trust this folder",
            )),
            _ => None,
        };
        if let Some((message, hint)) = refusal {
            self.tell(place, Some(line), message, Some(hint.to_owned()));
            return false;
        }
        true
    }

    fn faults(&mut self, place: &Place<'_>, faults: Vec<Fault>, hint: &str) {
        for fault in faults {
            self.tell(place, fault.line, fault.message, Some(hint.to_owned()));
        }
    }

    fn tell(
        &mut self,
        place: &Place<'_>,
        line: Option<u32>,
        message: String,
        hint: Option<String>,
    ) {
        self.problems.push(Problem {
            source: place.source,
            file: place.file.map(Path::to_owned),
            line: line.filter(|line| *line > 0),
            message,
            hint,
        });
    }
}
