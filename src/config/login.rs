//! Keys that `tern login` saved: one TOML file in the data folder, for this user alone.
//!
//! *Invariant:* a key leaves this module only as a [`SecretString`], which neither prints nor logs.

use secrecy::{ExposeSecret, SecretString};
use toml_edit::DocumentMut;

use crate::config::dirs::{Dirs, private_dir};
use crate::config::file;
use crate::config::write::replace;
use crate::config::{ConfigError, Problem};
use crate::protocol::Source;

/// The saved key of a provider; `None`: there is none.
pub fn saved(dirs: &Dirs, provider: &str) -> Result<Option<SecretString>, ConfigError> {
    let document = read(dirs)?;
    Ok(document.get(provider).and_then(|item| item.as_str()).map(SecretString::from))
}

/// The providers that have a saved key, in order of names.
pub fn names(dirs: &Dirs) -> Result<Vec<String>, ConfigError> {
    let mut names: Vec<String> = read(dirs)?.iter().map(|(name, _)| name.to_owned()).collect();
    names.sort();
    Ok(names)
}

/// Saves a key (file 0600, folder 0700, whatever the umask), in place of any older one.
pub fn save(dirs: &Dirs, provider: &str, key: &SecretString) -> Result<(), ConfigError> {
    let mut document = read(dirs)?;
    document[provider] = toml_edit::value(key.expose_secret());
    let file = dirs.keys();
    private_dir(&dirs.data).map_err(|why| ConfigError::Write { file: file.clone(), why })?;
    replace(&file, &document.to_string())
}

/// `false`: there was none.
pub fn forget(dirs: &Dirs, provider: &str) -> Result<bool, ConfigError> {
    let mut document = read(dirs)?;
    if document.remove(provider).is_none() {
        return Ok(false);
    }
    replace(&dirs.keys(), &document.to_string())?;
    Ok(true)
}

fn read(dirs: &Dirs) -> Result<DocumentMut, ConfigError> {
    let path = dirs.keys();
    // The parser's own words would quote the line, and with it a key.
    let broken = |line: Option<u32>, message: &str| Problem {
        source: Source::User,
        file: Some(path.clone()),
        line,
        message: message.to_owned(),
        hint: Some("mend or remove it, then `tern login` again".into()),
    };
    let text = file::text(&path).map_err(|fault| broken(fault.line, &fault.message))?;
    let text = text.unwrap_or_default();
    let document = text.parse().map_err(|error: toml_edit::TomlError| {
        let line = error.span().map(|span| file::Lines::of(&text).at(span.start));
        broken(line, "is not TOML")
    })?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_dirs(test: impl FnOnce(&Dirs)) {
        let dir = tempfile::tempdir().unwrap();
        test(&Dirs::under(&dir.path().join("t"), dir.path()));
    }

    #[test]
    fn keys_are_saved_replaced_and_forgotten() {
        with_dirs(|dirs| {
            let secret =
                |dirs| saved(dirs, "my.work").unwrap().map(|key| key.expose_secret().to_owned());
            assert_eq!(secret(dirs), None);
            save(dirs, "my.work", &SecretString::from("sk-\"1\"")).unwrap();
            save(dirs, "anthropic", &SecretString::from("sk-2")).unwrap();
            save(dirs, "my.work", &SecretString::from("sk-3")).unwrap();
            assert_eq!(secret(dirs), Some("sk-3".into()));
            assert_eq!(names(dirs).unwrap(), ["anthropic", "my.work"]);
            assert!(forget(dirs, "my.work").unwrap());
            assert!(!forget(dirs, "my.work").unwrap());
            assert_eq!(names(dirs).unwrap(), ["anthropic"]);
        });
    }

    #[test]
    fn a_broken_file_is_told_without_its_text() {
        with_dirs(|dirs| {
            std::fs::create_dir_all(&dirs.data).unwrap();
            std::fs::write(dirs.keys(), "a = \"x\"\nb = sk-secret\n").unwrap();
            let told = saved(dirs, "a").unwrap_err().to_string();
            assert_eq!(
                told,
                "keys.toml line 2: is not TOML; mend or remove it, then `tern login` again"
            );
        });
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_them_even_under_an_open_umask() {
        use std::os::unix::fs::PermissionsExt;
        with_dirs(|dirs| {
            // A folder that was there before and is open to all is closed.
            std::fs::create_dir_all(&dirs.data).unwrap();
            std::fs::set_permissions(&dirs.data, std::fs::Permissions::from_mode(0o777)).unwrap();
            let old = rustix::process::umask(rustix::fs::Mode::empty());
            let saving = save(dirs, "anthropic", &SecretString::from("k"));
            rustix::process::umask(old);
            saving.unwrap();
            let mode = |path: &std::path::Path| {
                std::fs::metadata(path).unwrap().permissions().mode() & 0o777
            };
            assert_eq!((mode(&dirs.data), mode(&dirs.keys())), (0o700, 0o600));
        });
    }
}
