//! The edit ladder on foreign text: it never panics, and what it writes keeps what lies outside
//! the match.
//!
//! Input: file, old and new text, parted by a byte that UTF-8 never holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tern::tools::edit::{How, Miss, Places, Swap, diagnose, swap};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0xff).map(std::str::from_utf8);
    let (Some(Ok(text)), Some(Ok(old)), Some(Ok(new))) = (parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    for places in [Places::One, Places::All] {
        match swap(text, Swap { old, new, places }) {
            Ok(done) if done.how == How::Exact && !text.contains('\r') && !old.contains('\r') => {
                let wanted = match places {
                    Places::One => text.replacen(old, new, 1),
                    Places::All => text.replace(old, new),
                };
                assert_eq!(done.text, wanted);
            }
            Ok(done) => assert!(done.places >= 1),
            Err(miss) => {
                assert!(!matches!(miss, Miss::EmptyOld) || old.is_empty());
                diagnose::miss(&miss, text, old, "file");
            }
        }
    }
    let hunks = tern::diff::hunks(text, new, 3);
    let all: Vec<usize> = (0..hunks.len()).collect();
    assert_eq!(tern::diff::apply(text, &hunks, &all).as_deref(), Ok(new));
});
