//! The git commands that only read, by flag.
//!
//! That holds as long as the repository's own configuration runs nothing (`permissions::git`). Left out:
//! options before the sub-command that bring other configuration (`-c`, `-C`, `--git-dir`), flags that
//! run helpers (`--ext-diff`, `--textconv`, `--filters`, `--show-signature`, `grep -O`), that write
//! (`--output`), that read outside (`--no-index`, `--contents`) or connect (`ls-remote`, `remote show`).

use super::super::shell::Word;
use super::flags::{self, Parsed};
use super::{Below, Effect, PathUse, Touch};

const DIFF: &str = "-puswzbRaWrtm -M=? -C=? -B=? -D=? -U= -S= -G= -l= -X=? --patch --no-patch --stat=? \
    --shortstat --numstat --dirstat=? --summary --name-only --name-status --raw --cached --staged \
    --color=? --no-color --color-words=? --color-moved=? --word-diff=? --word-diff-regex= --unified= \
    --minimal --patience --histogram --diff-algorithm= --ignore-all-space --ignore-space-change \
    --ignore-space-at-eol --ignore-blank-lines --ignore-cr-at-eol --function-context --diff-filter= \
    --find-renames=? --find-copies=? --no-renames --full-index --abbrev=? --check --exit-code --quiet \
    --no-ext-diff --no-textconv --relative=? --text --binary --merge-base --compact-summary \
    --pickaxe-all --pickaxe-regex --submodule=? --ignore-submodules=? --src-prefix= --dst-prefix= \
    --no-prefix --inter-hunk-context= --stat-width= --stat-count= --stat-name-width= --root --cc";
const LOG: &str = "-n= -L= -i -E -F -P -g -c -# --oneline --graph --decorate=? --no-decorate --all \
    --branches=? --tags=? --remotes=? --format= --pretty=? --abbrev-commit --no-abbrev-commit \
    --max-count= --skip= --since= --after= --until= --before= --author= --committer= --grep= --all-match \
    --invert-grep --regexp-ignore-case --extended-regexp --fixed-strings --merges --no-merges \
    --first-parent --follow --reverse --date= --relative-date --topo-order --date-order \
    --author-date-order --source --boundary --left-right --cherry --cherry-pick --cherry-mark \
    --left-only --right-only --ancestry-path=? --simplify-by-decoration --full-history --dense \
    --walk-reflogs --show-notes=? --no-notes --parents --children --not --stdin --min-parents= \
    --max-parents= --no-walk=? --encoding= --mailmap --no-mailmap --no-diff-merges --diff-merges= \
    --remerge-diff --log-size --full-diff --clear-decorations --decorate-refs= --exclude=";
const LIST: &str = "--sort= --format= --contains=~ --no-contains=~ --merged=~ --no-merged=~ --points-at=~ \
    --color=? --no-color --column=? --no-column --ignore-case -i --omit-empty";

struct Sub {
    name: &'static str,
    flags: &'static [&'static str],
    rest: Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Revisions and paths inside the repository.
    Any,
    None,
    /// Names only with `-l`, `--list` or a flag that asks about a commit; else one would be made.
    ListOnly,
    /// The first word is one of these.
    First(&'static [&'static str]),
    /// As for `First`, or no word at all.
    FirstOrNone(&'static [&'static str]),
    /// No more words than this.
    AtMost(usize),
}

const fn sub(name: &'static str, rest: Rest, flags: &'static [&'static str]) -> Sub {
    Sub { name, flags, rest }
}

const SUBS: &[Sub] = &[
    sub(
        "blame",
        Rest::Any,
        &["-L= -M=? -C=? -lftsenwcb -p --show-stats --porcelain --line-porcelain \
        --date= --abbrev= --root --since= --show-name --show-number --show-email --color-lines \
        --color-by-age --first-parent --minimal --reverse --ignore-rev="],
    ),
    sub(
        "branch",
        Rest::ListOnly,
        &[
            "-arvl --all --remotes --list --verbose --show-current --abbrev= \
        --no-abbrev",
            LIST,
        ],
    ),
    sub(
        "cat-file",
        Rest::Any,
        &["-tseps -p --batch --batch-check --batch=? --batch-check=? \
        --batch-all-objects --buffer --unordered --follow-symlinks --use-mailmap"],
    ),
    sub("check-attr", Rest::Any, &["-az --all --cached"]),
    sub("check-ignore", Rest::Any, &["-qvnz --quiet --verbose --non-matching --no-index"]),
    sub("cherry", Rest::Any, &["-v --abbrev=?"]),
    sub(
        "config",
        Rest::AtMost(1),
        &["--get --get-all --local --global --system --bool --int --path \
        --show-origin --show-scope --default= --type="],
    ),
    sub("count-objects", Rest::None, &["-vH --verbose --human-readable"]),
    sub(
        "describe",
        Rest::Any,
        &["--tags --all --always --long --abbrev= --dirty=? --broken=? --match= \
        --exclude= --exact-match --contains --candidates= --first-parent --debug"],
    ),
    sub("diff", Rest::Any, &[DIFF]),
    sub("diff-files", Rest::Any, &[DIFF]),
    sub("diff-index", Rest::Any, &[DIFF]),
    sub("diff-tree", Rest::Any, &[DIFF, LOG, "--no-commit-id"]),
    sub(
        "for-each-ref",
        Rest::Any,
        &["--count= --shell --python --exclude= --include-root-refs", LIST],
    ),
    sub(
        "grep",
        Rest::Any,
        &["-aiIwvhHEGFPnlLzcpWqor -e= -A= -B= -C= -m= -# --cached --untracked \
        --ignore-case --word-regexp --invert-match --full-name --extended-regexp --basic-regexp \
        --fixed-strings --perl-regexp --line-number --column --files-with-matches --name-only \
        --files-without-match --null --only-matching --count --color=? --no-color --break --heading \
        --show-function --function-context --context= --after-context= --before-context= --max-depth= \
        --max-count= --threads= --and --or --not --all-match --quiet --text --no-textconv \
        --exclude-standard --no-recursive --recursive"],
    ),
    sub("log", Rest::Any, &[LOG, DIFF]),
    sub(
        "ls-files",
        Rest::Any,
        &["-cdmoiskuztvf --cached --deleted --modified --others --ignored --stage \
        --killed --unmerged --directory --no-empty-directory --eol --exclude= -x= --exclude-standard \
        --error-unmatch --full-name --abbrev=? --debug --deduplicate --sparse --format= --recurse-submodules"],
    ),
    sub(
        "ls-tree",
        Rest::Any,
        &["-drtlz --name-only --name-status --object-only --full-name --full-tree \
        --long --abbrev=? --format="],
    ),
    sub("merge-base", Rest::Any, &["-a --all --octopus --independent --is-ancestor --fork-point"]),
    sub(
        "name-rev",
        Rest::Any,
        &["--tags --refs= --exclude= --all --name-only --always --no-undefined"],
    ),
    sub(
        "range-diff",
        Rest::Any,
        &[DIFF, "--creation-factor= --no-dual-color --left-only --right-only"],
    ),
    sub("reflog", Rest::FirstOrNone(&["show", "HEAD", "@"]), &[LOG, DIFF]),
    sub("remote", Rest::FirstOrNone(&["get-url"]), &["-v --verbose --all --push"]),
    sub(
        "rev-list",
        Rest::Any,
        &[
            LOG,
            "--count --objects --disk-usage=? --header --timestamp --use-bitmap-index \
        --unpacked --quiet",
        ],
    ),
    sub(
        "rev-parse",
        Rest::Any,
        &["-q --verify --quiet --short=? --abbrev-ref=? --symbolic --symbolic-full-name \
        --all --branches=? --tags=? --remotes=? --show-toplevel --show-prefix --show-cdup --git-dir \
        --absolute-git-dir --git-common-dir --is-inside-work-tree --is-inside-git-dir \
        --is-bare-repository --is-shallow-repository --show-superproject-working-tree --revs-only \
        --no-revs --flags --no-flags --default= --sq --not --local-env-vars --path-format= \
        --show-object-format=? --git-path= --shared-index-path --end-of-options"],
    ),
    sub(
        "shortlog",
        Rest::Any,
        &["-snec -w=? --summary --numbered --email --committer --group=", LOG],
    ),
    sub("show", Rest::Any, &[LOG, DIFF]),
    sub(
        "show-branch",
        Rest::Any,
        &["-ar --all --remotes --current --topo-order --list --sha1-name --no-name"],
    ),
    sub(
        "show-ref",
        Rest::Any,
        &["-dsq --head --heads --tags --branches --dereference --hash=? --verify \
        --abbrev=? --quiet --exists"],
    ),
    sub(
        "stash",
        Rest::First(&["list", "show"]),
        &[LOG, DIFF, "--include-untracked --only-untracked"],
    ),
    sub(
        "status",
        Rest::Any,
        &["-sbvuz -u=? --short --branch --show-stash --porcelain=? --long --verbose \
        --untracked-files=? --ignored=? --ignore-submodules=? --column=? --no-column --ahead-behind \
        --no-ahead-behind --renames --no-renames --find-renames=?"],
    ),
    sub("symbolic-ref", Rest::AtMost(1), &["-q --quiet --short --no-recurse"]),
    sub("tag", Rest::ListOnly, &["-l -n=? --list", LIST]),
    sub("version", Rest::None, &["--build-options"]),
    sub("worktree", Rest::First(&["list"]), &["-vz --porcelain --verbose"]),
];

pub(super) fn git(args: &[Word]) -> Result<Effect, String> {
    const BEFORE: [&str; 4] = ["--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs"];
    let mut args = args;
    let name = loop {
        let Some((first, rest)) = args.split_first() else {
            return Ok(Effect::Reads(Touch::default()));
        };
        args = rest;
        let word = first.literal().ok_or("the git command is known only when it runs")?;
        match word.as_str() {
            "--version" if rest.is_empty() => return Ok(Effect::Reads(Touch::default())),
            word if BEFORE.contains(&word) => {}
            word if word.starts_with('-') => {
                return Err(format!("git {word} may bring other configuration"));
            }
            _ => break word,
        }
    };
    let sub = SUBS
        .iter()
        .find(|sub| sub.name == name)
        .ok_or_else(|| format!("git {name} is not known to only read"))?;
    let parsed = flags::parse(&sub.flags.join(" "), args)?;
    fits(sub, &parsed)?;
    if sub.name == "config" {
        config_key(&parsed)?;
    }
    let mut reads = vec![PathUse::plain(".")];
    for operand in &parsed.operands {
        if operand.home || is_outside_shape(&operand.text) || operand.pattern {
            reads.push(operand.clone());
        } else if let Some((_, path)) =
            operand.text.split_once(':').filter(|(_, path)| !path.is_empty())
        {
            reads.push(PathUse::plain(path));
        } else if sub.name != "branch" && sub.name != "tag" {
            reads.push(operand.clone());
        }
    }
    let below = if sub.name == "grep" { Below::Contents } else { Below::Names };
    Ok(Effect::Reads(Touch { reads, writes: Vec::new(), below, git: true }))
}

/// A path that git takes as outside of the repository, and so compares as a plain file.
fn is_outside_shape(text: &str) -> bool {
    text.starts_with('/') || text.split('/').any(|part| part == "..")
}

fn fits(sub: &Sub, parsed: &Parsed) -> Result<(), String> {
    let refuse = || Err(format!("this form of git {} may change something", sub.name));
    let first = parsed.operands.first().map(|operand| operand.text.as_str());
    let fits = match sub.rest {
        Rest::Any => true,
        Rest::None => first.is_none(),
        Rest::ListOnly => first.is_none() || parsed.has(&["-l", "--list"]),
        Rest::First(words) => first.is_some_and(|first| words.contains(&first)),
        Rest::FirstOrNone(words) => first.is_none_or(|first| words.contains(&first)),
        Rest::AtMost(most) => parsed.operands.len() <= most,
    };
    if fits { Ok(()) } else { refuse() }
}

/// One key that holds no secret, asked for with `--get`.
fn config_key(parsed: &Parsed) -> Result<(), String> {
    let key = parsed.operands.first().map(|operand| operand.text.to_ascii_lowercase());
    let secret = ["token", "password", "secret", "extraheader", "helper", "proxy", "cookie"];
    match key {
        Some(key)
            if parsed.has(&["--get", "--get-all"]) && !secret.iter().any(|s| key.contains(s)) =>
        {
            Ok(())
        }
        _ => Err("this form of git config may change or print more than one setting".to_owned()),
    }
}
