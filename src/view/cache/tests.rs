//! What is cached is what would be drawn, and drawing again costs nothing.

use proptest::prelude::*;

use super::*;
use crate::view::markdown;

fn theme() -> Theme {
    Theme::named("dark").expect("dark")
}

fn cache(len: usize) -> Cache {
    let mut cache = Cache::new();
    cache.set_look(80, &theme());
    cache.set_len(len, |_| 3);
    cache
}

fn key(id: u64, revision: u64) -> Key {
    Key { id, revision, gap: 1 }
}

fn lines(count: usize) -> Vec<Line<'static>> {
    (0..count).map(|line| Line::from(line.to_string())).collect()
}

/// Draws what is at `top..top + 40` as a frame does: entries whose height turns out otherwise move
/// those below.
fn frame(cache: &mut Cache, top: usize) -> usize {
    let (mut index, mut offset) = cache.heights().find(top).expect("entries");
    let mut drawn = 0;
    while drawn < 40 && index < cache.len() {
        let rows = cache.rows(index, key(index as u64, 0), |_| lines(1 + index % 5)).len();
        drawn += (rows + 1).saturating_sub(offset);
        (index, offset) = (index + 1, 0);
    }
    drawn
}

#[test]
fn a_second_frame_wraps_nothing() {
    let mut cache = cache(10_000);
    frame(&mut cache, 12_345);
    let wraps = cache.wraps();
    assert!(wraps <= 40, "{wraps}");
    frame(&mut cache, 12_345);
    assert_eq!(cache.wraps(), wraps);
}

#[test]
fn a_changed_entry_is_drawn_again_alone() {
    let mut cache = cache(3);
    for index in 0..3 {
        cache.rows(index, key(index as u64, 0), |_| lines(2));
    }
    assert_eq!(cache.heights().total(), 9);
    assert_eq!(cache.rows(1, key(1, 1), |_| lines(7)).len(), 7);
    assert_eq!((cache.wraps(), cache.heights().total(), cache.heights().top(2)), (4, 14, 11));
    assert_eq!(cache.rows(2, key(2, 0), |_| panic!("is known")).len(), 2);
}

#[test]
fn another_theme_keeps_heights_and_another_width_makes_them_guesses() {
    let mut cache = cache(2);
    cache.rows(0, key(0, 0), |_| lines(5));
    cache.set_look(80, &Theme::named("light").expect("light"));
    assert!(cache.is_measured(0));
    assert_eq!(cache.rows(0, key(0, 0), |_| lines(5)).len(), 5);
    assert_eq!(cache.wraps(), 2);
    cache.set_look(40, &Theme::named("light").expect("light"));
    assert!(!cache.is_measured(0));
    assert_eq!(cache.heights().get(0), 6);
}

#[test]
fn idle_time_measures_everything_once() {
    let mut cache = cache(1_000);
    cache.rows(999, key(999, 0), |_| lines(2));
    let mut measured = 0;
    while let Some(index) = cache.next_unmeasured() {
        cache.measure(index, key(index as u64, 0), |_| 4);
        measured += 1;
    }
    assert_eq!((measured, cache.heights().total()), (999, 999 * 5 + 3));
    cache.set_len(1_001, |_| 3);
    assert_eq!(cache.next_unmeasured(), Some(1_000));
    cache.set_look(60, &theme());
    assert_eq!(cache.next_unmeasured(), Some(1_000));
    cache.set_len(10, |_| 3);
    assert_eq!(cache.next_unmeasured(), Some(9));
}

#[test]
fn memory_is_bounded_and_heights_stay() {
    let mut cache = cache(1_000);
    for index in 0..1_000 {
        cache.rows(index, key(index as u64, 0), |_| lines(100));
        assert!(cache.kept_rows <= MOST_ROWS);
    }
    assert_eq!(cache.heights().total(), 101_000);
    assert_eq!(cache.rows(999, key(999, 0), |_| panic!("is kept")).len(), 100);
    let wraps = cache.wraps();
    cache.rows(0, key(0, 0), |_| lines(100));
    assert_eq!(cache.wraps(), wraps + 1);
    assert_eq!(cache.rows(0, key(0, 1), |_| lines(MOST_ROWS + 1)).len(), MOST_ROWS + 1);
    assert_eq!(cache.kept.len(), 1);
}

#[test]
fn entries_that_are_gone_leave_nothing() {
    let mut cache = cache(10);
    for index in 0..10 {
        cache.rows(index, key(index as u64, 0), |_| lines(5));
    }
    cache.set_len(4, |_| 3);
    assert_eq!((cache.kept.len(), cache.kept_rows, cache.heights().total()), (4, 20, 24));
    assert_eq!(cache.rows(7, key(7, 0), |_| lines(1)).len(), 0);
}

#[test]
fn one_token_wraps_one_block() {
    let (mut cache, theme) = (cache(1), theme());
    let text = "a paragraph\n\n".repeat(500);
    cache.markdown(0, key(0, 0), &text, false, &theme, 0..40);
    let wraps = cache.wraps();
    let text = text + "and more";
    cache.markdown(0, key(0, 1), &text, false, &theme, 0..40);
    assert_eq!(cache.wraps(), wraps + 1);
    cache.markdown(0, key(0, 1), &text, false, &theme, 0..40);
    assert_eq!(cache.wraps(), wraps + 1);
}

#[test]
fn rows_with_plain_code_are_drawn_again_when_colours_came() {
    let mut cache = cache(1);
    let theme = theme();
    let draw =
        |colours: &mut Colours| markdown::render("```rust\nfn a() {}\n```", 80, &theme, colours);
    let plain = cache.rows(0, key(0, 0), draw).to_vec();
    cache.rows(0, key(0, 0), |_| panic!("nothing new"));
    for wanted in cache.colours.take_wanted() {
        cache.colours.put(wanted.key, wanted.work());
    }
    let coloured = cache.rows(0, key(0, 0), draw).to_vec();
    assert_ne!(plain, coloured);
    assert_eq!(plain.len(), coloured.len());
    cache.rows(0, key(0, 0), |_| panic!("complete"));
}

proptest! {
    #[test]
    fn what_is_cached_is_what_would_be_drawn(
        steps in prop::collection::vec((0usize..6, 0u64..3, 20u16..23, any::<bool>()), 1..40),
    ) {
        let mut cache = Cache::new();
        for (index, revision, width, light) in steps {
            let theme = Theme::named(if light { "light" } else { "dark" }).expect("theme");
            cache.set_look(width, &theme);
            cache.set_len(6, |_| 1);
            let text = format!("# Entry {index}\n\n{}", "some words ".repeat(revision as usize * 5));
            let fresh = markdown::render(&text, width, &theme, &mut Colours::new());
            let key = key(index as u64, revision);
            let rows = if index % 2 == 0 {
                cache.markdown(index, key, &text, true, &theme, 0..9).to_vec()
            } else {
                cache.rows(index, key, |colours| markdown::render(&text, width, &theme, colours)).to_vec()
            };
            prop_assert_eq!(&rows, &fresh);
            prop_assert_eq!(cache.heights().get(index), rows.len() + 1);
        }
    }
}
