//! Write, Edit and MultiEdit as far as they are the same: reading first, approval, hunks.

use std::time::Duration;

use super::*;

fn edit(old: &str, new: &str) -> Value {
    json!({"file_path": "a", "old_string": old, "new_string": new})
}

#[tokio::test]
async fn results_are_one_short_line() {
    let desk = Desk::new(&[("a", "1\n2\n3\n")]);
    desk.read("a").await;
    for (tool, input, expected, facts) in [
        ("Edit", edit("2", "two\ntoo"), "Edited a (+2 −1).", "+2 −1"),
        ("Write", json!({"file_path": "a", "content": "x\n"}), "Wrote a (+1 −4).", "+1 −4"),
        ("Write", json!({"file_path": "n/e/w", "content": "x"}), "Created n/e/w (+1 −0).", "+1 −0"),
        (
            "Write",
            json!({"file_path": "a", "content": "x\n"}),
            "a already has this text.",
            "no change",
        ),
        (
            "MultiEdit",
            json!({"file_path": "a", "edits": [
                {"old_string": "x", "new_string": "y"},
                {"old_string": "y", "new_string": "z"},
            ]}),
            "Edited a (+1 −1).",
            "+1 −1",
        ),
        (
            "Edit",
            edit("z   ", "  w"),
            "Edited a (+1 −1). Matched but for quotes, dashes or blanks at line ends.",
            "+1 −1",
        ),
        (
            "Edit",
            json!({"file_path": "new", "old_string": "", "new_string": "b"}),
            "Created new (+1 −0).",
            "+1 −0",
        ),
    ] {
        let outcome = desk.call(tool, input).await;
        assert_eq!(text(&outcome), (DONE, expected, facts));
    }
    assert_eq!((desk.get("a").as_str(), desk.get("n/e/w").as_str()), ("  w\n", "x"));
}

#[tokio::test]
async fn multi_edit_is_all_or_nothing() {
    let desk = Desk::new(&[("a", "1\n2\n")]);
    desk.read("a").await;
    let edits = json!([
        {"old_string": "1", "new_string": "one"},
        {"old_string": "3", "new_string": "three"},
    ]);
    let outcome = desk.call("MultiEdit", json!({"file_path": "a", "edits": edits})).await;
    assert_eq!(outcome.status, FAILED);
    assert!(outcome.text.starts_with("Edit 2 of 2: old_string is not in a."), "{}", outcome.text);
    assert!(outcome.text.ends_with("Nothing was changed."), "{}", outcome.text);
    assert_eq!(desk.get("a"), "1\n2\n");
    for (edits, part) in [
        (json!([]), "edits is empty"),
        (json!([{"old_string": "1"}]), "MultiEdit, edit 1: missing parameter new_string"),
        (json!([1]), "MultiEdit, edit 1: missing parameter old_string, new_string"),
    ] {
        let outcome = desk.call("MultiEdit", json!({"file_path": "a", "edits": edits})).await;
        assert!(outcome.text.contains(part), "{}", outcome.text);
    }
}

#[tokio::test]
async fn a_file_that_changed_outside_is_edited_only_where_it_is_certain() {
    let desk = Desk::new(&[("a", "1\n2\n")]);
    desk.read("a").await;
    desk.put("a", "0\n1\n  2\n");
    let outcome = desk.call("Edit", edit("0 ", "x")).await;
    assert_eq!(text(&outcome).1, "a has changed since it was read. Read it again.");
    let outcome = desk.call("Write", json!({"file_path": "a", "content": "x"})).await;
    assert_eq!(text(&outcome).1, "a has changed since it was read. Read it again.");
    let outcome = desk.call("Edit", edit("1", "one")).await;
    assert_eq!(
        text(&outcome).1,
        "Edited a (+1 −1). The file has changed elsewhere since it was read."
    );
    assert_eq!(desk.get("a"), "0\none\n  2\n");
}

#[tokio::test]
async fn text_left_out_is_refused() {
    let desk = Desk::new(&[("a", "1\n2\n")]);
    desk.read("a").await;
    for (tool, input) in [
        ("Edit", edit("1", "one\n// ... rest of the code unchanged ...")),
        ("Write", json!({"file_path": "a", "content": "one\n# ... existing code ...\n"})),
    ] {
        let outcome = desk.call(tool, input).await;
        assert_eq!((outcome.status, outcome.facts.as_str()), (FAILED, "text left out"));
    }
    assert_eq!(desk.get("a"), "1\n2\n");
}

#[tokio::test]
async fn only_the_kept_hunks_are_written_and_the_model_is_told() {
    let before: String = (1..=40).map(|n| format!("{n}\r\n")).collect();
    let desk = Desk::new(&[("a", &before)]);
    desk.read("a").await;
    let after: String = (1..=40)
        .map(|n| match n {
            5 | 30 => format!("{n} changed\n"),
            20 => "20\nadded\n".to_owned(),
            n => format!("{n}\n"),
        })
        .collect();
    let input = json!({"file_path": "a", "content": after});
    let shown = desk.preview("Write", &input).await;
    assert_eq!(hunk_count(&shown), 3);
    let none = desk.approved("Write", input.clone(), shown.clone(), &[]).await;
    assert_eq!(text(&none).1, "The person kept no hunk of this change. Nothing was written.");
    let outcome = desk.approved("Write", input, shown, &[2]).await;
    assert_eq!(
        text(&outcome),
        (
            DONE,
            "Wrote a (+1 −1). Kept its CRLF line ends. The person kept 1 of 3 hunks and dropped \
             hunk 1 (line 5), hunk 2 (after line 20): there the old text stands.",
            "+1 −1"
        )
    );
    assert_eq!(desk.get("a"), before.replace("30\r", "30 changed\r"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_target_swapped_after_approval_is_not_written() {
    use std::os::unix::fs::symlink;
    type Swap = fn(&Path);
    let swaps: [(&str, Swap); 5] = [
        ("a link to the same text", |root| {
            std::fs::rename(root.join("d/a"), root.join("d/b")).unwrap();
            symlink("b", root.join("d/a")).unwrap();
        }),
        ("its folder is another", |root| {
            std::fs::rename(root.join("d"), root.join("e")).unwrap();
            std::fs::create_dir(root.join("f")).unwrap();
            std::fs::copy(root.join("e/a"), root.join("f/a")).unwrap();
            symlink("f", root.join("d")).unwrap();
        }),
        ("other text", |root| std::fs::write(root.join("d/a"), "1\n2\n").unwrap()),
        ("gone", |root| std::fs::remove_file(root.join("d/a")).unwrap()),
        ("a new folder that is a link", |root| {
            std::fs::create_dir(root.join("f")).unwrap();
            symlink("f", root.join("new")).unwrap();
        }),
    ];
    for (what, swap) in swaps {
        let desk = Desk::new(&[("d/a", "1\n")]);
        let (tool, input) = if what.starts_with("a new") {
            ("Write", json!({"file_path": "new/x", "content": "2"}))
        } else {
            desk.read("d/a").await;
            ("Edit", json!({"file_path": "d/a", "old_string": "1", "new_string": "2"}))
        };
        let shown = desk.preview(tool, &input).await;
        swap(desk.root());
        let before = listing(desk.root());
        let outcome = desk.approved(tool, input, shown, &[0]).await;
        assert_eq!(outcome.status, FAILED, "{what}: {}", outcome.text);
        assert_eq!(listing(desk.root()), before, "{what}");
    }
}

/// One swap of the file while an approved edit is being written, at every moment that the machine
/// comes up with. Who renames something over the name has the last word, and what a link points
/// to is never written. `TERN_RACES=1000` runs more than the sample.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_race_with_the_write_is_never_won_by_a_wrong_write() {
    let rounds = std::env::var("TERN_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let desk = Desk::new(&[("decoy", "a\n")]);
    let root = desk.root().to_owned();
    let (mut written, mut refused) = (0, 0);
    for round in 0_u64..rounds {
        // Not written through the link that the last round left.
        let _ = std::fs::remove_file(root.join("f"));
        desk.put("f", "a\n");
        desk.read("f").await;
        let input = json!({"file_path": "f", "old_string": "a", "new_string": "b"});
        let shown = desk.preview("Edit", &input).await;
        let linked = round % 2 == 0;
        if linked {
            std::os::unix::fs::symlink("decoy", root.join("swap")).unwrap();
        } else {
            desk.put("swap", "other\n");
        }
        let (from, to) = (root.join("swap"), root.join("f"));
        let racer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros(round * 37 % 2_000));
            std::fs::rename(from, to).unwrap();
        });
        match desk.approved("Edit", input, shown, &[0]).await.status {
            DONE => written += 1,
            _ => refused += 1,
        }
        racer.join().unwrap();
        assert_eq!(desk.get("decoy"), "a\n", "round {round}");
        assert_eq!(desk.root().join("f").is_symlink(), linked, "round {round}");
        let last = if linked { "a\n" } else { "other\n" };
        assert_eq!(desk.get("f"), last, "round {round}: the other's file was overwritten");
    }
    println!("{written} written before the swap, {refused} refused after it");
    assert!(refused > 0);
}

/// Every path below, with the text of files.
#[cfg(unix)]
fn listing(root: &Path) -> Vec<(std::path::PathBuf, Option<String>)> {
    let walk = ignore::WalkBuilder::new(root).standard_filters(false).build();
    let mut all: Vec<_> = walk
        .map(|entry| entry.unwrap().into_path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).ok()))
        .collect();
    all.sort();
    all
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_written_through_and_modes_kept() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new(&[("real/a", "1\n")]);
    std::os::unix::fs::symlink("real/a", desk.root().join("link")).unwrap();
    let real = desk.root().join("real/a");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o754)).unwrap();
    desk.read("link").await;
    let input = json!({"file_path": "link", "old_string": "1", "new_string": "2"});
    let note = desk.preview("Edit", &input).await.note;
    let expected = format!("It is a link: {} is what changes.", real.display());
    assert_eq!(note, Some(expected));
    assert_eq!(desk.call("Edit", input).await.status, DONE);
    assert!(desk.root().join("link").is_symlink());
    assert_eq!(desk.get("real/a"), "2\n");
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o7777, 0o754);
    std::os::unix::fs::symlink("nowhere", desk.root().join("dangling")).unwrap();
    let outcome = desk.call("Write", json!({"file_path": "dangling", "content": "x"})).await;
    assert_eq!(text(&outcome).1, "dangling is a link to nowhere, which does not exist.");
}

#[tokio::test]
async fn what_cannot_be_text_is_refused() {
    let desk = Desk::new(&[("d/x", "")]);
    std::fs::write(desk.root().join("a"), b"caf\xe9\0\n").unwrap();
    desk.read("a").await;
    for (tool, input, part) in [
        ("Edit", edit("caf", "x"), "a is not text and is left alone."),
        ("Write", json!({"file_path": "d", "content": "x"}), "d is a directory."),
        ("Write", json!({"file_path": "d/x/y", "content": "x"}), "a folder in its path is a file"),
        ("Write", json!({"file_path": "z".repeat(300), "content": "x"}), "the name is too long"),
        ("Write", json!({"file_path": "a\0b", "content": "x"}), "a name cannot hold NUL"),
        (
            "Edit",
            json!({"file_path": "no", "old_string": "x", "new_string": "y"}),
            "no does not exist. ",
        ),
    ] {
        let outcome = desk.call(tool, input).await;
        assert_eq!(outcome.status, FAILED);
        assert!(outcome.text.contains(part), "{}", outcome.text);
    }
    assert_eq!(std::fs::read(desk.root().join("a")).unwrap(), b"caf\xe9\0\n");
}

#[tokio::test]
async fn other_encodings_are_kept_and_nothing_is_guessed() {
    let desk = Desk::new(&[]);
    let bytes = |name: &str| std::fs::read(desk.root().join(name)).unwrap();
    std::fs::write(desk.root().join("a"), b"caf\xe9 b\n").unwrap();
    desk.read("a").await;
    let outcome = desk.call("Edit", edit("b", "caf\u{e9}")).await;
    assert_eq!((outcome.status, bytes("a").as_slice()), (DONE, &b"caf\xe9 caf\xe9\n"[..]));
    let outcome = desk.call("Edit", edit("caf\u{e9}\n", "\u{f6}\n")).await;
    assert!(outcome.status == FAILED && outcome.text.contains("not certain"), "{}", outcome.text);

    let utf16: Vec<u8> = "\u{feff}a\nb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(desk.root().join("a"), &utf16).unwrap();
    assert!(desk.read("a").await.starts_with("a\nb\n[UTF-16"));
    let outcome = desk.call("Edit", edit("b", "\u{1f600}")).await;
    let wanted: Vec<u8> =
        "\u{feff}a\n\u{1f600}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!((outcome.status, bytes("a")), (DONE, wanted), "{}", outcome.text);
}
