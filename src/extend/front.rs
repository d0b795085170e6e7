//! The front matter of a Markdown file: the YAML between two lines of `---`.

use serde_json::{Map, Value};

/// A file taken apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    pub fields: Map<String, Value>,
    pub body: String,
    /// What is wrong with the front matter; a sentence without its subject.
    pub problem: Option<String>,
}

/// Front matter longer than this is not one. Bytes.
const LONGEST: usize = 32 * 1024;

pub fn split(text: &str) -> Parts {
    let text = text.trim_start_matches('\u{feff}');
    let whole = || Parts { body: text.trim().to_owned(), ..Parts::default() };
    let Some(rest) = text.strip_prefix("---").and_then(after_line_end) else { return whole() };
    let Some((front, body)) = close(rest) else { return whole() };
    let body = body.trim().to_owned();
    if front.len() > LONGEST {
        let problem = Some("has front matter that is too long".to_owned());
        return Parts { body, problem, ..Parts::default() };
    }
    match serde_saphyr::from_str::<Option<Map<String, Value>>>(front) {
        Ok(fields) => Parts { fields: fields.unwrap_or_default(), body, problem: None },
        // Many files hold a description with a colon in it, which is no YAML but plain enough.
        Err(error) => match by_lines(front) {
            Some(fields) => Parts { fields, body, problem: None },
            None => {
                let first = error.to_string();
                let first = first.lines().next().unwrap_or_default().to_owned();
                let problem = Some(format!("has front matter that cannot be read: {first}"));
                Parts { body, problem, ..Parts::default() }
            }
        },
    }
}

fn after_line_end(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches([' ', '\t']);
    rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))
}

/// Everything before the line that closes it, and everything after.
fn close(rest: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// `name: value` on each line; `None`: it is more than that.
fn by_lines(front: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for line in front.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(':')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            return None;
        }
        fields.insert(name.to_owned(), value.trim().trim_matches(['"', '\'']).into());
    }
    Some(fields)
}

impl Parts {
    pub fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.fields.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A list, or a text with commas outside of brackets, or with spaces where there is no comma.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.fields.get(name)? {
            Value::Array(items) => {
                Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            Value::String(text) => Some(items(text)),
            Value::Null => Some(Vec::new()),
            _ => None,
        }
    }
}

fn items(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut depth, mut item) = (0_usize, String::new());
    let commas = text.contains(',');
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ',' || (!commas && c == ' ')) {
            found.push(std::mem::take(&mut item));
        } else {
            item.push(c);
        }
    }
    found.push(item);
    found.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_told_from_text() {
        let parts =
            split("---\ndescription: a\ntools: Read, Bash(git log, *), Grep\n---\n\nBody\n");
        assert_eq!(parts.text("description").as_deref(), Some("a"));
        assert_eq!(parts.list("tools").unwrap(), ["Read", "Bash(git log, *)", "Grep"]);
        assert_eq!((parts.body.as_str(), parts.problem), ("Body", None));
        for text in ["no front", "---\nnot closed", "--- x\n---\n", "----\na: b\n---\n"] {
            let parts = split(text);
            assert_eq!((parts.fields.len(), parts.body.as_str()), (0, text.trim()), "{text:?}");
        }
        let parts = split("\u{feff}---\r\ntools: [Read, Glob]\r\nflag: true\r\n---\r\nB");
        assert_eq!(parts.list("tools").unwrap(), ["Read", "Glob"]);
        assert_eq!((parts.flag("flag"), parts.body.as_str()), (Some(true), "B"));
        assert_eq!(
            split("---\nallowed-tools: Read Grep\n---\n").list("allowed-tools").unwrap().len(),
            2
        );
    }

    #[test]
    fn what_is_no_yaml_is_read_by_its_lines_or_told() {
        let parts = split("---\nname: a\ndescription: Use it when: always <x>: y\n---\nB");
        assert_eq!(parts.text("description").as_deref(), Some("Use it when: always <x>: y"));
        let parts = split("---\na: [1, 2\n  - {\n---\nB");
        assert!(parts.problem.unwrap().contains("cannot be read"));
        assert_eq!(parts.body, "B");
    }

    #[test]
    fn hostile_front_matter_ends() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]";
        for front in [bomb.to_owned(), "[".repeat(20_000), "a: ".repeat(9_000), "x".repeat(100_000)]
        {
            let _ = split(&format!("---\n{front}\n---\nB"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_front_matter_is_too_odd(text in "[-a-c:&*\\[\\]{}#|>!%@`\"' \\n]{0,120}") {
            let _ = split(&format!("---\n{text}\n---\nB"));
        }
    }
}
