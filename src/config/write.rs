//! Changes to a settings file that leave the rest of it as it is: comments, order, blank lines.
//! The new text replaces the file whole, in one step, readable by this user alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table};

use crate::config::file::{self, Lines};
use crate::config::table::{self, Found, Setting};
use crate::config::value::{self, Kind, Value};
use crate::config::{ConfigError, Problem};
use crate::protocol::Source;

/// Sets one setting of a file. `text` is TOML or, for a setting that is text, the bare text. For a
/// list that adds up, text that is no TOML list is appended.
///
/// Errors: an unknown name, a value that is not of its kind, a file that is no TOML.
pub fn set(path: &Path, name: &str, text: &str) -> Result<(), ConfigError> {
    let (names, setting) = resolve(name)?;
    match parse(setting, &names, text)? {
        Parsed::One(value) => edit(path, |document| {
            put(document.as_table_mut(), &names, Item::Value(value::toml_value(&value)))
        }),
        Parsed::Append(text) => append(path, name, &text).map(drop),
        Parsed::List(texts) => edit(path, |document| {
            let array: Array = texts.iter().map(String::as_str).collect();
            put(document.as_table_mut(), &names, Item::Value(array.into()))
        }),
    }
}

/// Takes one setting out of a file, so that a lower layer's or the default counts.
pub fn unset(path: &Path, name: &str) -> Result<(), ConfigError> {
    let (names, _) = resolve(name)?;
    edit(path, |document| {
        *entry(document.as_table_mut(), &names)? = Item::None;
        Ok(())
    })
}

/// Appends one text to a list, `permissions.allow` for instance. `false`: it was there already.
pub fn append(path: &Path, name: &str, text: &str) -> Result<bool, ConfigError> {
    let (names, setting) = resolve(name)?;
    if setting.kind != Kind::Adds {
        return Err(complaint(format!("{name} is not a list that rules are added to")));
    }
    let mut added = false;
    edit(path, |document| {
        let item = entry(document.as_table_mut(), &names)?;
        if item.is_none() {
            *item = Item::Value(Array::new().into());
        }
        let array = item.as_array_mut().ok_or_else(|| not_a(&names, "list"))?;
        if !array.iter().any(|old| old.as_str() == Some(text)) {
            push(array, text);
            added = true;
        }
        Ok(())
    })?;
    Ok(added)
}

/// Puts `new` in the place of a text of a list, or takes it out.
pub fn change(path: &Path, name: &str, old: &str, new: Option<&str>) -> Result<(), ConfigError> {
    let (names, _) = resolve(name)?;
    edit(path, |document| {
        let item = entry(document.as_table_mut(), &names)?;
        let array = item.as_array_mut().ok_or_else(|| not_a(&names, "list"))?;
        let at = array.iter().position(|text| text.as_str() == Some(old));
        let at = at.ok_or_else(|| complaint(format!("{old} does not stand in {name} any more")))?;
        match new {
            Some(new) => drop(array.replace(at, new)),
            None => drop(array.remove(at)),
        }
        Ok(())
    })
}

/// Puts a whole table in place, given as JSON; what stood there goes.
pub fn put_table(
    path: &Path,
    names: &[&str],
    value: &serde_json::Value,
) -> Result<(), ConfigError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let text = toml_edit::ser::to_string(value).map_err(|error| {
        complaint(format!("{} cannot be written: {error}", table::dotted(&names)))
    })?;
    let document: DocumentMut = text.parse().map_err(|error| {
        complaint(format!("{} cannot be written: {error}", table::dotted(&names)))
    })?;
    edit(path, |file| {
        *entry(file.as_table_mut(), &names)? = Item::Table(document.as_table().clone());
        Ok(())
    })
}

/// Takes a setting or a whole table out. `false`: it was not there.
pub fn take(path: &Path, names: &[&str]) -> Result<bool, ConfigError> {
    let Some((last, parents)) = names.split_last() else { return Ok(false) };
    let mut taken = false;
    edit(path, |file| {
        let mut at: Option<&mut dyn toml_edit::TableLike> = Some(file.as_table_mut());
        for parent in parents {
            at = at.and_then(|table| table.get_mut(parent)).and_then(Item::as_table_like_mut);
        }
        taken = at.and_then(|table| table.remove(last)).is_some();
        Ok(())
    })?;
    Ok(taken)
}

/// Writes a whole file in one step: the text goes to a new file beside it (0600), which then takes
/// its name. A link is followed, so that it stays a link.
pub fn replace(path: &Path, text: &str) -> Result<(), ConfigError> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |why| ConfigError::Write { file: target.clone(), why };
    let folder = target.parent().unwrap_or(Path::new("."));
    make_folder(folder).map_err(failed)?;
    // Temporary files are made with 0600, whatever the umask.
    let mut file = tempfile::Builder::new().prefix(".tern-").tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A missing folder is made for this user alone; one that is there may be a project's, and stays.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() { Ok(()) } else { crate::config::dirs::private_dir(folder) }
}

enum Parsed {
    One(Value),
    List(Vec<String>),
    Append(String),
}

fn parse(setting: &Setting, names: &[String], text: &str) -> Result<Parsed, ConfigError> {
    let as_toml = |text: &str| {
        let (mut entries, faults) = file::toml(&format!("value = {text}"));
        (faults.is_empty() && entries.len() == 1).then(|| entries.remove(0).1)
    };
    let bare = || file::Item { node: file::Node::Text(text.to_owned()), line: 1 };
    let written = as_toml(text);
    let item = match (setting.kind, written) {
        (Kind::Adds, Some(file::Item { node: file::Node::Text(text), .. })) => {
            return Ok(Parsed::Append(text));
        }
        (Kind::Adds, None) => return Ok(Parsed::Append(text.to_owned())),
        // A model called `1` or a theme called `true` is still text.
        (Kind::Text | Kind::Secret | Kind::Url | Kind::Choice(_) | Kind::Mode, Some(item)) => {
            if matches!(item.node, file::Node::Text(_)) { item } else { bare() }
        }
        (_, Some(item)) => item,
        (_, None) => bare(),
    };
    let mut complaints = Vec::new();
    let values = value::check(setting.kind, &table::dotted(names), &item, &mut complaints);
    if let Some(first) = complaints.into_iter().next() {
        return Err(Problem { hint: first.hint, ..plain_problem(first.message) }.into());
    }
    if setting.kind == Kind::Adds {
        let texts = values.into_iter().filter_map(|(value, _)| match value {
            Value::Text(text) => Some(text),
            _ => None,
        });
        return Ok(Parsed::List(texts.collect()));
    }
    match values.into_iter().next() {
        Some((value, _)) => Ok(Parsed::One(value)),
        None => Err(complaint(format!("{} cannot be empty", table::dotted(names)))),
    }
}

/// The setting that a dotted name means; names in it that have dots stand in quotes.
pub fn resolve(name: &str) -> Result<(Vec<String>, &'static Setting), ConfigError> {
    let names: Vec<String> = toml_edit::Key::parse(name)
        .map(|keys| keys.iter().map(|key| key.get().to_owned()).collect())
        .unwrap_or_else(|_| name.split('.').map(str::to_owned).collect());
    match table::find(&names) {
        Found::Setting(setting) => Ok((names, setting)),
        Found::Table => Err(complaint(format!("{name} is a table; name one setting of it"))),
        Found::Unknown => {
            let hint = match table::suggest(&names) {
                Some(near) => format!("did you mean {near}?"),
                None => "`tern config show` lists all".to_owned(),
            };
            let problem = plain_problem(format!("unknown setting {}", table::dotted(&names)));
            Err(Problem { hint: Some(hint), ..problem }.into())
        }
    }
}

fn edit(
    path: &Path,
    change: impl FnOnce(&mut DocumentMut) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let old = file::text(path).map_err(|fault| in_file(path, fault.line, fault.message))?;
    let old = old.unwrap_or_default();
    let mut document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| {
        let line = error.span().map(|span| Lines::of(&old).at(span.start));
        in_file(path, line, crate::config::problem::one_line(error.message()))
    })?;
    // Comments of a file that has no setting yet are kept above the first one.
    let mut head = String::new();
    if document.is_empty() {
        head = std::mem::take(&mut document).to_string();
        if !head.is_empty() && !head.ends_with('\n') {
            head.push('\n');
        }
    }
    change(&mut document)?;
    let new = head + &document.to_string();
    if new == old { Ok(()) } else { replace(path, &new) }
}

/// The place for a value, with the tables above it made where they are missing.
fn entry<'a>(table: &'a mut Table, names: &[String]) -> Result<&'a mut Item, ConfigError> {
    let Some((last, parents)) = names.split_last() else { return Err(not_a(names, "setting")) };
    let mut at: &mut dyn toml_edit::TableLike = table;
    for parent in parents {
        at = at
            .entry(parent)
            .or_insert_with(|| {
                let mut made = Table::new();
                // No header of its own for a table that only holds tables.
                made.set_implicit(true);
                Item::Table(made)
            })
            .as_table_like_mut()
            .ok_or_else(|| not_a(parents, "table"))?;
    }
    Ok(at.entry(last).or_insert(Item::None))
}

fn put(table: &mut Table, names: &[String], mut new: Item) -> Result<(), ConfigError> {
    let old = entry(table, names)?;
    if old.is_table() {
        return Err(not_a(names, "value"));
    }
    // A comment behind the value stays.
    if let (Some(old), Some(new)) = (old.as_value(), new.as_value_mut()) {
        *new.decor_mut() = old.decor().clone();
    }
    *old = new;
    Ok(())
}

/// Appends in the style of the list: one line each where its last element has its own line.
fn push(array: &mut Array, text: &str) {
    let lead = array.iter().last().and_then(|last| last.decor().prefix()?.as_str());
    let lead = lead.filter(|lead| lead.contains('\n')).map(|lead| {
        // A comment above the last element is about that one.
        format!("\n{}", lead.rsplit('\n').next().unwrap_or_default())
    });
    match lead {
        Some(lead) => {
            let mut value = toml_edit::Value::from(text);
            value.decor_mut().set_prefix(lead);
            array.push_formatted(value);
        }
        None => array.push(text),
    }
}

fn not_a(names: &[String], what: &str) -> ConfigError {
    complaint(format!("{} is not a {what} in this file", table::dotted(names)))
}

fn complaint(message: String) -> ConfigError {
    plain_problem(message).into()
}

fn plain_problem(message: String) -> Problem {
    Problem { source: Source::User, file: None, line: None, message, hint: None }
}

fn in_file(path: &Path, line: Option<u32>, message: String) -> ConfigError {
    let file: Option<PathBuf> = Some(path.to_owned());
    let hint = Some("mend the file first; nothing was changed".to_owned());
    Problem { file, line, hint, ..plain_problem(message) }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the file becomes, or the error.
    fn after(before: &str, change: impl FnOnce(&Path) -> Result<(), ConfigError>) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        if !before.is_empty() {
            std::fs::write(&path, before).unwrap();
        }
        match change(&path) {
            Ok(()) => std::fs::read_to_string(&path).unwrap(),
            Err(error) => {
                assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), before);
                error.to_string()
            }
        }
    }

    #[test]
    fn one_setting_changes_and_nothing_else() {
        for (before, name, text, expected) in [
            ("", "model", "openai/x", "model = \"openai/x\"\n"),
            ("# empty", "model", "x", "# empty\nmodel = \"x\"\n"),
            ("# mine\nmodel = \"a\" # old\n", "model", "b", "# mine\nmodel = \"b\" # old\n"),
            ("[ui]\nmouse = true\n", "ui.mouse", "false", "[ui]\nmouse = false\n"),
            (
                "[ui] # looks\n\n# wheel\nmouse = true\n",
                "ui.ascii",
                "true",
                "[ui] # looks\n\n# wheel\nmouse = true\nascii = true\n",
            ),
            (
                "",
                "providers.\"my.work\".base-url",
                "http://h",
                "[providers.\"my.work\"]\nbase-url = \"http://h\"\n",
            ),
            ("", "budget.day-usd", "2.5", "[budget]\nday-usd = 2.5\n"),
            ("", "compact.at", "0.5", "[compact]\nat = 0.5\n"),
            ("", "model", "5", "model = \"5\"\n"),
            ("", "keys.quit", "[\"ctrl+q\", \"f10\"]", "[keys]\nquit = [\"ctrl+q\", \"f10\"]\n"),
            ("ui = { mouse = true }\n", "ui.mouse", "false", "ui = { mouse = false }\n"),
            (
                "permissions.allow = [\"A\"]\n",
                "permissions.allow",
                "B",
                "permissions.allow = [\"A\", \"B\"]\n",
            ),
            ("", "permissions.deny", "[\"A\", \"B\"]", "[permissions]\ndeny = [\"A\", \"B\"]\n"),
        ] {
            assert_eq!(after(before, |path| set(path, name, text)), expected, "{name} = {text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_and_the_file_stays() {
        for (before, name, text, error) in [
            ("", "ui.tehme", "x", "unknown setting ui.tehme; did you mean ui.theme?"),
            ("", "ui", "x", "ui is a table; name one setting of it"),
            ("", "ui.mouse", "yes", "ui.mouse is true or false, not text; write it without quotes"),
            (
                "a = \n",
                "ui.mouse",
                "true",
                "config.toml line 1: string values must be quoted, expected literal string; mend the file first; nothing was changed",
            ),
            ("ui = 1\n", "ui.mouse", "true", "ui is not a table in this file"),
            ("", "telemetry.x", "1", "telemetry.x is not used by this version of tern"),
        ] {
            assert_eq!(after(before, |path| set(path, name, text)), error, "{name} = {text}");
        }
    }

    #[test]
    fn a_table_is_put_and_taken_again() {
        let entry = serde_json::json!({"command": "a", "args": ["b"], "env": {"K": "v"}});
        let put = |path: &Path| put_table(path, &["mcp", "servers", "my s"], &entry);
        let with = "# mine\nmodel = \"x\"\n\n[mcp.servers.\"my s\"]\ncommand = \"a\"\nargs = [\"b\"]\nenv = { K = \"v\" }\n";
        assert_eq!(after("# mine\nmodel = \"x\"\n", put), with);
        let take =
            |path: &Path| take(path, &["mcp", "servers", "my s"]).map(|taken| assert!(taken));
        assert_eq!(after(with, take), "# mine\nmodel = \"x\"\n");
    }

    #[test]
    fn a_rule_is_appended_once_in_the_style_of_the_list() {
        let rule = |path: &Path| append(path, "permissions.allow", "Bash(x *)").map(drop);
        for (before, expected) in [
            ("", "[permissions]\nallow = [\"Bash(x *)\"]\n"),
            (
                "[permissions]\nallow = [\n  # first\n  \"A\",\n]\n",
                "[permissions]\nallow = [\n  # first\n  \"A\",\n  \"Bash(x *)\",\n]\n",
            ),
            (
                "[permissions]\nallow = [\"Bash(x *)\"]\n",
                "[permissions]\nallow = [\"Bash(x *)\"]\n",
            ),
            ("[permissions]\nallow = \"A\"\n", "permissions.allow is not a list in this file"),
        ] {
            assert_eq!(after(before, rule), expected);
        }
        assert_eq!(
            after("", |path| append(path, "model", "x").map(drop)),
            "model is not a list that rules are added to"
        );
    }

    #[test]
    fn a_rule_is_changed_and_taken_out_where_it_stands() {
        let list = "[permissions]\ndeny = [\n  # first\n  \"A\",\n  \"B\", # second\n]\n";
        for (old, new, expected) in [
            (
                "B",
                Some("C"),
                "[permissions]\ndeny = [\n  # first\n  \"A\",\n  \"C\", # second\n]\n",
            ),
            ("A", None, "[permissions]\ndeny = [\n  \"B\", # second\n]\n"),
            ("X", None, "X does not stand in permissions.deny any more"),
        ] {
            let changed = after(list, |path| change(path, "permissions.deny", old, new));
            assert_eq!(changed, expected, "{old}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("dotfiles.toml");
        let link = dir.path().join("config.toml");
        std::fs::write(&real, "# kept\n").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set(&link, "model", "x/y").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "# kept\nmodel = \"x/y\"\n");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
