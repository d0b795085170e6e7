//! Whether a file is text, and what it is if not.

use std::io::{self, Read, Seek, SeekFrom};

/// First bytes and what they say.
const SIGNS: [(&[u8], &str); 25] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WebP image"),
    (b"BM", "a BMP image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (also docx, xlsx, jar)"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "an ELF program or library"),
    (b"MZ", "a Windows program or library"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program or library"),
    (b"\xca\xfe\xba\xbe", "Java bytecode or a Mach-O program"),
    (b"\0asm", "a WebAssembly module"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"OggS", "Ogg audio or video"),
    (b"ID3", "MP3 audio"),
    (b"fLaC", "FLAC audio"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM video"),
    (b"wOF2", "a font"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
];

/// What a file that is not text is; `None` for text. The file stands at its beginning afterwards.
pub(super) fn binary(file: &mut (impl Read + Seek)) -> io::Result<Option<&'static str>> {
    let mut start = Vec::new();
    file.by_ref().take(8 * 1024).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(name(&start))
}

fn name(start: &[u8]) -> Option<&'static str> {
    let sign = SIGNS.iter().find(|(sign, _)| start.starts_with(sign)).map(|(_, name)| *name);
    // RIFF holds sound and films, too.
    let sign = sign.filter(|name| *name != "a WebP image" || start.get(8..12) == Some(b"WEBP"));
    match sign {
        Some("UTF-16 text" | "a PDF document") => sign,
        // Text may begin with "BM" or "MZ"; text holds no NUL.
        _ if start.contains(&0) => sign.or(Some("a binary file")),
        Some(_) if std::str::from_utf8(start).is_err_and(|e| e.error_len().is_some()) => sign,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_the_rest() {
        for (start, expected) in [
            (&b"fn main() {}\n"[..], None),
            (b"", None),
            (b"BM is a state", None),
            (b"caf\xe9\n", None),
            (b"\xff\xfea\0", Some("UTF-16 text")),
            (b"\x89PNG\r\n\x1a\n\0\0", Some("a PNG image")),
            (b"%PDF-1.7\n", Some("a PDF document")),
            (b"\x1f\x8b\x08\xff\xff", Some("gzip data")),
            (b"\0\0\0\0", Some("a binary file")),
        ] {
            assert_eq!(name(start), expected, "{start:?}");
        }
    }
}
