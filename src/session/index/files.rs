//! The logs on disk, by name, size and time: nothing is opened.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::session::Places;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub path: PathBuf,
    /// `PROJECT/SESSION.jsonl`
    pub name: String,
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
}

/// All logs, or those of one project, the last changed first.
pub(crate) fn logs(places: &Places, project: Option<&Path>) -> io::Result<Vec<LogFile>> {
    let mut found = Vec::new();
    match project {
        Some(project) => in_folder(&places.project(project), &mut found)?,
        None => {
            for folder in entries(&places.sessions)? {
                if folder.file_type().is_ok_and(|kind| kind.is_dir()) {
                    in_folder(&folder.path(), &mut found)?;
                }
            }
        }
    }
    found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| b.name.cmp(&a.name)));
    Ok(found)
}

/// One log; an error where it is not a file.
pub(crate) fn log(path: &Path) -> io::Result<LogFile> {
    let meta = path.symlink_metadata()?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !meta.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let project = path.parent().map(name).unwrap_or_default();
    Ok(LogFile {
        path: path.to_owned(),
        name: format!("{project}/{}", name(path)),
        size: meta.len(),
        modified: nanos(meta.modified()?),
    })
}

fn in_folder(folder: &Path, found: &mut Vec<LogFile>) -> io::Result<()> {
    for entry in entries(folder)? {
        if entry.path().extension().is_some_and(|end| end == "jsonl") {
            // A log that goes away meanwhile is no error.
            found.extend(log(&entry.path()).ok());
        }
    }
    Ok(())
}

/// No folder is an empty one.
fn entries(folder: &Path) -> io::Result<Vec<std::fs::DirEntry>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
