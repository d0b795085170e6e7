//! What a test run came to, for the call's line: the one thing a person wants to know of it.

use crate::process::Output;

/// "12 passed", "1 failed of 23"; `None` where the output is no test run's.
pub(super) fn summary(output: &Output) -> Option<String> {
    let last = if output.omitted > 0 { &output.tail } else { &output.head };
    let counts = match cargo(&output.head) {
        // The results of several test binaries add up only if all of them are there.
        Some(counts) if output.omitted == 0 => Some(counts),
        _ => last.lines().rev().take(12).find_map(|line| pytest(line).or_else(|| jest(line))),
    }?;
    match counts {
        Counts { passed: 0, failed: 0 } => None,
        Counts { passed, failed: 0 } => Some(format!("{passed} passed")),
        Counts { passed, failed } => Some(format!("{failed} failed of {}", passed + failed)),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

/// `test result: FAILED. 22 passed; 1 failed; 0 ignored; ...`, once a test binary.
fn cargo(text: &str) -> Option<Counts> {
    let results = text.lines().filter_map(|line| line.strip_prefix("test result: "));
    results.filter_map(|line| words(line, ';')).reduce(add)
}

/// `===== 1 failed, 22 passed, 3 warnings in 0.12s =====`
fn pytest(line: &str) -> Option<Counts> {
    let line = line.trim_matches(['=', ' ']);
    line.rsplit_once(" in ").filter(|(_, time)| time.ends_with('s') || time.ends_with(')'))?;
    words(line, ',')
}

/// `Tests:       1 failed, 22 passed, 23 total`
fn jest(line: &str) -> Option<Counts> {
    words(line.trim().strip_prefix("Tests:")?, ',')
}

/// Numbers before "passed" and "failed", in parts parted by `sign`.
fn words(line: &str, sign: char) -> Option<Counts> {
    let number = |word: &str| {
        line.split(sign).find_map(|part| {
            let mut words = part.split_whitespace().rev().skip_while(|w| *w != word);
            words.nth(1)?.parse::<u64>().ok()
        })
    };
    let (passed, failed) = (number("passed"), number("failed"));
    (passed.is_some() || failed.is_some())
        .then(|| Counts { passed: passed.unwrap_or(0), failed: failed.unwrap_or(0) })
}

fn add(a: Counts, b: Counts) -> Counts {
    Counts { passed: a.passed.saturating_add(b.passed), failed: a.failed.saturating_add(b.failed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_runs_are_summed_up() {
        let cargo =
            "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; finished in 0.00s\n";
        for (text, expected) in [
            (cargo.to_owned(), Some("2 passed")),
            (cargo.repeat(3), Some("6 passed")),
            (
                format!("{cargo}test result: FAILED. 20 passed; 1 failed; 0 ignored\n"),
                Some("1 failed of 23"),
            ),
            ("===== 1 failed, 22 passed in 0.12s =====\n".into(), Some("1 failed of 23")),
            ("5 passed, 1 warning in 1.20s\n".into(), Some("5 passed")),
            ("Tests:       5 passed, 5 total\nTime: 1 s\n".into(), Some("5 passed")),
            ("12 passed the exam\n".into(), None),
            ("no tests ran in 0.01s\n".into(), None),
            ("test result: ok. 0 passed; 0 failed; 0 ignored\n".into(), None),
            (String::new(), None),
        ] {
            let output = Output { head: text.clone(), ..Output::default() };
            assert_eq!(summary(&output).as_deref(), expected, "{text}");
        }
    }
}
