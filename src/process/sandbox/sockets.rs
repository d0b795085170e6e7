//! The sockets of other programs that a command could reach through the file system: a network
//! namespace does not separate those. Docker, tmux, the session bus and X11 each do what they are
//! told, outside the sandbox; an ssh-agent signs.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// How many are covered one by one.
const MOST: usize = 200;

/// The paths under which somebody listens now. An unreadable list is an empty one: then there is
/// no `/proc`, and bubblewrap did not work either.
pub(super) fn listening() -> Vec<PathBuf> {
    let text = std::fs::read("/proc/net/unix").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let is_socket = |path: &PathBuf| {
        let facts = path.symlink_metadata();
        facts.is_ok_and(|facts| facts.file_type().is_socket())
    };
    parse(&text).into_iter().filter_map(|path| path.canonicalize().ok()).filter(is_socket).collect()
}

/// Lines of `Num RefCount Protocol Flags Type St Inode Path`, flags in hexadecimal.
fn parse(text: &str) -> Vec<PathBuf> {
    const ACCEPTS: u32 = 0x1_0000;
    let path = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let at = line.find(" /")?;
        (flags & ACCEPTS != 0).then(|| PathBuf::from(&line[at + 1..]))
    };
    let mut paths: Vec<PathBuf> = text.lines().skip(1).filter_map(path).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// What to cover so that none of `sockets` is reached: where a folder holds nothing but what runs
/// for this person (`/run/user/1000`), the folder; else each. The second list is left over.
pub(super) fn covers(sockets: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>, Vec<PathBuf>) {
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut single = Vec::new();
    for socket in sockets {
        match runtime_folder(&socket) {
            Some(folder) if folders.last().is_some_and(|last| last == folder) => {}
            Some(folder) => folders.push(folder.to_owned()),
            None => single.push(socket),
        }
    }
    let left = single.split_off(single.len().min(MOST));
    (folders, single, left)
}

fn runtime_folder(socket: &Path) -> Option<&Path> {
    let user = Path::new("/run/user");
    socket.ancestors().find(|path| path.parent() == Some(user) && *path != socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_with_a_path_are_found() {
        let text = "\
Num       RefCount Protocol Flags    Type St Inode Path
00000000a: 00000002 00000000 00010000 0001 01 100 /run/docker.sock
00000000b: 00000003 00000000 00000000 0001 03 101 /run/connected
00000000c: 00000002 00000000 00010000 0001 01 102 @abstract
00000000d: 00000002 00000000 00010000 0001 01 103
00000000e: 00000002 00000000 00010000 0005 01 104 /tmp/a name
torn
00000000f: 00000002 00000000 00010000 0001 01 105 /run/docker.sock
";
        assert_eq!(parse(text), ["/run/docker.sock", "/tmp/a name"].map(PathBuf::from));
    }

    #[test]
    fn a_runtime_folder_is_covered_whole() {
        let many = (0..MOST + 1).map(|n| PathBuf::from(format!("/tmp/s{n:04}")));
        let sockets =
            ["/run/docker.sock", "/run/user/7/bus", "/run/user/7/gnupg/S.x"].map(PathBuf::from);
        let (folders, single, left) = covers(sockets.into_iter().chain(many).collect());
        assert_eq!(folders, [PathBuf::from("/run/user/7")]);
        assert_eq!(single[..2], ["/run/docker.sock", "/tmp/s0000"].map(PathBuf::from));
        assert_eq!((single.len(), left.len()), (MOST, 2));
    }
}
