//! The programs that only read, each with the flags with which that holds.
//!
//! Left out on purpose: flags that write (`sort -o`, `tree -o`, `xxd -r`), that run something
//! (`sort --compress-program`, `rg --pre`, `rg -z`), that take file names from elsewhere
//! (`--files0-from`, `md5sum -c`), and programs that print the environment.

use super::super::shell::Word;
use super::flags::{self, Parsed};
use super::{Below, Effect, PathUse, Touch};

#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    flags: &'static str,
    operands: Operands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operands {
    None,
    /// Text that names no file.
    Text,
    Files,
    /// As many at most: one more would be written to.
    AtMost(usize),
    /// Files; none means the current directory.
    FilesOrHere,
    /// A pattern, then files; without files the current directory when it goes down by itself.
    Search,
    /// `+FORMAT` only: anything else sets the clock.
    Format,
}

use Operands::{AtMost, Files, FilesOrHere, Format, Search, Text};

const fn program(name: &'static str, operands: Operands, flags: &'static str) -> Program {
    Program { name, flags, operands }
}

const DIGEST: &str = "-btz --binary --text --tag --zero";
const GREP: &str = "-EFGPiyvwxclLnHhoqsbzZaTUIrR -e= -f@ -A= -B= -C= -m= -# --extended-regexp \
    --fixed-strings --basic-regexp --perl-regexp --ignore-case --no-ignore-case --invert-match \
    --word-regexp --line-regexp --count --files-with-matches --files-without-match --line-number \
    --with-filename --no-filename --only-matching --quiet --silent --no-messages --byte-offset --null \
    --null-data --text --initial-tab --recursive --dereference-recursive --regexp= --file@ \
    --after-context= --before-context= --context= --max-count= --include= --exclude= --exclude-dir= \
    --exclude-from@ --color=? --colour=? --label= --binary-files= --line-buffered";
const RG: &str = "-iSswxFnNHIcloUvuaPpq0. -A= -B= -C= -e= -f@ -g= -t= -T= -r= -m= -M= -d= -j= -E= \
    --ignore-case --smart-case --case-sensitive --word-regexp --line-regexp --fixed-strings \
    --line-number --no-line-number --with-filename --no-filename --count --count-matches \
    --files-with-matches --files-without-match --files --only-matching --multiline --multiline-dotall \
    --invert-match --text --pcre2 --pretty --quiet --null --hidden --no-hidden --no-ignore \
    --no-ignore-vcs --no-ignore-parent --no-ignore-dot --no-ignore-global --unrestricted --json --stats \
    --heading --no-heading --column --no-column --trim --vimgrep --passthru --type-list --no-config \
    --no-messages --no-mmap --crlf --byte-offset --one-file-system --glob-case-insensitive \
    --after-context= --before-context= --context= --regexp= --file@ --glob= --iglob= --type= \
    --type-not= --replace= --max-count= --max-columns= --max-columns-preview --max-depth= \
    --max-filesize= --threads= --encoding= --engine= --color= --colors= --sort= --sortr= \
    --context-separator= --field-match-separator= --path-separator=";
const LS: &str = "-aAbBcCdfFgGhHiklLmnNopqQrRsStuUvxXZ1 -I= -w= -T= --all --almost-all --author \
    --block-size= --color=? --directory --classify=? --file-type --format= --full-time \
    --group-directories-first --no-group --human-readable --si --hide= --hyperlink=? --indicator-style= \
    --inode --ignore= --kibibytes --dereference --numeric-uid-gid --literal --quote-name \
    --quoting-style= --reverse --recursive --size --sort= --time= --time-style= --tabsize= --width= \
    --context --zero --escape";

/// Sorted by name, for [`find`].
const TABLE: &[Program] = &[
    program(":", Text, ""),
    program("arch", Operands::None, ""),
    program("b2sum", Files, DIGEST),
    program("base32", AtMost(1), "-di -w= --decode --ignore-garbage --wrap="),
    program("base64", AtMost(1), "-diD -w= --decode --ignore-garbage --wrap="),
    program("basename", Text, "-az -s= --multiple --zero --suffix="),
    program("break", Text, ""),
    program("bzcat", Files, ""),
    program("cal", Text, "-13jmy"),
    program(
        "cat",
        Files,
        "-AbeEnstTuv --show-all --number-nonblank --show-ends --number \
        --squeeze-blank --show-tabs --show-nonprinting",
    ),
    program("cksum", Files, ""),
    program(
        "cmp",
        Files,
        "-bls -i= -n= --print-bytes --verbose --quiet --silent --bytes= --ignore-initial=",
    ),
    program(
        "column",
        Files,
        "-txen -s= -o= -N= -c= -R= -H= --table --separator= --output-separator= \
        --table-columns= --table-right= --table-hide= --output-width= --fillrows",
    ),
    program(
        "comm",
        AtMost(2),
        "-123z --check-order --nocheck-order --output-delimiter= --total \
        --zero-terminated",
    ),
    program("continue", Text, ""),
    program(
        "cut",
        Files,
        "-nsz -b= -c= -d= -f= --bytes= --characters= --delimiter= --fields= \
        --complement --only-delimited --output-delimiter= --zero-terminated",
    ),
    program(
        "date",
        Format,
        "-uR -d= -I=? -r@ --date= --utc --universal --rfc-email --iso-8601=? \
        --rfc-3339= --reference@",
    ),
    program(
        "df",
        Files,
        "-ahHiklPT -B= -t= -x= --all --human-readable --si --inodes --local \
        --portability --print-type --total --block-size= --type= --exclude-type= --output=?",
    ),
    program(
        "diff",
        Files,
        "-uqsyiEZbwBaNpntTrdc -U= -C= -W= -x= -X@ -S= -F= -I= --brief \
        --report-identical-files --side-by-side --ignore-case --ignore-tab-expansion \
        --ignore-trailing-space --ignore-space-change --ignore-all-space --ignore-blank-lines --text \
        --new-file --show-c-function --rcs --recursive --no-dereference --exclude= --exclude-from@ \
        --starting-file= --suppress-common-lines --strip-trailing-cr --width= --unified=? --context=? \
        --color=? --label= --minimal --speed-large-files --expand-tabs --normal --left-column",
    ),
    program("dirname", Text, "-z --zero"),
    program(
        "du",
        FilesOrHere,
        "-0abchkmsxS -B= -d= -t= --null --all --apparent-size --bytes --total \
        --human-readable --si --summarize --one-file-system --separate-dirs --max-depth= --threshold= \
        --exclude= --block-size= --inodes --time=? --time-style=",
    ),
    program("egrep", Search, GREP),
    program("exit", Text, ""),
    program("expand", Files, "-i -t= --initial --tabs="),
    program("expr", Text, ""),
    program("false", Text, ""),
    program(
        "fd",
        Search,
        "-HIuisagpl0 -e= -t= -d= -E= -S= -c= -j= --hidden --no-ignore --unrestricted \
        --ignore-case --case-sensitive --absolute-path --glob --full-path --list-details --print0 \
        --extension= --type= --max-depth= --min-depth= --exact-depth= --exclude= --size= --color= \
        --changed-within= --changed-before= --max-results= --prune",
    ),
    program("fgrep", Search, GREP),
    program(
        "file",
        Files,
        "-bihk0Np -F= --brief --mime --mime-type --mime-encoding --keep-going \
        --no-dereference --separator= --no-pad --preserve-date --extension",
    ),
    program(
        "fmt",
        Files,
        "-cstu -w= -p= --crown-margin --split-only --uniform-spacing --width= --prefix=",
    ),
    program("fold", Files, "-bs -w= --bytes --spaces --width="),
    program(
        "free",
        Operands::None,
        "-bkmghltvw --bytes --kibi --mebi --gibi --human --lohi --total --wide --si",
    ),
    program("getconf", Text, "-a"),
    program("grep", Search, GREP),
    program("groups", Text, ""),
    program(
        "head",
        Files,
        "-qvz -n= -c= -# --lines= --bytes= --quiet --silent --verbose --zero-terminated",
    ),
    program("hexdump", Files, "-bcCdovx -n= -s= -e= --canonical --length= --skip= --no-squeezing"),
    program("history", Text, ""),
    program(
        "hostname",
        Operands::None,
        "-fsiIdA --fqdn --short --domain --ip-address --all-ip-addresses",
    ),
    program("id", Text, "-agGnruzZ --group --groups --name --real --user --zero"),
    program("jobs", Operands::None, "-lnprs"),
    program(
        "join",
        AtMost(2),
        "-i -1= -2= -t= -a= -v= -e= -o= -j= --ignore-case --header --check-order \
        --nocheck-order",
    ),
    program("locale", Operands::None, "-a"),
    program("ls", FilesOrHere, LS),
    program("lsblk", Operands::None, "-aflmpJ -o="),
    program("lscpu", Operands::None, "-J"),
    program("md5sum", Files, DIGEST),
    program(
        "nl",
        Files,
        "-p -b= -d= -f= -h= -i= -l= -n= -s= -v= -w= --body-numbering= \
        --header-numbering= --footer-numbering= --line-increment= --number-format= --number-separator= \
        --starting-line-number= --number-width=",
    ),
    program(
        "nm",
        Files,
        "-aACDgpruS --demangle=? --dynamic --extern-only --undefined-only --defined-only",
    ),
    program("nproc", Operands::None, "--all --ignore="),
    program("numfmt", Text, "-d= --from= --to= --suffix= --padding= --field= --format= --round="),
    program(
        "od",
        Files,
        "-abcdfhiloxsv -A= -t= -N= -j= -S= -w=? --address-radix= --format= \
        --read-bytes= --skip-bytes= --output-duplicates --width=? --endian=",
    ),
    program("paste", Files, "-sz -d= --serial --delimiters= --zero-terminated"),
    program(
        "pgrep",
        Text,
        "-acflnovx -u= -U= -t= -P= -d= --full --list-name --list-full --newest \
        --oldest --exact --count --delimiter= --euid=",
    ),
    program("pidof", Text, "-sxq"),
    program("pwd", Operands::None, "-LP --logical --physical"),
    program(
        "readlink",
        Files,
        "-efmnqsvz --canonicalize --canonicalize-existing --canonicalize-missing \
        --no-newline --zero",
    ),
    program(
        "realpath",
        Files,
        "-emLPqsz --canonicalize-existing --canonicalize-missing --logical \
        --physical --quiet --no-symlinks --zero --relative-to@ --relative-base@",
    ),
    program("rev", Files, ""),
    program("rg", Search, RG),
    program("seq", Text, "-w -f= -s= --equal-width --format= --separator="),
    program("sha1sum", Files, DIGEST),
    program("sha224sum", Files, DIGEST),
    program("sha256sum", Files, DIGEST),
    program("sha384sum", Files, DIGEST),
    program("sha512sum", Files, DIGEST),
    program("size", Files, "-ABdoxt --format= --totals"),
    program("sleep", Text, ""),
    program(
        "sort",
        Files,
        "-bdfghiMnRrVcCmsuz -k= -t= -S= --ignore-leading-blanks --dictionary-order \
        --ignore-case --general-numeric-sort --ignore-nonprinting --month-sort --human-numeric-sort \
        --numeric-sort --random-sort --reverse --version-sort --check=? --merge --stable --unique \
        --zero-terminated --key= --field-separator= --buffer-size= --parallel= --sort= --debug",
    ),
    program("stat", Files, "-fLt -c= --format= --printf= --terse --file-system --dereference"),
    program(
        "strings",
        Files,
        "-afw -n= -t= -e= -# --all --print-file-name --bytes= --radix= --encoding=",
    ),
    program("sum", Files, "-rs --sysv"),
    program("tac", Files, "-br -s= --before --regex --separator="),
    program(
        "tail",
        Files,
        "-qvz -n= -c= -# --lines= --bytes= --quiet --silent --verbose --zero-terminated",
    ),
    program("tr", Text, "-cCdst --complement --delete --squeeze-repeats --truncate-set1"),
    program(
        "tree",
        FilesOrHere,
        "-adfishDFCnpugQNJXrtUcvx -L= -P= -I= --noreport --dirsfirst \
        --filesfirst --gitignore --prune --du --si --filelimit= --charset= --sort= --timefmt= --matchdirs \
        --ignore-case --inodes --device --metafirst",
    ),
    program("true", Text, ""),
    program("tty", Operands::None, "-s"),
    program(
        "uname",
        Operands::None,
        "-asnrvmpio --all --kernel-name --nodename --kernel-release \
        --kernel-version --machine --processor --hardware-platform --operating-system",
    ),
    program("unexpand", Files, "-a -t= --all --first-only --tabs="),
    program(
        "uniq",
        AtMost(1),
        "-cdDiuz -f= -s= -w= --count --repeated --all-repeated=? --group=? \
        --ignore-case --unique --zero-terminated --skip-fields= --skip-chars= --check-chars=",
    ),
    program("uptime", Operands::None, "-ps --pretty --since"),
    program("wait", Operands::None, ""),
    program("wc", Files, "-cmlwL --bytes --chars --lines --words --max-line-length --total="),
    program("who", Operands::None, "-abHmqu"),
    program("whoami", Operands::None, ""),
    program("xxd", AtMost(1), "-abeEdipu -c= -g= -l= -o= -s= -n="),
    program("xzcat", Files, ""),
    program("zcat", Files, ""),
    program("zipinfo", AtMost(1), "-12lsmvhtTzM"),
];

pub(super) fn find(name: &str) -> Option<&'static Program> {
    TABLE.binary_search_by(|program| program.name.cmp(name)).ok().and_then(|at| TABLE.get(at))
}

pub(super) fn reads(program: &Program, args: &[Word]) -> Result<Effect, String> {
    if let [only] = args
        && only.literal().is_some_and(|text| text == "--help" || text == "--version")
        && program.flags.len() > 1
    {
        return Ok(Effect::Reads(Touch::default()));
    }
    let Parsed { flags, mut files, mut operands, late_flag } = flags::parse(program.flags, args)?;
    let has = |names: &[&str]| flags.iter().any(|(flag, _)| names.contains(&flag.as_str()));
    let mut below = Below::Names;
    let several = operands.len() > 1 || operands.iter().any(|operand| operand.pattern);
    match program.operands {
        Operands::None if operands.is_empty() => {}
        Operands::None => {
            return Err(format!("{} with an operand is not known to only read", program.name));
        }
        Text => operands.retain(|operand| operand.pattern),
        Format => {
            if operands.iter().any(|operand| !operand.text.starts_with('+') || operand.pattern) {
                return Err("it may set the clock".to_owned());
            }
            operands.clear();
        }
        Files => {
            // It compares the files of two folders, through links.
            if program.name == "diff" {
                below = Below::Links;
            }
        }
        AtMost(1) if several || late_flag && ["xxd", "uniq"].contains(&program.name) => {
            return Err(format!("the second file of {} may be written to", program.name));
        }
        AtMost(most) => {
            if operands.len() > most {
                return Err(format!("{} has more files than it reads", program.name));
            }
        }
        FilesOrHere => {
            if operands.is_empty() {
                operands.push(PathUse::plain("."));
            }
        }
        Search => {
            below = search(program.name, &has, &mut operands)?;
        }
    }
    files.append(&mut operands);
    files.retain(|file| file.text != "-" || file.home);
    Ok(Effect::Reads(Touch { reads: files, below, ..Touch::default() }))
}

/// Takes the pattern off the operands of grep, rg or fd.
fn search(
    name: &str,
    has: &dyn Fn(&[&str]) -> bool,
    operands: &mut Vec<PathUse>,
) -> Result<Below, String> {
    let pattern_in_flag = has(&["-e", "--regexp", "-f", "--file"]) && name != "fd";
    let lists_only = name == "rg" && has(&["--files", "--type-list"]);
    if !pattern_in_flag && !lists_only && !operands.is_empty() {
        let pattern = operands.remove(0);
        if pattern.pattern && !operands.is_empty() {
            // Names that it becomes would be searched as files; they are under this pattern.
            operands.insert(0, pattern);
        } else if pattern.pattern {
            operands.push(pattern);
        }
    }
    let (recursive, below) = match name {
        "rg" if lists_only => (true, Below::Names),
        "rg" => (true, Below::Contents),
        "fd" => (true, Below::Names),
        _ if has(&["-R", "--dereference-recursive"]) => (true, Below::Links),
        _ if has(&["-r", "--recursive"]) => (true, Below::Contents),
        _ => (false, Below::Names),
    };
    if recursive && operands.is_empty() {
        operands.push(PathUse::plain("."));
    }
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_so_that_each_is_found() {
        for program in TABLE {
            assert_eq!(find(program.name).map(|found| found.name), Some(program.name));
        }
    }
}
