//! Images in the history: those that the person gave, and what stands for one that cannot be sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::agent::shared::Shared;
use crate::protocol::{InputImage, Level, Message, Part};
use crate::tools::picture::Picture;

/// In one message.
const MOST: usize = 20;

/// Each behind its name. One that cannot be shown is told of and left out.
pub async fn of(shared: &Shared, images: &[InputImage]) -> Vec<Part> {
    let mut parts = Vec::new();
    for image in images.iter().take(MOST) {
        let data = image.data.clone();
        let made = tokio::task::spawn_blocking(move || {
            let bytes = STANDARD.decode(data).map_err(|error| error.to_string())?;
            Picture::of(&bytes)
        });
        match made.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(picture) => {
                parts.push(Part::Text { text: format!("({})", image.name) });
                parts.push(picture.part());
            }
            Err(why) => {
                let text = format!("{} cannot be shown to the model: {why}.", image.name);
                shared.notice(Level::Warning, text).await;
            }
        }
    }
    parts
}

pub fn are_in(history: &[Message]) -> bool {
    history.iter().flat_map(|message| &message.parts).any(is_image)
}

/// Puts these words in the place of each image.
pub fn replace(history: &mut [Message], words: &str) {
    for part in history.iter_mut().flat_map(|message| &mut message.parts) {
        if is_image(part) {
            *part = Part::Text { text: words.to_owned() };
        }
    }
}

fn is_image(part: &Part) -> bool {
    matches!(part, Part::Image { .. })
}
