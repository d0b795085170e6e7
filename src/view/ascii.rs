//! The last step where only ASCII is wanted: signs that Markdown, diffs and short texts draw are
//! replaced by letters of the same width. Other text stays what it is.

use ratatui::buffer::Buffer;

const SIGNS: [(&str, &str); 48] = [
    ("■", "#"),
    ("□", "_"),
    ("⋯", "."),
    ("…", "."),
    ("·", "-"),
    ("•", "*"),
    ("◦", "-"),
    ("▪", "-"),
    ("−", "-"),
    ("–", "-"),
    ("—", "-"),
    ("↑", "^"),
    ("↓", "v"),
    ("→", ">"),
    ("←", "<"),
    ("⏎", "<"),
    ("⇥", ">"),
    ("⇧", "^"),
    ("␍", "r"),
    ("≥", ">"),
    ("×", "x"),
    ("±", "~"),
    ("│", "|"),
    ("▎", "|"),
    ("▏", "|"),
    ("▕", "|"),
    ("▌", "|"),
    ("─", "-"),
    ("━", "-"),
    ("┼", "+"),
    ("├", "+"),
    ("┤", "+"),
    ("┬", "+"),
    ("┴", "+"),
    ("╭", "+"),
    ("╮", "+"),
    ("╰", "+"),
    ("╯", "+"),
    ("☐", "_"),
    ("☑", "x"),
    ("✓", "+"),
    ("✗", "x"),
    ("‖", "="),
    ("›", ">"),
    ("▸", ">"),
    ("▾", "v"),
    ("█", "#"),
    ("░", "."),
];

pub fn replace(buf: &mut Buffer) {
    let area = buf.area;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let Some(cell) = buf.cell((x, y)) else { continue };
            let sign = SIGNS.iter().find(|(sign, _)| *sign == cell.symbol());
            if let Some((_, letter)) = sign {
                let style = cell.style();
                buf.set_string(x, y, letter, style);
            }
        }
    }
}

/// The same for a text, where there is room for three dots.
pub fn text(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '…' {
            all.push_str("...");
            continue;
        }
        let sign = SIGNS.iter().find(|(sign, _)| sign.starts_with(c));
        match sign {
            Some((_, letter)) => all.push_str(letter),
            None => all.push(c),
        }
    }
    all
}
