//! What a call gave, as text for the model: bounded, with pictures and large answers put aside in
//! files.

use std::path::Path;

use base64::Engine;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::process;

/// The answer of a tool, a resource or a prompt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Ready for the model.
    pub text: String,
    pub images: Vec<Image>,
    pub is_error: bool,
    /// A few words for the call's line.
    pub facts: String,
}

/// A picture that came with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    pub media_type: String,
    /// base64
    pub data: String,
}

/// Bytes that are given whole; of more, the head and the tail, and a file that holds all.
const INLINE: usize = 24 * 1024;
const HEAD: usize = 16 * 1024;
const TAIL: usize = 6 * 1024;
/// Pictures of one answer that go to the model.
const MOST_IMAGES: usize = 8;
/// Bytes of base64; larger ones are only put aside.
const LARGEST_IMAGE: usize = 5 << 20;

pub fn of_call(result: CallToolResult, spill: &Path) -> Answer {
    let mut gathered = Gathered::default();
    for block in result.content {
        gathered.block(block, spill);
    }
    // The same in another form, for programs; told where there is nothing else to read.
    if gathered.text.trim().is_empty()
        && gathered.images.is_empty()
        && let Some(structured) = result.structured_content
    {
        gathered.text = serde_json::to_string_pretty(&structured).unwrap_or_default();
    }
    gathered.finish(spill, result.is_error.unwrap_or(false))
}

pub fn of_resource(contents: Vec<ResourceContents>, spill: &Path) -> Answer {
    let mut gathered = Gathered::default();
    for content in contents {
        gathered.resource(content, spill);
    }
    gathered.finish(spill, false)
}

/// The text of one block of a prompt.
pub fn of_block(block: ContentBlock, spill: &Path) -> Answer {
    let mut gathered = Gathered::default();
    gathered.block(block, spill);
    gathered.finish(spill, false)
}

#[derive(Default)]
struct Gathered {
    text: String,
    images: Vec<Image>,
}

impl Gathered {
    fn line(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn block(&mut self, block: ContentBlock, spill: &Path) {
        match block {
            ContentBlock::Text(text) => self.line(&text.text),
            ContentBlock::Image(image) => self.data(&image.mime_type, image.data, spill),
            ContentBlock::Audio(audio) => self.data(&audio.mime_type, audio.data, spill),
            ContentBlock::Resource(embedded) => self.resource(embedded.resource, spill),
            ContentBlock::ResourceLink(link) => {
                self.line(&format!("[resource {}: {}]", link.uri, link.name));
            }
            _ => self.line("[something of a kind that is not known]"),
        }
    }

    fn resource(&mut self, content: ResourceContents, spill: &Path) {
        match content {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                self.line(&format!("[resource {uri}]\n{text}"));
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                self.line(&format!("[resource {uri}]"));
                let kind = mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
                self.data(&kind, blob, spill);
            }
            _ => self.line("[a resource of a kind that is not known]"),
        }
    }

    /// Bytes in base64: a picture goes to the model as well, everything to a file.
    fn data(&mut self, media_type: &str, data: String, spill: &Path) {
        let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(data.trim()) else {
            return self.line(&format!("[{media_type}, not valid base64]"));
        };
        let place = match process::spill(spill, extension(media_type), &bytes) {
            Ok(path) => format!(", saved as {}", path.display()),
            Err(_) => String::new(),
        };
        self.line(&format!("[{media_type}, {} bytes{place}]", bytes.len()));
        let shown = matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp");
        if shown && self.images.len() < MOST_IMAGES && data.len() <= LARGEST_IMAGE {
            self.images.push(Image { media_type: media_type.to_owned(), data });
        }
    }

    fn finish(self, spill: &Path, is_error: bool) -> Answer {
        let lines = self.text.lines().count();
        let facts = match (self.images.len(), lines) {
            (0, 0) => "nothing".to_owned(),
            (0, 1) => String::new(),
            (0, lines) => format!("{lines} lines"),
            (1, _) => "1 picture".to_owned(),
            (images, _) => format!("{images} pictures"),
        };
        let text = if self.text.is_empty() { "(no content)".to_owned() } else { self.text };
        Answer { text: capped(text, spill), images: self.images, is_error, facts }
    }
}

/// Head and tail of a long text, and the file that holds all of it.
fn capped(text: String, spill: &Path) -> String {
    if text.len() <= INLINE {
        return text;
    }
    let head = &text[..text.floor_char_boundary(HEAD)];
    let tail = &text[text.ceil_char_boundary(text.len() - TAIL)..];
    let left = text.len() - head.len() - tail.len();
    let place = match process::spill(spill, "txt", text.as_bytes()) {
        Ok(path) => format!("all of it is in {}", path.display()),
        Err(error) => format!("the whole could not be kept: {error}"),
    };
    format!("{head}\n[{left} bytes left out; {place}]\n{tail}")
}

fn extension(media_type: &str) -> &'static str {
    match media_type {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "application/pdf" => "pdf",
        "audio/wav" | "audio/x-wav" => "wav",
        kind if kind.starts_with("text/") => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(result: serde_json::Value) -> (Answer, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let answer = of_call(serde_json::from_value(result).unwrap(), dir.path());
        (answer, dir)
    }

    #[test]
    fn every_kind_of_content_becomes_text() {
        let (found, dir) = answer(json!({"isError": true, "content": [
            {"type": "text", "text": "one"},
            {"type": "image", "mimeType": "image/png", "data": "iVBORw=="},
            {"type": "audio", "mimeType": "audio/wav", "data": "!"},
            {"type": "resource", "resource": {"uri": "a://b", "text": "two"}},
            {"type": "resource_link", "uri": "a://c", "name": "c"},
        ]}));
        let saved = dir.path().join("output-1.png");
        assert_eq!(
            found.text,
            format!(
                "one\n[image/png, 4 bytes, saved as {}]\n[audio/wav, not valid base64]\n[resource a://b]\ntwo\n[resource a://c: c]",
                saved.display()
            )
        );
        assert_eq!((found.images.len(), found.is_error), (1, true));
        assert_eq!(std::fs::read(saved).unwrap(), b"\x89PNG");
        let (structured, _dir) = answer(json!({"content": [], "structuredContent": {"a": 1}}));
        assert_eq!(structured.text, "{\n  \"a\": 1\n}");
        assert_eq!(answer(json!({"content": []})).0.text, "(no content)");
    }

    #[test]
    fn megabytes_are_put_aside() {
        let whole = "é".repeat(2 << 20);
        let (found, dir) = answer(json!({"content": [{"type": "text", "text": whole}]}));
        assert!(found.text.len() < INLINE, "{}", found.text.len());
        let file = dir.path().join("output-1.txt");
        assert!(found.text.contains(&file.display().to_string()));
        assert_eq!(std::fs::read_to_string(file).unwrap(), whole);
    }
}
