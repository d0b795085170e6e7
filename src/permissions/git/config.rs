//! git's configuration format (git-config(1), "Syntax"), read only far enough to list its keys.

use std::path::Path;

use super::small_text;

/// One `section.subsection.key` with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Lower case.
    pub section: String,
    /// As written; empty: none.
    pub subsection: String,
    /// Lower case.
    pub key: String,
    pub value: String,
}

const DEEPEST_INCLUDE: usize = 5;

/// Whose configuration it is. That of a submodule says where its files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Repository,
    Submodule,
}

/// `Err`: what in this file or one that it includes may run or lead elsewhere.
pub(super) fn examine(path: &Path, of: Of) -> Result<(), String> {
    file(path, of, 0)
}

fn file(path: &Path, of: Of, depth: usize) -> Result<(), String> {
    if depth > DEEPEST_INCLUDE {
        return Err("the configuration includes itself too deeply".to_owned());
    }
    if depth > 0 && !path.exists() {
        return Ok(());
    }
    for entry in entries(&small_text(path)?)? {
        if entry.section == "include" || entry.section == "includeif" {
            if entry.key == "path" {
                if entry.value.starts_with('~') {
                    return Err(
                        "the configuration includes a file of the home directory".to_owned()
                    );
                }
                let folder = path.parent().unwrap_or(Path::new("/"));
                file(&folder.join(&entry.value), of, depth + 1)?;
            }
        } else if !is_harmless(&entry, of) {
            let dot = if entry.subsection.is_empty() { "" } else { "." };
            return Err(format!(
                "its configuration sets {}{dot}{}.{}",
                entry.section, entry.subsection, entry.key
            ));
        }
    }
    Ok(())
}

/// Keys of `core` that name a program, a hook folder, or another tree.
const CORE: [&str; 11] = [
    "fsmonitor",
    "hookspath",
    "sshcommand",
    "gitproxy",
    "editor",
    "pager",
    "askpass",
    "alternaterefscommand",
    "virtualfilesystem",
    "sharedindex",
    "fsmonitorhookversion",
];
/// Sections in which no key makes a reading command run something.
const SECTIONS: [&str; 43] = [
    "add",
    "advice",
    "alias",
    "am",
    "apply",
    "blame",
    "branch",
    "checkout",
    "clean",
    "clone",
    "color",
    "column",
    "commit",
    "commitgraph",
    "feature",
    "fetch",
    "format",
    "gc",
    "grep",
    "gui",
    "help",
    "index",
    "init",
    "lfs",
    "log",
    "mailmap",
    "maintenance",
    "merge",
    "notes",
    "pack",
    "pull",
    "push",
    "rebase",
    "receive",
    "rerere",
    "safe",
    "sequence",
    "showbranch",
    "stash",
    "status",
    "tag",
    "user",
    "vscode-merge-base",
];

fn is_harmless(entry: &Entry, of: Of) -> bool {
    let key = entry.key.as_str();
    match entry.section.as_str() {
        "core" if key == "worktree" => of == Of::Submodule,
        "core" => !CORE.contains(&key) || (key == "fsmonitor" && is_boolean(&entry.value)),
        "remote" => {
            !matches!(
                key,
                "uploadpack" | "receivepack" | "vcs" | "proxy" | "promisor" | "partialclonefilter"
            ) && !entry.value.contains("::")
        }
        "submodule" => key != "update" || !entry.value.trim_start().starts_with('!'),
        "diff" => {
            (entry.subsection.is_empty() && key != "external")
                || matches!(
                    key,
                    "xfuncname"
                        | "funcname"
                        | "binary"
                        | "wordregex"
                        | "cachetextconv"
                        | "algorithm"
                )
        }
        "merge" => key != "driver",
        "mergetool" | "difftool" => true,
        "filter" => is_lfs(entry),
        "extensions" => match key {
            "worktreeconfig" | "relativeworktrees" | "noop" | "preciousobjects" | "refstorage" => {
                true
            }
            "objectformat" => entry.value == "sha1",
            _ => false,
        },
        "http" | "url" | "github" | "hub" | "gitlab" | "pr" | "issue" => true,
        "gui" | "sequence" => key != "editor",
        section => SECTIONS.contains(&section),
    }
}

fn is_boolean(value: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off", "1", "0", ""]
        .contains(&value.to_ascii_lowercase().as_str())
}

/// What `git lfs install --local` writes, and nothing else.
fn is_lfs(entry: &Entry) -> bool {
    entry.subsection == "lfs"
        && matches!(
            (entry.key.as_str(), entry.value.as_str()),
            ("clean", "git-lfs clean -- %f")
                | ("smudge", "git-lfs smudge -- %f" | "git-lfs smudge --skip -- %f")
                | ("process", "git-lfs filter-process" | "git-lfs filter-process --skip")
                | ("required", "true")
        )
}

/// `Err`: the text is not in the format.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let mut section: Option<(String, String)> = None;
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    while let Some(line) = lines.next() {
        let mut rest = line.trim_start();
        while let Some(header) = rest.strip_prefix('[') {
            let (name, after) = section_header(header)?;
            section = Some(name);
            rest = after.trim_start();
        }
        if rest.is_empty() || rest.starts_with(['#', ';']) {
            continue;
        }
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (section, subsection) = section.clone().ok_or_else(unreadable)?;
        if key.is_empty() {
            return Err(unreadable());
        }
        let value = match after.trim_start().strip_prefix('=') {
            Some(value) => {
                let mut value = value.trim_start().to_owned();
                while continues(&value) {
                    value.pop();
                    value.push_str(lines.next().ok_or_else(unreadable)?);
                }
                plain_value(&value)?
            }
            None if after.trim_start().is_empty() || after.trim_start().starts_with(['#', ';']) => {
                String::new()
            }
            None => return Err(unreadable()),
        };
        found.push(Entry { section, subsection, key: key.to_ascii_lowercase(), value });
    }
    Ok(found)
}

fn unreadable() -> String {
    "its configuration cannot be read".to_owned()
}

/// An odd number of backslashes at the end.
fn continues(value: &str) -> bool {
    value.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// `name]`, `name "sub"]` or `name.sub]`, and what follows.
fn section_header(text: &str) -> Result<((String, String), &str), String> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')))
        .ok_or_else(unreadable)?;
    let (name, after) = text.split_at(end);
    let name = name.to_ascii_lowercase();
    let after = after.trim_start();
    if let Some(after) = after.strip_prefix(']') {
        let (section, subsection) = name.split_once('.').unwrap_or((&name, ""));
        return Ok(((section.to_owned(), subsection.to_owned()), after));
    }
    let quoted = after.strip_prefix('"').ok_or_else(unreadable)?;
    let mut subsection = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => subsection.extend(chars.next().map(|(_, c)| c)),
            '"' => {
                let after = quoted.get(at + 1..).and_then(|rest| rest.strip_prefix(']'));
                return Ok(((name, subsection), after.ok_or_else(unreadable)?));
            }
            c => subsection.push(c),
        }
    }
    Err(unreadable())
}

/// Without quotes, escapes and a comment at the end.
fn plain_value(text: &str) -> Result<String, String> {
    let mut value = String::new();
    let mut kept = 0usize;
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                kept = value.len();
            }
            '#' | ';' if !quoted => break,
            '\\' => {
                match chars.next() {
                    Some('n') => value.push('\n'),
                    Some('t') => value.push('\t'),
                    Some('b') => value.push('\u{8}'),
                    Some(c @ ('\\' | '"')) => value.push(c),
                    _ => return Err(unreadable()),
                }
                kept = value.len();
            }
            c => {
                value.push(c);
                if quoted || !c.is_whitespace() {
                    kept = value.len();
                }
            }
        }
    }
    if quoted {
        return Err(unreadable());
    }
    value.truncate(kept);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_format() {
        let text = "[core]\n\tbare = false ; x\n[remote \"o\\\"x\"] url = \"a # b\" # c\n  fetch\n[diff.x]\ntextconv=a \\\n b\n";
        let entry = |section: &str, subsection: &str, key: &str, value: &str| Entry {
            section: section.into(),
            subsection: subsection.into(),
            key: key.into(),
            value: value.into(),
        };
        assert_eq!(
            entries(text),
            Ok(vec![
                entry("core", "", "bare", "false"),
                entry("remote", "o\"x", "url", "a # b"),
                entry("remote", "o\"x", "fetch", ""),
                entry("diff", "x", "textconv", "a  b"),
            ])
        );
        for text in
            ["[core", "x = 1", "[core]\nx y", "[a]\nb = \"c", "[a]\nb = \\q", "[a \"b]\nc=d"]
        {
            assert!(entries(text).is_err(), "{text}");
        }
    }
}
