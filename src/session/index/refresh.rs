//! Brings the index up to date: reads what logs have gained since they were last looked at.

use std::collections::HashSet;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::session::Places;
use crate::session::blobs::Blobs;
use crate::session::disk::Disk;
use crate::session::index::catalog::{self, Catalog, Row};
use crate::session::index::extract::{Extract, extract};
use crate::session::index::files::{LogFile, logs};
use crate::session::index::summary::Tally;

/// Rows written at once, so that a refresh that is cut off is not lost.
const BATCH: usize = 64;

/// What a refresh found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refreshed {
    pub sessions: usize,
    /// Logs that were read, in whole or in part.
    pub read: usize,
    /// Logs that could not be read, with the reason.
    pub problems: Vec<String>,
    /// Another process is at it: the index is used as it is.
    pub busy: bool,
}

/// Reads new and changed logs into the index. `threads` read at the same time.
pub fn refresh(places: &Places, threads: NonZero<usize>) -> io::Result<Refreshed> {
    let files = logs(places, None)?;
    let (_, refreshed) = refresh_files(places, &files, threads)?;
    Ok(refreshed)
}

/// The same for logs that are listed already; returns the catalog as well.
pub(crate) fn refresh_files(
    places: &Places,
    files: &[LogFile],
    threads: NonZero<usize>,
) -> io::Result<(Catalog, Refreshed)> {
    let mut refreshed = Refreshed { sessions: files.len(), ..Refreshed::default() };
    let mut catalog = Catalog::load(places);
    // Where there is nothing to index, no file is made for it.
    if is_current(&catalog, files) || (files.is_empty() && catalog.rows.is_empty()) {
        return Ok((catalog, refreshed));
    }
    let disk = Disk::default();
    let Some(_lock) = catalog::lock(places, &disk)? else {
        refreshed.busy = true;
        return Ok((catalog, refreshed));
    };
    // Another process may have done the work before the lock was free.
    catalog = Catalog::load(places);
    forget_deleted(&mut catalog, files);
    renew(&mut catalog, places, &disk)?;
    let stale: Vec<Stale<'_>> = files.iter().filter_map(|file| stale(file, &catalog)).collect();
    refreshed.read = stale.len();
    read_all(&stale, places, &disk, &mut catalog, threads, &mut refreshed)?;
    Ok((catalog, refreshed))
}

/// A log, and what to go on from.
struct Stale<'a> {
    file: &'a LogFile,
    from: u64,
    tally: Tally,
    texts: Vec<(u64, u64)>,
}

fn is_current(catalog: &Catalog, files: &[LogFile]) -> bool {
    !catalog.pack.is_empty()
        && files.iter().all(|file| catalog.rows.get(&file.name).is_some_and(|row| row.is_of(file)))
}

fn stale<'a>(file: &'a LogFile, catalog: &Catalog) -> Option<Stale<'a>> {
    match catalog.rows.get(&file.name) {
        Some(row) if row.is_of(file) => None,
        // A log only grows; one that did anything else is read from its beginning.
        Some(row) if file.size > row.size && file.size >= row.covered => Some(Stale {
            file,
            from: row.covered,
            tally: row.tally.clone(),
            texts: row.texts.clone(),
        }),
        _ => Some(Stale { file, from: 0, tally: Tally::default(), texts: Vec::new() }),
    }
}

fn forget_deleted(catalog: &mut Catalog, files: &[LogFile]) {
    let there: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    catalog.rows.retain(|name, _| there.contains(name.as_str()));
}

/// Begins a new pack where there is none or most of it is dead, a new catalog where most of its
/// lines are.
fn renew(catalog: &mut Catalog, places: &Places, disk: &Disk) -> io::Result<()> {
    const SLACK: u64 = 1 << 20;
    let pack = catalog.pack_path(places).metadata().map(|meta| meta.len()).ok();
    let dead = pack.map(|size| size.saturating_sub(catalog.live()));
    if catalog.pack.is_empty() || dead.is_none_or(|dead| dead > catalog.live() + SLACK) {
        let old = std::mem::take(catalog);
        catalog.pack = next_pack(&old.pack);
        std::fs::remove_file(catalog.pack_path(places)).ok();
        disk.create(&catalog.pack_path(places))?;
        catalog.rewrite(places, disk)?;
        if !old.pack.is_empty() {
            std::fs::remove_file(old.pack_path(places)).ok();
        }
    } else if catalog.lines > 2 * catalog.rows.len() + BATCH {
        catalog.rewrite(places, disk)?;
    }
    Ok(())
}

fn next_pack(old: &str) -> String {
    let number = old.strip_prefix("texts-").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    format!("texts-{}", number.wrapping_add(1))
}

/// Several threads read, this one writes: texts first, then the rows that speak of them.
fn read_all(
    stale: &[Stale<'_>],
    places: &Places,
    disk: &Disk,
    catalog: &mut Catalog,
    threads: NonZero<usize>,
    refreshed: &mut Refreshed,
) -> io::Result<()> {
    let pack = disk.open(&catalog.pack_path(places))?;
    let mut end = pack.metadata()?.len();
    let blobs = Blobs::new(&places.blobs, Disk::default());
    let next = AtomicUsize::new(0);
    // The writer drops the receiver on an error, which ends the readers at their next send.
    let (sender, receiver) = mpsc::sync_channel::<(usize, io::Result<Extract>)>(2 * threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads.get().min(stale.len()) {
            let (sender, next, blobs) = (sender.clone(), &next, &blobs);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = stale.get(at) else { break };
                    let read = extract(item.file, item.from, item.tally.clone(), blobs);
                    if sender.send((at, read)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut rows = Vec::new();
        for (at, read) in receiver {
            let Stale { file, texts, .. } = &stale[at];
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    refreshed.problems.push(format!("{}: {error}", file.path.display()));
                    continue;
                }
            };
            disk.write_all(&pack, &read.text)?;
            let mut texts = texts.clone();
            if !read.text.is_empty() {
                texts.push((end, read.text.len() as u64));
            }
            end += read.text.len() as u64;
            rows.push(Row {
                name: file.name.clone(),
                size: file.size,
                modified: file.modified,
                covered: read.covered,
                tally: read.tally,
                texts,
            });
            if rows.len() >= BATCH {
                catalog.append(places, disk, std::mem::take(&mut rows))?;
            }
        }
        catalog.append(places, disk, rows)
    })
}
