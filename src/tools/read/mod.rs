//! Read: the text of a file, whole or by pages; images, PDF documents and notebooks in a form that
//! the model can take.
//!
//! Text comes as it is, without line numbers: they cost 17 % of the bytes read, and a number that
//! is copied into an edit makes it miss. Grep gives numbers where a place must be named.

mod cells;
mod page;
mod pdf;
mod sniff;

use std::fs::File;
use std::io::{Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::api::ToolSpec;
use crate::protocol::Title;
use crate::tools::args::{self, Args};
use crate::tools::disk::{self, Trouble};
use crate::tools::form::Form;
use crate::tools::picture::{self, Picture};
use crate::tools::read::page::{End, Page, Want};
use crate::tools::seen::Extent;
use crate::tools::{Class, Outcome, Prepared, Tool, ToolCtx, count, lock, off_thread, size, spec};

#[derive(Debug)]
pub struct Read;

#[derive(Debug, Deserialize, JsonSchema)]
struct Input {
    file_path: String,
    /// first line, from 1
    offset: Option<usize>,
    /// number of lines
    limit: Option<usize>,
    /// of a PDF: "1-5"
    pages: Option<String>,
}

impl Args for Input {
    const ALIASES: &'static [(&'static str, &'static str)] = &[
        ("path", "file_path"),
        ("file", "file_path"),
        ("filename", "file_path"),
        ("filepath", "file_path"),
        ("start_line", "offset"),
    ];
}

#[async_trait]
impl Tool for Read {
    fn name(&self) -> &str {
        "Read"
    }

    fn spec(&self) -> ToolSpec {
        spec::<Input>(self.name(), include_str!("../../../assets/prompts/tools/read.md"))
    }

    fn tidy(&self, input: Value) -> Value {
        args::tidy::<Input>(input)
    }

    fn class(&self, input: &Value) -> Class {
        args::class::<Input>(self.name(), input)
    }

    fn title(&self, input: &Value, cwd: &Path) -> Title {
        Title::new("Reading", "Read", disk::object(input, "file_path", cwd, "a file"))
    }

    async fn preview(&self, input: &Value, ctx: &ToolCtx) -> Result<Prepared, Outcome> {
        args::parse::<Input>(self.name(), input)?;
        Ok(super::plain_preview(&self.title(input, &ctx.cwd)))
    }

    async fn run(&self, input: Value, ctx: &ToolCtx) -> Outcome {
        match args::parse::<Input>(self.name(), &input) {
            Ok(input) => {
                off_thread(ctx, move |ctx| match read(&input, ctx) {
                    Ok(outcome) => outcome,
                    Err(trouble) => refused(&trouble),
                })
                .await
            }
            Err(outcome) => outcome,
        }
    }
}

fn refused(trouble: &Trouble) -> Outcome {
    let (facts, hint) = match trouble {
        Trouble::Directory(_) => ("a directory", " Use LS."),
        Trouble::Special(..) => ("not a file", ""),
        Trouble::Dangling(..) => ("dangling link", ""),
        _ => ("not read", ""),
    };
    Outcome::failed(format!("{trouble}.{hint}"), facts)
}

fn read(input: &Input, ctx: &ToolCtx) -> Result<Outcome, Trouble> {
    let path = disk::absolute(&input.file_path, &ctx.cwd)?;
    let shown = disk::shown(&path, &ctx.cwd);
    let mut file = match open(&path, &shown) {
        Ok(file) => file,
        Err(Trouble::Io(..)) if !path.exists() => return Ok(missing(&path, &shown, ctx)),
        Err(trouble) => return Err(trouble),
    };
    let io = |e: std::io::Error| Trouble::io(&shown, &e);
    let meta = file.metadata().map_err(io)?;
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    let want = Want { first: input.offset.unwrap_or(1).max(1), lines: input.limit };
    match sniff::binary(&mut file).map_err(io)? {
        Some("a PDF document") if meta.len() <= pdf::LARGEST => {
            let bytes = all(&mut file, pdf::LARGEST).map_err(io)?;
            return Ok(pdf::read(bytes, input.pages.as_deref(), &shown));
        }
        Some("a PNG image" | "a JPEG image" | "a GIF image" | "a WebP image")
            if meta.len() <= picture::LARGEST =>
        {
            let bytes = all(&mut file, picture::LARGEST).map_err(io)?;
            return Ok(image(&bytes, &shown, ctx));
        }
        Some("UTF-16 text") if meta.len() <= disk::MOST => {
            let bytes = all(&mut file, disk::MOST).map_err(io)?;
            if let Some(outcome) = in_form(&bytes, want, &shown, &real, ctx).map_err(io)? {
                return Ok(outcome);
            }
            let text = format!("{shown} begins like UTF-16 text but is none.");
            return Ok(Outcome::failed(text, "binary"));
        }
        Some(what) => {
            let text = format!("{shown} is {what}, {}: it is not shown as text.", size(meta.len()));
            return Ok(Outcome::failed(text, "binary"));
        }
        None => {}
    }
    if want.is_all() && meta.len() <= disk::MOST && real.extension().is_some_and(|e| e == "ipynb") {
        let bytes = all(&mut file, disk::MOST).map_err(io)?;
        if let Some(outcome) = std::str::from_utf8(&bytes).ok().and_then(cells::read) {
            lock(&ctx.session.seen).note(real, disk::hash(&bytes), Extent::Part);
            return Ok(outcome);
        }
        file.seek(SeekFrom::Start(0)).map_err(io)?;
    }
    let page = page::read(&mut file, want, &ctx.cancel).map_err(io)?;
    if page.lossy && meta.len() <= disk::MOST {
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let bytes = all(&mut file, disk::MOST).map_err(io)?;
        if let Some(outcome) = in_form(&bytes, want, &shown, &real, ctx).map_err(io)? {
            return Ok(outcome);
        }
    }
    Ok(outcome(&page, want, None, &shown, &real, ctx))
}

fn all(file: &mut File, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A page of a text in another encoding than UTF-8; `None` where it is no text.
fn in_form(
    bytes: &[u8],
    want: Want,
    shown: &str,
    real: &Path,
    ctx: &ToolCtx,
) -> std::io::Result<Option<Outcome>> {
    let Some((form, text)) = Form::read(bytes) else { return Ok(None) };
    let mut page = page::read(&mut text.as_bytes(), want, &ctx.cancel)?;
    // What an edit compares with is the file, not the text.
    page.hash = page.hash.map(|_| disk::hash(bytes));
    Ok(Some(outcome(&page, want, form.note(), shown, real, ctx)))
}

/// The image itself goes to the model beside the results, as the wires have it.
fn image(bytes: &[u8], shown: &str, ctx: &ToolCtx) -> Outcome {
    match Picture::of(bytes) {
        Ok(picture) => {
            let (width, height) = (picture.width, picture.height);
            let scaled = if picture.changed { ", made smaller" } else { "" };
            lock(&ctx.session.pictures).push((shown.to_owned(), picture));
            let text =
                format!("{shown}: an image of {width} by {height} pixels{scaled}; it follows.");
            Outcome::done(text, format!("{width} × {height}"))
        }
        Err(why) => {
            let text = format!("{shown} is an image that cannot be shown: {why}.");
            Outcome::failed(text, "not shown")
        }
    }
}

/// Opens without waiting: a named pipe has no other end that would come.
fn open(path: &Path, shown: &str) -> Result<File, Trouble> {
    let io = |e: std::io::Error| Trouble::io(shown, &e);
    let meta = path.metadata().map_err(|e| match path.read_link() {
        Ok(target) if e.kind() == std::io::ErrorKind::NotFound => {
            Trouble::Dangling(shown.to_owned(), target.display().to_string())
        }
        _ => io(e),
    })?;
    refuse_special(&meta, shown)?;
    if path.canonicalize().is_ok_and(|real| disk::is_environ(&real)) {
        return Err(Trouble::Environ(shown.to_owned()));
    }
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    let file = options.open(path).map_err(io)?;
    refuse_special(&file.metadata().map_err(io)?, shown)?;
    Ok(file)
}

fn refuse_special(meta: &std::fs::Metadata, shown: &str) -> Result<(), Trouble> {
    match disk::kind(meta) {
        None => Ok(()),
        Some("a directory") => Err(Trouble::Directory(shown.to_owned())),
        Some(what) => Err(Trouble::Special(shown.to_owned(), what)),
    }
}

/// No such file: names the directory and the file that was probably meant.
fn missing(path: &Path, shown: &str, ctx: &ToolCtx) -> Outcome {
    let mut text =
        format!("{shown}: no such file. The working directory is {}.", ctx.cwd.display());
    if let Some(near) = near(path) {
        text += &format!(" There is {}.", disk::shown(&near, &ctx.cwd));
    }
    Outcome::failed(text, "no such file")
}

fn near(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    entries
        .flatten()
        .take(2_000)
        .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
        .map(|(path, other)| (strsim::jaro_winkler(name, &other), path))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, path)| path)
}

fn outcome(
    page: &Page,
    want: Want,
    form: Option<&str>,
    shown: &str,
    real: &Path,
    ctx: &ToolCtx,
) -> Outcome {
    let whole = page.first == 1 && page.end == End::OfFile;
    if let Some(hash) = &page.hash {
        let mut seen = lock(&ctx.session.seen);
        if seen.stands(real, hash) {
            if want.is_all() && whole {
                let text = format!(
                    "Unchanged: it stands above as read or written ({}).",
                    count(page.total, "line")
                );
                return Outcome::done(text, "unchanged");
            }
        } else {
            let extent = if whole { Extent::Whole } else { Extent::Part };
            seen.note(real.to_owned(), hash.clone(), extent);
        }
    }
    if page.total == 0 {
        return Outcome::done("(empty file)", "empty");
    }
    if page.text.is_empty() {
        let total = count(page.total, "line");
        let text = format!("{shown} has {total}; offset {} is past its end.", want.first);
        return Outcome::done(text, format!("past {total}"));
    }
    let mut text = page.text.clone();
    let mut notes = notes(page, whole);
    notes.extend(form.map(str::to_owned));
    if !notes.is_empty() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text += &format!("[{}]", notes.join("; "));
    }
    Outcome::done(text, facts(page, whole))
}

fn total(page: &Page) -> String {
    let more = if page.counted { "" } else { " or more" };
    format!("{}{more}", page.total)
}

fn facts(page: &Page, whole: bool) -> String {
    if whole {
        return count(page.total, "line");
    }
    let Page { first, last, .. } = page;
    format!("{first}–{last} of {}", total(page))
}

fn notes(page: &Page, whole: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let Page { first, last, .. } = page;
    match page.end {
        End::OfFile if whole => {}
        End::OfFile | End::Asked => {
            notes.push(format!("lines {first}–{last} of {}", total(page)));
        }
        End::Full => {
            let next = last + 1;
            notes
                .push(format!("lines {first}–{last} of {}; go on with offset {next}", total(page)));
        }
        End::LongLine(length) => notes.push(format!(
            "line {first} of {} is {} long and is cut here; see the rest with cut -c or grep -o",
            total(page),
            size(length)
        )),
    }
    if page.crlf {
        notes.push("the lines end with CRLF; Edit keeps that".to_owned());
    }
    if page.lossy {
        notes.push("not valid UTF-8: what could not be read stands as \u{fffd}".to_owned());
    }
    if page.end == End::OfFile && !page.ends_with_newline {
        notes.push("no line end after the last line".to_owned());
    }
    notes
}
