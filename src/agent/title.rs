//! The session's title from the small model: asked for once, after the first turn and beside
//! whatever follows, and only where the first words of the prompt make a poor one.
//!
//! A title that does not come costs nothing but itself: the first words stay.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::agent::conversation::Conversation;
use crate::agent::shared::Shared;
use crate::agent::side::{Question, Side};
use crate::api::Purpose;
use crate::protocol::{Cause, Role};
use crate::text::{clean, clip, width};

const SYSTEM: &str = include_str!("../../assets/prompts/title.md");
const LIMIT: Duration = Duration::from_secs(20);
/// A model that must think first needs some room for it.
const ANSWER_TOKENS: u32 = 400;
/// Bytes of the prompt and of the answer to it that are shown.
const PROMPT: usize = 1_500;
const ANSWER: usize = 500;
/// Columns that a title may take in a list.
const COLUMNS: usize = 80;
/// A prompt of one line and no more columns than this is its own best title.
const SHORT: usize = 50;
/// How long a request that was stopped may take to book what it used.
const TIDY_UP: Duration = Duration::from_secs(1);

/// The one question that a session may have out.
#[derive(Debug, Default)]
pub struct Naming {
    asked: bool,
    cancel: CancellationToken,
    task: Option<JoinHandle<Option<String>>>,
}

impl Naming {
    /// Asks, if the session has a poor title and a small model that is not the main one.
    pub fn begin(&mut self, talk: &Conversation, shared: &Shared) {
        let Some(prompt) = talk.journal.poorly_titled().filter(|_| !self.asked) else { return };
        let side = shared.side.clone();
        if side.small().is_none_or(|small| side.is_main(&small)) {
            return;
        }
        self.asked = true;
        self.cancel = CancellationToken::new();
        let text = material(prompt, talk);
        self.task = Some(tokio::spawn(ask(side, text, self.cancel.clone())));
    }

    /// The title, when it has come; never, where none was asked for. Safe to drop and call again.
    pub async fn title(&mut self) -> Option<String> {
        let Some(task) = &mut self.task else { return std::future::pending().await };
        let title = task.await.ok().flatten();
        self.task = None;
        title
    }

    /// For the end of the session. What the request had used is booked.
    pub async fn stop(&mut self) {
        self.cancel.cancel();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(TIDY_UP, &mut task).await.is_err()
        {
            task.abort();
        }
        self.asked = false;
    }
}

/// The first line with words, as it stands in a list, and whether that says less than the text.
pub fn first_words(text: &str) -> Option<(String, bool)> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let clean = clean::clean(line, clean::Mode::Prose);
    let poor = width::width(&clean) > SHORT || line.len() < text.trim().len();
    Some((clip::end(&clean, COLUMNS).into_owned(), poor))
}

fn material(prompt: &str, talk: &Conversation) -> String {
    let answer = talk.history.iter().rev().find(|message| message.role == Role::Assistant);
    let answer = answer.map(crate::protocol::Message::text).unwrap_or_default();
    format!(
        "<user>\n{}\n</user>\n\n<answer>\n{}\n</answer>",
        &prompt[..prompt.floor_char_boundary(PROMPT)],
        &answer[..answer.floor_char_boundary(ANSWER)]
    )
}

async fn ask(side: Side, text: String, cancel: CancellationToken) -> Option<String> {
    let question = Question {
        system: SYSTEM,
        text,
        max_tokens: ANSWER_TOKENS,
        purpose: Purpose::Side,
        cause: Cause::Title,
        limit: LIMIT,
    };
    match side.ask(&question, &cancel).await {
        Ok(answer) => tidied(&answer),
        Err(error) => {
            tracing::info!("no title: {error}");
            None
        }
    }
}

/// Models like to dress a title up.
fn tidied(answer: &str) -> Option<String> {
    let line = answer.lines().map(str::trim).find(|line| !line.is_empty())?;
    let plain = line.trim_matches(['"', '\'', '`', '*', '#', '“', '”', '.', ' ']);
    let clean = clean::clean(plain, clean::Mode::Prose);
    let title = clip::end(&clean, COLUMNS).into_owned();
    (!title.trim().is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_that_say_it_all_need_no_model() {
        let long = "word ".repeat(40);
        for (text, title, poor) in [
            ("fix the parser", "fix the parser", false),
            ("\n  fix the parser \n", "fix the parser", false),
            ("fix the parser\nit panics", "fix the parser", true),
            (
                "look at the parser and say what is wrong with it",
                "look at the parser and say what is wrong with it",
                false,
            ),
            (
                "look at the parser and say what is wrong with it, then fix it",
                "look at the parser and say what is wrong with it, then fix it",
                true,
            ),
        ] {
            assert_eq!(first_words(text), Some((title.to_owned(), poor)), "{text}");
        }
        assert!(
            first_words(&long).is_some_and(|(title, poor)| poor && width::width(&title) <= COLUMNS)
        );
        assert_eq!(first_words(" \n"), None);
    }

    #[test]
    fn a_title_is_one_plain_line() {
        for (answer, title) in [
            ("Fix the parser", Some("Fix the parser")),
            ("\n\"Fix the parser.\"\nBecause", Some("Fix the parser")),
            ("# **Fix** it", Some("Fix** it")),
            ("\u{1b}[31mred", Some("red")),
            ("\"\"", None),
            ("", None),
        ] {
            assert_eq!(tidied(answer).as_deref(), title, "{answer:?}");
        }
    }
}
