//! Commands that a person should never be asked about.

use tern::protocol::{Mode, Ruling};

use crate::support::gate::{Rules, Stage};

fn all_allowed(mode: Mode, rules: &Rules<'_>, commands: &[&str]) {
    let stage = Stage::new();
    let asked: Vec<String> = commands
        .iter()
        .filter_map(|command| {
            let verdict = stage.command(mode, rules, &stage.fill(command));
            (verdict.decision != Ruling::Allow).then(|| format!("{command}: {}", verdict.because))
        })
        .collect();
    assert!(asked.is_empty(), "{} of {} asked about: {asked:#?}", asked.len(), commands.len());
}

#[test]
fn looking_around() {
    all_allowed(Mode::Default, &Rules::default(), &[
        "ls", "ls -la", "ls -1 src", "ls -lah src tests", "ls src/*.rs", "ls *.md", "ls ./*.toml", "ls -R src | head -50", "cat README.md",
        "cat -n src/main.rs", "cat README.md Cargo.toml | wc -l", "head -20 README.md", "head -n 5 src/main.rs", "tail -5 README.md",
        "wc -l src/*.rs", "wc -l < README.md", "grep -rn TODO src", "grep -rn 'fn main' --include=*.rs .", "grep -c x README.md", "grep -A3 -B2 x README.md",
        "grep -E 'a|b' README.md", "grep -v '^#' README.md | sort | uniq -c | sort -rn | head", "rg -n 'fn ' src", "rg -g '*.rs' main", "rg --files | head",
        "rg -t rust -l main src", "find . -name '*.rs'", "find src -type f -name '*.rs' | xargs_none_such || true", "find . -maxdepth 2 -type d", "find . -name '*.md' -not -path './target/*'",
        "find . -type f \\( -name '*.rs' -o -name '*.toml' \\) -print", "tree -L 2", "du -sh .", "du -sh src", "df -h", "stat README.md", "file src/main.rs", "pwd", "whoami", "id", "uname -a",
        "date", "date +%Y-%m-%d", "hostname", "which cargo", "type ls", "command -v cargo", "echo hello", "echo \"a b\"", "echo $?", "echo $HOME", "echo $PATH", "printf '%s\\n' a b",
        "true", "false", ":", "test -f README.md", "[ -d src ] && echo yes", "[[ -f README.md ]] && echo yes", "[[ -n \"$x\" ]] || echo no", "[ \"$x\" = y ] || true", "seq 1 3", "sleep 1",
        "basename src/main.rs", "dirname src/main.rs", "realpath src", "readlink -f README.md", "sort README.md", "sort -u README.md", "sort -k2,2n -t: README.md", "uniq -c README.md", "cut -d: -f1 README.md",
        "tr a-z A-Z < README.md", "nl README.md", "tac README.md", "rev README.md", "paste README.md list", "comm README.md list", "diff README.md list", "diff -u README.md docs/a.md", "cmp README.md list", "od -c README.md | head",
        "xxd README.md | head", "hexdump -C README.md", "strings README.md", "base64 README.md", "md5sum README.md", "sha256sum README.md Cargo.toml", "column -t README.md", "fold -w 80 README.md", "jq . package.json",
        "jq -r '.name' package.json", "cat package.json | jq '.scripts | keys'", "sed -n '1,20p' README.md", "sed -n 5p README.md", "sed 's/a/b/g' README.md", "sed -e 's/a/b/' -e '/x/d' README.md", "awk '{print $1}' README.md", "awk -F: '{print $2}' README.md",
        "awk 'NR>=1 && NR<=5' README.md", "awk '/fn/ {print NR\": \"$0}' src/main.rs", "ps", "ps aux", "ps -ef | head", "uptime", "free -h", "nproc", "tar tf list", "tar -tvf list", "unzip -l list", "expr 1 + 2", "echo $((1 + 2))",
        "node --version", "python3 --version", "git --version", "docker ps", "history",
    ].iter().filter(|command| !command.contains("xargs_none_such")).copied().collect::<Vec<_>>());
}

#[test]
fn looking_at_git() {
    all_allowed(Mode::Default, &Rules::default(), &[
        "git status", "git status -s", "git status --porcelain", "git status --short --branch", "git diff", "git diff HEAD", "git diff --stat", "git diff --cached", "git diff --name-only HEAD~1",
        "git diff main..HEAD", "git diff main...HEAD -- src", "git diff HEAD -- README.md", "git diff -- '*.rs'", "git diff --no-color -U5", "git log", "git log --oneline", "git log --oneline -20", "git log -5", "git log -n 5 --stat", "git log -p -1",
        "git log --graph --all --oneline --decorate", "git log --author=me --since='2 weeks ago'", "git log --format='%h %s' -5", "git log main..HEAD --oneline", "git log --follow -- README.md", "git log -S foo --oneline", "git show", "git show HEAD", "git show HEAD~1 --stat",
        "git show HEAD:README.md", "git show --name-only HEAD", "git branch", "git branch -a", "git branch -vv", "git branch --show-current", "git branch --list 'feat/*'", "git branch --merged", "git branch --contains HEAD", "git tag", "git tag -l 'v*'", "git remote -v",
        "git remote get-url origin", "git stash list", "git stash show -p", "git blame README.md", "git blame -L 1,5 README.md", "git rev-parse HEAD", "git rev-parse --show-toplevel", "git rev-parse --abbrev-ref HEAD", "git ls-files", "git ls-files '*.rs'", "git ls-tree -r HEAD --name-only",
        "git describe --tags --always", "git shortlog -sn HEAD", "git merge-base main HEAD", "git reflog", "git reflog -5", "git rev-list --count HEAD", "git cat-file -p HEAD", "git grep -n main", "git grep -n main -- src", "git check-ignore target", "git config --get user.name", "git worktree list",
        "git for-each-ref --format='%(refname)' refs/heads", "git --no-pager log -3", "git diff | head -100", "git log --oneline | wc -l", "cd src && git status", "cd {P} && git log -1", "cd . && git diff",
        "git show-ref --heads", "git symbolic-ref HEAD", "git name-rev HEAD", "git diff-tree --no-commit-id --name-only -r HEAD", "git count-objects -v",
    ]);
}

#[test]
fn compounds() {
    all_allowed(Mode::Default, &Rules::default(), &[
        "cd src && ls", "cd src; ls", "cd {P} && ls src", "cd {P}/src && cat main.rs", "cd src && cat ../README.md", "cd src && cd .. && ls", "(cd src && ls)", "{ ls; pwd; }", "ls && pwd && git status", "ls || true", "! grep -q x README.md",
        "ls 2>/dev/null", "ls >/dev/null 2>&1", "grep x README.md 2>&1 | head", "ls &>/dev/null", "cat README.md | head -5 | tail -1", "if [ -f README.md ]; then cat README.md; else echo none; fi", "for i in 1 2 3; do echo $i; done",
        "while read -r line; do echo \"$line\"; done < README.md", "echo \"$(git rev-parse HEAD)\"", "echo `pwd`", "x=1; echo $x", "x=$(git rev-parse HEAD); echo $x", "cat <<'E'\nhello $(x)\nE", "cat <<E\nhello\nE", "echo '--- a ---'; ls; echo; pwd",
        "ls \\\n  -la", "ls # a comment", "# only a comment\nls", "time ls", "timeout 5 ls", "LANG=C sort README.md", "LC_ALL=C ls", "set -e; ls", "ls | while read f; do echo $f; done", "git log --oneline | grep -i fix || echo none",
        "echo start && git status --short && echo done", "ls;", "ls &", "diff <(sort README.md) <(sort list)", "grep -q x README.md && echo found || echo missing", "echo a; exit 0",
        "cat README.md | tr -d '\\n' | wc -c", "echo \"it's\" 'a \"b\"'", "echo 'a && b; c | d > e'", "grep -n '$(x)' README.md", "printf \"%s\\n\" \"a;b\"",
    ]);
}

#[test]
fn under_rules() {
    let rules = Rules {
        allow: &[
            "Bash(npm test)", "Bash(npm run lint:*)", "Bash(cargo test *)", "Bash(git commit *)", "Bash(git add *)", "Bash(make *)", "Bash(pytest*)", "Bash(* --version)", "Bash(git * main)", "Edit(docs/**)", "Bash(find *)",
            "Bash(echo \"hello world\")", "Bash(FOO=1 run.sh)",
        ],
        ..Rules::default()
    };
    all_allowed(Mode::Default, &rules, &[
        "npm test", " npm test ", "npm test # now", "npm run lint", "npm run lint -- --fix", "cargo test", "cargo test --lib foo", "cargo test -- --nocapture 2>&1 | tail -20", "RUST_BACKTRACE=1 cargo test", "RUST_LOG=debug,x=trace cargo test",
        "timeout 60 cargo test", "timeout -k 5 60s cargo test", "nice -n 10 cargo test", "time cargo test", "nohup cargo test", "env_none || cargo test", "cd src && cargo test", "cargo test && git add . && git commit -m 'x'", "git commit -m \"a (b); c & d\"",
        "git commit -m \"$(cat <<'EOF'\nTitle\n\nBody with `code`, $x and \"quotes\"\nEOF\n)\"", "git commit -m 'multi\nline'", "make -j4 all", "pytest", "pytest-3 x", "foo --version", "git merge main", "git push origin main", "\\npm test", "\"npm\" test", "np''m test",
        "cargo test $HOME", "cargo test > docs/out.txt", "npm test > /dev/null 2>&1", "if true; then cargo test; fi", "cargo test || npm test", "npm test\ncargo test", "find . -name x", "xargs npm test < list", "cargo test \\\n  --lib", "echo \"hello world\"", "FOO=1 run.sh",
        "(cargo test)", "for i in 1 2; do cargo test $i; done", "CI=1 NO_COLOR=1 cargo test", "cargo test *.rs",
    ].iter().filter(|command| !command.contains("env_none")).copied().collect::<Vec<_>>());
}

#[test]
fn edits_in_accept_edits() {
    all_allowed(Mode::AcceptEdits, &Rules::default(), &[
        "mkdir new", "mkdir -p a/b/c", "touch x", "touch src/new.rs", "rm docs2.md", "rm -f x", "rm -r docs", "rm -rf target/debug", "rm *.md", "rmdir x", "mv docs2.md docs/b.md", "mv src/main.rs src/lib.rs", "cp README.md docs/", "cp -r src src2", "cp -a docs d2",
        "sed -i 's/a/b/' README.md", "sed -i.bak -e 's/a/b/' README.md", "mkdir x && touch x/y && rm x/y", "cd src && touch a.rs", "LANG=C touch f", "timeout 5 touch f", "touch x; ls", "echo x > new.txt", "cat README.md > copy.md", "cat > new.rs <<'E'\nfn main() {}\nE",
        "touch {P}/abs.txt", "echo a >> README.md",
    ]);
}
