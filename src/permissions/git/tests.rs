use std::path::Path;

use super::*;

fn repository(config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for part in ["objects", "refs"] {
        std::fs::create_dir_all(dir.path().join(".git").join(part)).unwrap();
    }
    std::fs::write(dir.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(dir.path().join(".git/config"), config).unwrap();
    dir
}

#[test]
fn usual_configurations_run_nothing() {
    for config in [
        "",
        "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n",
        "[remote \"origin\"]\n\turl = git@host:a/b.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n",
        "[user]\n\tname = A\n\temail = \"$(touch x)\"\n",
        "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n\tprocess = git-lfs filter-process\n\trequired = true\n",
        "[core]\n\tfsmonitor = true\n",
        "[diff]\n\talgorithm = histogram\n[merge]\n\tconflictStyle = zdiff3\n",
        "[alias]\n\tst = !touch x\n",
        "[submodule \"x\"]\n\turl = ../x\n\tactive = true\n",
        "[extensions]\n\tworktreeConfig = true\n\tobjectFormat = sha1\n",
        "[include]\n\tpath = absent\n",
    ] {
        let dir = repository(config);
        assert_eq!(
            examine(dir.path()),
            Repository { root: Some(dir.path().to_owned()), runs: None },
            "{config}"
        );
    }
}

#[test]
fn the_reason_names_the_key() {
    for (config, reason) in [
        ("[core]\n\tfsmonitor = touch x\n", "its configuration sets core.fsmonitor"),
        ("[CORE] FSMonitor = x", "its configuration sets core.fsmonitor"),
        ("[diff \"x\"]\ntextconv = y", "its configuration sets diff.x.textconv"),
        ("[diff.x]\ntextconv = y", "its configuration sets diff.x.textconv"),
        ("[filter \"lfs\"]\nclean = touch x", "its configuration sets filter.lfs.clean"),
        ("[core]\nbare = \\q", "its configuration cannot be read"),
        ("[a]\nb", "its configuration sets a.b"),
        ("[extensions]\nobjectFormat = sha256", "its configuration sets extensions.objectformat"),
    ] {
        let dir = repository(config);
        assert_eq!(examine(dir.path()).runs.as_deref(), Some(reason), "{config}");
    }
}

#[test]
fn included_files_count() {
    let dir = repository("[includeIf \"onbranch:x\"]\n\tpath = a\n");
    std::fs::write(dir.path().join(".git/a"), "[include]\npath = a\n").unwrap();
    assert!(examine(dir.path()).runs.unwrap().contains("too deeply"));
    std::fs::write(dir.path().join(".git/a"), "[gpg]\nprogram = x\n").unwrap();
    assert_eq!(examine(dir.path()).runs.unwrap(), "its configuration sets gpg.program");
}

#[test]
fn a_folder_without_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let found = examine(dir.path());
    assert!(found.root.is_none_or(|root| !root.starts_with(dir.path())));
}

/// With the real git: an index with a repository inside, in each version of the format.
#[test]
fn repositories_in_the_index() {
    let git = |dir: &Path, args: &[&str]| {
        std::process::Command::new("git")
            .args([
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b.invalid",
                "-c",
                "advice.addEmbeddedRepo=false",
            ])
            .args(args)
            .current_dir(dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
    };
    if std::process::Command::new("git").arg("--version").output().is_err() {
        println!("SKIPPED repositories_in_the_index: git is absent");
        return;
    }
    for version in ["2", "3", "4"] {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/inner");
        std::fs::create_dir_all(&inner).unwrap();
        for name in ["a/one", "b", "zz long name/é"] {
            std::fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        std::fs::write(inner.join("x"), "x").unwrap();
        for (place, args) in [
            (inner.as_path(), vec!["init", "-q"]),
            (&inner, vec!["add", "."]),
            (&inner, vec!["commit", "-qm", "x"]),
            (dir.path(), vec!["init", "-q"]),
            (dir.path(), vec!["config", "index.version", version]),
            (dir.path(), vec!["add", "."]),
            (dir.path(), vec!["update-index", "--index-version", version]),
        ] {
            assert!(git(place, &args).unwrap().status.success(), "{args:?}");
        }
        let index = dir.path().join(".git/index");
        assert_eq!(index::links(&index), Ok(vec!["a/inner".to_owned()]), "version {version}");
        assert_eq!(examine(dir.path()).runs, None);
        git(&inner, &["config", "core.fsmonitor", "touch x"]).unwrap();
        assert_eq!(
            examine(dir.path()).runs.as_deref(),
            Some("its configuration sets core.fsmonitor")
        );
    }
}
