//! Edits as models get them wrong, made from this project's own source: where the old text is the
//! file's but for what a rung may ignore, the result must be the wanted one or a refusal, and
//! nearly always the former; where the old text says something else, it must be refused.
//!
//! `TERN_EDITS=100000 cargo test --test cases inexact` runs more of them than the sample.

use std::path::Path;

use tern::tools::edit::{Places, Swap, swap};

/// A small generator with a seed: the same edits on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides.max(1)
    }
}

/// One edit: a block of lines of a file, into which a line is to be put.
struct Edit {
    file: Vec<String>,
    start: usize,
    len: usize,
    /// The new line comes before this line of the block.
    at: usize,
    line: String,
}

impl Edit {
    fn block(&self) -> &[String] {
        &self.file[self.start..self.start + self.len]
    }

    fn block_mut(&mut self) -> &mut [String] {
        &mut self.file[self.start..self.start + self.len]
    }

    fn with_line(&self, block: &[String]) -> Vec<String> {
        let mut out = block.to_vec();
        out.insert(self.at, self.line.clone());
        out
    }

    /// What the file must become.
    fn wanted(&self) -> String {
        let mut out = self.file.clone();
        out.insert(self.start + self.at, self.line.clone());
        out.join("\n") + "\n"
    }

    fn text(&self) -> String {
        self.file.join("\n") + "\n"
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Files of this project, spaces for indentation.
fn corpus() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let walk = ignore::WalkBuilder::new(root).sort_by_file_path(Path::cmp).build();
    let texts = walk.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    texts
        .filter(|text| text.lines().count() >= 20 && !text.contains(['\t', '“', '‘', '–']))
        .map(|text| text.lines().map(str::to_owned).collect())
        .collect()
}

/// A block of 3 to 7 lines that stands once in its file, also with its indentation left aside.
fn edit(corpus: &[Vec<String>], dice: &mut Dice) -> Edit {
    loop {
        let file = corpus[dice.roll(corpus.len())].clone();
        let len = 3 + dice.roll(5);
        let start = dice.roll(file.len() - len);
        let at = 1 + dice.roll(len - 1);
        let bare = |lines: &[String]| lines.iter().map(|l| l.trim().to_owned()).collect::<Vec<_>>();
        let block = bare(&file[start..start + len]);
        let alone = file.windows(len).filter(|window| bare(window) == block).count() == 1;
        let solid = block.iter().filter(|line| line.len() > 2).count() >= 2;
        let clean = file[start..start + len].iter().all(|line| line.trim_end() == line);
        if alone && solid && clean {
            let like = &file[start + at - 1];
            let deeper = if dice.roll(3) == 0 { 4 } else { 0 };
            let line = format!("{}let new_line = \"new\";", " ".repeat(indent(like) + deeper));
            return Edit { file, start, len, at, line };
        }
    }
}

fn map(lines: &[String], change: impl Fn(&str) -> String) -> Vec<String> {
    lines.iter().map(|line| change(line)).collect()
}

fn tabs(line: &str) -> String {
    let depth = indent(line);
    format!("{}{}{}", "\t".repeat(depth / 4), " ".repeat(depth % 4), line.trim_start())
}

/// The kinds in which the old text is the file's. Gives old and new text; may change the file.
type Slip = fn(&mut Edit, &mut Dice) -> (Vec<String>, Vec<String>);

const SLIPS: [(&str, Slip); 9] = [
    ("exact", |edit, _| (edit.block().to_vec(), edit.with_line(edit.block()))),
    ("blanks in the old text", |edit, dice| {
        let chosen = dice.roll(edit.len);
        let mut old = edit.block().to_vec();
        old[chosen].push_str("  ");
        let new =
            if dice.roll(2) == 0 { edit.with_line(&old) } else { edit.with_line(edit.block()) };
        (old, new)
    }),
    ("blanks in the file", |edit, dice| {
        let clean = edit.block().to_vec();
        let chosen = dice.roll(edit.len);
        edit.block_mut()[chosen].push_str(" \t");
        let new = edit.with_line(&clean);
        (clean, new)
    }),
    ("less indentation", |edit, _| {
        let lines = edit.with_line(edit.block());
        let solid = lines.iter().filter(|line| !line.is_empty());
        let by = solid.map(|line| indent(line)).min().unwrap_or(0);
        let less = |line: &str| line.get(by..).unwrap_or_default().to_owned();
        (map(edit.block(), less), map(&lines, less))
    }),
    ("more indentation", |edit, dice| {
        let by = " ".repeat(2 + 2 * dice.roll(3));
        let more = |line: &str| if line.is_empty() { String::new() } else { format!("{by}{line}") };
        (map(edit.block(), more), map(&edit.with_line(edit.block()), more))
    }),
    ("tabs in the file", |edit, _| {
        let (old, new) = (edit.block().to_vec(), edit.with_line(edit.block()));
        edit.file = map(&edit.file, tabs);
        edit.line = tabs(&edit.line);
        (old, new)
    }),
    ("tabs in the old text", |edit, _| {
        (map(edit.block(), tabs), map(&edit.with_line(edit.block()), tabs))
    }),
    ("curly quotes in the old text", |edit, _| {
        let curly = |line: &str| line.replace('"', "”").replace('\'', "’");
        (map(edit.block(), curly), map(&edit.with_line(edit.block()), curly))
    }),
    ("curly quotes and dashes in the file", |edit, _| {
        let old = edit.block().to_vec();
        let new = edit.with_line(&old);
        let curly = |line: &str| line.replace('"', "“").replace('-', "–");
        for line in edit.block_mut() {
            *line = curly(line);
        }
        (old, new)
    }),
];

/// The kinds in which it is not; `None` where the block has nothing to change.
type Drift = fn(&Edit, &mut Dice) -> Option<Vec<String>>;

const DRIFTS: [(&str, Drift); 6] = [
    ("a digit", |edit, _| {
        swapped(edit.block(), |c| c.is_ascii_digit(), |c| if c == '9' { '8' } else { '9' })
    }),
    ("a letter", |edit, _| {
        swapped(edit.block(), char::is_alphabetic, |c| if c == 'q' { 'z' } else { 'q' })
    }),
    ("a sign", |edit, _| {
        swapped(edit.block(), |c| "=<>!&|+".contains(c), |c| if c == '=' { '<' } else { '=' })
    }),
    ("a line more in the file", |edit, _| {
        let mut old = edit.block().to_vec();
        old.remove(edit.at.min(edit.len - 2).max(1));
        Some(old)
    }),
    ("a line less in the file", |edit, _| Some(edit.with_line(edit.block()))),
    ("a blank within a line", |edit, _| {
        let mut old = edit.block().to_vec();
        let line = old.iter_mut().find(|line| line.trim_start().contains(' '))?;
        let at = indent(line) + line.trim_start().find(' ')?;
        line.insert(at, ' ');
        Some(old)
    }),
];

/// The first character that fits, exchanged.
fn swapped(block: &[String], fits: fn(char) -> bool, to: fn(char) -> char) -> Option<Vec<String>> {
    let mut old = block.to_vec();
    let line = old.iter_mut().find(|line| line.contains(fits))?;
    let at = line.find(fits)?;
    let c = line[at..].chars().next()?;
    line.replace_range(at..at + c.len_utf8(), &to(c).to_string());
    Some(old)
}

#[test]
fn inexact_edits_are_right_or_refused() {
    let corpus = corpus();
    assert!(corpus.len() > 20, "the sources are there");
    let rounds = std::env::var("TERN_EDITS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let mut dice = Dice(20_261_122);
    for (kind, slip) in SLIPS {
        let mut applied = 0;
        for round in 0..rounds {
            let mut edit = edit(&corpus, &mut dice);
            let (old, new) = slip(&mut edit, &mut dice);
            let (mut file, mut wanted) = (edit.text(), edit.wanted());
            let end = if dice.roll(2) == 0 { "\n" } else { "" };
            let (old, new) = (old.join("\n") + end, new.join("\n") + end);
            if file.contains(&old) {
                // Nothing slipped after all: then the new text is meant letter by letter.
                wanted = file.replacen(&old, &new, 1);
            }
            if round % 3 == 0 {
                file = file.replace('\n', "\r\n");
                wanted = wanted.replace('\n', "\r\n");
            }
            let swap = swap(&file, Swap { old: &old, new: &new, places: Places::One });
            if let Ok(done) = swap {
                assert!(
                    done.text == wanted,
                    "{kind}, round {round}: wrong write\n--- old\n{old}\n--- new\n{new}\n--- got\n{}",
                    around(&done.text, &wanted)
                );
                applied += 1;
            }
        }
        assert!(applied * 100 >= rounds * 95, "{kind}: {applied} of {rounds} applied");
        println!("{kind}: {applied} of {rounds} applied, the others refused");
    }
    for (kind, drift) in DRIFTS {
        let mut refused = 0;
        for round in 0..rounds {
            let edit = edit(&corpus, &mut dice);
            let Some(lines) = drift(&edit, &mut dice) else { continue };
            let old = lines.join("\n");
            // Taking a line out may leave what stands somewhere, indented in its own way.
            if edit.text().contains(&old) || stands(&edit.text(), &lines) {
                continue;
            }
            let new = format!("{old}\nlet other = 1;");
            let swap = swap(&edit.text(), Swap { old: &old, new: &new, places: Places::One });
            assert!(swap.is_err(), "{kind}, round {round}: accepted\n--- old\n{old}");
            refused += 1;
        }
        assert!(refused * 5 > rounds, "{kind}: only {refused} of {rounds} said anything");
        println!("{kind}: {refused} refused");
    }
}

/// Whether the lines follow each other somewhere in the text, whatever their indentation.
fn stands(text: &str, lines: &[String]) -> bool {
    let text: Vec<&str> = text.lines().map(str::trim_start).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_start()).collect();
    text.windows(lines.len()).any(|window| window == lines)
}

/// The lines around the first difference.
fn around(got: &str, wanted: &str) -> String {
    let same = got.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count();
    let cut = |text: &str| {
        let lines: Vec<&str> = text.lines().skip(same.saturating_sub(4)).take(10).collect();
        lines.join("\n")
    };
    format!("{}\n--- wanted\n{}", cut(got), cut(wanted))
}
