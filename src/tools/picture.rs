//! Images for the model: checked, made smaller where they are large.

use std::io::Cursor;
use std::panic::AssertUnwindSafe;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::protocol::Part;

/// An image as the model gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub media_type: String,
    /// Base64.
    pub data: String,
    /// Pixels of the image as it came.
    pub width: u32,
    pub height: u32,
    /// It was made smaller or written anew.
    pub changed: bool,
}

/// Pixels of the longer side: models scale larger ones down themselves.
const LONGEST: u32 = 1_568;
/// Bytes up to which an image goes as it is.
const AS_IT_IS: usize = 500 * 1024;
/// Bytes of a file that is looked at.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// Bytes that decoding may take; an image of 8,000 by 8,000 pixels fits.
const MEMORY: u64 = 256 * 1024 * 1024;
const SIDE: u32 = 30_000;
const QUALITY: u8 = 85;

impl Picture {
    /// From the bytes of a png, jpeg, gif or webp file. Takes time: not for the async threads.
    pub fn of(bytes: &[u8]) -> Result<Picture, String> {
        // A decoder that panics on hostile bytes must not take more with it than this image.
        std::panic::catch_unwind(AssertUnwindSafe(|| picture(bytes)))
            .unwrap_or_else(|_| Err("it cannot be decoded".to_owned()))
    }

    pub fn part(&self) -> Part {
        Part::Image { media_type: self.media_type.clone(), data: self.data.clone() }
    }
}

/// An image for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Small {
    /// Base64 of a png.
    pub png: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// Decoded, made to fit, and written anew. Takes time: not for the async threads.
pub fn small(bytes: &[u8], (width, height): (u32, u32)) -> Result<Small, String> {
    let made = || {
        let (image, _, _) = decoded(bytes)?;
        let fits = image.width() <= width && image.height() <= height;
        let image = if fits { image } else { image.thumbnail(width, height) };
        let mut png = Vec::new();
        image
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .map_err(|error| error.to_string())?;
        Ok(Small { png: STANDARD.encode(png), width: image.width(), height: image.height() })
    };
    std::panic::catch_unwind(AssertUnwindSafe(made))
        .unwrap_or_else(|_| Err("it cannot be decoded".to_owned()))
}

/// The image, the name of its kind, and whether it is large.
fn decoded(bytes: &[u8]) -> Result<(DynamicImage, &'static str, bool), String> {
    let format = image::guess_format(bytes).map_err(|error| error.to_string())?;
    let media_type = match format {
        ImageFormat::Png => "image/png",
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Gif => "image/gif",
        ImageFormat::WebP => "image/webp",
        _ => return Err("it is of a kind that models do not take".to_owned()),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
    reader.limits(limits);
    let image = reader.decode().map_err(|error| error.to_string())?;
    let large = image.width().max(image.height()) > LONGEST;
    Ok((image, media_type, large))
}

fn picture(bytes: &[u8]) -> Result<Picture, String> {
    let (image, media_type, large) = decoded(bytes)?;
    let (width, height) = (image.width(), image.height());
    if !large && bytes.len() <= AS_IT_IS {
        let data = STANDARD.encode(bytes);
        let media_type = media_type.to_owned();
        return Ok(Picture { media_type, data, width, height, changed: false });
    }
    let image = if large { image.thumbnail(LONGEST, LONGEST) } else { image };
    let (media_type, bytes) = encode(&image)?;
    let data = STANDARD.encode(bytes);
    Ok(Picture { media_type: media_type.to_owned(), data, width, height, changed: true })
}

/// JPEG, unless it has see-through parts, or few enough bytes as PNG (a drawing, a screenshot).
fn encode(image: &DynamicImage) -> Result<(&'static str, Vec<u8>), String> {
    let mut png = Vec::new();
    image
        .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
        .map_err(|error| error.to_string())?;
    if png.len() <= AS_IT_IS || image.color().has_alpha() && png.len() <= 4 * AS_IT_IS {
        return Ok(("image/png", png));
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode_image(&image.to_rgb8())
        .map_err(|error| error.to_string())?;
    Ok(("image/jpeg", jpeg))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let image = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 7 % 256) as u8, (y * 13 % 256) as u8, ((x ^ y) % 256) as u8])
        });
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn small_ones_go_as_they_are_and_large_ones_get_smaller() {
        let bytes = png(40, 30);
        let small = Picture::of(&bytes).unwrap();
        assert_eq!((small.width, small.height, small.changed), (40, 30, false));
        assert_eq!(STANDARD.decode(&small.data).unwrap(), bytes);
        let large = Picture::of(&png(4_000, 1_000)).unwrap();
        assert_eq!((large.width, large.height, large.changed), (4_000, 1_000, true));
        let shown = image::load_from_memory(&STANDARD.decode(&large.data).unwrap()).unwrap();
        assert_eq!((shown.width(), shown.height()), (LONGEST, 392));
    }

    #[test]
    fn broken_and_foreign_bytes_are_refused() {
        let bytes = png(40, 30);
        assert!(Picture::of(&bytes[..bytes.len() / 2]).is_err());
        assert!(Picture::of(b"BM not an image").is_err() && Picture::of(b"").is_err());
        // A header that promises more pixels than any memory holds.
        let mut bomb = bytes;
        bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
        assert!(Picture::of(&bomb).is_err());
    }
}
