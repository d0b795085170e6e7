//! Images: read from files, pasted, and kept over a resume; a sentence for models that see none.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tern::protocol::{Command, Input, InputImage, Message, Part, TurnId};

use crate::support::script::{call, text};
use crate::support::session::Session;

pub fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let image = image::RgbImage::from_pixel(60, 40, image::Rgb([200, 30, 30]));
    image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

fn images(messages: &[Message]) -> Vec<String> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::Image { data, .. } => Some(data.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn an_image_that_is_read_reaches_the_model_after_the_results_and_survives() {
    let mut session =
        Session::start([call("a", "Read", json!({"file_path": "red.png"})), text("red")]);
    std::fs::write(session.dir.path().join("project/red.png"), png()).unwrap();
    session.ask("what colour?").await;
    assert_eq!(session.results()[0].facts, "60 × 40");
    let requests = session.script.requests();
    let last = requests[1].messages.last().unwrap();
    assert!(matches!(last.parts[0], Part::Result { .. }), "{last:?}");
    assert_eq!(images(&requests[1].messages), [STANDARD.encode(png())]);

    let mut again = session.again([text("still red")]).await;
    again.ask("and now?").await;
    assert_eq!(images(&again.script.requests()[0].messages), [STANDARD.encode(png())]);
}

#[tokio::test]
async fn a_pasted_image_goes_along_and_a_broken_one_is_told_of() {
    let mut session = Session::start([text("ok")]);
    let image = |name: &str, data: String| InputImage { name: name.to_owned(), data };
    let images_given =
        vec![image("image 1", STANDARD.encode(png())), image("image 2", STANDARD.encode("no"))];
    let input = Input { images: images_given, ..Input::text("look at [image 1]") };
    session.send(Command::Submit { turn: TurnId(1), input }).await;
    session.end().await;
    assert_eq!(images(&session.script.requests()[0].messages), [STANDARD.encode(png())]);
    assert!(session.notices().iter().any(|notice| notice.starts_with("image 2 cannot be shown")));
}
