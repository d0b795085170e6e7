//! Any bytes, cut anywhere, give the same events, and no byte is looked at more than three times.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tern::api::sse::{Decoder, Item};

fn decode(chunks: &[&[u8]]) -> (Vec<Item>, u64) {
    let mut decoder = Decoder::new();
    let mut items = Vec::new();
    for chunk in chunks {
        let _ = decoder.push(chunk, &mut items);
    }
    let _ = decoder.finish(&mut items);
    (items, decoder.scanned())
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let (whole, scanned) = decode(&[bytes]);
    assert!(scanned <= 3 * bytes.len() as u64);
    let single: Vec<&[u8]> = bytes.chunks(usize::from(cut) % 17 + 1).collect();
    let (pieces, scanned) = decode(&single);
    assert!(scanned <= 3 * bytes.len() as u64);
    assert_eq!(whole, pieces);
});
