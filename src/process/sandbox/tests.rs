//! Commands that try to get out, on each sandbox that this machine has.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Available, Confine, Kind, Policy, bubblewrap, filter, landlock, repository};
use crate::process::{End, Ended, Mark, Spec, child_env, run, shell};

/// Both rungs of the ladder, whether or not they would be chosen here.
fn rungs(test: &str) -> Vec<Available> {
    let filtered = filter::program(filter::Sockets::Pairs).is_ok();
    let mut found = Vec::new();
    match bubblewrap::probe() {
        Ok(bubblewrap) => found.push(bubblewrap.available(filtered)),
        Err(why) => println!("SKIPPED {test} (bubblewrap): {why}"),
    }
    match landlock::probe() {
        Ok(()) => found.push(Available {
            kind: Kind::Landlock,
            network: filtered,
            ..Available::none("for the test")
        }),
        Err(why) => println!("SKIPPED {test} (Landlock): {why}"),
    }
    found
}

/// A project in a home, with something outside that must stay as it is.
struct Stage {
    top: tempfile::TempDir,
    mark: Mark,
    cancel: CancellationToken,
    confine: Option<Confine>,
    timeout: Duration,
}

impl Stage {
    fn new(available: &Available) -> Stage {
        Stage::with(available, false)
    }

    fn with(available: &Available, network: bool) -> Stage {
        let top = tempfile::tempdir().unwrap();
        for dir in ["project/.git/hooks", "project/src", "outside", "own", "tmp"] {
            std::fs::create_dir_all(top.path().join(dir)).unwrap();
        }
        for file in ["project/.git/HEAD", "project/.git/config", "project/src/a", "outside/a"] {
            std::fs::write(top.path().join(file), "as it was").unwrap();
        }
        std::fs::write(top.path().join("own/keys"), "canary").unwrap();
        let project = top.path().join("project");
        let git = repository(&project);
        let policy = Policy {
            writable: vec![project.clone(), top.path().join("tmp")],
            read_only: [git.read_only, vec![project.join(".tern"), top.path().join("own")]]
                .concat(),
            watched: git.watched,
            hidden: vec![top.path().join("own/keys")],
            network,
        };
        Stage {
            top,
            mark: Mark::default(),
            cancel: CancellationToken::new(),
            confine: Some(Confine::new(available, policy).unwrap()),
            timeout: Duration::from_secs(30),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.top.path().join(name)
    }

    fn spec(&self, argv: Vec<std::ffi::OsString>) -> Spec {
        let vars = std::env::vars_os().filter(|(name, _)| name != "TMPDIR");
        let vars = vars.chain([("TMPDIR".into(), self.path("tmp").into())]);
        Spec {
            argv,
            cwd: self.path("project"),
            env: child_env(vars, &[]),
            timeout: self.timeout,
            spill: self.path("spill"),
            run: self.mark.next_run(),
            confine: self.confine.clone(),
        }
    }

    async fn run(&self, command: &str) -> Ended {
        self.run_argv(shell(command, None)).await
    }

    async fn run_argv(&self, argv: Vec<std::ffi::OsString>) -> Ended {
        let (live, _keep) = mpsc::channel(64);
        run(&self.spec(argv), &self.cancel, live).await.unwrap()
    }

    /// Runs it and says whether it succeeded.
    async fn does(&self, command: &str) -> bool {
        self.run(command).await.end == End::Exited(0)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn inside_is_writable_and_outside_is_not() {
    for rung in rungs("inside_is_writable_and_outside_is_not") {
        let stage = Stage::new(&rung);
        for command in [
            "echo b > src/b && mkdir -p new/deep && mv src/b new/deep && rm new/deep/b",
            "echo more >> src/a && ln -s src/a link && chmod +x src/a",
            "t=$(mktemp) && echo x > \"$t\" && rm \"$t\"",
            "echo x > /dev/null && echo x > /dev/stderr && head -c1 /dev/urandom",
            "echo 'echo x' > run.sh && sh run.sh",
            "cat ../outside/a /etc/passwd",
        ] {
            let ended = stage.run(command).await;
            assert_eq!(ended.end, End::Exited(0), "{:?}: {command}: {ended:?}", rung.kind);
        }
        for command in [
            "echo x > ../outside/a",
            "echo x >> ../outside/a",
            ": > ../outside/a",
            "truncate -s 0 ../outside/a",
            "echo x > ../outside/new",
            "mkdir ../outside/new",
            "rm ../outside/a",
            "mv ../outside/a ../outside/b",
            "mv ../outside/a src/stolen",
            "mv src/a ../outside/new",
            "ln src/a ../outside/new",
            "ln -s src/a ../outside/new",
            "ln -s ../outside out && echo x > out/a",
            "ln ../outside/a hard && echo x > hard",
            "echo x > /proc/self/root\"$PWD\"/../outside/a",
            "echo x > /proc/self/cwd/../outside/a",
            "mknod ../outside/new p",
            "mkdir m && mount --bind ../outside m && echo x > m/a",
            "mount -o remount,rw,bind / && echo x > ../outside/a",
            "umount -l / && echo x > ../outside/a",
            "unshare -rm sh -c 'mount -o remount,rw,bind / && echo x > ../outside/a'",
            "unshare -rm sh -c 'umount ../own; umount .; echo x > ../outside/a'",
            "nsenter -t 1 -m sh -c 'echo x > ../outside/a'",
            "sh -c 'cd .. && cd outside && echo x > a'",
            ": >> /proc/sys/kernel/core_pattern",
            "mknod disk b 7 0",
            "chroot . true",
        ] {
            assert!(!stage.does(command).await, "{:?}: {command}", rung.kind);
            assert_eq!(names(&stage.path("outside")), ["a"], "{:?}: {command}", rung.kind);
            assert_eq!(stage.text("outside/a"), "as it was", "{:?}: {command}", rung.kind);
        }
    }
}

#[tokio::test]
async fn protected_paths_inside_hold() {
    for rung in rungs("protected_paths_inside_hold") {
        if !rung.read_only_inside {
            println!("SKIPPED protected_paths_inside_hold ({:?}): it only watches", rung.kind);
            continue;
        }
        let stage = Stage::new(&rung);
        for command in [
            "echo x > .git/hooks/pre-commit",
            "echo x > .git/config",
            "rm -f .git/config",
            "mv .git/config .git/c",
            "mv .git/hooks .git/h",
            "rm -rf .git/hooks",
            "echo x > new && mv -f new .git/config",
            // Another folder in its place would be as good as writing into it.
            "mv .git .g2 && mkdir -p .git/hooks && echo x > .git/hooks/pre-commit",
            "mkdir .tern",
            "echo x > .tern",
            "echo x > .tern/config.toml",
            "mkdir d && echo x > d/config.toml && mv -T d .tern",
            "ln -s src .tern",
            "rmdir .tern && mkdir .tern",
            "umount .tern && echo x > .tern/config.toml",
            "unshare -rm sh -c 'umount .git/hooks && echo x > .git/hooks/pre-commit'",
            "echo x > ../own/settings",
        ] {
            assert!(!stage.does(command).await, "{:?}: {command}", rung.kind);
            assert_eq!(names(&stage.path("project/.git/hooks")), [""; 0], "{command}");
            assert_eq!(stage.text("project/.git/config"), "as it was", "{command}");
            assert_eq!(names(&stage.path("project/.tern")), [""; 0], "{command}");
            assert_eq!(names(&stage.path("own")), ["keys"], "{command}");
        }
        // The rest of .git is git's to change.
        assert!(stage.does("echo x > .git/HEAD.lock && mv .git/HEAD.lock .git/HEAD").await);
        // What stood in for the missing folder goes with the session.
        drop(stage.confine);
        assert_eq!(names(&stage.top.path().join("project")), [".git", "d", "new", "src"]);
    }
}

#[tokio::test]
async fn what_is_not_held_is_told() {
    for rung in rungs("what_is_not_held_is_told") {
        let stage = Stage::new(&rung);
        let ended = stage.run("echo x > .git/commondir; cat .git/config").await;
        assert_eq!(ended.touched, [stage.path("project/.git/commondir")], "{:?}", rung.kind);
        if rung.read_only_inside {
            continue;
        }
        let ended = stage.run("mkdir .tern; echo x > .git/hooks/pre-commit; echo y > src/a").await;
        let expected = ["project/.git/hooks", "project/.tern"].map(|name| stage.path(name));
        assert_eq!(ended.touched, expected, "{:?}", rung.kind);
    }
}

#[tokio::test]
async fn hidden_files_cannot_be_read() {
    for rung in rungs("hidden_files_cannot_be_read") {
        let stage = Stage::new(&rung);
        let outside = format!("cat /proc/{}/environ | grep -c PATH", std::process::id());
        for command in [
            outside.as_str(),
            "cat ../own/keys",
            "cp ../own/keys src/k && cat src/k",
            "ln -s ../own/keys k; cat k",
            "ln ../own/keys h; cat h",
            "cat /proc/self/root\"$PWD\"/../own/keys",
            "mv ../own ../own2; cat ../own2/keys",
        ] {
            let ended = stage.run(command).await;
            assert_ne!(ended.end, End::Exited(0), "{:?}: {command}: {ended:?}", rung.kind);
            assert!(!ended.output.head.contains("canary"), "{:?}: {command}", rung.kind);
        }
        assert!(stage.does("cat src/a ../outside/a /etc/passwd && ls / && true").await);
    }
}

#[tokio::test]
async fn everyday_git_works() {
    if !std::process::Command::new("git")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        println!("SKIPPED everyday_git_works: git is not installed");
        return;
    }
    for rung in rungs("everyday_git_works") {
        let mut stage = Stage::new(&rung);
        let confine = stage.confine.take();
        let begin = "rm -rf .git && git init -q . && git config user.email a@b.invalid && \
                     git config user.name x";
        assert!(stage.does(begin).await);
        stage.confine = confine;
        let work = "git add -A && git commit -qm one && git checkout -qb side && echo y > src/a && \
                    git stash -q && git stash pop -q && git commit -qam two && git log --oneline | wc -l";
        let ended = stage.run(work).await;
        let told = (ended.end, ended.output.head.as_str(), ended.touched.as_slice());
        assert_eq!(told, (End::Exited(0), "2\n", [].as_slice()), "{:?}", rung.kind);
        if rung.read_only_inside {
            assert!(!stage.does("git config alias.st '!touch x'").await);
        }
    }
}

/// A server on this machine, as a command would reach it.
fn listener() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn no_network_unless_it_was_let_out() {
    for rung in rungs("no_network_unless_it_was_let_out") {
        if !rung.network {
            println!("SKIPPED no_network_unless_it_was_let_out ({:?}): {}", rung.kind, rung.why);
            continue;
        }
        let (_listener, port) = listener();
        let stage = Stage::new(&rung);
        let loopback = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
        for command in [
            loopback.as_str(),
            "exec 3<>/dev/tcp/192.0.2.1/80",
            "exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3",
            "getent hosts example.com",
        ] {
            assert!(!stage.does(command).await, "{:?}: {command}", rung.kind);
        }
        let open = Stage { confine: Some(stage.confine.as_ref().unwrap().with_network()), ..stage };
        assert!(open.does(&loopback).await, "{:?}", rung.kind);
        assert!(!open.does("echo x > ../outside/a").await, "{:?}", rung.kind);
    }
}

#[tokio::test]
async fn sockets_of_other_programs_are_out_of_reach() {
    let Ok(python) = std::process::Command::new("python3").arg("--version").output() else {
        println!("SKIPPED sockets_of_other_programs_are_out_of_reach: python3 is not installed");
        return;
    };
    assert!(python.status.success());
    for rung in rungs("sockets_of_other_programs_are_out_of_reach").iter().filter(|r| r.network) {
        let stage = Stage::new(rung);
        let path = stage.path("project/agent.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let name = format!("tern-test-{}", uuid::Uuid::now_v7());
        let abstract_name =
            <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(
                &name,
            );
        let _abstract =
            std::os::unix::net::UnixListener::bind_addr(&abstract_name.unwrap()).unwrap();
        let python = |code: &str| format!("python3 -c 'import socket as s\n{code}'");
        let connect = |address: &str| python(&format!("s.socket(s.AF_UNIX).connect({address})"));
        let (own, hidden) = (connect("\"agent.sock\""), connect(&format!("\"\\0{name}\"")));
        let vsock = python("s.socket(40, s.SOCK_STREAM)");
        for command in [&own, &hidden, &vsock] {
            assert!(!stage.does(command).await, "{:?}: {command}", rung.kind);
        }
        assert!(stage.does(&python("a, b = s.socketpair(); a.send(b\"x\")")).await);
        let open = Stage { confine: Some(stage.confine.as_ref().unwrap().with_network()), ..stage };
        assert!(open.does(&own).await, "{:?}", rung.kind);
    }
}

#[tokio::test]
async fn rights_do_not_grow() {
    for rung in rungs("rights_do_not_grow") {
        let stage = Stage::new(&rung);
        let ended =
            stage.run("grep -E 'NoNewPrivs|^Seccomp:' /proc/self/status | tr -d '\\t '").await;
        let text = ended.output.head.replace(char::is_whitespace, "");
        let expected = if rung.network { "NoNewPrivs:1Seccomp:2" } else { "NoNewPrivs:1Seccomp:0" };
        assert_eq!(text, expected, "{:?}", rung.kind);
        let outside = std::process::id();
        assert!(!stage.does(&format!("kill -0 {outside}")).await, "{:?}", rung.kind);
    }
}

#[tokio::test]
async fn arguments_and_results_pass_unchanged() {
    for rung in rungs("arguments_and_results_pass_unchanged") {
        let stage = Stage::new(&rung);
        let hostile =
            ["--bind", "-c", "", "--", "a\nb", "\u{202e}x", "$(id)", "*", "--seccomp", " ' \" \\"];
        let mut argv: Vec<std::ffi::OsString> =
            vec!["/bin/sh".into(), "-c".into(), "printf '<%s>' \"$@\"".into(), "--version".into()];
        argv.extend(hostile.iter().map(Into::into));
        let ended = stage.run_argv(argv).await;
        let expected: String = hostile.iter().map(|word| format!("<{word}>")).collect();
        assert_eq!((ended.end, ended.output.head), (End::Exited(0), expected), "{:?}", rung.kind);

        // Bubblewrap tells a signal as a shell does.
        let killed = match rung.kind {
            Kind::Bubblewrap => End::Exited(143),
            _ => End::Signalled(15),
        };
        for (command, end, text) in [
            ("exit 7", End::Exited(7), ""),
            ("printf a; printf b >&2", End::Exited(0), "ab"),
            ("kill -TERM $$", killed, ""),
            ("sh -c 'kill -KILL $$'; exit $?", End::Exited(137), ""),
            ("no-such-program-here 2>/dev/null", End::Exited(127), ""),
            ("cat", End::Exited(0), ""),
            ("pwd -P | grep -c '/project$'", End::Exited(0), "1\n"),
            ("echo $TERM$TERN_RUN | cut -c1-5", End::Exited(0), "dumb0\n"),
        ] {
            let ended = stage.run(command).await;
            assert_eq!((ended.end, ended.left), (end, 0), "{:?}: {command}", rung.kind);
            let head = &ended.output.head;
            assert!(head.starts_with(text), "{:?}: {command}: {head:?}", rung.kind);
        }
    }
}

#[tokio::test]
async fn no_descriptor_leaks_in() {
    for rung in rungs("no_descriptor_leaks_in") {
        let mut stage = Stage::new(&rung);
        let list = vec!["/bin/ls".into(), "/proc/self/fd".into()];
        let inside = stage.run_argv(list.clone()).await.output.head;
        stage.confine = None;
        // A test runner may leave descriptors of its own open: the same ones without a sandbox.
        assert_eq!(inside, stage.run_argv(list).await.output.head, "{:?}", rung.kind);
    }
}

#[tokio::test]
async fn output_comes_as_it_is_written() {
    for rung in rungs("output_comes_as_it_is_written") {
        let stage = Stage::new(&rung);
        let (live, mut pieces) = mpsc::channel(64);
        let spec = stage.spec(shell("printf one; sleep 0.2; printf two >&2; sleep 60", None));
        let cancel = stage.cancel.clone();
        let running = tokio::spawn(async move { run(&spec, &cancel, live).await.unwrap() });
        assert_eq!(pieces.recv().await.as_deref(), Some("one"));
        assert_eq!(pieces.recv().await.as_deref(), Some("two"));
        stage.cancel.cancel();
        assert_eq!(running.await.unwrap().end, End::Cancelled);
    }
}

fn alive(mark: &Mark) -> usize {
    let run = mark.next_run();
    let run = run.split('-').next().unwrap().to_owned();
    let whose = crate::process::stop::Whose { leader: None, run, whole: false };
    crate::process::stop::alive(&whose).len()
}

#[tokio::test]
async fn nothing_is_left_after_a_timeout() {
    for rung in rungs("nothing_is_left_after_a_timeout") {
        let mut stage = Stage::new(&rung);
        stage.timeout = Duration::from_millis(400);
        for command in [
            "sleep 100",
            "trap '' INT TERM; while :; do sleep 1; done",
            "setsid sleep 100 & env -i sleep 100 & sleep 100",
            "(trap '' INT; setsid sh -c 'trap \"\" TERM; sleep 100; sleep 100') & sleep 100",
        ] {
            let ended = stage.run(command).await;
            assert_eq!(ended.end, End::TimedOut, "{:?}: {command}", rung.kind);
            assert_eq!(alive(&stage.mark), 0, "{:?}: {command}", rung.kind);
        }
    }
}

#[tokio::test]
async fn the_background_lives_until_the_session_ends_and_stays_held() {
    for rung in rungs("the_background_lives_until_the_session_ends_and_stays_held") {
        let stage = Stage::new(&rung);
        let late = "(sleep 0.5; echo x > ../outside/late; mkdir .tern; echo x > src/late) & ";
        let ended = stage.run(&format!("{late} setsid sleep 100 >/dev/null & echo b")).await;
        assert_eq!((ended.end, ended.left), (End::Exited(0), 2 + 1), "{:?}", rung.kind);
        assert_eq!(ended.output.head, "b\n");
        for _ in 0..200 {
            if stage.path("project/src/late").exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(stage.text("project/src/late"), "x\n", "{:?}", rung.kind);
        assert_eq!(names(&stage.path("outside")), ["a"], "{:?}", rung.kind);
        assert!(alive(&stage.mark) > 0);
        stage.mark.kill_all();
        assert_eq!(alive(&stage.mark), 0, "{:?}", rung.kind);
    }
}

#[test]
fn without_a_sandbox_nothing_is_confined() {
    let none = Available::none("bubblewrap is not installed");
    let error = Confine::new(&none, Policy::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is no sandbox: bubblewrap is not installed");
    let no_cut = Available { kind: Kind::Landlock, ..Available::none("no filter") };
    let error = Confine::new(&no_cut, Policy::default()).unwrap_err();
    assert_eq!(error.to_string(), "the sandbox cannot cut the network: no filter");
    assert!(Confine::new(&no_cut, Policy { network: true, ..Policy::default() }).is_ok());
}
