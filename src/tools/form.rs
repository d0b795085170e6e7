//! How a text stands in its file: encoding and byte order mark. What is read in one form is written
//! in the same.

use encoding_rs::WINDOWS_1252;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    Utf16Le,
    Utf16Be,
    /// Some encoding of one byte a character, or of more; shown as Windows-1252, whose every byte
    /// is a character, so that the way back is exact.
    Bytes,
}

const BOM: char = '\u{feff}';

impl Form {
    /// The text without its byte order mark; `None` where the bytes are no text.
    pub fn read(bytes: &[u8]) -> Option<(Form, String)> {
        let units = |from: fn([u8; 2]) -> u16| -> Option<String> {
            let rest = &bytes[2..];
            let units: Vec<u16> = rest.chunks_exact(2).map(|b| from([b[0], b[1]])).collect();
            // An odd byte or half a pair could not be written back.
            String::from_utf16(&units).ok().filter(|_| rest.len().is_multiple_of(2))
        };
        if bytes.starts_with(b"\xff\xfe") {
            return Some((Form::Utf16Le, units(u16::from_le_bytes)?));
        }
        if bytes.starts_with(b"\xfe\xff") {
            return Some((Form::Utf16Be, units(u16::from_be_bytes)?));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Some(match text.strip_prefix(BOM) {
                Some(rest) => (Form::Utf8Bom, rest.to_owned()),
                None => (Form::Utf8, text.to_owned()),
            });
        }
        if bytes.contains(&0) {
            return None;
        }
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        let text = text.into_owned();
        (Form::Bytes.write(&text, "").as_deref() == Ok(bytes)).then_some((Form::Bytes, text))
    }

    /// The bytes of `text`. `before` is what the file held, where that is known to be in this form.
    pub fn write(self, text: &str, before: &str) -> Result<Vec<u8>, String> {
        match self {
            Form::Utf8 => Ok(text.as_bytes().to_vec()),
            Form::Utf8Bom => Ok(format!("{BOM}{text}").into_bytes()),
            Form::Utf16Le => Ok(units(text, u16::to_le_bytes)),
            Form::Utf16Be => Ok(units(text, u16::to_be_bytes)),
            Form::Bytes => {
                // Which encoding it is nobody knows: no character that it may write otherwise.
                let known = |c: char| c.is_ascii() || before.is_empty() || before.contains(c);
                if let Some(c) = text.chars().find(|c| !known(*c)) {
                    return Err(format!(
                        "the file is not UTF-8 and its encoding is not certain, so {c:?} cannot be written into it"
                    ));
                }
                let (bytes, _, lost) = WINDOWS_1252.encode(text);
                if lost {
                    return Err("the file's encoding has not all of these characters".to_owned());
                }
                Ok(bytes.into_owned())
            }
        }
    }

    /// What the model is told of it.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Form::Utf8 | Form::Utf8Bom => None,
            Form::Utf16Le | Form::Utf16Be => Some("UTF-16; Edit keeps that"),
            Form::Bytes => {
                Some("not UTF-8: shown as Windows-1252; Edit keeps the bytes it does not change")
            }
        }
    }
}

fn units(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(BOM).chain(text.chars()).fold(Vec::new(), |mut out, c| {
        let mut pair = [0; 2];
        for unit in c.encode_utf16(&mut pair) {
            out.extend(to(*unit));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for (bytes, form, text) in [
            (&b"a\n"[..], Form::Utf8, "a\n"),
            (b"\xef\xbb\xbfa", Form::Utf8Bom, "a"),
            (b"\xff\xfea\0\xe9\0\n\0", Form::Utf16Le, "aé\n"),
            (b"\xfe\xff\0a\xd8\x3d\xde\0", Form::Utf16Be, "a😀"),
            (b"caf\xe9 \x80\x81\n", Form::Bytes, "café €\u{81}\n"),
        ] {
            let (found, read) = Form::read(bytes).unwrap();
            assert_eq!((found, read.as_str()), (form, text), "{bytes:?}");
            assert_eq!(found.write(&read, &read).as_deref(), Ok(bytes));
        }
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\0\xd8", b"\xe9\0"] {
            assert_eq!(Form::read(bytes), None, "{bytes:?}");
        }
        assert!(Form::Bytes.write("é", "cafe").is_err());
        assert_eq!(Form::Bytes.write("éé", "café").as_deref(), Ok(&b"\xe9\xe9"[..]));
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_back_byte_for_byte(bytes: Vec<u8>) {
            if let Some((form, text)) = Form::read(&bytes) {
                let written = form.write(&text, &text);
                proptest::prop_assert_eq!(written.as_deref(), Ok(bytes.as_slice()));
            }
        }
    }
}
