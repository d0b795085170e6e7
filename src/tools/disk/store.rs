//! Writing a file that was looked at: a new one beside it takes its place in one step, with its
//! owner, mode and extended attributes.
//!
//! A hard link is parted: this name gets the new text, other names keep the old one (a store that
//! links equal files together must not change by an edit in one place). Where a file cannot be
//! replaced but can be written (a folder without write permission, another owner) it is written
//! in place.

use crate::tools::disk::{Found, Trouble};

/// What the writing met that the model or the person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tools) struct Stored {
    /// Other names of the same file, which keep the old text.
    pub parted_from: u64,
}

/// Writes `bytes` where `found` was found, if it is still as it was found.
pub(in crate::tools) fn store(found: &Found, bytes: &[u8]) -> Result<Stored, Trouble> {
    match &found.old {
        Some(old) => imp::replace(found, old, bytes),
        None => imp::create(found, bytes).map(|()| Stored::default()),
    }
}

#[cfg(unix)]
mod imp {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, Metadata};
    use std::io::{Read, Seek, SeekFrom, Write};
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{Access, AtFlags, Gid, Mode, OFlags, RenameFlags, Uid, XattrFlags};
    use rustix::io::Errno;

    use super::{Found, Stored, Trouble};
    use crate::tools::disk::found::Old;

    pub(super) fn replace(found: &Found, old: &Old, bytes: &[u8]) -> Result<Stored, Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        let changed = || Trouble::Changed(found.shown.clone());
        let meta = old.file.metadata().map_err(io)?;
        if !writable(found, &meta) {
            return Err(Trouble::ReadOnly(found.shown.clone()));
        }
        let dir = &found.dir.held;
        let temp = match Temp::new(dir, Mode::RUSR | Mode::WUSR) {
            Ok(temp) => temp,
            // No new file in this folder, but this one may be written.
            Err(Errno::ACCESS | Errno::PERM) => return in_place(found, old, bytes),
            Err(e) => return Err(io(e.into())),
        };
        if !take_on(&temp.file, &old.file, &meta) {
            return in_place(found, old, bytes);
        }
        (&temp.file).write_all(bytes).map_err(io)?;
        temp.file.sync_all().map_err(io)?;

        if !same_file(dir, &found.name, &meta) {
            return Err(changed());
        }
        match rustix::fs::renameat_with(dir, &temp.name, dir, &found.name, RenameFlags::EXCHANGE) {
            // What stood there now stands under the other name: look before it goes.
            Ok(()) if same_file(dir, &temp.name, &meta) && same_bytes(old) => {}
            Ok(()) => {
                let _ = rustix::fs::renameat_with(
                    dir,
                    &temp.name,
                    dir,
                    &found.name,
                    RenameFlags::EXCHANGE,
                );
                return Err(changed());
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if !same_bytes(old) {
                    return Err(changed());
                }
                rustix::fs::renameat(dir, &temp.name, dir, &found.name)
                    .map_err(|e| io(e.into()))?;
            }
            Err(Errno::NOENT) => return Err(changed()),
            Err(e) => return Err(io(e.into())),
        }
        Ok(Stored { parted_from: meta.nlink().saturating_sub(1) })
    }

    pub(super) fn create(found: &Found, bytes: &[u8]) -> Result<(), Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        let dir = make_dirs(found)?;
        // The mode is what the umask leaves of 0666, as for any new file.
        let temp = Temp::new(&dir, Mode::from_raw_mode(0o666)).map_err(|e| io(e.into()))?;
        (&temp.file).write_all(bytes).map_err(io)?;
        temp.file.sync_all().map_err(io)?;
        let moved =
            rustix::fs::renameat_with(&dir, &temp.name, &dir, &found.name, RenameFlags::NOREPLACE);
        let moved = match moved {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::linkat(&dir, &temp.name, &dir, &found.name, AtFlags::empty())
            }
            other => other,
        };
        match moved {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(Trouble::Changed(found.shown.clone())),
            Err(e) => Err(io(e.into())),
        }
    }

    /// The folder of the file; those that are missing are made, each below the one before.
    fn make_dirs(found: &Found) -> Result<File, Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        let mut dir = found.dir.held.try_clone().map_err(io)?;
        for name in &found.dir.missing {
            match rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(io(e.into())),
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            dir = rustix::fs::openat(&dir, name, flags, Mode::empty())
                .map(File::from)
                .map_err(|e| io(e.into()))?;
        }
        Ok(dir)
    }

    /// A new file beside the old one; removed when dropped, whatever stands there by then.
    struct Temp<'a> {
        dir: &'a File,
        name: OsString,
        file: File,
    }

    impl Temp<'_> {
        fn new(dir: &File, mode: Mode) -> Result<Temp<'_>, Errno> {
            let name = OsString::from(format!(".tern-{}", uuid::Uuid::now_v7().simple()));
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = rustix::fs::openat(dir, &name, flags | OFlags::NOFOLLOW, mode)?;
            Ok(Temp { dir, name, file: File::from(file) })
        }
    }

    impl Drop for Temp<'_> {
        fn drop(&mut self) {
            // Gone when it has been moved into place.
            let _ = rustix::fs::unlinkat(self.dir, &self.name, AtFlags::empty());
        }
    }

    /// A file without any write bit is read-only also for root, who could write it.
    fn writable(found: &Found, meta: &Metadata) -> bool {
        meta.mode() & 0o222 != 0
            && rustix::fs::accessat(
                &found.dir.held,
                &found.name,
                Access::WRITE_OK,
                AtFlags::empty(),
            )
            .is_ok()
    }

    /// Owner, attributes and mode of the old file. False where the owner cannot be kept.
    fn take_on(new: &File, old: &File, meta: &Metadata) -> bool {
        let Ok(mine) = new.metadata() else { return false };
        if (mine.uid(), mine.gid()) != (meta.uid(), meta.gid()) {
            let (uid, gid) = (Uid::from_raw(meta.uid()), Gid::from_raw(meta.gid()));
            if rustix::fs::fchown(new, Some(uid), Some(gid)).is_err() {
                return false;
            }
        }
        attributes(new, old);
        // Last: a change of owner takes the set-id bits away.
        let mode = Mode::from_raw_mode(meta.mode() & 0o7777);
        rustix::fs::fchmod(new, mode).is_ok()
    }

    /// Extended attributes, access lists among them, as far as the file system takes them.
    fn attributes(new: &File, old: &File) {
        let mut names = vec![0; 64 * 1024];
        let Ok(len) = rustix::fs::flistxattr(old, &mut names[..]) else { return };
        for name in names[..len].split(|b| *b == 0).filter(|name| !name.is_empty()) {
            let mut value = vec![0; 64 * 1024];
            let name = std::os::unix::ffi::OsStrExt::from_bytes(name);
            let name: &OsStr = name;
            if let Ok(len) = rustix::fs::fgetxattr(old, name, &mut value[..]) {
                let _ = rustix::fs::fsetxattr(new, name, &value[..len], XattrFlags::empty());
            }
        }
    }

    fn same_file(dir: &File, name: &OsStr, meta: &Metadata) -> bool {
        rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|now| (now.st_dev, now.st_ino) == (meta.dev(), meta.ino()))
    }

    fn same_bytes(old: &Old) -> bool {
        let mut file = &old.file;
        let mut now = Vec::with_capacity(old.bytes.len() + 1);
        file.seek(SeekFrom::Start(0)).is_ok()
            && file.take(old.bytes.len() as u64 + 1).read_to_end(&mut now).is_ok()
            && now == old.bytes
    }

    fn in_place(found: &Found, old: &Old, bytes: &[u8]) -> Result<Stored, Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        let meta = old.file.metadata().map_err(io)?;
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = rustix::fs::openat(&found.dir.held, &found.name, flags, Mode::empty())
            .map(File::from)
            .map_err(|e| io(e.into()))?;
        let now = file.metadata().map_err(io)?;
        if (now.dev(), now.ino()) != (meta.dev(), meta.ino()) || !same_bytes(old) {
            return Err(Trouble::Changed(found.shown.clone()));
        }
        file.write_all(bytes).map_err(io)?;
        file.set_len(bytes.len() as u64).map_err(io)?;
        file.sync_all().map_err(io)?;
        Ok(Stored::default())
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io::Write;

    use super::{Found, Stored, Trouble};
    use crate::tools::disk::found::Old;

    pub(super) fn replace(found: &Found, old: &Old, bytes: &[u8]) -> Result<Stored, Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        if old.file.metadata().map_err(io)?.permissions().readonly() {
            return Err(Trouble::ReadOnly(found.shown.clone()));
        }
        if std::fs::read(&found.real).ok().as_ref() != Some(&old.bytes) {
            return Err(Trouble::Changed(found.shown.clone()));
        }
        let mut temp = tempfile::NamedTempFile::new_in(&found.dir.path).map_err(io)?;
        temp.write_all(bytes).map_err(io)?;
        temp.persist(&found.real).map_err(|e| io(e.error))?;
        Ok(Stored::default())
    }

    pub(super) fn create(found: &Found, bytes: &[u8]) -> Result<(), Trouble> {
        let io = |e: std::io::Error| Trouble::io(&found.shown, &e);
        let dir = found.dir.missing.iter().fold(found.dir.path.clone(), |dir, part| dir.join(part));
        std::fs::create_dir_all(&dir).map_err(io)?;
        let mut temp = tempfile::NamedTempFile::new_in(&dir).map_err(io)?;
        temp.write_all(bytes).map_err(io)?;
        temp.persist_noclobber(&found.real).map_err(|e| io(e.error))?;
        Ok(())
    }
}
