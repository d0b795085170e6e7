//! The layers of the crate, held by a text scan, since the compiler does not look inside one
//! crate. A module names only modules of a strictly lower layer, and a few may name even less.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says so"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every module in its layer, lowest first. A module that is not here is an error.
const LAYERS: &[&[&str]] = &[
    &["protocol", "text"],
    &["models"],
    &["config", "permissions", "trust", "cost", "diff", "highlight", "process", "net"],
    &["session", "context", "api", "mcp", "hooks", "extend"],
    &["tools"],
    &["app", "agent"],
    &["view"],
    &["terminal", "headless", "acp"],
    &["cli"],
];

/// Modules that may name only these, whatever their layer allows.
const NARROW: &[(&str, &[&str])] = &[
    ("app", &["protocol", "text", "models", "diff", "config", "permissions"]),
    ("view", &["app", "text", "diff", "highlight", "protocol"]),
];

/// What pure modules may not touch: the clock, the disk, other processes, async.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::process",
    "Instant::now",
    "SystemTime",
    "std::env",
    "Timestamp::now",
];

#[test]
fn modules_name_only_lower_layers() {
    let layers = layers();
    let mut wrong = Vec::new();
    for (module, file, code) in sources() {
        let Some(own) = layers.get(module.as_str()) else {
            wrong.push(format!("{}: module {module} has no layer", file.display()));
            continue;
        };
        for named in named_modules(&code) {
            match layers.get(named.as_str()) {
                _ if named == module => {}
                None => wrong.push(format!("{}: names unknown {named}", file.display())),
                Some(layer) if layer >= own => wrong.push(format!(
                    "{}: {module} (layer {own}) names {named} (layer {layer})",
                    file.display()
                )),
                Some(_) => {}
            }
            let narrow = NARROW.iter().find(|(name, _)| *name == module);
            if let Some((_, allowed)) = narrow
                && named != module
                && !allowed.contains(&named.as_str())
            {
                wrong.push(format!("{}: {module} may not name {named}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_screens_two_pure_halves_are_pure() {
    let mut wrong = Vec::new();
    for (module, file, code) in sources() {
        if module == "app" || module == "view" {
            wrong.extend(
                IMPURE
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{}: uses {word}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_drivers_print_and_only_text_sets_symbols() {
    let mut wrong = Vec::new();
    for (module, file, code) in sources() {
        let prints = ["print!(", "println!(", "eprint!(", "eprintln!("]
            .iter()
            .any(|word| code.contains(word));
        if prints && !["headless", "cli"].contains(&module.as_str()) {
            wrong.push(format!("{}: prints", file.display()));
        }
        if code.contains(".set_symbol(") && module != "text" {
            wrong.push(format!("{}: sets a cell's symbol", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_a_god_file() {
    let mut wrong = Vec::new();
    for (_, file, _) in sources() {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        if lines > 600 {
            wrong.push(format!("{}: {lines} lines; look for the second noun", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_scan_sees_every_form_of_use() {
    let code = "use crate::api::X;\nuse crate::{config, cost::Y, session::{a, b}};\nfn f() { crate::text::w(); }";
    let want = ["api", "config", "cost", "session", "text"].map(str::to_owned);
    assert_eq!(named_modules(code), BTreeSet::from(want));
    let tested = "use crate::api::X;\n#[cfg(test)]\nmod tests {\n    use crate::cli::Z;\n}\n";
    assert_eq!(named_modules(&without_tests(tested)), BTreeSet::from(["api".to_owned()]));
}

fn layers() -> BTreeMap<&'static str, u8> {
    LAYERS
        .iter()
        .zip(0..)
        .flat_map(|(modules, layer)| modules.iter().map(move |module| (*module, layer)))
        .collect()
}

/// Top module, path and code (comments and tests taken out) of every file below `src`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    assert!(files.len() > 40, "the scan finds the sources");
    files
        .into_iter()
        .filter_map(|file| {
            let inner = file.strip_prefix(&root).ok()?;
            let first = inner.components().next()?.as_os_str().to_str()?.to_owned();
            if first == "main.rs" || first == "lib.rs" {
                return None;
            }
            let module = first.trim_end_matches(".rs").to_owned();
            let code = std::fs::read_to_string(&file).unwrap();
            Some((module, file, without_comments(&without_tests(&code))))
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // A folder of that name holds unit tests that are too long for their file.
            if path.file_name().is_none_or(|name| name != "tests") {
                walk(&path, files);
            }
        } else if path.extension().is_some_and(|ext| ext == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            files.push(path);
        }
    }
}

/// The code up to the test module, which by the house's custom stands last in its file.
fn without_tests(code: &str) -> String {
    let end =
        code.find("#[cfg(test)]\nmod ").or_else(|| code.find("#[cfg(test)]\npub(crate) mod "));
    code[..end.unwrap_or(code.len())].to_owned()
}

fn without_comments(code: &str) -> String {
    code.lines()
        .map(|line| match line.trim_start() {
            comment if comment.starts_with("//") => "",
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Modules of this crate that the code names: `crate::x` and `crate::{x, y::..}`.
fn named_modules(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            named.extend(top_names(group));
        } else {
            named.extend(word(rest));
        }
    }
    named
}

/// The first words of a `{a, b::{c, d}, e::f}` list, after its opening brace.
fn top_names(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            names.extend(word(group[start..at].trim_start()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let word = &text[..end];
    // Types and macros at the crate's root are no modules.
    (!word.is_empty() && word.starts_with(char::is_lowercase)).then(|| word.to_owned())
}
