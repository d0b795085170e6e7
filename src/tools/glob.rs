//! Glob: files by the pattern of their path, newest first.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkState;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::permissions::barred::BarredBelow;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::walk::{self, Ignored, Limit};
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, count, disk, lock, off_thread, spec};

#[derive(Debug)]
pub struct Glob;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    pattern: String,
    path: Option<String>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] =
        &[("glob", "pattern"), ("directory", "path"), ("dir", "path")];
}

/// Paths that are shown.
const SHOWN: usize = 100;
/// Paths that are kept while searching; beyond they are only counted.
const KEPT: usize = 200_000;

#[async_trait]
impl Tool for Glob {
    fn name(&self) -> &str {
        "Glob"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../assets/prompts/tools/glob.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        let pattern = input["pattern"].as_str().unwrap_or("files");
        let object = match disk::object(input, "path", cwd, ".").as_str() {
            "." => pattern.to_owned(),
            place => format!("{pattern} in {place}"),
        };
        Title::new("Finding", "Found", object)
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(super::plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match args::parse::<Input>(self.name(), &input) {
            Ok(input) => {
                off_thread(ctx, move |ctx| match glob(&input, ctx) {
                    Ok(outcome) | Err(outcome) => outcome,
                })
                .await
            }
            Err(outcome) => outcome,
        }
    }
}

fn glob(input: &Input, ctx: &ToolCtx) -> Result<Outcome, Outcome> {
    let wrong = |text: String| Outcome::failed(format!("Glob: {text}."), "wrong input");
    let (root, pattern) = split(&input.pattern, input.path.as_deref().unwrap_or("."));
    let root = disk::absolute(&root, &ctx.cwd).map_err(|trouble| wrong(trouble.to_string()))?;
    let shown = disk::shown(&root, &ctx.cwd);
    walk::check_root(&root, &shown)?;
    if !root.is_dir() {
        return Err(wrong(format!("{shown} is not a directory")));
    }
    let limit = Limit::new(&ctx.cancel);
    let mut found = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    for (pattern, ignored, said) in tries(&pattern) {
        let matcher = matcher(&pattern).map_err(|e| wrong(format!("the pattern is wrong: {e}")))?;
        let barred = ctx.barred.below(&root);
        found = search(&root, &matcher, (ignored, &barred), &limit);
        if !found.is_empty() {
            notes = said.map(str::to_owned).into_iter().chain(barred.note()).collect();
            break;
        }
    }
    if found.is_empty() {
        return Ok(Outcome::done(
            format!("No file matches {pattern} in {shown}."),
            "nothing found",
        ));
    }
    if found.len() > SHOWN {
        notes.push(format!("{SHOWN} of {} shown, newest first; narrow the pattern", found.len()));
    }
    if limit.reached() {
        notes.push("the search was stopped before its end".to_owned());
    }
    let lines: Vec<String> =
        found.iter().take(SHOWN).map(|(_, path)| disk::shown(path, &ctx.cwd)).collect();
    let mut text = lines.join("\n");
    if !notes.is_empty() {
        text += &format!("\n[{}]", notes.join("; "));
    }
    Ok(Outcome::done(text, count(found.len(), "file")))
}

/// The pattern as given; if nothing is found, what was probably meant, and what to say of it.
fn tries(pattern: &str) -> Vec<(String, Ignored, Option<&'static str>)> {
    let mut tries = vec![(pattern.to_owned(), Ignored::LeftOut, None)];
    if !pattern.contains('/') {
        let deep = format!("**/{pattern}");
        tries.push((deep, Ignored::LeftOut, Some("none at the top; these lie deeper")));
    }
    tries.push((pattern.to_owned(), Ignored::Included, Some("only ignored files match")));
    tries
}

fn matcher(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

/// Root and pattern: folders that a pattern names before its first sign belong to the root, so
/// that `/abs/src/**` and `../x/*.rs` work and nothing else is walked.
fn split(pattern: &str, root: &str) -> (String, String) {
    let path = Path::new(pattern);
    let plain = |part: &Component<'_>| {
        !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\'])
    };
    let count = path.components().count();
    let fixed: PathBuf =
        path.components().take(count.saturating_sub(1)).take_while(plain).collect();
    let rest: PathBuf = path.components().skip(fixed.components().count()).collect();
    let root = Path::new(root).join(&fixed);
    (root.display().to_string(), rest.display().to_string())
}

fn search(
    root: &Path,
    matcher: &GlobMatcher,
    (ignored, barred): (Ignored, &BarredBelow),
    limit: &Limit,
) -> Vec<(SystemTime, PathBuf)> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let left_out = barred.clone();
    let walk = walk::walker(root, ignored, move |path, is_dir| left_out.name(path, is_dir));
    walk.build_parallel().run(|| {
        let (found, limit) = (Arc::clone(&found), limit.clone());
        Box::new(move |entry| {
            if limit.reached() {
                return WalkState::Quit;
            }
            let Ok(entry) = entry else { return WalkState::Continue };
            let folder = entry.file_type().is_none_or(|kind| kind.is_dir());
            let matches = entry.path().strip_prefix(root).is_ok_and(|path| matcher.is_match(path));
            if !folder && matches {
                let time = entry.metadata().ok().and_then(|meta| meta.modified().ok());
                let mut found = lock(&found);
                if found.len() < KEPT {
                    found.push((time.unwrap_or(SystemTime::UNIX_EPOCH), entry.into_path()));
                }
            }
            WalkState::Continue
        })
    });
    let mut found = std::mem::take(&mut *lock(&found));
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_folders_of_a_pattern_are_its_root() {
        for (pattern, root, expected) in [
            ("*.rs", ".", ("./", "*.rs")),
            ("src/**/*.rs", ".", ("./src", "**/*.rs")),
            ("/abs/a/*.rs", ".", ("/abs/a", "*.rs")),
            ("../x/y", "/p", ("/p/../x", "y")),
            ("src/{a,b}/c", "/p", ("/p/src", "{a,b}/c")),
        ] {
            let (root, rest) = split(pattern, root);
            assert_eq!((root.as_str(), rest.as_str()), expected, "{pattern}");
        }
    }
}
