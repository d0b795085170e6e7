//! What is kept of a command's output: all of a short one; of a long one the true head and tail,
//! and the whole in a file. Memory is bounded whatever comes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes up to which an output is given whole.
pub const INLINE: usize = 8 * 1024;
/// Of a longer one this much of its beginning ...
const HEAD: usize = 3 * 1024;
/// ... and this much of its end: what went wrong stands there.
const TAIL: usize = 5 * 1024;
/// Bytes of the file that takes a long output.
const SPILL: u64 = 64 * 1024 * 1024;

/// The output of a command, standard output and errors as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// All of it, where `omitted` is 0.
    pub head: String,
    pub tail: String,
    /// Bytes between the two.
    pub omitted: u64,
    pub total: u64,
    /// The file that holds all of it, or its first 64 MiB.
    pub spilled: Option<PathBuf>,
    pub spill_cut: bool,
}

#[derive(Debug)]
pub(super) struct Keeper {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    dir: PathBuf,
    spill: Spill,
}

#[derive(Debug)]
enum Spill {
    NotYet,
    Open {
        file: File,
        path: PathBuf,
        written: u64,
    },
    /// It could not be made or written: the head and tail are all there is.
    Broken,
}

impl Keeper {
    /// `dir` takes the file of a long output; it is made when needed.
    pub(super) fn new(dir: &Path) -> Keeper {
        Keeper {
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
            dir: dir.to_owned(),
            spill: Spill::NotYet,
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let was = self.total;
        self.total += bytes.len() as u64;
        if self.total > INLINE as u64 {
            if matches!(self.spill, Spill::NotYet) {
                self.spill = open(&self.dir, "txt")
                    .map_or(Spill::Broken, |(file, path)| Spill::Open { file, path, written: 0 });
                let head = std::mem::take(&mut self.head);
                self.write(&head);
                self.head = head;
            }
            self.write(bytes);
        }
        if was < INLINE as u64 {
            let room = INLINE - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        self.tail.extend(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    fn write(&mut self, bytes: &[u8]) {
        let Spill::Open { file, written, .. } = &mut self.spill else { return };
        let room = usize::try_from(SPILL.saturating_sub(*written)).unwrap_or(0);
        let part = &bytes[..bytes.len().min(room)];
        if file.write_all(part).is_err() {
            self.spill = Spill::Broken;
            return;
        }
        *written += part.len() as u64;
    }

    /// What came after the first `seen` bytes: all of it, or its end where it is more than is kept.
    pub(super) fn since(&mut self, seen: u64) -> Output {
        let new = self.total.saturating_sub(seen);
        if seen == 0 {
            return self.output();
        }
        let kept = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let head = self.head.len() as u64;
        if self.total <= head {
            let from = usize::try_from(seen).unwrap_or(usize::MAX).min(self.head.len());
            return Output { head: kept(&self.head[from..]), total: new, ..Output::default() };
        }
        let tail = self.tail.make_contiguous();
        let held = usize::try_from(new).unwrap_or(usize::MAX).min(tail.len());
        let text = &tail[tail.len() - held..];
        if held as u64 == new {
            return Output { head: kept(text), total: new, ..Output::default() };
        }
        let text = whole_lines_tail(text).to_vec();
        let (spilled, spill_cut) = self.spilled();
        Output {
            head: String::new(),
            tail: kept(&text),
            omitted: new - text.len() as u64,
            total: new,
            spilled,
            spill_cut,
        }
    }

    fn spilled(&self) -> (Option<PathBuf>, bool) {
        match &self.spill {
            Spill::Open { path, written, .. } => (Some(path.clone()), *written < self.total),
            Spill::NotYet | Spill::Broken => (None, false),
        }
    }

    pub(super) fn output(&mut self) -> Output {
        if self.total <= INLINE as u64 {
            let head = String::from_utf8_lossy(&self.head).into_owned();
            return Output { head, total: self.total, ..Output::default() };
        }
        let head = whole_lines_head(&self.head[..HEAD.min(self.head.len())]);
        let tail = whole_lines_tail(self.tail.make_contiguous());
        let (head, tail) = (head.to_vec(), tail.to_vec());
        let (spilled, spill_cut) = self.spilled();
        Output {
            omitted: self.total - (head.len() + tail.len()) as u64,
            head: String::from_utf8_lossy(&head).into_owned(),
            tail: String::from_utf8_lossy(&tail).into_owned(),
            total: self.total,
            spilled,
            spill_cut,
        }
    }
}

/// Up to the last line end, unless that would cost more than half.
fn whole_lines_head(bytes: &[u8]) -> &[u8] {
    match bytes.iter().rposition(|b| *b == b'\n') {
        Some(end) if end * 2 >= bytes.len() => &bytes[..=end],
        _ => &bytes[..bytes.len() - cut_char(bytes)],
    }
}

fn whole_lines_tail(bytes: &[u8]) -> &[u8] {
    match bytes.iter().position(|b| *b == b'\n') {
        Some(at) if at * 2 <= bytes.len() => &bytes[at + 1..],
        _ => {
            let rest = bytes.iter().take(4).take_while(|b| **b & 0xC0 == 0x80).count();
            &bytes[rest..]
        }
    }
}

/// How many bytes at the end are the beginning of a character that is not complete: 0 to 3.
pub(super) fn cut_char(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        if byte & 0xC0 == 0x80 {
            continue;
        }
        let wanted = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if wanted > back { back } else { 0 };
    }
    0
}

/// Puts bytes aside in a new file of `dir`, at most as many as of an output.
pub fn spill(dir: &Path, extension: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let (mut file, path) = open(dir, extension)?;
    let most = usize::try_from(SPILL).unwrap_or(usize::MAX);
    file.write_all(&bytes[..bytes.len().min(most)])?;
    Ok(path)
}

/// A new file that only its owner can read.
fn open(dir: &Path, extension: &str) -> std::io::Result<(File, PathBuf)> {
    private_dir(dir)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 1..100_000 {
        let path = dir.join(format!("output-{number}.{extension}"));
        match options.open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

pub(super) fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(pieces: impl Iterator<Item = Vec<u8>>) -> (Output, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::new(&dir.path().join("spill"));
        pieces.for_each(|piece| keeper.push(&piece));
        (keeper.output(), dir)
    }

    #[test]
    fn a_short_output_is_whole_and_leaves_no_file() {
        let (output, dir) = keep([b"a\xff\n".to_vec(), b"b".to_vec()].into_iter());
        let expected = Output { head: "a\u{fffd}\nb".into(), total: 4, ..Output::default() };
        assert_eq!(output, expected);
        assert!(!dir.path().join("spill").exists());
    }

    #[test]
    fn a_long_output_keeps_its_true_head_and_tail() {
        let text: String = (1..=20_000).map(|n| format!("line {n}\n")).collect();
        for chunk in [1, 7, 4096, 1 << 20] {
            let (output, _dir) = keep(text.as_bytes().chunks(chunk).map(<[u8]>::to_vec));
            assert!(output.head.starts_with("line 1\nline 2\n") && output.head.ends_with('\n'));
            assert!(output.tail.ends_with("\nline 19999\nline 20000\n"), "{chunk}");
            assert!(output.tail.starts_with("line "));
            let kept = (output.head.len() + output.tail.len()) as u64;
            assert_eq!((output.total, output.omitted + kept), (text.len() as u64, output.total));
            let path = output.spilled.unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
                assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
            }
        }
    }

    #[test]
    fn what_came_since_is_whole_or_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::new(&dir.path().join("spill"));
        keeper.push(b"one\ntwo\n");
        assert_eq!(keeper.since(4).head, "two\n");
        assert_eq!(keeper.since(8).head, "");
        assert_eq!(keeper.since(99).head, "");
        keeper.push(&b"x\n".repeat(INLINE));
        let seen = keeper.total();
        keeper.push(b"end\n");
        assert_eq!(keeper.since(seen).head, "end\n");
        let late = keeper.since(4);
        assert!(late.tail.ends_with("x\nend\n") && late.spilled.is_some());
        assert_eq!(late.omitted + late.tail.len() as u64, keeper.total() - 4);
    }

    #[test]
    fn one_endless_line_is_cut_between_characters() {
        let (output, _dir) = keep((0..10).map(|_| "é".repeat(3_000).into_bytes()));
        assert!(output.head.chars().chain(output.tail.chars()).all(|c| c == 'é'));
        assert!(output.head.len() > HEAD - 4 && output.tail.len() > TAIL - 4);
    }

    #[test]
    fn the_file_has_a_limit() {
        let (output, _dir) = keep((0..65).map(|_| vec![b'x'; 1 << 20]));
        let size = std::fs::metadata(output.spilled.unwrap()).unwrap().len();
        assert_eq!((size, output.spill_cut), (SPILL, true));
    }

    #[test]
    fn incomplete_characters_are_counted() {
        for (bytes, expected) in [
            (&b"a"[..], 0),
            (b"", 0),
            ("é".as_bytes(), 0),
            (&"é".as_bytes()[..1], 1),
            (&"😀".as_bytes()[..3], 3),
            (b"\x80\x80\x80\x80", 0),
            (b"\xff", 0),
        ] {
            assert_eq!(cut_char(bytes), expected, "{bytes:?}");
        }
    }
}
