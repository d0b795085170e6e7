//! Rendering: Markdown, a streamed reply, a change of a file, and frames of long transcripts.
//!
//! `cargo bench --bench frame`; the figures in the README come from here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use tern::app::keys;
use tern::app::{Model, Msg};
use tern::protocol::{Event, Hunk, HunkLine, LineKind, MessageId, Role};
use tern::terminal::offscreen::Offscreen;
use tern::view::State;
use tern::view::cache::{Cache, Key};
use tern::view::code::Colours;
use tern::view::diff::{self, DiffStyle};
use tern::view::markdown;
use tern::view::stream::Stream;
use tern::view::theme::{ColorDepth, Library, Theme};

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;

fn theme() -> Theme {
    Theme::named("dark").unwrap_or_else(|| std::process::exit(1))
}

/// A reply of about so many bytes, with prose, lists, code and tables.
fn reply(bytes: usize, words: &str) -> String {
    let section = format!(
        "## A heading\n\n{words} **{words}** and `code`, {words}.\n\n- {words}\n- {words} `code`\n\n\
         ```rust\nfn main() {{\n    println!(\"{words}\");\n}}\n```\n\n\
         | name | what |\n|---|---|\n| {words} | 1 |\n| x | {words} |\n\n"
    );
    section.repeat(bytes / section.len() + 1)
}

const ASCII: &str = "some words that are long enough to wrap on the screen sooner or later";
const WIDE: &str = "漢字かな交じり文は二桁の幅を取り、絵文字 🎉 も 👩‍👩‍👧 同じである";

fn streamed(text: &str, chunk: usize, theme: &Theme) -> Stream {
    let mut colours = Colours::new();
    let mut stream = Stream::new(COLUMNS);
    let mut end = 0;
    while end < text.len() {
        end = (end + chunk).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        stream.update(&text[..end], theme, &mut colours);
    }
    stream.finish(text, theme, &mut colours);
    stream
}

fn markdown_at_once(c: &mut Criterion) {
    let theme = theme();
    let mut group = c.benchmark_group("markdown");
    for (name, words) in [("ascii", ASCII), ("wide", WIDE)] {
        let text = reply(200_000, words);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| markdown::render(&text, COLUMNS, &theme, &mut Colours::new()));
        });
    }
    group.finish();
}

fn streaming(c: &mut Criterion) {
    let theme = theme();
    let mut group = c.benchmark_group("stream");
    group.sample_size(20);
    for (name, text) in [
        ("200 KB", reply(200_000, ASCII)),
        ("400 KB", reply(400_000, ASCII)),
        ("200 KB wide", reply(200_000, WIDE)),
        ("200 KB one paragraph", "word ".repeat(40_000)),
        ("200 KB one code block", format!("```rust\n{}", "let x = 1; // note\n".repeat(10_000))),
        ("200 KB one table", format!("| a | b |\n|---|---|\n{}", "| 1 | two |\n".repeat(16_000))),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("48-byte chunks", name), &text, |b, text| {
            b.iter(|| streamed(text, 48, &theme));
        });
    }
    let text = reply(200_000, ASCII) + "The last paragraph, which";
    let more = format!("{text} grows");
    group.bench_function("one token after 200 KB", |b| {
        let ready = || {
            let (mut stream, mut colours) = (Stream::new(COLUMNS), Colours::new());
            stream.update(&text, &theme, &mut colours);
            (stream, colours)
        };
        b.iter_batched_ref(
            ready,
            |(stream, colours)| stream.update(&more, &theme, colours),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn changes(c: &mut Criterion) {
    let theme = theme();
    let kinds = [LineKind::Context, LineKind::Removed, LineKind::Added];
    let lines = (0..500).map(|index| HunkLine {
        kind: kinds[index % 3],
        text: format!("    let value_{index} = compute(index, {index});"),
        changed: vec![(8, 14)],
        no_newline: false,
    });
    let hunks = [Hunk { old_start: 1, new_start: 1, lines: lines.collect() }];
    let mut colours = Colours::new();
    diff::rows("x.rs", &hunks, 160, DiffStyle::Unified, &theme, &mut colours);
    for wanted in colours.take_wanted() {
        colours.put(wanted.key, wanted.work());
    }
    for (name, style) in [("unified", DiffStyle::Unified), ("split", DiffStyle::Split)] {
        c.bench_function(&format!("diff of 500 lines, {name}"), |b| {
            b.iter(|| diff::rows("x.rs", &hunks, 160, style, &theme, &mut colours));
        });
    }
}

/// Twelve rows that look alike for every entry, so that only their number can make a difference.
fn entry() -> Vec<Line<'static>> {
    (0..12).map(|row| Line::from(format!("row {row:02} of an entry: {ASCII}"))).collect()
}

/// What a frame does at the end of a transcript.
fn draw(cache: &mut Cache, buffer: &mut Buffer) {
    let top = cache.heights().total().saturating_sub(usize::from(ROWS));
    let Some((mut index, mut offset)) = cache.heights().find(top) else { return };
    let mut y = 0;
    while y < ROWS && index < cache.len() {
        let key = Key { id: index as u64, revision: 0, gap: 1 };
        for row in cache.rows(index, key, |_| entry()).iter().skip(offset) {
            if y < ROWS {
                row.render(Rect::new(0, y, COLUMNS, 1), buffer);
            }
            y = y.saturating_add(1);
        }
        (index, offset, y) = (index + 1, 0, y.saturating_add(1));
    }
}

fn frames(c: &mut Criterion) {
    let theme = theme();
    let mut group = c.benchmark_group("frame");
    for entries in [100, 10_000, 100_000] {
        let mut cache = Cache::new();
        cache.set_look(COLUMNS, &theme);
        cache.set_len(entries, |_| 13);
        let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
        group.bench_function(format!("{entries} entries"), |b| {
            b.iter(|| draw(black_box(&mut cache), &mut buffer));
        });
    }
    group.finish();
}

/// A whole screen with a transcript of so many entries.
fn screen(entries: usize) -> Offscreen {
    let state = State::new(Library::default(), ColorDepth::True);
    let mut off = Offscreen::new(Model::default(), state, COLUMNS, ROWS);
    for n in 0..entries {
        let role = if n % 5 == 0 { Role::User } else { Role::Assistant };
        let text = format!("Entry {n} says: {ASCII}.\n\n- {ASCII}\n- `code` of {n}");
        let message = MessageId(n.to_string());
        off.send(Msg::Agent(Box::new(Event::Restored { message, role, text })));
    }
    off.frame();
    off
}

fn press(off: &mut Offscreen, script: &str) {
    for key in keys::Key::script(script).unwrap() {
        off.send(Msg::Key(key.into()));
    }
}

/// What a person does in a long transcript, each up to the frame that shows it.
fn transcripts(c: &mut Criterion) {
    for entries in [100, 100_000] {
        let mut off = screen(entries);
        let mut group = c.benchmark_group(format!("a transcript of {entries} entries"));
        group.bench_function("half a page up and down", |b| {
            b.iter(|| {
                for key in ["<pageup>", "<pagedown>"] {
                    press(&mut off, key);
                    black_box(off.draw());
                }
            });
        });
        group.bench_function("another width and back", |b| {
            b.iter(|| {
                for width in [90, COLUMNS] {
                    off.resize(width, ROWS);
                    black_box(off.draw());
                }
            });
        });
        group.bench_function("a search", |b| {
            b.iter(|| {
                press(&mut off, "<ctrl+f>");
                off.send(Msg::Paste("code` of 7".to_owned()));
                black_box(off.draw());
                press(&mut off, "<esc>");
            });
        });
        group.finish();
    }
}

criterion_group!(benches, markdown_at_once, streaming, changes, frames, transcripts);
criterion_main!(benches);
