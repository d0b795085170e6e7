//! The small signs of the screen, and what stands for them where only ASCII is wanted.

use ratatui::symbols::border;

#[derive(Debug)]
pub struct Marks {
    /// Beside what the person wrote.
    pub person: &'static str,
    pub queued: &'static str,
    pub done: &'static str,
    pub failed: &'static str,
    pub asked: &'static str,
    pub stopped: &'static str,
    pub notice: &'static str,
    pub prompt: &'static str,
    pub kept: &'static str,
    pub dropped: &'static str,
    pub chosen: &'static str,
    pub below: &'static str,
    pub minus: &'static str,
    pub plus_minus: &'static str,
    pub dot: &'static str,
    pub to: &'static str,
    pub spinner: &'static [&'static str],
    pub full: &'static str,
    pub empty: &'static str,
    /// Heights of a small chart, lowest first.
    pub bars: &'static [&'static str],
    pub border: border::Set<'static>,
}

const FANCY: Marks = Marks {
    person: "▌",
    queued: "·",
    done: "✓",
    failed: "✗",
    asked: "?",
    stopped: "‖",
    notice: "!",
    prompt: "›",
    kept: "■",
    dropped: "□",
    chosen: "▸",
    below: "↓",
    minus: "−",
    plus_minus: "±",
    dot: "·",
    to: "→",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    full: "█",
    empty: "░",
    bars: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    border: border::ROUNDED,
};

const ASCII: Marks = Marks {
    person: "|",
    queued: ".",
    done: "+",
    failed: "x",
    asked: "?",
    stopped: "=",
    notice: "!",
    prompt: ">",
    kept: "#",
    dropped: "_",
    chosen: ">",
    below: "v",
    minus: "-",
    plus_minus: "+-",
    dot: "-",
    to: "->",
    spinner: &["|", "/", "-", "\\"],
    full: "#",
    empty: ".",
    bars: &["_", ".", "-", "=", "+", "*", "%", "#"],
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

pub fn marks(ascii: bool) -> &'static Marks {
    if ascii { &ASCII } else { &FANCY }
}

impl Marks {
    pub fn spin(&self, steps: u64) -> &'static str {
        let at = steps % self.spinner.len() as u64;
        self.spinner[usize::try_from(at).unwrap_or_default()]
    }

    /// A key as it is shown in borders: `⏎`, `⇥`, `⇧⇥`.
    pub fn key(&self, key: &str) -> String {
        if self.border.top_left == "+" {
            return key.to_owned();
        }
        match key {
            "enter" => "⏎".to_owned(),
            "tab" => "⇥".to_owned(),
            "shift+tab" => "⇧⇥".to_owned(),
            "up" => "↑".to_owned(),
            "down" => "↓".to_owned(),
            other => other.to_owned(),
        }
    }
}
