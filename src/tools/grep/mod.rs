//! Grep: text in files, by ripgrep's own crates, in this process.

mod hits;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use grep_matcher::LineTerminator;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use ignore::overrides::OverrideBuilder;
use ignore::types::TypesBuilder;
use ignore::{DirEntry, WalkBuilder, WalkState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::grep::hits::{Collect, FileHits, Keep, Line};
use crate::tools::walk::{self, Ignored, Limit};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, count, disk, lock, off_thread, spec};

#[derive(Debug)]
pub struct Grep;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    pattern: String,
    path: Option<String>,
    /// e.g. *.{ts,tsx}
    glob: Option<String>,
    /// e.g. rust, py
    r#type: Option<String>,
    output_mode: Option<Mode>,
    #[serde(rename = "-i")]
    ignore_case: Option<bool>,
    /// line numbers, default true
    #[serde(rename = "-n")]
    numbers: Option<bool>,
    #[serde(rename = "-A")]
    after: Option<usize>,
    #[serde(rename = "-B")]
    before: Option<usize>,
    #[serde(rename = "-C")]
    around: Option<usize>,
    /// only what matches
    #[serde(rename = "-o")]
    only: Option<bool>,
    /// . matches line ends
    multiline: Option<bool>,
    /// default 250
    head_limit: Option<usize>,
    /// leave out so many first
    offset: Option<usize>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("query", "pattern"),
        ("regex", "pattern"),
        ("include", "glob"),
        ("directory", "path"),
        ("context", "-C"),
        ("ignore_case", "-i"),
        ("case_insensitive", "-i"),
        ("max_results", "head_limit"),
        ("only_matching", "-o"),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    FilesWithMatches,
    Content,
    Count,
}

/// Lines, files or counts that are shown.
const SHOWN: usize = 250;
/// Bytes of an answer.
const LONGEST: usize = 32 * 1024;
/// Bytes up to which a file is read whole for a search over several lines.
const MULTI_LINE_HEAP: usize = 64 * 1024 * 1024;

#[async_trait]
impl Tool for Grep {
    fn name(&self) -> &str {
        "Grep"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../../assets/prompts/tools/grep.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        let pattern = input["pattern"].as_str().unwrap_or_default();
        let place = match disk::object(input, "path", cwd, ".").as_str() {
            "." => String::new(),
            place => format!(" in {place}"),
        };
        Title::new("Searching", "Searched", format!("\"{pattern}\"{place}"))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(super::plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match args::parse::<Input>(self.name(), &input) {
            Ok(input) => {
                off_thread(ctx, move |ctx| match grep(&input, ctx) {
                    Ok(outcome) | Err(outcome) => outcome,
                })
                .await
            }
            Err(outcome) => outcome,
        }
    }
}

fn grep(input: &Input, ctx: &ToolCtx) -> Result<Outcome, Outcome> {
    let wrong = |text: String| Outcome::failed(format!("Grep: {text}"), "wrong input");
    let root = disk::absolute(input.path.as_deref().unwrap_or("."), &ctx.cwd)
        .map_err(|trouble| wrong(format!("{trouble}.")))?;
    walk::check_root(&root, &disk::shown(&root, &ctx.cwd))?;
    let matcher = matcher(input).map_err(|e| {
        let hint = match input.multiline {
            Some(true) => "",
            _ if e.contains("\\n") => " Set multiline to search over line ends.",
            _ => " Literal brackets and dots need a backslash.",
        };
        wrong(format!("the pattern is not a regular expression: {e}.{hint}"))
    })?;
    let barred = ctx.barred.below(&root);
    let left_out = barred.clone();
    let mut walk =
        walk::walker(&root, Ignored::LeftOut, move |path, is_dir| left_out.content(path, is_dir));
    narrow(&mut walk, input, &root).map_err(wrong)?;

    let limit = Limit::new(&ctx.cancel);
    let found = search(&walk, &matcher, input, &limit);
    let mut answer = Answer::new(input, &found.files, ctx);
    answer.notes.extend(barred.note());
    if found.unread > 0 {
        answer.notes.push(format!("{} could not be read", count(found.unread, "file")));
    }
    if limit.reached() {
        answer.notes.push("the search was stopped before its end".to_owned());
    }
    Ok(answer.outcome())
}

fn matcher(input: &Input) -> Result<RegexMatcher, String> {
    let multiline = input.multiline.unwrap_or(false);
    let mut builder = RegexMatcherBuilder::new();
    builder
        .case_insensitive(input.ignore_case.unwrap_or(false))
        .multi_line(true)
        .dot_matches_new_line(multiline)
        .size_limit(20 << 20);
    if !multiline {
        // Line by line; `$` also before a CRLF.
        builder.crlf(true);
    }
    builder.build(&input.pattern).map_err(|e| e.to_string().replace('\n', " "))
}

fn narrow(walk: &mut WalkBuilder, input: &Input, root: &Path) -> Result<(), String> {
    if let Some(glob) = &input.glob {
        let mut overrides = OverrideBuilder::new(root);
        overrides.add(glob).map_err(|e| format!("the glob is wrong: {e}."))?;
        walk.overrides(overrides.build().map_err(|e| format!("the glob is wrong: {e}."))?);
    }
    if let Some(name) = &input.r#type {
        let mut types = TypesBuilder::new();
        types.add_defaults();
        if !types.definitions().iter().any(|def| def.name() == name) {
            return Err(format!("there is no file type {name:?}. Use glob, such as \"*.{name}\"."));
        }
        types.select(name);
        walk.types(types.build().map_err(|e| e.to_string())?);
    }
    Ok(())
}

#[derive(Default)]
struct Found {
    files: Vec<FileHits>,
    /// Files that could not be searched.
    unread: usize,
    /// Lines in `files`.
    kept: usize,
}

/// Lines that are kept at a time.
const KEPT: usize = 40_000;

impl Found {
    fn add(&mut self, file: FileHits, most: usize) {
        self.kept += file.lines.len();
        self.files.push(file);
        if self.kept > KEPT {
            self.prune(most);
        }
    }

    /// By path; lines only as far as they can be shown, for they are shown in this order.
    fn prune(&mut self, most: usize) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.kept = 0;
        for file in &mut self.files {
            if self.kept >= most {
                file.lines = Vec::new();
            }
            self.kept += file.lines.len();
        }
    }
}

fn search(walk: &WalkBuilder, matcher: &RegexMatcher, input: &Input, limit: &Limit) -> Found {
    let found = Arc::new(Mutex::new(Found::default()));
    let (keep, most) = (keep(input), reach(input));
    let searcher = searcher(input, keep);
    walk.build_parallel().run(|| {
        let (found, limit) = (Arc::clone(&found), limit.clone());
        let (matcher, mut searcher) = (matcher.clone(), searcher.clone());
        Box::new(move |entry| {
            if limit.reached() {
                return WalkState::Quit;
            }
            let Some(path) = entry.ok().filter(is_file).map(DirEntry::into_path) else {
                return WalkState::Continue;
            };
            if disk::is_environ(&path) {
                return WalkState::Continue;
            }
            let mut collect = Collect::new(&matcher, keep, &limit);
            collect.only = only(input);
            match searcher.search_path(&matcher, &path, &mut collect) {
                Ok(()) if collect.hits.matches > 0 => {
                    lock(&found).add(FileHits { path, ..collect.hits }, most);
                }
                Ok(()) => {}
                Err(_) => lock(&found).unread += 1,
            }
            WalkState::Continue
        })
    });
    let mut found = std::mem::take(&mut *lock(&found));
    found.prune(most);
    found
}

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// What of a file's hits is worth keeping: no more than can be shown.
fn keep(input: &Input) -> Keep {
    match mode(input) {
        Mode::FilesWithMatches => Keep::First,
        Mode::Count => Keep::Count,
        Mode::Content => Keep::Lines(reach(input)),
    }
}

fn mode(input: &Input) -> Mode {
    let context = input.around.or(input.after).or(input.before);
    // Both make sense only with lines.
    let lines = context.is_some() || only(input);
    input.output_mode.unwrap_or(if lines { Mode::Content } else { Mode::FilesWithMatches })
}

fn only(input: &Input) -> bool {
    input.only.unwrap_or(false)
}

/// What must be found so that as much as is shown is left behind the offset.
fn reach(input: &Input) -> usize {
    shown(input).saturating_add(input.offset.unwrap_or(0)).min(KEPT)
}

fn shown(input: &Input) -> usize {
    match input.head_limit {
        None | Some(0) => SHOWN,
        Some(limit) => limit.min(5_000),
    }
}

fn searcher(input: &Input, keep: Keep) -> Searcher {
    let lines = |own: Option<usize>| match keep {
        Keep::Lines(_) if only(input) => 0,
        Keep::Lines(_) => own.or(input.around).unwrap_or(0).min(100),
        Keep::First | Keep::Count => 0,
    };
    let multiline = input.multiline.unwrap_or(false);
    // The same as the matcher's, or nothing is searched.
    let end = if multiline { LineTerminator::byte(b'\n') } else { LineTerminator::crlf() };
    SearcherBuilder::new()
        .line_terminator(end)
        .line_number(true)
        .before_context(lines(input.before))
        .after_context(lines(input.after))
        .multi_line(multiline)
        .heap_limit(Some(MULTI_LINE_HEAP))
        .binary_detection(BinaryDetection::quit(0))
        .build()
}

/// The hits as text, up to the limits.
struct Answer {
    text: String,
    /// Found, shown or not.
    files: usize,
    hits: u64,
    mode: Mode,
    notes: Vec<String>,
}

impl Answer {
    fn new(input: &Input, files: &[FileHits], ctx: &ToolCtx) -> Answer {
        let mode = mode(input);
        let hits = files.iter().map(|file| file.matches).sum();
        let mut answer =
            Answer { text: String::new(), files: files.len(), hits, mode, notes: Vec::new() };
        let most = shown(input);
        let numbers = input.numbers.unwrap_or(true);
        let (mut left, mut skip) = (most, input.offset.unwrap_or(0));
        for file in files {
            if left == 0 || answer.text.len() > LONGEST {
                break;
            }
            if mode == Mode::Content {
                let lines = &file.lines[skip.min(file.lines.len())..];
                skip = skip.saturating_sub(file.lines_found);
                left = answer.lines(&disk::shown(&file.path, &ctx.cwd), lines, numbers, left);
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let name = disk::shown(&file.path, &ctx.cwd);
            answer.text += &match mode {
                Mode::Count => format!("{name}:{}\n", file.matches),
                Mode::FilesWithMatches | Mode::Content => format!("{name}\n"),
            };
            left -= 1;
        }
        let (all, what) = match mode {
            Mode::Content => (files.iter().map(|file| file.lines_found).sum(), "line"),
            Mode::FilesWithMatches | Mode::Count => (files.len(), "file"),
        };
        let (offset, there) = (input.offset.unwrap_or(0), most - left);
        if offset + there < all || (offset > 0 && all > 0) {
            let which = match (offset, there) {
                (0, there) => there.to_string(),
                (_, 0) => "none".to_owned(),
                (offset, there) => format!("{} to {}", offset + 1, offset + there),
            };
            let all = count(all, what);
            let note =
                format!("{which} of {all} shown; narrow the search, or raise head_limit or offset");
            answer.notes.push(note);
        }
        answer
    }

    /// One file's lines under its name; returns how many more lines may follow.
    fn lines(&mut self, name: &str, lines: &[Line], numbers: bool, mut left: usize) -> usize {
        if lines.is_empty() {
            return left;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += &format!("{name}\n");
        let mut last = None;
        for line in lines {
            if left == 0 || self.text.len() > LONGEST {
                break;
            }
            // Of a line that matches more than once, `-o` gives several.
            if last.is_some_and(|last| last + 1 != line.number && last != line.number) {
                let apart = lines.iter().any(|line| !line.is_match);
                self.text += if apart { "--\n" } else { "" };
            }
            last = Some(line.number);
            let mark = if line.is_match { ':' } else { '-' };
            self.text += &match numbers {
                true => format!("{}{mark}{}\n", line.number, line.text),
                false => format!("{}\n", line.text),
            };
            left -= 1;
        }
        left
    }

    fn outcome(mut self) -> Outcome {
        if self.files == 0 {
            self.text = "No matches.\n".to_owned();
        }
        if self.notes.is_empty() {
            self.text.truncate(self.text.trim_end_matches('\n').len());
        } else {
            self.text += &format!("[{}]", self.notes.join("; "));
        }
        let facts = match self.mode {
            _ if self.files == 0 => "nothing found".to_owned(),
            Mode::FilesWithMatches => count(self.files, "file"),
            Mode::Content | Mode::Count => {
                let hits = usize::try_from(self.hits).unwrap_or(usize::MAX);
                format!("{} in {}", count(hits, "hit"), count(self.files, "file"))
            }
        };
        Outcome::done(self.text, facts)
    }
}
