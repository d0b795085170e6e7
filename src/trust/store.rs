//! `state/trust.toml`: one table a folder, with the hash of what was trusted.

use std::io::Write;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use super::covered;

#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("there is nothing in this folder that needs trust, or too much to look through")]
    Nothing,
    #[error("the list of trusted folders could not be written: {0}")]
    Io(#[from] std::io::Error),
}

/// Trusts the folder as it is now.
pub fn trust(store: &Path, root: &Path, cwd: &Path) -> Result<(), TrustError> {
    let hash = covered(root, cwd).hash.ok_or(TrustError::Nothing)?;
    let mut document = read(store);
    let key = root.to_string_lossy();
    let folders = document.entry("folders").or_insert(Item::Table(Table::new()));
    if !folders.is_table() {
        *folders = Item::Table(Table::new());
    }
    let mut entry = Table::new();
    entry["hash"] = value(hash);
    folders[&*key] = Item::Table(entry);
    write(store, &document.to_string())?;
    Ok(())
}

/// Takes trust back.
pub fn forget(store: &Path, root: &Path) -> Result<(), TrustError> {
    let mut document = read(store);
    if let Some(folders) = document.get_mut("folders").and_then(Item::as_table_mut) {
        folders.remove(&root.to_string_lossy());
    }
    write(store, &document.to_string())?;
    Ok(())
}

/// The hash that was trusted for this folder.
pub(super) fn hash_of(store: &Path, root: &Path) -> Option<String> {
    let document = read(store);
    let entry = document.get("folders")?.get(&*root.to_string_lossy())?;
    Some(entry.get("hash")?.as_str()?.to_owned())
}

/// What cannot be read trusts nothing.
fn read(store: &Path) -> DocumentMut {
    std::fs::read_to_string(store).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// In one step, for this user alone.
fn write(store: &Path, text: &str) -> std::io::Result<()> {
    let folder = store.parent().unwrap_or(Path::new("."));
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // A named temporary file is 0600 from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(store).map_err(|error| error.error)?;
    Ok(())
}
