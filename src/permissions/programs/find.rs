//! find, by its list of harmless tests and actions.

use super::super::shell::Word;
use super::{Effect, PathUse, Touch};

const ALONE: [&str; 31] = [
    "-print",
    "-print0",
    "-prune",
    "-ls",
    "-empty",
    "-depth",
    "-d",
    "-xdev",
    "-mount",
    "-not",
    "!",
    "-o",
    "-or",
    "-a",
    "-and",
    "(",
    ")",
    ",",
    "-true",
    "-false",
    "-quit",
    "-daystart",
    "-noleaf",
    "-executable",
    "-readable",
    "-writable",
    "-nouser",
    "-nogroup",
    "-warn",
    "-nowarn",
    "-ignore_readdir_race",
];
const WITH_VALUE: [&str; 32] = [
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-iwholename",
    "-regex",
    "-iregex",
    "-regextype",
    "-type",
    "-xtype",
    "-size",
    "-mtime",
    "-mmin",
    "-atime",
    "-amin",
    "-ctime",
    "-cmin",
    "-used",
    "-maxdepth",
    "-mindepth",
    "-perm",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-links",
    "-inum",
    "-fstype",
    "-lname",
    "-ilname",
    "-printf",
];
const WITH_FILE: [&str; 5] = ["-newer", "-anewer", "-cnewer", "-samefile", "-newermt"];

pub(super) fn find(args: &[Word]) -> Result<Effect, String> {
    let mut reads = Vec::new();
    let mut at = 0;
    while let Some(word) = args.get(at) {
        let text = word.loose();
        if matches!(text.as_str(), "-H" | "-P") || text.starts_with("-O") && text.len() == 3 {
            at += 1;
        } else if text.starts_with(['-', '(', '!']) {
            break;
        } else {
            let start = PathUse::of(word)
                .filter(|start| !start.pattern || !start.text.starts_with(['*', '?', '[']))
                .ok_or_else(|| format!("{} is known only when it runs", word.source))?;
            reads.push(start);
            at += 1;
        }
    }
    if reads.is_empty() {
        reads.push(PathUse::plain("."));
    }
    while let Some(word) = args.get(at) {
        let text =
            word.literal().ok_or_else(|| format!("{} may become other words", word.source))?;
        at += 1;
        if ALONE.contains(&text.as_str()) {
            continue;
        }
        let takes_file = WITH_FILE.contains(&text.as_str());
        if !takes_file && !WITH_VALUE.contains(&text.as_str()) {
            return Err(format!("find {text} is not on the list of harmless tests"));
        }
        let value = args
            .get(at)
            .and_then(Word::literal)
            .ok_or_else(|| format!("the value of {text} is not plain text"))?;
        at += 1;
        if takes_file && text != "-newermt" {
            reads.push(PathUse::plain(&value));
        }
    }
    Ok(Effect::Reads(Touch { reads, ..Touch::default() }))
}
