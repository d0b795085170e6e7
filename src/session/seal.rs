//! A checksum at the end of a line: `{..,"crc":"0a1b2c3d"}`.
//!
//! CRC-32 (IEEE 802.3) in hex over the bytes of the line before `,"crc"`. A line without one is as good
//! as any: checksums are a setting, and older logs have none.

/// `,"crc":"`, eight digits, `"}`.
const BEFORE: &[u8] = br#","crc":""#;
const DIGITS: usize = 8;
const AFTER: &[u8] = br#""}"#;

/// Adds a checksum to an object that ends the line.
pub(crate) fn seal(line: &mut Vec<u8>) {
    if line.pop_if(|last| *last == b'\n').is_none() || line.pop_if(|last| *last == b'}').is_none() {
        return;
    }
    let sum = crc32fast::hash(line);
    line.extend_from_slice(BEFORE);
    line.extend_from_slice(format!("{sum:08x}").as_bytes());
    line.extend_from_slice(AFTER);
    line.push(b'\n');
}

/// False where the line has a checksum that is not its own.
pub(crate) fn holds(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let Some(rest) = line.strip_suffix(AFTER) else { return true };
    let Some((rest, digits)) = rest.split_last_chunk::<DIGITS>() else { return true };
    let Some(sealed) = rest.strip_suffix(BEFORE) else { return true };
    let sum = std::str::from_utf8(digits).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
    sum == Some(crc32fast::hash(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_until_a_byte_changes() {
        let mut line = b"{\"v\":1,\"text\":\"123456789\"}\n".to_vec();
        assert!(holds(&line), "without one there is nothing to doubt");
        seal(&mut line);
        assert!(line.ends_with(b"\"}\n") && holds(&line) && holds(&line[..line.len() - 1]));
        for at in 0..line.len() - 1 {
            let mut other = line.clone();
            other[at] ^= 1;
            // A change of the frame makes it another field, and the text before it is whole.
            let framed = other.windows(BEFORE.len()).any(|part| part == BEFORE);
            let framed = framed && other.ends_with(b"\"}\n");
            assert!(!framed || !holds(&other), "byte {at}");
        }
        // The check value of the CRC catalogue.
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }
}
