//! A settings file as written: a tree of values, each with the line it stands on. Knows TOML and
//! nothing of what a setting means.

use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub node: Node,
    /// 1-based.
    pub line: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text(String),
    Int(i64),
    Float(f64),
    Flag(bool),
    Date(toml::value::Datetime),
    List(Vec<Item>),
    /// In the order of the file. The line of an entry's item is that of its key.
    Table(Vec<(String, Item)>),
}

impl Node {
    /// What this is, as a person calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Text(_) => "text",
            Node::Int(_) => "a whole number",
            Node::Float(_) => "a number",
            Node::Flag(_) => "true or false",
            Node::Date(_) => "a date",
            Node::List(_) => "a list",
            Node::Table(_) => "a table",
        }
    }
}

/// The value without its places, for those who read it in their own way.
pub fn plain(node: &Node) -> toml::Value {
    match node {
        Node::Text(text) => text.as_str().into(),
        Node::Int(int) => (*int).into(),
        Node::Float(float) => (*float).into(),
        Node::Flag(flag) => (*flag).into(),
        Node::Date(date) => toml::Value::Datetime(*date),
        Node::List(items) => items.iter().map(|item| plain(&item.node)).collect::<Vec<_>>().into(),
        Node::Table(entries) => {
            let entries = entries.iter().map(|(key, item)| (key.clone(), plain(&item.node)));
            toml::Value::Table(entries.collect())
        }
    }
}

/// Why a file, or a part of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: Option<u32>,
    pub message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Fault {
        Fault { line: None, message: message.into() }
    }
}

/// A settings file larger than this is not one. Bytes.
const LARGEST: u64 = 1 << 20;

/// The text of a file; `None` where there is none. Never waits on a pipe or a device.
pub fn text(path: &Path) -> Result<Option<String>, Fault> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let unreadable = |why: std::io::Error| Fault::new(format!("cannot be read: {why}"));
    match std::fs::metadata(path) {
        Err(why) if matches!(why.kind(), NotFound | NotADirectory) => return Ok(None),
        Err(why) => return Err(unreadable(why)),
        Ok(facts) if !facts.is_file() => return Err(Fault::new("is not a file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new("is larger than 1 MiB"));
    }
    let start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    match std::str::from_utf8(&bytes[start..]) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(bad) => {
            let line =
                1 + bytes[..start + bad.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            Err(Fault { line: Some(line as u32), message: "is not UTF-8".into() })
        }
    }
}

/// Reads as much of a TOML text as makes sense; the rest is told by line. Values on a line with a
/// fault are left out, as what recovery made of them is a guess.
pub fn toml(text: &str) -> (Vec<(String, Item)>, Vec<Fault>) {
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| Fault {
            line: error.span().map(|span| lines.at(span.start)),
            message: crate::config::problem::one_line(error.message()),
        })
        .collect();
    // One slip can be reported many times over by recovery; the first report of a line says it.
    faults.dedup_by_key(|fault| fault.line);
    let bad: Vec<u32> = faults.iter().filter_map(|fault| fault.line).collect();
    (entries(root.get_ref(), &lines, &bad), faults)
}

fn entries(table: &DeTable<'_>, lines: &Lines, bad: &[u32]) -> Vec<(String, Item)> {
    let mut found: Vec<(usize, String, Item)> = table
        .iter()
        .filter_map(|(key, value)| {
            let line = lines.at(key.span().start);
            let node = node(value, lines, bad);
            let broken = bad.contains(&line) && !matches!(node, Node::Table(_));
            (!broken).then(|| (key.span().start, key.get_ref().to_string(), Item { node, line }))
        })
        .collect();
    found.sort_by_key(|(start, ..)| *start);
    found.into_iter().map(|(_, key, item)| (key, item)).collect()
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines, bad: &[u32]) -> Node {
    match value.get_ref() {
        DeValue::String(text) => Node::Text(text.to_string()),
        DeValue::Integer(int) => match i64::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => Node::Int(int),
            Err(_) => Node::Float(f64::INFINITY),
        },
        DeValue::Float(float) => Node::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Datetime(date) => Node::Date(*date),
        DeValue::Array(array) => Node::List(
            array
                .iter()
                .map(|item| Item {
                    node: node(item, lines, bad),
                    line: lines.at(item.span().start),
                })
                .filter(|item| !bad.contains(&item.line))
                .collect(),
        ),
        DeValue::Table(table) => Node::Table(entries(table, lines, bad)),
    }
}

/// Where lines begin, to turn a byte offset into a line number.
#[derive(Debug)]
pub struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// 1-based.
    pub fn at(&self, offset: usize) -> u32 {
        1 + self.0.partition_point(|start| *start <= offset) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> (Vec<String>, Vec<Option<u32>>) {
        fn walk(prefix: &str, entries: &[(String, Item)], out: &mut Vec<String>) {
            for (key, item) in entries {
                match &item.node {
                    Node::Table(inner) => walk(&format!("{prefix}{key}."), inner, out),
                    node => out.push(format!("{prefix}{key}@{} {}", item.line, node.kind())),
                }
            }
        }
        let (entries, faults) = toml(text);
        let mut out = Vec::new();
        walk("", &entries, &mut out);
        (out, faults.into_iter().map(|fault| fault.line).collect())
    }

    #[test]
    fn every_value_has_its_line_and_a_bad_line_leaves_the_rest() {
        for (text, values, faults) in [
            ("", vec![], vec![]),
            ("a = 1\n\n[b]\nc = \"x\"", vec!["a@1 a whole number", "b.c@4 text"], vec![]),
            ("[b]\nc = tru\nd = true", vec!["b.d@3 true or false"], vec![Some(2)]),
            ("a = \nb = 2", vec!["b@2 a whole number"], vec![Some(1)]),
            (
                "a = 1\na = 2\nb = 3",
                vec!["a@1 a whole number", "b@3 a whole number"],
                vec![Some(2)],
            ),
            ("a = \"open\nb = 2", vec!["b@2 a whole number"], vec![Some(1)]),
            // What stands under a broken header could belong anywhere.
            (
                "a = 1\n[x\nb = 2\n[y]\nc = 3",
                vec!["a@1 a whole number", "y.c@5 a whole number"],
                vec![Some(2)],
            ),
            ("d = 1979-05-27", vec!["d@1 a date"], vec![]),
            ("big = 99999999999999999999", vec!["big@1 a number"], vec![]),
        ] {
            let (got, got_faults) = flat(text);
            assert_eq!(
                (got.iter().map(String::as_str).collect(), got_faults),
                (values, faults),
                "{text:?}"
            );
        }
    }

    #[test]
    fn items_of_a_list_have_their_own_lines() {
        let (entries, _) = toml("allow = [\n  \"A\",\n  \"B\",\n]");
        let Node::List(items) = &entries[0].1.node else { panic!("{entries:?}") };
        assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn what_is_no_text_file_is_said_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        assert_eq!(text(&file), Ok(None));
        assert_eq!(text(dir.path()), Err(Fault::new("is not a file")));
        std::fs::write(&file, b"a = 1\nb = \"\xff\"").unwrap();
        assert_eq!(text(&file), Err(Fault { line: Some(2), message: "is not UTF-8".into() }));
        std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).unwrap();
        assert_eq!(text(&file), Err(Fault::new("is larger than 1 MiB")));
        std::fs::write(&file, b"\xef\xbb\xbfa = 1").unwrap();
        assert_eq!(text(&file), Ok(Some("a = 1".into())));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]a-c=.\"'\\n{}#, 0-9]{0,80}") {
            let _ = toml(&text);
        }
    }
}
