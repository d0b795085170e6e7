//! `state/trust.toml`: which folders are trusted, each with the hash of what that covers.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Needs;

#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("{file} cannot be read: {source}", file = file.display())]
    Read { file: PathBuf, source: std::io::Error },
    #[error("{file} is damaged: {message}; delete it to start again without trusted folders", file = file.display())]
    Damaged { file: PathBuf, message: String },
    #[error("{file} cannot be written: {source}", file = file.display())]
    Write { file: PathBuf, source: std::io::Error },
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Store {
    folders: BTreeMap<PathBuf, String>,
}

impl Store {
    /// A file that is absent is an empty store.
    pub fn load(file: &Path) -> Result<Store, TrustError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Store::default());
            }
            Err(source) => return Err(TrustError::Read { file: file.to_owned(), source }),
        };
        let damaged = |message: String| TrustError::Damaged { file: file.to_owned(), message };
        let table: toml::Table =
            toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let mut store = Store::default();
        for (root, hash) in
            table.get("folders").and_then(toml::Value::as_table).into_iter().flatten()
        {
            let hash = hash.as_str().ok_or_else(|| damaged(format!("{root} has no hash")))?;
            store.folders.insert(root.into(), hash.to_owned());
        }
        Ok(store)
    }

    /// Written whole beside the old file and put in its place, readable by this user only.
    pub fn save(&self, file: &Path) -> Result<(), TrustError> {
        let failed = |source: std::io::Error| TrustError::Write { file: file.to_owned(), source };
        let folder = file.parent().unwrap_or(Path::new("."));
        make_private(folder).map_err(failed)?;
        let folders: toml::Table = self
            .folders
            .iter()
            .map(|(root, hash)| (root.to_string_lossy().into_owned(), hash.clone().into()))
            .collect();
        let table = toml::Table::from_iter([("folders".to_owned(), toml::Value::Table(folders))]);
        // A temporary file is made with mode 0600.
        let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        temp.write_all(table.to_string().as_bytes()).map_err(failed)?;
        temp.as_file().sync_all().map_err(failed)?;
        temp.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    pub fn hash_of(&self, root: &Path) -> Option<&str> {
        self.folders.get(root).map(String::as_str)
    }

    pub fn trust(&mut self, needs: &Needs) {
        self.folders.insert(needs.root.clone(), needs.hash.clone());
    }

    /// Whether it was trusted before.
    pub fn forget(&mut self, root: &Path) -> bool {
        self.folders.remove(root).is_some()
    }

    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.keys().map(PathBuf::as_path)
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_are_reported_and_saved_ones_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("deep/trust.toml");
        assert_eq!(Store::load(&file).unwrap(), Store::default());
        let mut store = Store::default();
        store.folders.insert("/a \"b\"\n".into(), "h".into());
        store.save(&file).unwrap();
        assert_eq!(Store::load(&file).unwrap(), store);
        assert!(store.forget(Path::new("/a \"b\"\n")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for text in ["folders = [", "[folders]\n\"/x\" = 1\n"] {
            std::fs::write(&file, text).unwrap();
            assert!(matches!(Store::load(&file), Err(TrustError::Damaged { .. })), "{text}");
        }
    }
}
