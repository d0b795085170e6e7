//! The open file of a log: whole lines at its end, or nothing.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::session::disk::Disk;
use crate::session::read::Ending;

/// Bytes of lines kept in memory, in case the file is cut by someone else.
const REMEMBERED: usize = 8 << 20;

/// Names tried when something is put aside.
const TRIES: u32 = 10_000;

/// Times, 10 ms apart, that a lock is asked for again.
const PATIENCE: u32 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogErrorKind {
    /// The records are kept in memory and tried again.
    Held,
    /// The record can never be written; it is not part of the session.
    Unwritable,
    /// Everything is in the file, but a power cut may take it.
    NotDurable,
    /// Another program cut or replaced the file; what was in memory stands in a new one.
    Replaced,
}

/// What went wrong with the log, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LogError {
    pub kind: LogErrorKind,
    pub message: String,
}

impl LogError {
    pub(crate) fn holding(mut self, records: usize) -> LogError {
        if self.kind == LogErrorKind::Held {
            let what = if records == 1 {
                "1 record is".to_owned()
            } else {
                format!("{records} records are")
            };
            self.message = format!("{}; {what} kept in memory and tried again", self.message);
        }
        self
    }
}

pub(crate) fn unwritable(why: &str) -> LogError {
    LogError {
        kind: LogErrorKind::Unwritable,
        message: format!("a record cannot be logged: {why}"),
    }
}

#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    disk: Disk,
    file: File,
    /// Bytes of the file that are in order; it ends here.
    good: u64,
    /// The file does not end with a line end.
    open: bool,
    /// Lines written by this process and where they begin, newest last.
    remembered: VecDeque<(u64, Vec<u8>)>,
    remembered_bytes: usize,
    /// After a failed sync the system may have dropped the pages and call the next sync a
    /// success, so none is believed again.
    undurable: bool,
    notice: Option<LogError>,
}

impl Writer {
    /// A new file, with the folders that lead to it.
    pub(crate) fn create(path: &Path, disk: &Disk) -> Result<Writer, LogError> {
        let error = |error: io::Error| held(path, &error);
        let dir = path.parent().unwrap_or(Path::new(""));
        // Links above the sessions' folder are the person's own affair; one below it is not ours.
        if dir.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
            return Err(error(io::Error::other("its folder is a symbolic link")));
        }
        disk.make_dir(dir).map_err(error)?;
        let file = match disk.create(path) {
            // Of an attempt that could not even take back its empty file.
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => left_empty(path, disk),
            made => made,
        };
        let file = file.map_err(error)?;
        lock(&file).map_err(error)?;
        disk.sync_dir(dir).ok();
        Ok(Writer::new(path, disk, file, 0))
    }

    /// An existing file; `None` where another process has it.
    pub(crate) fn open(path: &Path, disk: &Disk) -> Result<Option<Writer>, LogError> {
        let error = |error: io::Error| LogError {
            kind: LogErrorKind::Held,
            message: format!("the session log {} could not be opened: {error}", path.display()),
        };
        let file = disk.open(path).map_err(error)?;
        // A listing may be looking at it, or its last holder may be just about to let go.
        let mut tries = PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(cause)) => return Err(error(cause)),
            }
        }
        let size = disk.size(&file).map_err(error)?;
        Ok(Some(Writer::new(path, disk, file, size)))
    }

    fn new(path: &Path, disk: &Disk, file: File, good: u64) -> Writer {
        Writer {
            path: path.to_owned(),
            disk: disk.clone(),
            file,
            good,
            open: false,
            remembered: VecDeque::new(),
            remembered_bytes: 0,
            undurable: false,
            notice: None,
        }
    }

    /// Makes the next record begin a line. An unfinished one is copied aside and cut; where that
    /// cannot be done it stays, on a line of its own. Returns the copy.
    pub(crate) fn mend(&mut self, end: Ending) -> Result<Option<PathBuf>, LogError> {
        self.open = end.open || end.torn > 0;
        if end.torn == 0 {
            return Ok(None);
        }
        let mut tail = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(end.good)).map_err(|error| held(&self.path, &error))?;
        file.read_to_end(&mut tail).map_err(|error| held(&self.path, &error))?;
        let Ok((copy, copied)) = aside(&self.path, "tail", |path| self.disk.create(path)) else {
            return Ok(None);
        };
        let cut = self
            .disk
            .write_all(&copied, &tail)
            .and_then(|()| self.disk.sync(&copied))
            .and_then(|()| self.disk.cut(&self.file, end.good));
        if cut.is_err() {
            std::fs::remove_file(&copy).ok();
            return Ok(None);
        }
        self.good = end.good;
        self.open = false;
        Ok(Some(copy))
    }

    /// Adds one line, its end included.
    pub(crate) fn append(&mut self, line: &[u8]) -> Result<(), LogError> {
        self.check().map_err(|error| held(&self.path, &error))?;
        let joined;
        let bytes = if self.open {
            joined = [b"\n", line].concat();
            &joined
        } else {
            line
        };
        match self.disk.write(&self.file, bytes) {
            Ok(taken) if taken == bytes.len() => {
                let begin = self.good + (bytes.len() - line.len()) as u64;
                self.good += bytes.len() as u64;
                self.open = false;
                self.remember(begin, line);
                Ok(())
            }
            Ok(taken) => {
                self.take_back(taken as u64);
                Err(held(&self.path, &io::ErrorKind::StorageFull.into()))
            }
            Err(error) => Err(held(&self.path, &error)),
        }
    }

    pub(crate) fn sync(&mut self) -> Result<(), LogError> {
        let failed = match self.disk.sync(&self.file) {
            Ok(()) if !self.undurable => return Ok(()),
            Ok(()) => "an earlier attempt failed".to_owned(),
            Err(error) => error.to_string(),
        };
        self.undurable = true;
        let message = format!(
            "the session log is written but may not survive a power cut: {failed} ({})",
            self.path.display()
        );
        Err(LogError { kind: LogErrorKind::NotDurable, message })
    }

    /// What the person should know although everything is written.
    pub(crate) fn take_notice(&mut self) -> Option<LogError> {
        self.notice.take()
    }

    /// Removes the part of a line that a full disk took. Where even that fails the part becomes a
    /// bad line, which the reader skips.
    fn take_back(&mut self, taken: u64) {
        if taken > 0 && self.disk.cut(&self.file, self.good).is_err() {
            self.good += taken;
            self.open = true;
        }
    }

    /// Looks whether the file is still what this process made it.
    fn check(&mut self) -> io::Result<()> {
        let size = self.disk.size(&self.file)?;
        if size < self.good || !is_at(&self.file, &self.path) {
            return self.begin_anew(size);
        }
        if size > self.good {
            // Somebody appended without asking for the lock: whole lines, or a part of one.
            self.open = !ends_line(&self.file, size)?;
            self.good = size;
        }
        Ok(())
    }

    /// Puts a file that is no longer ours aside and writes a new one: what is left of the old
    /// one's lines, then those that memory holds.
    fn begin_anew(&mut self, size: u64) -> io::Result<()> {
        let mut rest = vec![0; usize::try_from(size.min(self.good)).unwrap_or(usize::MAX)];
        (&self.file).seek(SeekFrom::Start(0))?;
        (&self.file).read_exact(&mut rest)?;
        rest.truncate(memchr::memrchr(b'\n', &rest).map_or(0, |at| at + 1));
        let kept = rest.len() as u64;
        for (begin, line) in &self.remembered {
            if *begin >= kept {
                rest.extend_from_slice(line);
            }
        }
        let copy = match self.path.symlink_metadata() {
            Ok(_) => Some(
                aside(&self.path, "old", |to| {
                    if to.exists() {
                        Err(io::ErrorKind::AlreadyExists.into())
                    } else {
                        self.disk.rename(&self.path, to)
                    }
                })?
                .0,
            ),
            Err(_) => None,
        };
        if let Some(dir) = self.path.parent() {
            self.disk.make_dir(dir)?;
        }
        let file = self.disk.create(&self.path)?;
        let written = lock(&file)
            .and_then(|()| self.disk.write_all(&file, &rest))
            .and_then(|()| self.disk.sync(&file));
        if let Err(error) = written {
            std::fs::remove_file(&self.path).ok();
            return Err(error);
        }
        self.file = file;
        self.good = rest.len() as u64;
        self.open = false;
        self.remembered.clear();
        self.remembered_bytes = 0;
        self.undurable = false;
        let place = copy.map_or_else(
            || "it was deleted".to_owned(),
            |copy| format!("what it had become is {}", copy.display()),
        );
        self.notice = Some(LogError {
            kind: LogErrorKind::Replaced,
            message: format!(
                "another program changed the session log {}; it was written anew, {place}",
                self.path.display()
            ),
        });
        Ok(())
    }

    fn remember(&mut self, begin: u64, line: &[u8]) {
        self.remembered_bytes += line.len();
        self.remembered.push_back((begin, line.to_vec()));
        while self.remembered_bytes > REMEMBERED {
            let Some((_, line)) = self.remembered.pop_front() else { break };
            self.remembered_bytes -= line.len();
        }
    }
}

/// A process that another thread is about to start holds a copy of every open file until it has
/// become its program. Closing alone would keep the lock until then.
impl Drop for Writer {
    fn drop(&mut self) {
        self.file.unlock().ok();
    }
}

fn held(path: &Path, error: &io::Error) -> LogError {
    LogError {
        kind: LogErrorKind::Held,
        message: format!("the session log {} could not be written: {error}", path.display()),
    }
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        TryLockError::Error(error) => error,
    })
}

/// Makes `PATH.WHAT-N` with the first free number.
fn aside<T>(
    path: &Path,
    what: &str,
    mut make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    for n in 1..TRIES {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{what}-{n}"));
        let to = PathBuf::from(name);
        match make(&to) {
            Ok(made) => return Ok((to, made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The file of that name, if nobody has written anything to it.
fn left_empty(path: &Path, disk: &Disk) -> io::Result<File> {
    let file = disk.open(path)?;
    match disk.size(&file)? {
        0 => Ok(file),
        _ => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

fn ends_line(mut file: &File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(size.saturating_sub(1)))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

/// Whether the open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}
