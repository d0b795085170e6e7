//! One server as written in a file: a program to start or an address, and the limits on it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::process;
use crate::protocol::Source;

#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// As the person wrote it.
    pub name: String,
    pub source: Source,
    pub file: Option<PathBuf>,
    pub how: How,
    /// Hash of the entry to the letter, as [`written`] makes it.
    pub written: String,
    pub enabled: bool,
    /// Of one call, from its last sign of life.
    pub call_timeout: Duration,
    pub start_timeout: Duration,
}

#[derive(Clone, PartialEq)]
pub enum How {
    Stdio {
        command: String,
        args: Vec<String>,
        /// On top of the person's own environment without keys.
        env: BTreeMap<String, String>,
    },
    Http {
        url: String,
        headers: BTreeMap<String, String>,
    },
}

/// Environment and headers may hold keys, so only their names show.
impl std::fmt::Debug for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            How::Stdio { command, args, env } => f
                .debug_struct("Stdio")
                .field("command", command)
                .field("args", args)
                .field("env", &env.keys())
                .finish(),
            How::Http { url, headers } => {
                f.debug_struct("Http").field("url", url).field("headers", &headers.keys()).finish()
            }
        }
    }
}

/// The unit of `timeout`, which the two kinds of file differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// tern's own files.
    Seconds,
    /// `.mcp.json`, as Claude Code has it.
    Milliseconds,
}

const CALL: Duration = Duration::from_secs(600);
const START: Duration = Duration::from_secs(30);
/// Longest name; more does not fit in the name of a tool.
const LONGEST_NAME: usize = 64;

/// Where a definition was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub source: Source,
    pub file: Option<PathBuf>,
    pub unit: Unit,
}

impl Definition {
    /// Reads one entry. `vars` is the environment that `${NAME}` and `${NAME:-default}` stand for.
    ///
    /// Errors: a sentence without the server's name.
    pub fn read(
        name: &str,
        entry: &Value,
        found: &Found,
        vars: &BTreeMap<String, String>,
    ) -> Result<Definition, String> {
        if name.trim().is_empty() || name.len() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(format!("a server's name has 1 to {LONGEST_NAME} letters"));
        }
        let Some(object) = entry.as_object() else {
            return Err("it is not a table with command or url".to_owned());
        };
        const KNOWN: [&str; 10] = [
            "type",
            "command",
            "args",
            "env",
            "url",
            "headers",
            "enabled",
            "disabled",
            "timeout",
            "startup-timeout",
        ];
        // Another program's file may hold more than tern knows; its own may not.
        if found.unit == Unit::Seconds
            && let Some(unknown) = object.keys().find(|key| !KNOWN.contains(&key.as_str()))
        {
            return Err(format!("unknown key {unknown}; the keys are {}", KNOWN.join(", ")));
        }
        let expand = |text: &str| expand(text, vars, found.source);
        let how = match (object.get("command"), object.get("url")) {
            (Some(Value::String(command)), None) if !command.trim().is_empty() => How::Stdio {
                command: expand(command)?,
                args: texts(object.get("args"), "args")?
                    .iter()
                    .map(|arg| expand(arg))
                    .collect::<Result<_, _>>()?,
                env: pairs(object.get("env"), "env", &expand)?,
            },
            (None, Some(Value::String(url))) => {
                transport(object.get("type"))?;
                How::Http {
                    url: http(&expand(url)?)?,
                    headers: pairs(object.get("headers"), "headers", &expand)?,
                }
            }
            (Some(_), Some(_)) => return Err("it has both command and url".to_owned()),
            (None, None) => return Err("it has neither command nor url".to_owned()),
            _ => return Err("command and url are text".to_owned()),
        };
        let flag = |name: &str| object.get(name).and_then(Value::as_bool);
        Ok(Definition {
            name: name.to_owned(),
            source: found.source,
            file: found.file.clone(),
            how,
            written: written(&entry.to_string()),
            enabled: flag("enabled").unwrap_or(true) && !flag("disabled").unwrap_or(false),
            call_timeout: time(object.get("timeout"), found.unit)?.unwrap_or(CALL),
            start_timeout: time(object.get("startup-timeout"), found.unit)?.unwrap_or(START),
        })
    }

    /// Whether it came with the project folder.
    pub fn of_project(&self) -> bool {
        self.source.is_project()
    }

    /// SHA-256 (hex) over what is run or reached: command, arguments, names of the environment,
    /// address, names of headers. Values of the environment may be keys that change, so they do
    /// not count.
    pub fn fingerprint(&self) -> String {
        let parts: Vec<&str> = match &self.how {
            How::Stdio { command, args, env } => ["stdio", command]
                .into_iter()
                .chain(args.iter().map(String::as_str))
                .chain(["env"])
                .chain(env.keys().map(String::as_str))
                .collect(),
            How::Http { url, headers } => {
                ["http", url].into_iter().chain(headers.keys().map(String::as_str)).collect()
            }
        };
        hash(parts)
    }

    /// The command line or the address, for the person to read.
    pub fn shown(&self) -> String {
        match &self.how {
            How::Stdio { command, args, .. } => std::iter::once(command)
                .chain(args)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" "),
            How::Http { url, .. } => url.clone(),
        }
    }
}

/// What one entry of a file comes to, with every value in it, before variables stand for anything.
/// `entry` is its JSON on one line.
pub fn written(entry: &str) -> String {
    hash([entry])
}

/// SHA-256 (hex) over texts, each with its length, so that no two lists look alike.
pub(super) fn hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn transport(kind: Option<&Value>) -> Result<(), String> {
    match kind.and_then(Value::as_str) {
        None | Some("http" | "streamable-http" | "streamableHttp") => Ok(()),
        Some("sse") => {
            Err("the transport sse is out of date and not supported; ask its maker for http".into())
        }
        Some(other) => Err(format!("there is no transport {other:?}; it is stdio or http")),
    }
}

fn http(url: &str) -> Result<String, String> {
    match url::Url::parse(url) {
        Ok(parsed) if !matches!(parsed.scheme(), "http" | "https") => {
            Err(format!("its url has the scheme {:?}, not http or https", parsed.scheme()))
        }
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            Err("its url has a name or password in it; use headers".to_owned())
        }
        Ok(_) => Ok(url.to_owned()),
        Err(why) => Err(format!("its url is not one: {why}")),
    }
}

fn texts(list: Option<&Value>, name: &str) -> Result<Vec<String>, String> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let wrong = || format!("{name} is a list of texts");
    list.as_array()
        .ok_or_else(wrong)?
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect()
}

fn pairs(
    table: Option<&Value>,
    name: &str,
    expand: &impl Fn(&str) -> Result<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let Some(table) = table else { return Ok(BTreeMap::new()) };
    let wrong = || format!("{name} is a table of texts");
    let mut found = BTreeMap::new();
    for (key, value) in table.as_object().ok_or_else(wrong)? {
        if key.is_empty() || key.contains(['=', '\0', '\n']) {
            return Err(format!("{name} has a name that is none: {key:?}"));
        }
        let text = match value {
            Value::String(text) => expand(text)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(wrong()),
        };
        found.insert(key.clone(), text);
    }
    Ok(found)
}

fn time(value: Option<&Value>, unit: Unit) -> Result<Option<Duration>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = value.as_u64().filter(|number| *number > 0);
    let number = number.ok_or("timeout is a whole number above 0")?;
    let time = match unit {
        Unit::Seconds => Duration::from_secs(number),
        Unit::Milliseconds => Duration::from_millis(number),
    };
    Ok(Some(time.min(Duration::from_secs(86_400))))
}

/// `text` with `${NAME}` and `${NAME:-default}` replaced.
///
/// A file of the project does not get a model provider's key in this way: it could send it
/// anywhere.
fn expand(text: &str, vars: &BTreeMap<String, String>, source: Source) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(end) = from.find('}') else {
            out.push_str(from);
            return Ok(out);
        };
        let inner = &from[2..end];
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let foreign = source.is_project();
        if foreign && process::secret(OsStr::new(name)) {
            return Err(format!("a file of the project may not use ${{{name}}}: it holds a key"));
        }
        match (vars.get(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => out.push_str(value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => return Err(format!("the environment variable {name} is not set")),
        }
        rest = &from[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: &Value, source: Source) -> Result<Definition, String> {
        let unit = if source == Source::User { Unit::Seconds } else { Unit::Milliseconds };
        let found = Found { source, file: None, unit };
        let vars = [("HOME", "/h"), ("ANTHROPIC_API_KEY", "sk-1"), ("EMPTY", "")];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Definition::read("s", entry, &found, &vars)
    }

    #[test]
    fn entries_are_read_and_variables_replaced() {
        let entry = json!({
            "command": "${HOME}/bin/x", "args": ["${NONE:-a}b", "${EMPTY:-c}", "$HOME", "${open"],
            "env": {"A": "${HOME}", "N": 1}, "timeout": 1500
        });
        let read = read(&entry, Source::Project).unwrap();
        let How::Stdio { command, args, env } = read.how else { panic!("{read:?}") };
        assert_eq!(command, "/h/bin/x");
        assert_eq!(args, ["ab", "c", "$HOME", "${open"]);
        assert_eq!(env, [("A".into(), "/h".into()), ("N".into(), "1".into())].into());
        assert_eq!((read.call_timeout, read.start_timeout), (Duration::from_millis(1500), START));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (entry, told) in [
            (json!([]), "it is not a table with command or url"),
            (json!({}), "it has neither command nor url"),
            (json!({"command": "a", "url": "http://b"}), "it has both command and url"),
            (json!({"command": 1}), "command and url are text"),
            (json!({"command": "a", "args": "b"}), "args is a list of texts"),
            (json!({"command": "a", "env": {"A=": "b"}}), "env has a name that is none: \"A=\""),
            (json!({"command": "${NONE}"}), "the environment variable NONE is not set"),
            (json!({"url": "file:///x"}), "its url has the scheme \"file\", not http or https"),
            (json!({"url": "http://a:b@c"}), "its url has a name or password in it; use headers"),
            (
                json!({"url": "http://b", "type": "sse"}),
                "the transport sse is out of date and not supported; ask its maker for http",
            ),
            (json!({"command": "a", "timeout": 0}), "timeout is a whole number above 0"),
        ] {
            assert_eq!(read(&entry, Source::User).unwrap_err(), told, "{entry}");
        }
        let told = read(&json!({"command": "a", "comand": 1}), Source::User).unwrap_err();
        assert!(told.starts_with("unknown key comand"), "{told}");
        read(&json!({"command": "a", "later": 1}), Source::Project).unwrap();
    }

    #[test]
    fn a_project_does_not_get_a_providers_key() {
        let entry = json!({"url": "http://evil", "headers": {"K": "${ANTHROPIC_API_KEY}"}});
        assert!(read(&entry, Source::Project).unwrap_err().contains("it holds a key"));
        read(&entry, Source::User).unwrap();
    }

    #[test]
    fn the_fingerprint_is_of_what_runs() {
        let print = |entry: Value| read(&entry, Source::User).unwrap().fingerprint();
        let base = print(json!({"command": "a", "args": ["b"], "env": {"K": "1"}}));
        assert_eq!(print(json!({"command": "a", "args": ["b"], "env": {"K": "2"}})), base);
        for other in [
            json!({"command": "a", "args": ["c"], "env": {"K": "1"}}),
            json!({"command": "a b", "env": {"K": "1"}}),
            json!({"command": "a", "args": ["b"], "env": {"L": "1"}}),
            json!({"command": "a", "args": ["b", "env", "K"]}),
        ] {
            assert_ne!(print(other.clone()), base, "{other}");
        }
    }
}
