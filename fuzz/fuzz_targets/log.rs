//! Any bytes load as a session log: no panic, parents before children, and a log that was mended
//! for writing loses no record that could be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tern::session::blobs::Blobs;
use tern::session::disk::Disk;
use tern::session::log::{Log, Tools};
use tern::session::redact::Secrets;
use tern::session::{read, replay};

fuzz_target!(|data: &[u8]| {
    let dir = std::env::temp_dir().join(format!("tern-fuzz-log-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder for the log");
    let path = dir.join("s.jsonl");
    std::fs::remove_file(dir.join("s.jsonl.tail-1")).ok();
    std::fs::write(&path, data).expect("the log");
    let blobs = Blobs::new(dir.join("blobs"), Disk::default());
    let (loaded, _) = read::load(&path).expect("a log that loads");
    for (index, entry) in loaded.entries.iter().enumerate() {
        assert!(entry.parent.is_none_or(|parent| parent < index));
        assert_eq!(loaded.record(index).map(|record| record.id), Some(entry.id.clone()));
    }
    let conversation = replay::messages(&loaded, &blobs);
    assert!(conversation.messages.windows(2).all(|pair| pair[0].role != pair[1].role));
    replay::state(&loaded);
    let tools = Tools::new(Disk::default(), &dir.join("blobs"), Secrets::default());
    let (_, again, _) = Log::open(&path, tools).expect("a log that opens");
    assert_eq!(again.entries, loaded.entries);
    let (mended, damage) = read::load(&path).expect("a log that loads again");
    assert_eq!(mended.entries, loaded.entries);
    assert_eq!(damage.torn, 0);
});
