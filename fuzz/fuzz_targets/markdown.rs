//! Any bytes, cut anyhow: cleaned and drawn as a growing reply without a panic, with the same rows
//! as all at once, none of them wider than the screen and none with a control character.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tern::text::clean::{Feed, Mode};
use tern::text::{clean, width};
use tern::view::code::Colours;
use tern::view::markdown;
use tern::view::stream::Stream;
use tern::view::theme::Theme;

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (columns, size, bytes) = input;
    let (columns, size) = (u16::from(columns).max(8), usize::from(size).max(1));
    let source = String::from_utf8_lossy(bytes);
    let Some(theme) = Theme::named("dark") else { return };
    let mut colours = Colours::new();

    let (mut text, mut feed) = (String::new(), Feed::default());
    let mut stream = Stream::new(columns);
    let chars: Vec<char> = source.chars().collect();
    for chunk in chars.chunks(size) {
        feed.push(&chunk.iter().collect::<String>(), &mut text);
        stream.update(&text, &theme, &mut colours);
    }
    feed.finish(&mut text);
    assert_eq!(text, clean(&source, Mode::Prose));
    stream.finish(&text, &theme, &mut colours);

    let whole = markdown::render(&text, columns, &theme, &mut Colours::new());
    assert_eq!(stream.rows(), whole);
    for row in &whole {
        let shown: String = row.spans.iter().map(|span| span.content.as_ref()).collect();
        assert!(!shown.contains(char::is_control));
        assert!(width(&shown) <= usize::from(columns));
    }
});
