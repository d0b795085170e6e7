//! The file commands that `acceptEdits` covers, and what they change.

use super::super::shell::Word;
use super::flags::{self, Parsed};
use super::{Below, Effect, PathUse, Touch};

const MKDIR: &str = "-pv -m= --parents --verbose --mode=";
const TOUCH: &str = "-acm -d= -t= -r@ --no-create --date= --reference@ --time=";
const RM: &str = "-rRfivdI --recursive --force --verbose --dir --interactive=? --one-file-system";
const RMDIR: &str = "-pv --parents --verbose --ignore-fail-on-non-empty";
const MV: &str = "-finuvT -t= --target-directory= --force --interactive --no-clobber --update=? --verbose \
    --no-target-directory";
const CP: &str = "-rRafinpuvxdPT -t= --target-directory= --recursive --archive --force --interactive \
    --no-clobber --update=? --verbose --preserve=? --no-dereference --one-file-system \
    --no-target-directory";

pub(super) fn edits(name: &str, args: &[Word]) -> Result<Effect, String> {
    let list = match name {
        "mkdir" => MKDIR,
        "touch" => TOUCH,
        "rm" => RM,
        "rmdir" => RMDIR,
        "mv" => MV,
        _ => CP,
    };
    let parsed = flags::parse(list, args)?;
    match name {
        "mv" | "cp" => transfer(name, parsed),
        _ => Ok(Effect::Edits(Touch {
            reads: parsed.files,
            writes: parsed.operands,
            ..Touch::default()
        })),
    }
}

fn transfer(name: &str, parsed: Parsed) -> Result<Effect, String> {
    let recursive = parsed.has(&["-r", "-R", "-a", "--recursive", "--archive"]);
    let whole_target = parsed.has(&["-T", "--no-target-directory"]);
    let target = parsed
        .flags
        .iter()
        .find(|(flag, _)| flag == "-t" || flag == "--target-directory")
        .and_then(|(_, value)| value.clone());
    let mut sources = parsed.operands;
    if sources.iter().any(|operand| operand.pattern) {
        return Err(format!("{name} with a pattern may overwrite files of any name"));
    }
    let target = match target {
        Some(target) => PathUse::plain(&target),
        None => sources.pop().ok_or_else(|| format!("{name} has no target"))?,
    };
    let unclear = |source: &PathUse| {
        let text = source.text.trim_end_matches('/');
        text.is_empty() || text == "." || text.ends_with("/.") || text.ends_with("..")
    };
    if recursive && (whole_target || sources.iter().any(unclear)) {
        return Err(format!("{name} may spread a whole folder over another"));
    }
    let mut writes = vec![target.clone()];
    for source in &sources {
        let base = source.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        writes.push(PathUse { text: format!("{}/{base}", target.text), ..target.clone() });
    }
    let mut reads = Vec::new();
    if name == "mv" {
        writes.append(&mut sources);
    } else {
        reads.append(&mut sources);
    }
    let below = if recursive { Below::Contents } else { Below::Names };
    Ok(Effect::Edits(Touch { reads, writes, below, git: false }))
}
