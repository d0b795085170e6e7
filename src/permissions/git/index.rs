//! The names in an index that are repositories of their own (gitformat-index(5), modes 160000).

use std::path::Path;

const LINK: u32 = 0o160_000;
/// The checksum at the end; repositories with another hash are refused by their configuration.
const HASH: usize = 20;
const LARGEST: u64 = 64 << 20;

/// `Err`: the index cannot be followed.
pub(super) fn links(path: &Path) -> Result<Vec<String>, String> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(_) => return Err("its index cannot be read".to_owned()),
    };
    if !found.is_file() || found.len() > LARGEST {
        return Err("its index is not a plain file of usual size".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|_| "its index cannot be read".to_owned())?;
    parse(&bytes).ok_or_else(|| "its index has an unknown form".to_owned())
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |all, byte| (all << 8) | u32::from(*byte)))
}

fn parse(bytes: &[u8]) -> Option<Vec<String>> {
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let version = number(bytes, 4, 4)?;
    let count = number(bytes, 8, 4)?;
    let mut at = 12usize;
    let mut name: Vec<u8> = Vec::new();
    let mut links = Vec::new();
    for _ in 0..count {
        let start = at;
        let mode = number(bytes, at + 24, 4)?;
        let flags = number(bytes, at + 60, 2)?;
        at += 62;
        if version >= 3 && flags & 0x4000 != 0 {
            at += 2;
        }
        if version == 4 {
            let (strip, used) = varint(bytes.get(at..)?)?;
            at += used;
            name.truncate(name.len().checked_sub(strip)?);
        } else {
            name.clear();
        }
        let end = bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(bytes.get(at..at + end)?);
        at += end + 1;
        if version == 2 || version == 3 {
            // Padded with zeros to a multiple of eight.
            let length = at - start;
            at += (8 - length % 8) % 8;
        } else if version != 4 {
            return None;
        }
        if mode == LINK {
            links.push(String::from_utf8(name.clone()).ok()?);
        }
    }
    // An index that is split over two files hides entries in the other one.
    while at + 8 + HASH <= bytes.len() {
        if bytes.get(at..at + 4)? == b"link" {
            return None;
        }
        at = at.checked_add(8)?.checked_add(number(bytes, at + 4, 4)? as usize)?;
    }
    Some(links)
}

/// Offset encoding of pack files: seven bits a byte, most significant first, plus one for each more.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
        value += 1;
    }
    None
}
