//! The text of PDF documents, by pages.

use std::sync::mpsc;
use std::time::Duration;

use crate::tools::{Outcome, count};

/// Bytes of a document that is looked at.
pub(super) const LARGEST: u64 = 50 * 1024 * 1024;
/// Pages that are shown where none are named, and at most in one call.
const PAGES: usize = 10;
const MOST: usize = 20;
/// Bytes of text in one answer.
const TEXT: usize = 100 * 1024;
/// A document that takes longer is one that shall.
const LONGEST: Duration = Duration::from_secs(20);
/// Some documents nest deeply; a thread's own stack keeps that from ending the program.
const STACK: usize = 64 * 1024 * 1024;

pub(super) fn read(bytes: Vec<u8>, wanted: Option<&str>, shown: &str) -> Outcome {
    let range = match wanted.map(range).transpose() {
        Ok(range) => range,
        Err(fault) => return Outcome::failed(format!("Read: {fault}."), "wrong input"),
    };
    let pages = match pages(bytes) {
        Ok(pages) => pages,
        Err(why) => {
            let text = format!("{shown} is a PDF document whose text cannot be had: {why}.");
            return Outcome::failed(text, "no text");
        }
    };
    let total = pages.len();
    let (first, last) = range.unwrap_or((1, PAGES));
    let last = last.min(total).min(first + MOST - 1);
    if first > total {
        let text = format!("{shown} has {}; page {first} is past its end.", count(total, "page"));
        return Outcome::done(text, format!("past {total}"));
    }
    let mut text = String::new();
    let mut reached = first;
    for (number, page) in (first..=last).zip(&pages[first - 1..last]) {
        if text.len() + page.len() > TEXT && number > first {
            break;
        }
        let page = page.trim();
        let page = &page[..page.floor_char_boundary(TEXT)];
        text += &format!("--- page {number} ---\n{page}\n");
        reached = number;
    }
    if pages.iter().all(|page| page.trim().is_empty()) {
        text += "[no text on any page: it may be scanned]\n";
    }
    if reached < total {
        text += &format!(
            "[pages {first}–{reached} of {total}; go on with pages \"{}-{total}\"]",
            reached + 1
        );
    }
    Outcome::done(text, format!("pages {first}–{reached} of {total}"))
}

/// `3`, `2-5`
fn range(text: &str) -> Result<(usize, usize), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first >= 1 && first <= last => Ok((first, last)),
        _ => Err(format!("pages {text:?} is not a page or a range such as \"1-5\"")),
    }
}

/// On a thread of its own, which is left behind if it does not come to an end. The library panics
/// on some documents; that ends the thread and nothing else.
fn pages(bytes: Vec<u8>) -> Result<Vec<String>, String> {
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let _ = sender.send(pdf_extract::extract_text_from_mem_by_pages(&bytes));
    };
    std::thread::Builder::new()
        .name("pdf text".into())
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| error.to_string())?;
    match receiver.recv_timeout(LONGEST) {
        Ok(pages) => pages.map_err(|error| error.to_string()),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(format!("it took longer than {} s", LONGEST.as_secs()))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("it cannot be decoded".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One page for each text, as the simplest of all writers would write it.
    fn pdf(texts: &[&str]) -> Vec<u8> {
        let kids: Vec<String> = (0..texts.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
        let mut objects = vec![
            "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
            format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), texts.len()),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        ];
        for (n, text) in texts.iter().enumerate() {
            objects.push(format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
                 /Resources << /Font << /F1 3 0 R >> >> >>",
                5 + 2 * n
            ));
            let stream = format!("BT /F1 24 Tf 72 700 Td ({text}) Tj ET");
            objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
        }
        let mut out = String::from("%PDF-1.4\n");
        let mut offsets = Vec::new();
        for (n, object) in objects.iter().enumerate() {
            offsets.push(out.len());
            out += &format!("{} 0 obj\n{object}\nendobj\n", n + 1);
        }
        let xref = out.len();
        out += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for offset in offsets {
            out += &format!("{offset:010} 00000 n \n");
        }
        out += &format!(
            "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n",
            objects.len() + 1
        );
        out.into_bytes()
    }

    #[test]
    fn pages_are_read_by_number() {
        let bytes = pdf(&["first words", "second words", "third words"]);
        let all = read(bytes.clone(), None, "a.pdf");
        assert!(all.text.contains("--- page 1 ---\nfirst words"), "{}", all.text);
        assert_eq!(all.facts, "pages 1–3 of 3");
        let one = read(bytes.clone(), Some("2"), "a.pdf");
        assert!(one.text.contains("second words") && !one.text.contains("first"), "{}", one.text);
        assert!(one.text.contains("go on with pages \"3-3\""), "{}", one.text);
        assert_eq!(read(bytes.clone(), Some("9"), "a.pdf").facts, "past 3");
        assert_eq!(read(bytes, Some("x"), "a.pdf").facts, "wrong input");
    }

    #[test]
    fn hostile_bytes_are_an_answer() {
        let whole = pdf(&["text"]);
        for bytes in [b"%PDF-1.7\n".to_vec(), whole[..whole.len() / 2].to_vec(), vec![b'%'; 9]] {
            assert_eq!(read(bytes, None, "a.pdf").facts, "no text");
        }
    }
}
