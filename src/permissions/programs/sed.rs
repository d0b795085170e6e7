//! sed, by reading its script: `e`, `w`, `r` and `s///e` or `s///w` are not harmless.

use super::super::shell::Word;
use super::{Effect, PathUse, Touch, flags};

pub(super) fn sed(args: &[Word]) -> Result<Effect, String> {
    const FLAGS: &str = "-nErsuz -e= -l= -i=? --quiet --silent --regexp-extended --separate --unbuffered \
        --null-data --expression= --line-length= --posix --sandbox --debug --in-place=?";
    let parsed = flags::parse(FLAGS, args)?;
    let mut scripts: Vec<String> = parsed
        .flags
        .iter()
        .filter(|(flag, _)| flag == "-e" || flag == "--expression")
        .filter_map(|(_, value)| value.clone())
        .collect();
    let mut operands = parsed.operands.clone();
    if scripts.is_empty() {
        if operands.is_empty() {
            return Err("sed has no script".to_owned());
        }
        let script = operands.remove(0);
        if script.pattern || script.home {
            return Err("the script of sed is not plain text".to_owned());
        }
        scripts.push(script.text);
    }
    for script in &scripts {
        harmless(script)?;
    }
    let files: Vec<PathUse> = operands.into_iter().filter(|file| file.text != "-").collect();
    let in_place = parsed.flags.iter().find(|(flag, _)| flag == "-i" || flag == "--in-place");
    match in_place {
        None => Ok(Effect::Reads(Touch { reads: files, ..Touch::default() })),
        Some((_, Some(suffix)))
            if !suffix.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') =>
        {
            Err("sed -i keeps a copy under an unclear name".to_owned())
        }
        Some((_, suffix)) => {
            let copies = suffix.iter().flat_map(|suffix| {
                files.iter().map(move |file| PathUse {
                    text: format!("{}{suffix}", file.text),
                    ..file.clone()
                })
            });
            let writes = files.iter().cloned().chain(copies).collect();
            Ok(Effect::Edits(Touch { writes, ..Touch::default() }))
        }
    }
}

/// Whether a script only edits what passes through.
fn harmless(script: &str) -> Result<(), String> {
    let mut reader = Reader { chars: script.chars().collect(), at: 0 };
    while reader.command()? {}
    Ok(())
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += 1;
        c
    }

    fn skip(&mut self, set: &str) {
        while self.peek().is_some_and(|c| set.contains(c)) {
            self.at += 1;
        }
    }

    fn digits(&mut self) {
        self.skip("0123456789");
    }

    /// One command; false at the end.
    fn command(&mut self) -> Result<bool, String> {
        self.skip(" \t\n;");
        if self.peek().is_none() {
            return Ok(false);
        }
        if self.address()? {
            self.skip(" \t");
            if self.peek() == Some(',') {
                self.at += 1;
                self.skip(" \t");
                self.skip("+~");
                if !self.address()? {
                    return Err("its sed script is unclear".to_owned());
                }
            }
        }
        self.skip(" \t!");
        match self.next() {
            Some('p' | 'P' | 'd' | 'D' | 'n' | 'N' | 'g' | 'G' | 'h' | 'H' | 'x' | '=' | 'z') => {
                self.end()
            }
            Some('{' | '}') => Ok(true),
            Some('q' | 'Q' | 'l') => {
                self.skip(" \t");
                self.digits();
                self.end()
            }
            Some('b' | 't' | 'T' | ':') => {
                self.skip(" \t");
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                self.end()
            }
            Some('s') => self.substitute(),
            Some('y') => {
                let delimiter = self.delimiter()?;
                self.until(delimiter)?;
                self.until(delimiter)?;
                self.end()
            }
            Some('a' | 'i' | 'c') => self.text(),
            Some('#') => {
                while self.next().is_some_and(|c| c != '\n') {}
                Ok(true)
            }
            Some(c) => Err(format!("its sed script uses {c}")),
            None => Err("its sed script is unclear".to_owned()),
        }
    }

    fn end(&mut self) -> Result<bool, String> {
        self.skip(" \t");
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(true),
            Some(_) => Err("its sed script is unclear".to_owned()),
        }
    }

    fn address(&mut self) -> Result<bool, String> {
        match self.peek() {
            Some('0'..='9') => {
                self.digits();
                if self.peek() == Some('~') {
                    self.at += 1;
                    self.digits();
                }
            }
            Some('$') => self.at += 1,
            Some('/') => {
                self.at += 1;
                self.until('/')?;
                self.skip("IM");
            }
            Some('\\') => {
                self.at += 1;
                let delimiter = self.delimiter()?;
                self.until(delimiter)?;
                self.skip("IM");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn delimiter(&mut self) -> Result<char, String> {
        self.next()
            .filter(|c| !c.is_alphanumeric() && !"\\\n ;{}[]".contains(*c))
            .ok_or_else(|| "its sed script is unclear".to_owned())
    }

    /// Past the next `delimiter`. A delimiter inside `[..]` is read differently by different seds.
    fn until(&mut self, delimiter: char) -> Result<(), String> {
        let mut in_set = false;
        loop {
            match self.next() {
                None => return Err("its sed script is unclear".to_owned()),
                Some(c) if c == delimiter && in_set => {
                    return Err("its sed script is unclear".to_owned());
                }
                Some(c) if c == delimiter => return Ok(()),
                Some('\\') => self.at += 1,
                Some('[') => in_set = true,
                Some(']') => in_set = false,
                Some('\n') => return Err("its sed script is unclear".to_owned()),
                Some(_) => {}
            }
        }
    }

    fn substitute(&mut self) -> Result<bool, String> {
        let delimiter = self.delimiter()?;
        self.until(delimiter)?;
        // Brackets mean nothing in the replacement, but a delimiter after one is refused all the same.
        self.until(delimiter)?;
        self.skip("gpiImM0123456789");
        self.end()
    }

    /// The text of `a`, `i` and `c` goes to the end of its line; on one line only.
    fn text(&mut self) -> Result<bool, String> {
        let rest: String = self.chars[self.at.min(self.chars.len())..].iter().collect();
        let rest = rest.strip_prefix("\\\n").unwrap_or(&rest);
        let rest = rest.strip_prefix('\\').unwrap_or(rest);
        if rest.contains(['\\', '\n']) {
            return Err("its sed script is unclear".to_owned());
        }
        self.at = self.chars.len();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts() {
        for script in [
            "p",
            "1,20p",
            "s/a/b/",
            "s,a,b,g",
            "/x/d",
            "$!N;P;D",
            "1~2d",
            "/a/,/b/{s/x/y/;p}",
            "s/a\\/b/c/gI",
            "y/abc/xyz/",
            "10q",
            "a hello",
            "/x/,+3p",
            "s/[a-z]*/x/2",
            ":a;N;ba",
            "s#a#b#p",
            "5!d",
            "\\,x,d",
            "/start/,$p",
        ] {
            assert_eq!(harmless(script), Ok(()), "{script}");
        }
        for script in [
            "1e touch x",
            "e",
            "s/a/b/e",
            "s/a/b/w out",
            "s,.*,touch x,e",
            "w out",
            "r /etc/passwd",
            "R x",
            "W x",
            "/a/w x",
            "s/a/b/ge",
            "s/a/b/;e x",
            "s/a/b\n/e",
            "p;1e x",
            "{e x}",
            "s/a/b",
            "F x",
            "v",
            "s/[/]/x/e",
            "a x\\\ne touch y",
            "s\na\nb\ne",
            "1~2e x",
            "/x/I,/y/Ie x",
            "s/a/b/I e",
        ] {
            assert!(harmless(script).is_err(), "{script}");
        }
    }
}
