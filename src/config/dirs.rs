//! Where tern keeps its files: five folders, from `TERN_HOME` or the platform's own places; and
//! where whoever manages the machine keeps theirs, which nothing moves.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;

/// Absolute paths; none of them need exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    pub config: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    pub cache: PathBuf,
    /// The person's home folder, for `~`.
    pub home: PathBuf,
    /// The policy of whoever manages the machine. No variable and no flag says where it is.
    pub managed: PathBuf,
}

const MANAGED: &str = "/etc/tern/managed.toml";

impl Dirs {
    /// `get` looks up an environment variable. With `TERN_HOME` all folders but `home` are in it.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Result<Dirs, ConfigError> {
        let base = directories::BaseDirs::new();
        let home = get("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute())
            .or_else(|| base.as_ref().map(|base| base.home_dir().to_owned()));
        if let Some(root) = get("TERN_HOME").filter(|root| !root.is_empty()) {
            let root = std::path::absolute(&root)
                .map_err(|why| ConfigError::Read { file: root.into(), why })?;
            return Ok(Dirs::under(&root, home.as_deref().unwrap_or(&root)));
        }
        let places = directories::ProjectDirs::from("", "", "tern").ok_or(ConfigError::NoHome)?;
        Ok(Dirs {
            config: places.config_dir().to_owned(),
            data: places.data_dir().to_owned(),
            state: places.state_dir().unwrap_or(places.data_local_dir()).to_owned(),
            cache: places.cache_dir().to_owned(),
            home: home.ok_or(ConfigError::NoHome)?,
            managed: MANAGED.into(),
        })
    }

    /// All folders in one, as `TERN_HOME` has them.
    pub fn under(root: &Path, home: &Path) -> Dirs {
        Dirs {
            config: root.join("config"),
            data: root.join("data"),
            state: root.join("state"),
            cache: root.join("cache"),
            home: home.to_owned(),
            managed: MANAGED.into(),
        }
    }

    /// The user's own settings.
    pub fn user_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    pub fn sessions(&self) -> PathBuf {
        self.data.join("sessions")
    }

    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }

    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger")
    }

    pub fn keys(&self) -> PathBuf {
        self.data.join("keys.toml")
    }

    pub fn trust(&self) -> PathBuf {
        self.state.join("trust.toml")
    }
}

/// The top of the work tree that `cwd` is in: the nearest folder with a `.git`, else `cwd`.
pub fn project_root(cwd: &Path) -> PathBuf {
    cwd.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(cwd).to_owned()
}

/// Makes the folder and its missing parents, for this user alone (0700 whatever the umask). A
/// folder that is there already is narrowed to that.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let mode = std::fs::metadata(dir)?.permissions().mode();
        if mode & 0o777 != 0o700 {
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    std::fs::create_dir_all(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tern_home_holds_everything() {
        let get = |name: &str| match name {
            "TERN_HOME" => Some(OsString::from("/t")),
            "HOME" => Some(OsString::from("/home/me")),
            _ => None,
        };
        let dirs = Dirs::from_env(get).unwrap();
        assert_eq!(dirs, Dirs::under(Path::new("/t"), Path::new("/home/me")));
        assert_eq!(dirs.user_file(), Path::new("/t/config/config.toml"));
        assert_eq!(dirs.ledger(), Path::new("/t/data/ledger"));
        assert_eq!(dirs.trust(), Path::new("/t/state/trust.toml"));
    }

    #[test]
    fn an_empty_tern_home_counts_as_none() {
        let get = |name: &str| (name == "TERN_HOME").then(OsString::new);
        let dirs = Dirs::from_env(get).unwrap();
        assert!(dirs.config.ends_with("tern"), "{dirs:?}");
    }

    #[test]
    fn the_root_is_the_nearest_folder_with_a_git() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b/c");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(top.path().join("a/.git")).unwrap();
        assert_eq!(project_root(&deep), top.path().join("a"));
        // A work tree made by `git worktree` has a file there.
        std::fs::write(top.path().join("a/b/.git"), "gitdir: x").unwrap();
        assert_eq!(project_root(&deep), top.path().join("a/b"));
    }
}
