//! Paths as text: tidying, containment, and the ones that deserve a question.
//!
//! Nothing here looks at the file system; links are resolved in `facts`.

use std::path::{Component, Path, PathBuf};

/// Without `.`, doubled slashes and, as far as the text goes, `..`.
pub fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => out.push(component),
        }
    }
    out
}

/// A name as file systems that ignore case, and some that ignore more, would compare it.
pub fn fold(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            // HFS+ and others skip these in names.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {}
            '\u{feff}' | '\u{307}' | '\u{ad}' => {}
            'ı' => out.push('i'),
            'ſ' => out.push('s'),
            // Full-width forms of ASCII.
            '\u{ff01}'..='\u{ff5e}' => {
                let ascii = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
                out.extend(ascii.to_lowercase());
            }
            c => out.extend(c.to_lowercase().filter(|c| *c != '\u{307}')),
        }
    }
    let name = out.split(':').next().filter(|first| !first.is_empty()).unwrap_or(&out);
    let name = name.trim_end_matches(['.', ' ']);
    match name {
        "git~1" => ".git".to_owned(),
        "" => out,
        name => name.to_owned(),
    }
}

/// Folders whose contents decide what later runs, wherever they stand.
const FOLDERS: [&str; 19] = [
    ".git",
    ".vscode",
    ".idea",
    ".husky",
    ".cargo",
    ".devcontainer",
    ".yarn",
    ".mvn",
    ".claude",
    ".tern",
    ".ssh",
    ".gnupg",
    ".github",
    ".gitlab",
    ".circleci",
    ".buildkite",
    ".zed",
    ".lefthook",
    ".fleet",
];
/// Two names in a row.
const FOLDER_PAIRS: [(&str, &str); 9] = [
    (".config", "git"),
    (".config", "tern"),
    (".config", "autostart"),
    (".config", "systemd"),
    (".config", "fish"),
    (".config", "nvim"),
    (".local", "bin"),
    ("share", "tern"),
    ("state", "tern"),
];
const FILES: [&str; 78] = [
    ".gitconfig",
    ".gitmodules",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".inputrc",
    ".xprofile",
    ".xinitrc",
    ".xsessionrc",
    ".envrc",
    ".npmrc",
    ".pnpmfile.cjs",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnp.cjs",
    ".pnp.loader.mjs",
    "bunfig.toml",
    ".pypirc",
    "pip.conf",
    ".bazelrc",
    ".bazeliskrc",
    ".bazelversion",
    ".pre-commit-config.yaml",
    ".pre-commit-config.yml",
    "lefthook.yml",
    "lefthook.yaml",
    "lefthook.toml",
    "lefthook-local.yml",
    ".lefthook.yml",
    ".lefthook.yaml",
    "gradle-wrapper.properties",
    "maven-wrapper.properties",
    ".devcontainer.json",
    ".ripgreprc",
    "pyrightconfig.json",
    ".mcp.json",
    ".claude.json",
    ".vimrc",
    ".exrc",
    ".nvimrc",
    ".gvimrc",
    ".emacs",
    ".tmux.conf",
    ".screenrc",
    ".gdbinit",
    ".lldbinit",
    ".netrc",
    ".curlrc",
    ".wgetrc",
    ".mise.toml",
    "mise.toml",
    ".gitlab-ci.yml",
    ".travis.yml",
    "jenkinsfile",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    "appveyor.yml",
    ".hgrc",
    ".irbrc",
    ".pryrc",
    ".rprofile",
    ".pythonrc",
    ".sqliterc",
    ".psqlrc",
    ".pdbrc",
];

/// Why a write there is asked about even where edits are allowed; the end of "it is ..".
pub fn protected(path: &Path, own: &[PathBuf]) -> Option<String> {
    if let Some(folder) = own.iter().find(|folder| path.starts_with(folder)) {
        return Some(format!("inside tern's own folder {}", folder.display()));
    }
    let names: Vec<String> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(fold(&name.to_string_lossy())),
            _ => None,
        })
        .collect();
    for (at, name) in names.iter().enumerate() {
        let next = names.get(at + 1).map(String::as_str);
        if name == ".claude" && next == Some("worktrees") {
            continue;
        }
        if FOLDERS.contains(&name.as_str()) {
            return Some(format!("inside {name}, which decides what later runs"));
        }
        if FOLDER_PAIRS.iter().any(|pair| pair.0 == name && next == Some(pair.1)) {
            let next = next.unwrap_or_default();
            return Some(format!("inside {name}/{next}, which decides what later runs"));
        }
    }
    let last = names.last()?;
    FILES.contains(&last.as_str()).then(|| format!("{last}, which decides what later runs"))
}

/// Why removing this asks in every mode; the end of "it would remove ..".
pub fn critical(path: &Path, cwd: &Path, home: &Path) -> Option<String> {
    let path = tidy(path);
    let shown = path.display();
    if path.parent().is_none() {
        return Some("the root of the file system".to_owned());
    }
    if path.components().count() == 2 {
        return Some(format!("{shown}, a folder at the top of the file system"));
    }
    if path == tidy(home) {
        return Some("the home directory".to_owned());
    }
    if tidy(cwd) == path {
        return Some("the working directory".to_owned());
    }
    if tidy(cwd).starts_with(&path) {
        return Some(format!("{shown}, which holds the working directory"));
    }
    if tidy(home).starts_with(&path) {
        return Some(format!("{shown}, which holds the home directory"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidies() {
        for (path, expected) in [
            ("/a/./b//c/../d", "/a/b/d"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("//", "/"),
            ("/a/b/", "/a/b"),
        ] {
            assert_eq!(tidy(Path::new(path)), PathBuf::from(expected), "{path}");
        }
    }

    #[test]
    fn protects() {
        let own = [PathBuf::from("/h/.x/ternhome")];
        for path in [
            "/p/.git/config",
            "/p/.GIT/hooks/x",
            "/p/.g\u{131}t/config",
            "/p/.g\u{200c}it/config",
            "/p/GIT~1/config",
            "/p/.git::$INDEX_ALLOCATION/config",
            "/p/.git. /config",
            "/p/sub/.git/config",
            "/h/.config/git/config",
            "/h/.local/share/tern/x",
            "/p/.github/workflows/ci.yml",
            "/p/.envrc",
            "/p/.npmrc",
            "/p/Lefthook.YML",
            "/p/\u{ff0e}git/config",
            "/h/.x/ternhome/y",
            "/p/.claude/settings.json",
            "/p/.tern/config.toml",
            "/h/.ssh/authorized_keys",
            "/p/.claude/worktrees/a/.git",
        ] {
            assert!(protected(Path::new(path), &own).is_some(), "{path}");
        }
        for path in [
            "/p/git/config",
            "/p/src/main.rs",
            "/p/.gitignore",
            "/p/.claude/worktrees/a/b.rs",
            "/p/.config/x",
        ] {
            assert_eq!(protected(Path::new(path), &own), None, "{path}");
        }
    }

    #[test]
    fn critical_paths() {
        let (cwd, home) = (Path::new("/home/u/p"), Path::new("/home/u"));
        for path in [
            "/",
            "//",
            "/etc",
            "/bin/../",
            "/home",
            "/home/u",
            "/home/u/p",
            "/home/u/p/.",
            "/home/u/p/x/..",
        ] {
            assert!(critical(Path::new(path), cwd, home).is_some(), "{path}");
        }
        for path in ["/home/u/p/x", "/home/u/q", "/etc/x"] {
            assert_eq!(critical(Path::new(path), cwd, home), None, "{path}");
        }
    }
}
