//! What the person said to the client, as input for the agent. Pure.

use agent_client_protocol::v1::schema as acp;

use crate::acp::tell::fenced;
use crate::protocol::{Input, InputImage};
use crate::text::mention;

/// Text, files that are meant, contents that go along, pictures. The error is for the person.
pub fn input(blocks: Vec<acp::ContentBlock>) -> Result<Input, String> {
    let mut input = Input::default();
    // Contents stand after what was said, so that a command at its beginning stays one.
    let mut contents = String::new();
    for block in blocks {
        match block {
            acp::ContentBlock::Text(text) => input.text.push_str(&text.text),
            acp::ContentBlock::ResourceLink(link) => {
                match file(&link.uri) {
                    Some(path) => word(&mut input.text, &mention::spell(&path)),
                    None => word(&mut input.text, &format!("{} ({})", link.name, link.uri)),
                };
            }
            acp::ContentBlock::Resource(resource) => match resource.resource {
                acp::EmbeddedResourceResource::TextResourceContents(text) => {
                    let name = file(&text.uri).unwrap_or(text.uri);
                    word(&mut input.text, &name);
                    contents.push_str(&format!("\n\n{name}:\n{}", fenced(&text.text)));
                }
                acp::EmbeddedResourceResource::BlobResourceContents(blob)
                    if is_image(blob.mime_type.as_deref()) =>
                {
                    picture(&mut input, blob.blob);
                }
                _ => return Err("tern reads text and pictures, no other contents".to_owned()),
            },
            acp::ContentBlock::Image(image) => picture(&mut input, image.data),
            _ => return Err("tern reads text and pictures, no sound".to_owned()),
        }
    }
    input.text.push_str(&contents);
    if input.text.trim().is_empty() && input.images.is_empty() {
        return Err("there is no prompt".to_owned());
    }
    Ok(input)
}

fn picture(input: &mut Input, data: String) {
    let name = format!("image {}", input.images.len() + 1);
    word(&mut input.text, &format!("[{name}]"));
    input.images.push(InputImage { name, data });
}

fn is_image(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| kind.starts_with("image/"))
}

/// Parted from the words around it.
fn word(text: &mut String, word: &str) {
    if !text.is_empty() && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
    text.push_str(word);
    text.push(' ');
}

/// The path of a `file:` address, or a bare path.
fn file(uri: &str) -> Option<String> {
    if uri.starts_with('/') {
        return Some(uri.to_owned());
    }
    let url = url::Url::parse(uri).ok().filter(|url| url.scheme() == "file")?;
    url.to_file_path().ok()?.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_mentioned_and_contents_go_along() {
        let link = |uri: &str| acp::ContentBlock::ResourceLink(acp::ResourceLink::new("x", uri));
        let contents = acp::EmbeddedResourceResource::TextResourceContents(
            acp::TextResourceContents::new("let ``` = 1;", "file:///p/a%20b.rs"),
        );
        let cases = [
            (
                vec!["explain".into(), link("file:///p/a.rs"), "please".into()],
                "explain @/p/a.rs please",
            ),
            (vec![link("file:///p/a%20b.rs")], "@\"/p/a b.rs\" "),
            (vec![link("https://example.com/a")], "x (https://example.com/a) "),
            (
                vec![
                    "look".into(),
                    acp::ContentBlock::Resource(acp::EmbeddedResource::new(contents)),
                ],
                "look /p/a b.rs \n\n/p/a b.rs:\n````\nlet ``` = 1;\n````",
            ),
        ];
        for (blocks, text) in cases {
            assert_eq!(input(blocks).map(|input| input.text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn pictures_are_taken_and_sounds_are_not() {
        let image = acp::ContentBlock::Image(acp::ImageContent::new("AAAA", "image/png"));
        let taken = input(vec!["see".into(), image]).unwrap();
        assert_eq!((taken.text.as_str(), taken.images.len()), ("see [image 1] ", 1));
        let sound = acp::ContentBlock::Audio(acp::AudioContent::new("AAAA", "audio/wav"));
        assert!(input(vec![sound]).is_err());
        assert!(input(vec![" ".into()]).is_err());
    }
}
