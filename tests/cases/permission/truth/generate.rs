//! Random shell programs: harmless and harmful programs with real and made-up options, in every kind of
//! quoting and nesting that bash has.

use std::process::{Command, Stdio};

/// Programs that mostly read. Their own `--help` gives the long options to try.
const READERS: [&str; 58] = [
    "ls",
    "cat",
    "head",
    "tail",
    "wc",
    "grep",
    "egrep",
    "find",
    "sort",
    "uniq",
    "cut",
    "tr",
    "sed",
    "awk",
    "diff",
    "cmp",
    "comm",
    "join",
    "paste",
    "nl",
    "tac",
    "rev",
    "fold",
    "expand",
    "column",
    "od",
    "xxd",
    "base64",
    "md5sum",
    "sha256sum",
    "file",
    "stat",
    "du",
    "df",
    "date",
    "id",
    "whoami",
    "uname",
    "hostname",
    "pwd",
    "echo",
    "printf",
    "test",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "seq",
    "which",
    "type",
    "ps",
    "env",
    "git",
    "rg",
    "jq",
    "tree",
    "strings",
    "shuf",
];

/// Programs that change something or run something.
const WRITERS: [&str; 22] = [
    "touch mark",
    "rm -f list",
    "cp list mark",
    "mv list mark",
    "mkdir mark",
    "tee mark",
    "ln -s list mark",
    "truncate -s 0 list",
    "dd of=mark count=0",
    "chmod +x list",
    "sed -i s/x/y/ list",
    "sort -o mark list",
    "python3 -c 'open(\"mark\",\"w\")'",
    "perl -e 'open F,\">mark\"'",
    "install list mark",
    "split list",
    "tar cf mark list",
    "git config x.y z",
    "git checkout -q -b mark",
    "xargs touch",
    "curl http://127.0.0.1",
    "exec touch mark",
];

/// Options that lead out of reading, for one program or another.
const TRAPS: [&str; 42] = [
    "-o mark",
    "-omark",
    "--output=mark",
    "--output mark",
    "-i",
    "-i.bak",
    "-delete",
    "-exec touch mark ;",
    "-exec touch mark \\;",
    "-execdir touch mark +",
    "-ok touch mark \\;",
    "-fprint mark",
    "-fls mark",
    "--compress-program=touch",
    "--pre=touch",
    "--pre touch",
    "-z",
    "-C",
    "-s",
    "-w",
    "w mark",
    "'w mark'",
    "-e 'w mark'",
    "'1e touch mark'",
    "s/x/touch mark/e",
    "-f list",
    "--files0-from=list",
    "-T .",
    "-S 1b",
    "'BEGIN{system(\"touch mark\")}'",
    "'BEGIN{print>\"mark\"}'",
    "'{print|\"touch mark\"}'",
    "'BEGIN{while((\"touch mark\"|getline)>0);}'",
    "--open-files-in-pager=touch",
    "-Otouch",
    "--ext-diff",
    "--no-index",
    "-c core.pager='touch mark'",
    "-c alias.x='!touch mark' x",
    "--exec=touch",
    "--upload-pack='touch mark'",
    "-p",
];

const PATHS: [&str; 22] = [
    ".",
    "README.md",
    "src",
    "src/main.rs",
    "list",
    "docs/*",
    "*.md",
    "s?c",
    "./list",
    "../proj/list",
    "none",
    "mark",
    "..",
    "~",
    "/etc/passwd",
    "/dev/null",
    "-",
    "{O}/secret.txt",
    "../notes/a.md",
    "{P}/list",
    "\"$PWD/list\"",
    "~/notes/a.md",
];

const GIT: [&str; 20] = [
    "status",
    "log --oneline",
    "diff",
    "show HEAD",
    "branch",
    "branch mark",
    "tag",
    "tag mark",
    "remote -v",
    "stash list",
    "stash",
    "blame list",
    "ls-files",
    "rev-parse HEAD",
    "config -l",
    "grep x",
    "describe --all",
    "cat-file -p HEAD",
    "reflog",
    "shortlog HEAD",
];

const EXPRESSIONS: [&str; 20] = [
    "x",
    "'x'",
    "-n 1p",
    "'1,2p'",
    "s/a/b/",
    "'{print $1}'",
    "-name '*.rs'",
    "-type f",
    "-maxdepth 1",
    "-n 3",
    "-n3",
    "-c 1-2",
    "-d: -f1",
    "a b",
    "+%s",
    "%s\\n x",
    "-e x",
    "1 3",
    ".name",
    "-k2",
];

#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// xorshift64*, so that a run can be repeated from its seed.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// What this machine has, so that most programs do something.
#[derive(Debug)]
pub struct Programs {
    /// With their long options.
    readers: Vec<(&'static str, Vec<String>)>,
}

impl Programs {
    pub fn here() -> Programs {
        let installed = |name: &&str| {
            let found = Command::new("/bin/sh")
                .args(["-c", "command -v \"$1\"", "sh", name])
                .stdout(Stdio::null())
                .status();
            found.is_ok_and(|status| status.success())
        };
        let with_options = |name| (name, long_options(name));
        Programs { readers: READERS.into_iter().filter(installed).map(with_options).collect() }
    }

    pub fn count(&self) -> usize {
        self.readers.len()
    }

    /// A whole program.
    pub fn script(&self, random: &mut Random) -> String {
        let mut text = self.list(random, 2);
        while random.one_in(6) {
            let joint = random.of(&["; ", " && ", " || ", " | ", "\n", " & ", " |& "]);
            text = text + joint + &self.list(random, 2);
        }
        text
    }

    fn list(&self, random: &mut Random, depth: usize) -> String {
        if depth == 0 || !random.one_in(4) {
            return self.simple(random, depth);
        }
        let mut inner = || self.list(random, depth - 1);
        let (one, two) = (inner(), inner());
        let frames = [
            "{A} | {B}",
            "{A}; {B}",
            "{A} && {B}",
            "({A})",
            "{ {A}; }",
            "if {A}; then {B}; fi",
            "for f in list none; do {A}; done",
            "for f in *; do {B} \"$f\"; done",
            "while {A}; do {B}; break; done",
            "{A} | while read f; do {B}; done",
            "case x in x) {A};; esac",
            "f() { {A}; }; f",
            "ls() { {A}; }; ls",
            "cat <<E\n$({A})\nE",
            "cat <<'E'\n$({A})\nE",
            "cat <<< \"$({A})\"",
            "cat <({A})",
            "{A} > >({B})",
            "echo $({A})",
            "echo `{A}`",
            "echo \"x$({A})y\"",
            "x=$({A}); {B}",
            "x=$({A}) {B}",
            "! {A}",
            "time {A}",
            "[[ -n $({A}) ]] && {B}",
            "(( $({A}) + 1 )) ; {B}",
            "echo $(( a[$({A})] ))",
            "[[ 'a[$({A})]' -eq 1 ]]",
            "printf -v 'a[$({A})]' x",
            "test -v 'a[$({A})]'",
            "read 'a[$({A})]' < list",
            "declare 'a[$({A})]=1'",
            "trap '{A}' EXIT; {B}",
            "eval '{A}'",
            "bash -c '{A}'",
            "sh -c \"{A}\"",
            "alias ls='{A}'\nls",
            "X='{A}'; $X",
            "X='{A}'; eval \"$X\"",
            "timeout 5 {A}",
            "nice -n 5 {A}",
            "nohup {A}",
            "env A=1 {A}",
            "command {A}",
            "builtin {A}",
            "{B} | xargs {A}",
            "find . -maxdepth 1 -exec {A} \\;",
            "coproc {A}",
            "PAGER='{A}' git log",
            "GIT_EXTERNAL_DIFF='{A}' git diff",
            "PATH=.:$PATH {A}",
            "IFS=x {A}",
            "PS4='$({A})' bash -xc :",
            "BASH_ENV=list bash -c ls",
            "mapfile -C '{A}' -c 1 < list",
            "{A} # {B}",
            "{A} \\\n{B}",
            "select x in a; do {A}; done < list",
            "until {A}; do {B}; break; done",
            "echo ${x:-$({A})}",
            "echo ${x:=y}; {A}",
            "echo {{A},x}",
            "exec {A}",
            "set -- list; {A} \"$1\"",
            "shopt -s extglob; {A}",
            "cd src && {A}",
            "cd .. ; {A}",
            "pushd src; {A}; popd",
            "exec 3>mark; {A}",
            "{A} 2>&1 | {B}",
            "stdbuf -o0 {A}",
            "setsid {A}",
            "source list; {A}",
            ". ./list",
            "{A} &\nwait",
        ];
        let frame = random.of(&frames);
        frame.replace("{A}", &one).replace("{B}", &two)
    }

    fn simple(&self, random: &mut Random, depth: usize) -> String {
        if random.one_in(9) {
            return random.of(&WRITERS).to_owned();
        }
        let (name, options) = &self.readers[random.below(self.readers.len())];
        let mut words = vec![disguised(random, name)];
        if *name == "git" && !random.one_in(6) {
            words.push(random.of(&GIT).to_owned());
        }
        for _ in 0..random.below(4) {
            let word = match random.below(12) {
                0 => random.of(&TRAPS).to_owned(),
                1 if !options.is_empty() => self.long(random, options),
                2 => format!("-{}", letters(random)),
                3 | 4 => random.of(&EXPRESSIONS).to_owned(),
                5 if depth > 0 => format!("\"$({})\"", self.list(random, depth - 1)),
                6 => {
                    let path = random.of(&PATHS);
                    disguised(random, path)
                }
                _ => random.of(&PATHS).to_owned(),
            };
            words.push(word);
        }
        if random.one_in(8) {
            let redirections = [
                "> mark",
                ">> mark",
                ">| mark",
                "&> mark",
                "2> mark",
                "<> mark",
                "> /dev/null",
                "2>&1",
                "2>/dev/null",
                "< list",
                "{fd}> mark",
                ">&mark",
                "1>&2",
                "> /dev/stderr",
                "> /dev/tcp/127.0.0.1/9",
                "> $x",
                "<&-",
            ];
            words.push(random.of(&redirections).to_owned());
        }
        words.join(" ")
    }

    fn long(&self, random: &mut Random, options: &[String]) -> String {
        let option = &options[random.below(options.len())];
        if !option.ends_with('=') {
            return option.clone();
        }
        let values = ["mark", "list", "touch", "'touch mark'", "always", "1", ".", "never", "*"];
        // GNU programs take any beginning that only one option has.
        let short = if random.one_in(4) { random.below(option.len() - 3) } else { 0 };
        format!("{}={}", &option[..option.len() - 1 - short], random.of(&values))
    }
}

fn letters(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..=random.below(3)).map(|_| char::from(LETTERS[random.below(LETTERS.len())])).collect()
}

/// The same word in another spelling, or nearly.
fn disguised(random: &mut Random, word: &str) -> String {
    if !random.one_in(8) || word.contains(['\'', '"', '{', '$']) {
        return word.to_owned();
    }
    let (head, tail) = word.split_at(word.len() / 2);
    match random.below(10) {
        0 => format!("'{word}'"),
        1 => format!("\"{word}\""),
        2 => format!("\\{word}"),
        3 => format!("{head}''{tail}"),
        4 => format!("{head}\\\n{tail}"),
        5 => format!("$'{word}'"),
        6 => format!("/usr/bin/{word}"),
        7 => format!("{{{word},x}}"),
        8 => format!("{head}$x{tail}"),
        _ => format!("{head}?{tail}"),
    }
}

fn long_options(name: &str) -> Vec<String> {
    let Ok(help) = Command::new(name).arg("--help").stdin(Stdio::null()).output() else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    let mut found: Vec<String> = text
        .split([' ', '\n', ',', '\t', '|'])
        .filter(|word| word.starts_with("--") && word.len() > 4)
        .map(|word| {
            let end =
                word.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(word.len());
            let value = word[end..].trim_start_matches('[').starts_with('=');
            word[..end].to_owned() + if value { "=" } else { "" }
        })
        .filter(|option| option.len() > 4)
        .collect();
    found.sort();
    found.dedup();
    found
}
