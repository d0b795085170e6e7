//! Images for the terminal itself, in kitty's graphics protocol. A file is decoded under limits and
//! written anew, small: no byte of it reaches the terminal as it came.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::app::pictures::Picture;
use crate::tools::picture::{self, Small};

/// Columns and rows at most.
const COLUMNS: u32 = 54;
const ROWS: u32 = 24;

/// Pixels that a cell is taken to have: the terminal fits the image into its cells anyway.
const CELL: (u32, u32) = (10, 20);

/// Images that the terminal holds at a time.
const HELD: u8 = 20;

/// Bytes of one piece, as the protocol has it.
const PIECE: usize = 4_096;

/// Numbers for images; a number comes round again.
#[derive(Debug, Default)]
pub struct Numbers {
    last: u8,
}

impl Numbers {
    pub fn take(&mut self) -> u8 {
        self.last = self.last % HELD + 1;
        self.last
    }

    /// The bytes that make the terminal forget them; none where it has none.
    pub fn forget(&self) -> String {
        let numbers = 1..=self.last;
        numbers.map(|number| format!("\x1b_Ga=d,d=I,i={number},q=2\x1b\\")).collect()
    }
}

/// Terminals that draw an image where its placeholders stand. Not through tmux, which would have to
/// be told to let it pass.
pub fn are_drawn(vars: &BTreeMap<String, String>) -> bool {
    let var = |name: &str| vars.get(name).map_or("", String::as_str);
    let knows = matches!(var("TERM"), "xterm-kitty" | "xterm-ghostty")
        || !var("KITTY_WINDOW_ID").is_empty()
        || var("TERM_PROGRAM") == "ghostty";
    knows && var("TMUX").is_empty() && !var("TERM").starts_with("screen")
}

/// Reads and decodes the file. Takes time: not for the drawing thread. Errors: it is too large, or
/// no image that can be drawn.
pub fn load(path: &Path) -> Result<Small, String> {
    let bytes =
        io::Read::take(std::fs::File::open(path).map_err(|e| e.to_string())?, picture::LARGEST);
    let bytes = io::Read::bytes(io::BufReader::new(bytes)).collect::<io::Result<Vec<u8>>>();
    let bytes = bytes.map_err(|error| error.to_string())?;
    picture::small(&bytes, (COLUMNS * CELL.0, ROWS * CELL.1))
}

/// Its place in cells, and the bytes that give it to the terminal under `number`.
pub fn handed_over(small: &Small, number: u8) -> (Picture, String) {
    let cells = |pixels: u32, of: u32, most: u32| pixels.div_ceil(of).clamp(1, most) as u16;
    let columns = cells(small.width, CELL.0, COLUMNS);
    let rows = cells(small.height, CELL.1, ROWS);
    let pieces: Vec<&[u8]> = small.png.as_bytes().chunks(PIECE).collect();
    let mut bytes = format!("\x1b_Ga=d,d=I,i={number},q=2\x1b\\");
    for (at, piece) in pieces.iter().enumerate() {
        let more = u8::from(at + 1 < pieces.len());
        let head = match at {
            0 => format!("a=T,U=1,f=100,i={number},c={columns},r={rows},q=2,m={more}"),
            _ => format!("m={more}"),
        };
        bytes.extend(["\x1b_G", &head, ";", &String::from_utf8_lossy(piece), "\x1b\\"]);
    }
    (Picture { number, columns, rows }, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_written_anew_in_pieces_and_fits() {
        let small = Small { png: "A".repeat(10_000), width: 540, height: 90 };
        let (picture, bytes) = handed_over(&small, 3);
        assert_eq!(picture, Picture { number: 3, columns: 54, rows: 5 });
        let parts: Vec<&str> = bytes.split("\x1b\\").collect();
        assert_eq!(parts[0], "\x1b_Ga=d,d=I,i=3,q=2", "what had the number goes");
        assert!(
            parts[1].starts_with("\x1b_Ga=T,U=1,f=100,i=3,c=54,r=5,q=2,m=1;AAAA"),
            "{}",
            parts[1]
        );
        assert!(parts[2].starts_with("\x1b_Gm=1;") && parts[3].starts_with("\x1b_Gm=0;"));
        assert_eq!((parts.len(), parts[4]), (5, ""));
        assert!(parts.iter().all(|part| part.len() < PIECE + 80));
    }

    #[test]
    fn only_terminals_that_draw_them_get_any() {
        for (vars, wanted) in [
            (vec![("TERM", "xterm-kitty")], true),
            (vec![("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")], true),
            (vec![("TERM", "xterm-ghostty")], true),
            (vec![("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1"), ("TMUX", "x")], false),
            (vec![("TERM", "xterm-256color")], false),
        ] {
            let of = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            assert_eq!(are_drawn(&vars.iter().map(of).collect()), wanted, "{vars:?}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("evil.png");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n\x1b_Ga=T;evil\x1b\\").unwrap();
        assert!(load(&path).is_err());
        assert!(load(&dir.path().join("none.png")).is_err());
    }

    #[test]
    fn numbers_come_round() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.forget(), "");
        let all: Vec<u8> = (0..=HELD).map(|_| numbers.take()).collect();
        assert_eq!((all[0], all[usize::from(HELD) - 1], all[usize::from(HELD)]), (1, HELD, 1));
    }
}
