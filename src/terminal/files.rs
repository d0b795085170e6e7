//! Finding the files of the project while a mention of one is written.
//!
//! One thread, begun with the first question: it walks the tree a piece at a time and looks for
//! newer questions between the pieces, so that an answer never waits for the end of a walk. The
//! list of paths is forgotten after a minute without a question.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self as blocking, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use ignore::WalkBuilder;
use tokio::sync::mpsc::UnboundedSender;

use crate::app::{Msg, Reply};
use crate::terminal::paths::Paths;

/// Paths that are offered at a time.
pub const OFFERED: usize = 50;
/// Paths that are known at most.
const MOST: usize = 500_000;
/// How long the walk goes on before it looks for a newer question.
const PIECE: Duration = Duration::from_millis(15);
/// A list that is older than this is walked anew, while it still answers.
const FRESH: Duration = Duration::from_secs(10);
/// How long the list is kept without a question.
const KEPT: Duration = Duration::from_secs(60);
/// Entries of a folder outside of the project that are looked at.
const LISTED: usize = 5_000;

/// What is looked for, and where.
#[derive(Debug, Clone)]
struct Find {
    root: PathBuf,
    seq: u64,
    query: String,
}

/// Dropping it ends the thread.
#[derive(Debug, Default)]
pub struct Files {
    work: Option<blocking::Sender<Find>>,
}

impl Files {
    /// Answered by [`Reply::Files`], again while the walk still finds more.
    pub fn find(&mut self, root: &Path, seq: u64, query: String, replies: &UnboundedSender<Msg>) {
        let work = self.work.get_or_insert_with(|| begin(replies.clone()));
        // Without a thread nothing is offered, and a path can still be typed.
        let _ = work.send(Find { root: root.to_owned(), seq, query });
    }
}

fn begin(replies: UnboundedSender<Msg>) -> blocking::Sender<Find> {
    let (work, asked) = blocking::channel::<Find>();
    let run = move || {
        let mut tree = Tree::default();
        while let Some(find) = next(&mut tree, &asked, &replies) {
            tree.ask(find);
            answer(&mut tree, &replies);
        }
    };
    let _ = thread::Builder::new().name("files".to_owned()).spawn(run);
    work
}

/// The newest question. Walks on while there is none; `None`: nobody will ask any more.
fn next(tree: &mut Tree, asked: &Receiver<Find>, replies: &UnboundedSender<Msg>) -> Option<Find> {
    let first = loop {
        if tree.walk.is_some() {
            match asked.try_recv() {
                Ok(find) => break find,
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if tree.go_on() {
                answer(tree, replies);
            }
            continue;
        }
        let wait = if tree.known.is_empty() { Duration::MAX } else { KEPT };
        match asked.recv_timeout(wait) {
            Ok(find) => break find,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => *tree = Tree::default(),
        }
    };
    Some(asked.try_iter().last().unwrap_or(first))
}

fn answer(tree: &mut Tree, replies: &UnboundedSender<Msg>) {
    let Some(Find { root, seq, query }) = &tree.asked else { return };
    let paths = match outside(query) {
        true => listing(root, query),
        false => tree.paths().search(query, OFFERED),
    };
    let looking = tree.walk.is_some();
    let _ = replies.send(Msg::Done(Reply::Files { seq: *seq, paths, looking }));
}

/// The paths of one folder and everything in it, as far as they are known.
#[derive(Default)]
struct Tree {
    asked: Option<Find>,
    root: PathBuf,
    known: Paths,
    /// A walk that is under way, and what it has found.
    walk: Option<(ignore::Walk, Paths)>,
    walked: Option<Instant>,
}

impl Tree {
    fn ask(&mut self, find: Find) {
        if find.root != self.root {
            *self = Tree { root: find.root.clone(), ..Tree::default() };
        }
        let fresh = self.walked.is_some_and(|at| at.elapsed() < FRESH);
        if self.walk.is_none() && !fresh {
            self.walk = Some((walk(&self.root), Paths::default()));
        }
        self.asked = Some(find);
    }

    /// What is known best: the last whole walk, or the part of the first one.
    fn paths(&self) -> &Paths {
        match &self.walk {
            Some((_, found)) if self.known.is_empty() => found,
            _ => &self.known,
        }
    }

    /// Walks for a moment. True where there is something new to tell.
    fn go_on(&mut self) -> bool {
        let Some((walk, found)) = &mut self.walk else { return false };
        let end = Instant::now() + PIECE;
        let before = found.len();
        while Instant::now() < end && found.len() < MOST {
            match walk.next() {
                Some(Ok(entry)) => add(&self.root, &entry, found),
                Some(Err(_)) => {}
                None => {
                    self.finish();
                    return true;
                }
            }
        }
        if found.len() >= MOST {
            self.finish();
            return true;
        }
        self.known.is_empty() && found.len() > before
    }

    fn finish(&mut self) {
        if let Some((_, found)) = self.walk.take() {
            self.known = found;
        }
        self.walked = Some(Instant::now());
    }
}

fn walk(root: &Path) -> ignore::Walk {
    WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| {
            let name = entry.file_name();
            entry.depth() == 0
                || ![".git", ".hg", ".svn", ".jj"].iter().any(|folder| name == *folder)
        })
        .build()
}

/// A name that cannot be shown as it is cannot be chosen either: whoever picks a file must see
/// which.
fn add(root: &Path, entry: &ignore::DirEntry, found: &mut Paths) {
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let Some(text) = path.to_str().filter(|text| !text.is_empty() && is_plain(text)) else {
        return;
    };
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    found.push(text, folder);
}

fn is_plain(name: &str) -> bool {
    use crate::text::clean::{Mode, clean};
    !name.contains('"') && clean(name, Mode::Name) == name
}

/// Whether the query names a place by itself, beyond the project's own tree.
fn outside(query: &str) -> bool {
    ["/", "~/", "../", "./"].iter().any(|head| query.starts_with(head)) || query == ".."
}

/// The entries of the folder that the query names so far.
fn listing(root: &Path, query: &str) -> Vec<String> {
    let (folder, name) = match query.rfind('/') {
        Some(at) => query.split_at(at + 1),
        None => (query, ""),
    };
    let place = match folder.strip_prefix("~/") {
        Some(rest) => match std::env::home_dir() {
            Some(home) => home.join(rest),
            None => return Vec::new(),
        },
        None => root.join(folder),
    };
    let head = if folder == ".." { "../" } else { folder };
    let mut paths = Paths::default();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten().take(LISTED) {
        let Ok(file) = entry.file_name().into_string() else { continue };
        // Hidden files are many in a home folder, and rarely meant.
        if is_plain(&file) && file.starts_with('.') <= name.starts_with('.') {
            paths.push(&file, entry.path().is_dir());
        }
    }
    let found = paths.search(name, OFFERED);
    found.into_iter().map(|path| format!("{head}{path}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(files: &mut Files, root: &Path, query: &str) -> Vec<String> {
        let (replies, mut answers) = tokio::sync::mpsc::unbounded_channel();
        files.find(root, 7, query.to_owned(), &replies);
        loop {
            match answers.blocking_recv() {
                Some(Msg::Done(Reply::Files { seq: 7, paths, looking: false })) => return paths,
                Some(_) => {}
                None => panic!("the thread has gone"),
            }
        }
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        dir
    }

    #[test]
    fn what_git_ignores_and_what_cannot_be_shown_is_not_offered() {
        let dir = tree(&[
            "src/parser.rs",
            "src/a b.rs",
            ".github/parser.yml",
            "target/parser.o",
            ".git/parser",
            "evil\u{202e}parser.rs",
            "parser\n.rs",
        ]);
        std::fs::write(dir.path().join(".gitignore"), "target/\n").unwrap();
        let found = ask(&mut Files::default(), dir.path(), "parser");
        assert_eq!(found, ["src/parser.rs", ".github/parser.yml"]);
        let top = ask(&mut Files::default(), dir.path(), "");
        assert_eq!(top, [".github/", "src/", ".gitignore"]);
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_listed() {
        let dir = tree(&["project/a.rs", "beside/one.txt", "beside/two.txt", ".hidden"]);
        let root = dir.path().join("project");
        let find = |query: &str| ask(&mut Files::default(), &root, query);
        assert_eq!(find("../"), ["../beside/", "../project/"]);
        assert_eq!(find("../beside/tw"), ["../beside/two.txt"]);
        assert_eq!(find("/no/such/folder/"), Vec::<String>::new());
    }
}
