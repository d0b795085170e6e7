//! Puts files back to what they held at an earlier record: first a plan that changes nothing and
//! lists everything, then exactly that plan.
//!
//! Files have one history, whatever branch the conversation took: the state at a record is what
//! the first checkpoint after it in the file found.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use crate::session::blobs::Blobs;
use crate::session::checkpoint::{self, Checkpoint, FileState, Kept, When, state_of};
use crate::session::read::Loaded;
use crate::session::record::{Body, RecordId};

/// The files that would change, sorted by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub files: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Absolute.
    pub path: String,
    pub now: FileState,
    pub then: FileState,
    /// Why this file is left alone unless it is chosen.
    pub conflict: Option<Conflict>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// It is not what tern left: someone else changed it since. May be chosen all the same.
    ChangedSince,
    /// Its earlier or present state is not one that can be written or kept.
    Impossible { why: String },
}

/// Which conflicts are overruled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    WithoutConflicts,
    /// These paths too.
    With(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// The files as they are now: to be logged as a checkpoint of [`When::After`].
    pub done: Vec<Kept>,
    /// Path and reason.
    pub skipped: Vec<(String, String)>,
}

/// What it takes to have the files as they were right after the record `to`. `None` where the log
/// has no such record.
pub fn plan(loaded: &Loaded, to: &RecordId, blobs: &Blobs) -> Option<Plan> {
    let from = loaded.index_of(to)? + 1;
    let mut wanted: BTreeMap<&str, &FileState> = BTreeMap::new();
    for kept in checkpoints(loaded, from).filter(|c| c.when == When::Before).flat_map(|c| &c.files)
    {
        wanted.entry(&kept.path).or_insert(&kept.state);
    }
    Some(plan_for(wanted, loaded, blobs))
}

/// What it takes to have the files of the checkpoint record `at` as it found them: the way back
/// from a rewind, whose checkpoint is the record it came `from`.
pub fn plan_back(loaded: &Loaded, at: &RecordId, blobs: &Blobs) -> Option<Plan> {
    let entry = &loaded.entries[loaded.index_of(at)?];
    let Some(Body::Checkpoint(checkpoint)) = entry.state.as_deref() else { return None };
    let wanted = checkpoint.files.iter().map(|kept| (kept.path.as_str(), &kept.state)).collect();
    Some(plan_for(wanted, loaded, blobs))
}

impl Plan {
    /// The files that applying would change.
    pub fn paths<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = &'a Path> {
        self.files.iter().filter(|change| change.is_chosen(choice)).map(|c| Path::new(&c.path))
    }
}

impl Change {
    pub fn is_chosen(&self, choice: &Choice) -> bool {
        match (&self.conflict, choice) {
            (None, _) => true,
            (Some(Conflict::ChangedSince), Choice::With(paths)) => paths.contains(&self.path),
            (Some(Conflict::ChangedSince), Choice::WithoutConflicts)
            | (Some(Conflict::Impossible { .. }), _) => false,
        }
    }

    /// Both contents, for the preview; `None` where there is no file.
    pub fn contents(&self, blobs: &Blobs) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let now =
            checkpoint::read(Path::new(&self.path)).ok().flatten().map(|content| content.bytes);
        let then = match &self.then {
            FileState::File { blob, .. } => blobs.get(blob).ok(),
            FileState::Absent | FileState::Other { .. } => None,
        };
        (now, then)
    }
}

/// Carries out the plan for the chosen files. The caller has logged a checkpoint of their present
/// state. A file that is no longer what the plan saw is skipped.
pub fn apply(plan: &Plan, choice: &Choice, blobs: &Blobs) -> Applied {
    let mut applied = Applied::default();
    for change in &plan.files {
        if !change.is_chosen(choice) {
            let why = match &change.conflict {
                Some(Conflict::Impossible { why }) => why.clone(),
                Some(Conflict::ChangedSince) | None => "it was changed by someone else".to_owned(),
            };
            applied.skipped.push((change.path.clone(), why));
            continue;
        }
        match put_back(change, blobs) {
            Ok(()) => {
                applied.done.push(Kept { path: change.path.clone(), state: change.then.clone() });
            }
            Err(why) => applied.skipped.push((change.path.clone(), why)),
        }
    }
    applied
}

fn plan_for(wanted: BTreeMap<&str, &FileState>, loaded: &Loaded, blobs: &Blobs) -> Plan {
    let left: HashMap<&str, &FileState> = checkpoints(loaded, 0)
        .flat_map(|checkpoint| &checkpoint.files)
        .map(|kept| (kept.path.as_str(), &kept.state))
        .collect();
    let mut files = Vec::new();
    for (path, then) in wanted {
        let now = state_of(Path::new(path));
        if now == *then {
            continue;
        }
        let conflict =
            impossible(&now, then, blobs).map(|why| Conflict::Impossible { why }).or_else(|| {
                let ours = left.get(path).is_some_and(|left| same_content(left, &now));
                (!ours).then_some(Conflict::ChangedSince)
            });
        files.push(Change { path: path.to_owned(), now, then: then.clone(), conflict });
    }
    Plan { files }
}

fn checkpoints(loaded: &Loaded, from: usize) -> impl Iterator<Item = &Checkpoint> {
    let entries = loaded.entries.get(from..).unwrap_or_default();
    entries.iter().filter_map(|entry| match entry.state.as_deref() {
        Some(Body::Checkpoint(checkpoint)) => Some(checkpoint),
        _ => None,
    })
}

fn impossible(now: &FileState, then: &FileState, blobs: &Blobs) -> Option<String> {
    match (now, then) {
        (FileState::Other { why }, _) | (_, FileState::Other { why }) => Some(why.clone()),
        (_, FileState::File { blob, .. }) => blobs
            .path(blob)
            .is_none_or(|path| !path.exists())
            .then(|| "its earlier content is no longer kept".to_owned()),
        (_, FileState::Absent) => None,
    }
}

fn same_content(a: &FileState, b: &FileState) -> bool {
    match (a, b) {
        (FileState::Absent, FileState::Absent) => true,
        (FileState::File { blob: a, .. }, FileState::File { blob: b, .. }) => a == b,
        (FileState::Absent | FileState::File { .. } | FileState::Other { .. }, _) => false,
    }
}

fn put_back(change: &Change, blobs: &Blobs) -> Result<(), String> {
    let path = Path::new(&change.path);
    let content = match &change.then {
        FileState::File { blob, .. } => Some(blobs.get(blob).map_err(|error| error.to_string())?),
        FileState::Absent => None,
        FileState::Other { why } => return Err(why.clone()),
    };
    if state_of(path) != change.now {
        return Err("it changed after the preview".to_owned());
    }
    match content {
        Some(content) => write(path, &content, &change.then).map_err(|error| error.to_string()),
        None => std::fs::remove_file(path).map_err(|error| error.to_string()),
    }
}

/// Old or new, never a part: a new file takes the place of the old one.
fn write(path: &Path, content: &[u8], state: &FileState) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::Builder::new().prefix(".tern-").tempfile_in(dir)?;
    file.write_all(content)?;
    #[cfg(unix)]
    if let FileState::File { mode: Some(mode), .. } = state {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(*mode);
        file.as_file().set_permissions(mode)?;
    }
    #[cfg(not(unix))]
    let _ = state;
    file.as_file().sync_data()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::disk::Disk;
    use crate::session::read;
    use crate::session::record::tests::{record, user};
    use crate::session::record::{Record, encode};
    use proptest::prelude::*;
    use std::path::PathBuf;

    /// A project, and a log that grows by hand.
    struct Project {
        dir: tempfile::TempDir,
        blobs: Blobs,
        records: Vec<Record>,
    }

    impl Project {
        fn new() -> Project {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir(dir.path().join("p")).unwrap();
            let blobs = Blobs::new(dir.path().join("blobs"), Disk::default());
            let mut project = Project { dir, blobs, records: Vec::new() };
            project.log(user("go"));
            project
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join("p").join(name)
        }

        fn log(&mut self, body: Body) -> RecordId {
            let parent = self.records.last().map(|record| record.id.0.clone());
            let record = record(self.records.len() as u64, parent.as_deref(), body);
            self.records.push(record);
            self.records.last().unwrap().id.clone()
        }

        fn loaded(&self) -> Loaded {
            let path = self.dir.path().join("s.jsonl");
            let lines: Vec<Vec<u8>> = self.records.iter().map(|r| encode(r).unwrap()).collect();
            std::fs::write(&path, lines.concat()).unwrap();
            read::load(&path).unwrap().0
        }

        /// A change as a tool makes it: `None` deletes.
        fn change(&mut self, name: &str, content: Option<&str>) {
            let path = self.path(name);
            let before = checkpoint::before(None, [path.as_path()], &self.blobs);
            self.log(Body::Checkpoint(before));
            self.change_outside(name, content);
            let after = checkpoint::after(None, [path.as_path()]);
            self.log(Body::Checkpoint(after));
        }

        fn change_outside(&self, name: &str, content: Option<&str>) {
            let path = self.path(name);
            match content {
                Some(content) => std::fs::write(&path, content).unwrap(),
                None => drop(std::fs::remove_file(&path)),
            }
        }

        fn files(&self) -> BTreeMap<String, Vec<u8>> {
            std::fs::read_dir(self.dir.path().join("p"))
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| {
                    let name = entry.file_name().into_string().unwrap();
                    (name, std::fs::read(entry.path()).unwrap())
                })
                .collect()
        }

        /// Rewinds as the agent does; returns the checkpoint that undoes it.
        fn rewind(&mut self, plan: &Plan, choice: &Choice) -> (RecordId, Applied) {
            let before = checkpoint::before(None, plan.paths(choice), &self.blobs);
            let at = self.log(Body::Checkpoint(before));
            let applied = apply(plan, choice, &self.blobs);
            let files = applied.done.clone();
            self.log(Body::Checkpoint(Checkpoint {
                when: When::After,
                call: None,
                turn: None,
                files,
            }));
            (at, applied)
        }
    }

    #[test]
    fn files_go_back_and_forth() {
        let mut project = Project::new();
        project.change_outside("a", Some("one"));
        project.change_outside("gone", Some("here"));
        let old = project.files();
        let to = project.log(user("change them"));
        project.change("a", Some("two"));
        project.change("new/b".trim_start_matches("new/"), Some("fresh"));
        project.change("gone", None);
        project.change("a", Some("three"));
        let new = project.files();

        let plan = plan(&project.loaded(), &to, &project.blobs).unwrap();
        let summary: Vec<(&str, bool)> = plan
            .files
            .iter()
            .map(|c| (c.path.rsplit('/').next().unwrap(), c.conflict.is_some()))
            .collect();
        assert_eq!(summary, [("a", false), ("b", false), ("gone", false)]);
        assert_eq!(
            plan.files[0].contents(&project.blobs),
            (Some(b"three".to_vec()), Some(b"one".to_vec()))
        );
        let (at, applied) = project.rewind(&plan, &Choice::WithoutConflicts);
        assert_eq!(applied.skipped, []);
        assert_eq!(project.files(), old);

        let back = plan_back(&project.loaded(), &at, &project.blobs).unwrap();
        project.rewind(&back, &Choice::WithoutConflicts);
        assert_eq!(project.files(), new);
    }

    #[test]
    fn a_change_by_someone_else_is_marked_and_skipped() {
        let mut project = Project::new();
        project.change_outside("a", Some("one"));
        let to = project.log(user("change it"));
        project.change("a", Some("two"));
        project.change_outside("a", Some("mine"));
        let plan = plan(&project.loaded(), &to, &project.blobs).unwrap();
        assert_eq!(plan.files[0].conflict, Some(Conflict::ChangedSince));
        let applied = apply(&plan, &Choice::WithoutConflicts, &project.blobs);
        assert_eq!((applied.done.len(), applied.skipped.len()), (0, 1));
        assert_eq!(project.files()["a"], b"mine");
        let choice = Choice::With(vec![plan.files[0].path.clone()]);
        project.rewind(&plan, &choice);
        assert_eq!(project.files()["a"], b"one");
    }

    #[test]
    fn what_changed_after_the_preview_or_is_no_longer_kept_stays() {
        let mut project = Project::new();
        project.change_outside("a", Some("one"));
        let to = project.log(user("change it"));
        project.change("a", Some("two"));
        let first = plan(&project.loaded(), &to, &project.blobs).unwrap();
        project.change_outside("a", Some("raced"));
        let applied = apply(&first, &Choice::WithoutConflicts, &project.blobs);
        assert_eq!(applied.skipped[0].1, "it changed after the preview");
        project.change_outside("a", Some("two"));
        std::fs::remove_dir_all(project.blobs.dir()).unwrap();
        let second = plan(&project.loaded(), &to, &project.blobs).unwrap();
        assert!(matches!(second.files[0].conflict, Some(Conflict::Impossible { .. })));
        assert_eq!(project.files()["a"], b"two");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_never_followed_and_modes_come_back() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let mut project = Project::new();
        let (script, link) = (project.path("run"), project.path("link"));
        std::fs::write(&script, "#!").unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        symlink(&script, &link).unwrap();
        let to = project.log(user("change them"));
        project.change("run", Some("#!!"));
        let before = checkpoint::before(None, [link.as_path()], &project.blobs);
        assert!(matches!(before.files[0].state, FileState::Other { .. }));
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o600)).unwrap();
        let plan = plan(&project.loaded(), &to, &project.blobs).unwrap();
        project.rewind(&plan, &Choice::WithoutConflicts);
        assert_eq!(std::fs::read(&script).unwrap(), b"#!");
        assert_eq!(script.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn back_then_forth_is_where_it_was(
            steps in proptest::collection::vec((0..4u8, proptest::option::of("[a-c]{0,3}"), any::<bool>()), 1..12),
            target in any::<prop::sample::Index>(),
        ) {
            let mut project = Project::new();
            let mut targets = vec![(project.records[0].id.clone(), project.files())];
            for (name, content, note) in &steps {
                project.change(&format!("f{name}"), content.as_deref());
                if *note {
                    let id = project.log(user("note"));
                    targets.push((id, project.files()));
                }
            }
            project.change_outside("theirs", Some("untouched"));
            let end = project.files();
            let (to, mut wanted) = targets[target.index(targets.len())].clone();
            let plan = plan(&project.loaded(), &to, &project.blobs).unwrap();
            let (at, _) = project.rewind(&plan, &Choice::WithoutConflicts);
            wanted.insert("theirs".into(), b"untouched".to_vec());
            prop_assert_eq!(project.files(), wanted);
            let back = plan_back(&project.loaded(), &at, &project.blobs).unwrap();
            project.rewind(&back, &Choice::WithoutConflicts);
            prop_assert_eq!(project.files(), end);
        }
    }
}
