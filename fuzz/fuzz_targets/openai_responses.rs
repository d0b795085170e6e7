//! Any bytes, cut anywhere, give the same parts on this wire; nothing follows the end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tern::api::StreamPart;
use tern::api::answer::{Answer, End, Parts};

fn play(chunks: &[&[u8]]) -> Parts {
    let mut answer = Answer::openai_responses();
    let mut parts = Vec::new();
    for chunk in chunks {
        answer.push(chunk, &mut parts);
    }
    answer.end(End::Closed, &mut parts);
    parts
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let whole = play(&[bytes]);
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(cut) % 17 + 1).collect();
    assert_eq!(whole, play(&pieces));
    let is_end = |part: &Result<StreamPart, _>| matches!(part, Ok(StreamPart::Stopped(_)) | Err(_));
    assert_eq!(whole.iter().position(is_end), Some(whole.len() - 1));
});
