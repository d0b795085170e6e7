//! The last offer of each server, one file a definition. Losing it costs a start of the server and
//! nothing else.

use std::path::{Path, PathBuf};

use crate::config::write;
use crate::mcp::{Definition, Offer};

/// Bytes; more is not read.
const LARGEST: u64 = 4 << 20;

pub fn read(folder: &Path, definition: &Definition) -> Option<Offer> {
    let path = file(folder, definition);
    if std::fs::metadata(&path).ok()?.len() > LARGEST {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

pub fn save(folder: &Path, definition: &Definition, offer: &Offer) {
    let kept = crate::config::dirs::private_dir(folder)
        .map_err(|error| error.to_string())
        .and_then(|()| serde_json::to_string(offer).map_err(|error| error.to_string()))
        .and_then(|text| {
            write::replace(&file(folder, definition), &text).map_err(|error| error.to_string())
        });
    if let Err(why) = kept {
        tracing::warn!("the offer of {} was not kept: {why}", definition.name);
    }
}

fn file(folder: &Path, definition: &Definition) -> PathBuf {
    folder.join(format!("{}.json", definition.fingerprint()))
}
