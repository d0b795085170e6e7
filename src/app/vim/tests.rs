//! A text with its cursor `|` before the character it stands on, keys, and what comes of them.

use super::*;
use crate::app::vim::motion::line_start;

fn prompt(text: &str) -> Prompt {
    let mut prompt = Prompt::default();
    let at = text.find('|').unwrap();
    prompt.insert(&text.replace('|', ""));
    change::move_to(&mut prompt, text[..at].chars().count());
    prompt
}

fn shown(prompt: &Prompt) -> String {
    let mut text = change::text(prompt);
    text.insert(change::cursor(prompt), '|');
    text.into_iter().collect()
}

fn type_keys(vim: &mut Vim, prompt: &mut Prompt, keys: &str) -> Option<Action> {
    let mut action = None;
    for key in Key::script(keys).unwrap() {
        match press(vim, prompt, key) {
            Pressed::Left => match (key.typed(), key.code) {
                (Some(c), _) => prompt.insert(&c.to_string()),
                (None, KeyCode::Backspace) => {
                    prompt.edit(Edit::DeleteBack);
                }
                _ => {}
            },
            Pressed::Action(wanted) => action = Some(wanted),
            Pressed::Moved | Pressed::Changed => {}
        }
    }
    action
}

fn check(before: &str, keys: &str, after: &str) {
    let mut prompt = prompt(before);
    let mut vim = Vim { mode: Mode::Normal, ..Vim::default() };
    type_keys(&mut vim, &mut prompt, keys);
    assert_eq!(shown(&prompt), after, "{before:?} {keys}");
}

#[test]
fn motions() {
    for (before, keys, after) in [
        ("|one two", "w", "one |two"),
        ("|one two", "2w", "one tw|o"),
        ("one tw|o", "b", "one |two"),
        ("|a.b c", "w", "a|.b c"),
        ("|a.b c", "W", "a.b |c"),
        ("|one two", "ee", "one tw|o"),
        ("o|ne two", "$", "one tw|o"),
        ("  on|e", "0", "|  one"),
        ("  on|e", "^", "  |one"),
        ("o|ne\ntwo\nx", "j", "one\nt|wo\nx"),
        ("one\ntw|o\nx", "k", "on|e\ntwo\nx"),
        ("one\ntw|o\nx", "j", "one\ntwo\n|x"),
        ("one\ntw|o\nx", "gg", "|one\ntwo\nx"),
        ("|one\ntwo\nx", "G", "one\ntwo\n|x"),
        ("|one\ntwo\nx", "2G", "one\n|two\nx"),
        ("|a,b,c,d", "f,", "a|,b,c,d"),
        ("|a,b,c,d", "f,;;", "a,b,c|,d"),
        ("|a,b,c,d", "2f,,", "a|,b,c,d"),
        ("|a,b,c,d", "t,", "|a,b,c,d"),
        ("a,b,c|,d", "F,", "a,b|,c,d"),
        ("a,b,c|,d", "T,", "a,b,|c,d"),
        ("|日本 é", "w", "日本 |é"),
        ("|", "wbe$0ggGhjkl", "|"),
    ] {
        check(before, keys, after);
    }
}

#[test]
fn operators() {
    for (before, keys, after) in [
        ("|one two three", "dw", "|two three"),
        ("|one two three", "2dw", "|three"),
        ("|one two three four", "2d1w", "|three four"),
        ("one |two\nthree", "dw", "one| \nthree"),
        ("one t|wo three", "db", "one |wo three"),
        ("one t|wo", "D", "one |t"),
        ("one |two", "cwsix<esc>", "one si|x"),
        ("one |two three", "C2<esc>", "one |2"),
        ("o|ne\ntwo\nthree", "dd", "|two\nthree"),
        ("o|ne\ntwo\nthree", "2dd", "|three"),
        ("one\ntw|o", "dd", "|one"),
        ("one\nt|wo\nthree", "dj", "|one"),
        ("one\nt|wo\nthree", "ccx<esc>", "one\n|x\nthree"),
        ("|a,b,c", "dt,", "|,b,c"),
        ("|a,b,c", "df,", "|b,c"),
        ("|one", "x", "|ne"),
        ("|one", "9x", "|"),
        ("on|e", "X", "o|e"),
        ("|one", "sX<esc>", "|Xne"),
        ("|one", "rX", "|Xne"),
        ("|one", "3rX", "XX|X"),
        ("|one", "4rX", "|one"),
        ("|one", "~~", "ON|e"),
        ("|one\n  two\nx", "J", "one| two\nx"),
        ("|one", "ddP", "|one\n"),
        ("o|ne\ntwo", "yyp", "one\n|one\ntwo"),
        ("o|ne\ntwo", "yyP", "|one\none\ntwo"),
        ("|one two", "ywP", "one| one two"),
        ("|ab", "xp", "b|a"),
        ("|one", "ofour<esc>", "one\nfou|r"),
        ("one\n|two", "Ofour<esc>", "one\nfou|r\ntwo"),
        ("one |two", "Ihey <esc>", "hey| one two"),
        ("|one two", "A!<esc>", "one two|!"),
        ("|one", "aX<esc>", "o|Xne"),
    ] {
        check(before, keys, after);
    }
}

#[test]
fn text_objects() {
    for (before, keys, after) in [
        ("one tw|o three", "diw", "one | three"),
        ("one tw|o three", "daw", "one |three"),
        ("one tw|o", "daw", "on|e"),
        ("a-b|c d", "diW", "| d"),
        ("say \"he|llo\" x", "di\"", "say \"|\" x"),
        ("say \"he|llo\" x", "da\"", "say | x"),
        ("|say 'hello' x", "ci'hi<esc>", "say 'h|i' x"),
        ("f(a, (b|), c)", "di(", "f(a, (|), c)"),
        ("f(a, (b), |c)", "di(", "f(|)"),
        ("f(a|, b)", "dab", "|f"),
        ("x[1|2] y", "ci]3<esc>", "x[|3] y"),
        ("{ a\n|b }", "di{", "{|}"),
        ("no br|ackets", "di(", "no br|ackets"),
    ] {
        check(before, keys, after);
    }
}

#[test]
fn visual_mode() {
    for (before, keys, after) in [
        ("|one two", "vwd", "|wo"),
        ("|one two", "veyP", "on|eone two"),
        ("one |two", "vbd", "|wo"),
        ("o|ne\ntwo\nx", "Vjd", "|x"),
        ("one |two x", "viwcsix<esc>", "one si|x x"),
        ("one |two", "v<esc>x", "one |wo"),
        ("|one two", "vwod", "|wo"),
    ] {
        check(before, keys, after);
    }
}

#[test]
fn undo_redo_and_again() {
    for (before, keys, after) in [
        ("|one two three", "dwdwu", "|two three"),
        ("|one two three", "dwdwuu", "|one two three"),
        ("|one two three", "dwdwuu<ctrl+r>", "|two three"),
        ("|one two three", "dw.", "|three"),
        ("|one two three", "cwX<esc>w.", "X |X three"),
        ("|one two three", "cwX<esc>w.uu", "|one two three"),
        ("|a b c d", "x..", "| c d"),
        ("|one\ntwo\nthree\nfour", "ddj.", "two\n|four"),
        ("|x", "aab<esc>.", "xaba|b"),
        ("|abc", "i1<backspace>2<esc>", "|2abc"),
    ] {
        check(before, keys, after);
    }
}

#[test]
fn a_mark_goes_as_a_whole_and_the_app_gets_its_keys() {
    let mut prompt = Prompt::default();
    prompt.insert("see ");
    prompt.paste(&"line\n".repeat(20));
    prompt.insert(" x");
    let mut vim = Vim { mode: Mode::Normal, ..Vim::default() };
    type_keys(&mut vim, &mut prompt, "0wx");
    assert_eq!(prompt.editor.text(), "see  x");

    for (keys, action) in [
        ("/", Some(Action::SearchOpen)),
        (":", Some(Action::Palette)),
        ("k", Some(Action::Up)),
        ("j", Some(Action::Down)),
        ("<ctrl+w>k", Some(Action::BrowseUp)),
        ("<ctrl+d>", Some(Action::PageDown)),
        ("zq", None),
    ] {
        assert_eq!(type_keys(&mut vim, &mut prompt, keys), action, "{keys}");
    }
}

proptest::proptest! {
    /// Whatever is pressed, the cursor stays in the text.
    #[test]
    fn any_keys(text in "[a-c \n(\"é日]{0,20}", keys in "[a-zA-Z0-9\"(.;,$^~]{0,30}") {
        let mut prompt = Prompt::default();
        prompt.insert(&text);
        let mut vim = Vim { mode: Mode::Normal, ..Vim::default() };
        type_keys(&mut vim, &mut prompt, &keys);
        let text = change::text(&prompt);
        let at = change::cursor(&prompt);
        proptest::prop_assert!(at <= text.len() && line_start(&text, at) <= at);
    }
}
