//! Repositories whose configuration runs something, and git commands that do more than read.

use tern::protocol::Mode;

use super::{USUAL, none_allowed};
use crate::support::gate::{Stage, write};

#[test]
fn git_that_may_run_something() {
    const KEYS: &[(&str, &str)] = &[
        ("core.fsmonitor", "touch {M}"),
        ("core.hooksPath", "hooks"),
        ("core.pager", "touch {M}"),
        ("core.editor", "touch {M}"),
        ("core.sshCommand", "touch {M}"),
        ("core.worktree", "/"),
        ("core.gitProxy", "x"),
        ("diff.external", "touch {M}"),
        ("diff.x.textconv", "touch {M}"),
        ("diff.x.command", "touch {M}"),
        ("filter.x.clean", "touch {M}"),
        ("filter.x.process", "touch {M}"),
        ("filter.lfs.clean", "touch {M}"),
        ("gpg.program", "touch {M}"),
        ("gpg.ssh.program", "touch {M}"),
        ("pager.log", "touch {M}"),
        ("include.path", "evil"),
        ("includeIf.gitdir:/.path", "evil"),
        ("remote.o.uploadpack", "touch {M}"),
        ("remote.o.url", "ext::touch {M}"),
        ("extensions.partialClone", "o"),
        ("credential.helper", "!touch {M}"),
        ("submodule.x.update", "!touch {M}"),
        ("merge.x.driver", "touch {M}"),
        ("unknown.key", "x"),
    ];
    for (key, value) in KEYS {
        let stage = Stage::new();
        write(&stage.project.join(".git/evil"), "[core]\n\tfsmonitor = touch x\n");
        let config = [((*key).to_owned(), serde_json::Value::from(stage.fill(value)))];
        stage.git_config(&stage.project, &config.into_iter().collect());
        none_allowed(
            &stage,
            Mode::Default,
            &USUAL,
            &["git status", "git log -1", "cd src && git diff", "ls && git show"],
        );
    }
    type Change = fn(&Stage);
    let changes: &[Change] = &[
        |stage| std::fs::remove_file(stage.project.join(".git/HEAD")).unwrap(),
        |stage| std::fs::remove_dir_all(stage.project.join(".git/objects")).unwrap(),
        |stage| write(&stage.project.join(".git/hooks/post-index-change"), "#!/bin/sh\n"),
        |stage| write(&stage.project.join(".git/config"), "[core\n"),
        |stage| write(&stage.project.join(".git/config"), "\u{0}"),
        |stage| write(&stage.project.join(".git/index"), "DIRCxxxx"),
        |stage| {
            write(&stage.project.join(".git/config.worktree"), "[core]\nfsmonitor = x\n");
        },
        |stage| {
            write(&stage.project.join(".git/modules/a/b/HEAD"), "x");
            write(&stage.project.join(".git/modules/a/b/config"), "[core]\nfsmonitor = x\n");
        },
        |stage| {
            std::fs::rename(stage.project.join(".git"), stage.outside.join("g")).unwrap();
            std::os::unix::fs::symlink(stage.outside.join("g"), stage.project.join(".git"))
                .unwrap();
        },
        |stage| {
            std::fs::rename(stage.project.join(".git"), stage.outside.join("g")).unwrap();
            write(&stage.outside.join("g/config"), "[core]\nfsmonitor = x\n");
            write(
                &stage.project.join(".git"),
                &format!("gitdir: {}\n", stage.outside.join("g").display()),
            );
        },
        |stage| {
            std::fs::remove_dir_all(stage.project.join(".git")).unwrap();
            for part in ["objects", "refs"] {
                std::fs::create_dir_all(stage.project.join(part)).unwrap();
            }
            write(&stage.project.join("HEAD"), "ref: refs/heads/main\n");
        },
    ];
    for change in changes {
        let stage = Stage::new();
        change(&stage);
        none_allowed(&stage, Mode::Default, &USUAL, &["git status", "git diff", "git log"]);
    }
    let stage = Stage::new();
    for part in ["objects", "refs"] {
        std::fs::create_dir_all(stage.project.join("bare").join(part)).unwrap();
        std::fs::create_dir_all(stage.project.join("sub/.git").join(part)).unwrap();
    }
    write(&stage.project.join("bare/HEAD"), "ref: refs/heads/main\n");
    write(&stage.project.join("common/HEAD"), "ref: refs/heads/main\n");
    write(&stage.project.join("common/commondir"), "../bare\n");
    write(&stage.project.join("sub/.git/HEAD"), "ref: refs/heads/main\n");
    write(&stage.project.join("sub/.git/config"), "[core]\n");
    none_allowed(
        &stage,
        Mode::Default,
        &USUAL,
        &[
            "cd bare && git status",
            "cd common && git status",
            "git whatchanged",
            "cd sub && git status",
            "git -C sub status",
            "git --git-dir=bare status",
            "git -c core.fsmonitor=x status",
            "git --exec-path=x status",
            "git -p log",
            "git --config-env=a=b status",
            "git --work-tree=/ status",
            "cd .. && git status",
            "git diff --ext-diff",
            "git log --textconv",
            "git show --ext-diff",
            "git log --show-signature",
            "git log --output=x",
            "git diff --output x",
            "git diff --no-index /etc/passwd x",
            "git diff /etc/passwd README.md",
            "git diff ../x y",
            "git grep -O x",
            "git grep --open-files-in-pager=x y",
            "git grep --no-index x /etc",
            "git blame --contents /etc/passwd README.md",
            "git cat-file --filters HEAD:x",
            "git cat-file --textconv HEAD:x",
            "git branch x",
            "git branch -d x",
            "git branch -m x",
            "git branch -f x",
            "git branch --edit-description",
            "git branch --set-upstream-to=x",
            "git branch --contains -D main",
            "git tag x",
            "git tag -d x",
            "git tag -a x",
            "git stash",
            "git stash pop",
            "git stash drop",
            "git reflog expire",
            "git reflog delete x",
            "git remote add x y",
            "git remote show x",
            "git remote update",
            "git config x y",
            "git config --list",
            "git config --unset x",
            "git config --get remote.o.token",
            "git worktree add x",
            "git symbolic-ref HEAD x",
            "git fetch",
            "git pull",
            "git push",
            "git commit -m x",
            "git add .",
            "git checkout x",
            "git switch x",
            "git restore x",
            "git reset",
            "git clean -n",
            "git rebase x",
            "git merge x",
            "git bisect run x",
            "git submodule update",
            "git submodule foreach x",
            "git ls-remote",
            "git archive HEAD",
            "git bundle create x HEAD",
            "git format-patch HEAD~1",
            "git am x",
            "git apply x",
            "git gc",
            "git fsck",
            "git update-index --refresh",
            "git hash-object -w README.md",
            "git instaweb",
            "git gui",
            "git help log",
            "git difftool",
            "git mergetool",
            "git daemon",
            "git shell",
            "git sh-i18n",
            "git evil",
            "git log --outp=x",
            "git status --ignore-submodules=x --unknown",
            "git $x",
            "git log $x",
            "git rev-parse --parseopt",
            "git show :../x ../y",
            "git diff ~/x",
        ],
    );
}
