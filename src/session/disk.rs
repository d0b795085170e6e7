//! The file calls that logs and blobs are written with, each of which can be made to fail.
//!
//! Every file is 0600 and every folder 0700, whatever the umask says. Nothing follows a symbolic
//! link in the last place of a path.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The disk, as it is or with a fault planned.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    faults: Option<Arc<Faults>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    MakeDir,
    Open,
    Stat,
    Write,
    Cut,
    Sync,
    Rename,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Counts only these calls; `None`: all.
    pub op: Option<Op>,
    /// The first call that fails, from 0.
    pub from: u64,
    /// How many fail.
    pub count: u64,
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call fails with this error number of the system.
    Error(i32),
    /// A write takes only this many bytes; other calls do their work.
    Short(usize),
    /// The same, and other calls fail: what was torn cannot be mended.
    Torn(usize),
}

#[derive(Debug)]
struct Faults {
    plan: Plan,
    seen: AtomicU64,
}

impl Disk {
    pub fn faulty(plan: Plan) -> Disk {
        Disk { faults: Some(Arc::new(Faults { plan, seen: AtomicU64::new(0) })) }
    }

    /// Calls counted so far; 0 on a disk without a plan.
    pub fn calls(&self) -> u64 {
        self.faults.as_ref().map_or(0, |faults| faults.seen.load(Ordering::Relaxed))
    }

    /// Makes the folder and what leads to it, all our own: each is 0700 when it is new.
    pub fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.fault(Op::MakeDir)?;
        let missing: Vec<&Path> =
            dir.ancestors().take_while(|at| !at.as_os_str().is_empty() && !at.exists()).collect();
        for at in missing.into_iter().rev() {
            match std::fs::create_dir(at) {
                Ok(()) => own(at, 0o700)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A new file for appending; an error where one exists.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        self.fault(Op::Open)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // Nothing stays behind that the next attempt would take for somebody else's.
        own(path, 0o600).inspect_err(|_| drop(std::fs::remove_file(path)))?;
        Ok(file)
    }

    /// An existing file for appending.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        self.fault(Op::Open)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        no_follow(&mut options);
        options.open(path)
    }

    /// Bytes of an open file.
    pub fn size(&self, file: &File) -> io::Result<u64> {
        self.fault(Op::Stat)?;
        Ok(file.metadata()?.len())
    }

    /// One `write(2)`, again where a signal came first. Returns what it took.
    pub fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let taken = match self.fault(Op::Write) {
                Ok(None) => file.write(bytes),
                Ok(Some(most)) => file.write(&bytes[..most.min(bytes.len())]),
                Err(error) => Err(error),
            };
            match taken {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Writes everything; an error may leave a part.
    pub fn write_all(&self, file: &File, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(file, bytes)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                taken => bytes = &bytes[taken..],
            }
        }
        Ok(())
    }

    /// Shortens an open file.
    pub fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.fault(Op::Cut)?;
        file.set_len(bytes)
    }

    /// Waits until the file's contents would survive a power cut.
    pub fn sync(&self, file: &File) -> io::Result<()> {
        self.fault(Op::Sync)?;
        file.sync_data()
    }

    /// The same for the names in a folder.
    pub fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.fault(Op::Sync)?;
        if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    /// Marks the file as used just now.
    pub fn touch(&self, path: &Path) -> io::Result<()> {
        self.fault(Op::Stat)?;
        #[cfg(unix)]
        {
            use rustix::fs::{
                AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat,
            };
            let stamp = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
            let times =
                Timestamps { last_access: stamp(UTIME_OMIT), last_modification: stamp(UTIME_NOW) };
            utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        #[cfg(not(unix))]
        let _ = path;
        Ok(())
    }

    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fault(Op::Rename)?;
        std::fs::rename(from, to)
    }

    /// The most bytes that a planned short write takes, or the planned error.
    fn fault(&self, op: Op) -> io::Result<Option<usize>> {
        let Some(faults) = &self.faults else { return Ok(None) };
        let plan = faults.plan;
        if plan.op.is_some_and(|only| only != op) {
            return Ok(None);
        }
        let call = faults.seen.fetch_add(1, Ordering::Relaxed);
        if !(plan.from..plan.from.saturating_add(plan.count)).contains(&call) {
            return Ok(None);
        }
        match plan.fault {
            Fault::Error(number) => Err(io::Error::from_raw_os_error(number)),
            Fault::Short(most) => Ok(Some(most)),
            Fault::Torn(most) if op == Op::Write => Ok(Some(most)),
            Fault::Torn(_) => Err(io::Error::other("a planned fault")),
        }
    }
}

/// Opens for reading; a symbolic link is an error.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    no_follow(&mut options);
    options.open(path)
}

fn no_follow(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Sets the mode, as the umask may have taken even the owner's own bits.
fn own(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_private_and_links_are_not_followed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let inner = dir.path().join("a/b");
        disk.make_dir(&inner).unwrap();
        let file = disk.create(&inner.join("x")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("a")), 0o700);
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(inner.join("x"), inner.join("link")).unwrap();
        assert!(disk.open(&inner.join("link")).is_err());
        assert!(disk.create(&inner.join("link")).is_err());
        assert!(open_to_read(&inner.join("link")).is_err());
    }

    #[test]
    fn a_plan_hits_the_calls_it_names() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::faulty(Plan {
            op: Some(Op::Write),
            from: 1,
            count: 1,
            fault: Fault::Error(rustix::io::Errno::NOSPC.raw_os_error()),
        });
        let file = disk.create(&dir.path().join("x")).unwrap();
        assert_eq!(disk.write(&file, b"abc").unwrap(), 3);
        assert_eq!(disk.write(&file, b"abc").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.write(&file, b"abc").unwrap(), 3);
        assert_eq!(disk.calls(), 3);
    }

    #[test]
    fn a_signal_before_a_write_is_not_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::faulty(Plan {
            op: Some(Op::Write),
            from: 0,
            count: 2,
            fault: Fault::Error(rustix::io::Errno::INTR.raw_os_error()),
        });
        let file = disk.create(&dir.path().join("x")).unwrap();
        assert_eq!(disk.write(&file, b"abc").unwrap(), 3);
        assert_eq!(disk.calls(), 3);
    }
}
