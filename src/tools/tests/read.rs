//! Read and LS.

use super::*;

#[tokio::test]
async fn files_are_given_whole_and_raw() {
    let desk = Desk::new(&[
        ("a.txt", "one\n\ttwo\n"),
        ("crlf.txt", "a\r\nb"),
        ("empty", ""),
        ("dir/x", ""),
        ("one", "x\n"),
    ]);
    std::fs::write(desk.root().join("latin"), b"caf\xe9\n").unwrap();
    std::fs::write(desk.root().join("bin"), b"\x7fELF\0\0").unwrap();
    for (name, expected) in [
        ("a.txt", (DONE, "one\n\ttwo\n", "2 lines")),
        ("one", (DONE, "x\n", "1 line")),
        (
            "crlf.txt",
            (
                DONE,
                "a\nb\n[the lines end with CRLF; Edit keeps that; no line end after the last line]",
                "2 lines",
            ),
        ),
        ("empty", (DONE, "(empty file)", "empty")),
        (
            "latin",
            (
                DONE,
                "caf\u{e9}\n[not UTF-8: shown as Windows-1252; Edit keeps the bytes it does not \
                 change]",
                "1 line",
            ),
        ),
        ("dir", (FAILED, "dir is a directory. Use LS.", "a directory")),
        (
            "bin",
            (
                FAILED,
                "bin is an ELF program or library, 6 bytes: it is not shown as text.",
                "binary",
            ),
        ),
        (
            "/proc/self/environ",
            (
                FAILED,
                "/proc/self/environ is the environment of a process, which may hold keys, and is \
                 not shown.",
                "not read",
            ),
        ),
        ("/dev/null", (FAILED, "/dev/null is a device, not a file.", "not a file")),
    ] {
        let outcome = desk.call("Read", json!({"file_path": name})).await;
        assert_eq!(text(&outcome), expected, "{name}");
    }
}

#[tokio::test]
async fn a_missing_file_names_its_neighbour() {
    let desk = Desk::new(&[("src/parser.rs", "")]);
    let outcome = desk.call("Read", json!({"file_path": "src/parse.rs"})).await;
    let expected = format!(
        "src/parse.rs: no such file. The working directory is {}. There is src/parser.rs.",
        desk.root().display()
    );
    assert_eq!(text(&outcome), (FAILED, expected.as_str(), "no such file"));
}

#[tokio::test]
async fn long_files_come_in_pages_that_join() {
    let whole: String = (1..=6_000).map(|n| format!("this is line {n}\n")).collect();
    let desk = Desk::new(&[("long", &whole)]);
    let first = desk.call("Read", json!({"file_path": "long"})).await;
    let (page, note) = first.text.rsplit_once('[').unwrap();
    let next: usize = note.rsplit_once(' ').unwrap().1.trim_end_matches(']').parse().unwrap();
    assert!(whole.starts_with(page) && page.lines().count() + 1 == next);
    assert_eq!(first.facts, format!("1–{} of 6000", next - 1));
    let second = desk.call("Read", json!({"file_path": "long", "offset": next, "limit": 2})).await;
    let expected = format!(
        "this is line {next}\nthis is line {}\n[lines {next}–{} of 6000]",
        next + 1,
        next + 1
    );
    assert_eq!(second.text, expected);
    let past = desk.call("Read", json!({"file_path": "long", "offset": 9_999})).await;
    let expected = (DONE, "long has 6000 lines; offset 9999 is past its end.", "past 6000 lines");
    assert_eq!(text(&past), expected);
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_twice() {
    let desk = Desk::new(&[("a", "1\n2\n")]);
    let stub = "Unchanged: it stands above as read or written (2 lines).";
    assert_eq!(desk.read("a").await, "1\n2\n");
    assert_eq!(desk.read("a").await, stub);
    desk.put("a", "1\n3\n");
    assert_eq!(desk.read("a").await, "1\n3\n");
    assert_eq!(desk.read("a").await, stub);
    lock(&desk.ctx.session.seen).compacted();
    assert_eq!(desk.read("a").await, "1\n3\n");
    // An edit is known, but its result stands nowhere in one piece.
    let edit = json!({"file_path": "a", "old_string": "3", "new_string": "4"});
    assert_eq!(desk.call("Edit", edit).await.status, DONE);
    assert_eq!(desk.read("a").await, "1\n4\n");
    // What was written whole stands in the call.
    desk.call("Write", json!({"file_path": "a", "content": "5\n6\n"})).await;
    assert_eq!(desk.read("a").await, stub);
    // A page is never "the file as read".
    desk.call("Write", json!({"file_path": "b", "content": "x"})).await;
    desk.put("b", "7\n8\n9\n");
    desk.call("Read", json!({"file_path": "b", "limit": 1})).await;
    assert_eq!(desk.read("b").await, "7\n8\n9\n");
}

#[tokio::test]
async fn directories_are_listed() {
    let desk = Desk::new(&[("b.txt", "xy"), ("z/1", ""), ("a", "")]);
    for (path, expected) in [
        (".", (DONE, "z/\na  0 bytes\nb.txt  2 bytes", "3 entries")),
        ("z", (DONE, "1  0 bytes", "1 entry")),
        ("b.txt", (FAILED, "b.txt is a file. Use Read.", "not listed")),
        ("no", (FAILED, "no: no such file or directory.", "not listed")),
    ] {
        let outcome = desk.call("LS", json!({"path": path})).await;
        assert_eq!(text(&outcome), expected, "{path}");
    }
}

#[tokio::test]
async fn an_interrupt_ends_reading() {
    let desk = Desk::new(&[]);
    let file = std::fs::File::create(desk.root().join("big")).unwrap();
    std::io::Write::write_all(&mut &file, &b"text\n".repeat(10_000)).unwrap();
    desk.ctx.cancel.cancel();
    for (tool, input) in [
        ("Grep", json!({"pattern": "x"})),
        ("Read", json!({"file_path": "big", "offset": 100_000})),
    ] {
        let outcome = desk.call(tool, input).await;
        assert!(outcome.text.len() < 200, "{tool}: {}", outcome.text);
    }
}
