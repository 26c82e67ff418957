//! What a person or a script sees of the binary, without a tracker.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_native-peer"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("TABSWARM_TRACKER")
        .env("TABSWARM_NO_DHT", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs what must succeed; its standard output.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs what must fail as promised: this exit code (1, or 2 for what makes no sense as it is
/// typed), one line, nothing on standard output.
fn fail(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {text}");
    assert!(text.starts_with("error: "), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    text
}

fn show(folder: &Path, torrent: &str) -> Value {
    serde_json::from_str(&succeed(folder, &["show", "--json", torrent])).unwrap()
}

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn a_folder_is_created_and_shown() {
    let folder = folder_with(&[
        ("Ordner/Übung.txt", b"eins"),
        ("Ordner/leer", b""),
        ("Ordner/사진/الصور.bin", &[7; 40_000]),
    ]);
    let at = folder.path();
    let printed = succeed(
        at,
        &[
            "create",
            "Ordner",
            "-o",
            "x.torrent",
            "--piece-length",
            "16K",
            "--tracker",
            "ws://example.org:9000",
            "--web-seed",
            "HTTPS://Seed.example.org:443",
            "--web-seed",
            "http://10.0.0.1/a%20b/",
        ],
    );
    let shown = show(at, "x.torrent");
    assert_eq!(shown["info_hash"], printed.trim());
    assert_eq!(shown["name"], "Ordner");
    assert_eq!(shown["piece_length"], 16384);
    assert_eq!(shown["pieces"], 3);
    assert_eq!(shown["length"], 40_004);
    assert_eq!(shown["trackers"], json!(["ws://example.org:9000/swarm"]));
    assert_eq!(
        shown["web_seeds"],
        json!(["https://seed.example.org/", "http://10.0.0.1/a%20b/"])
    );
    assert_eq!(shown["private"], false);
    let mut files: Vec<_> = shown["files"].as_array().unwrap().clone();
    files.sort_by_key(|f| f["path"].to_string());
    assert_eq!(
        files,
        [
            json!({ "path": "Ordner/leer", "length": 0 }),
            json!({ "path": "Ordner/Übung.txt", "length": 4 }),
            json!({ "path": "Ordner/사진/الصور.bin", "length": 40_000 }),
        ]
    );
    let words = succeed(at, &["show", "x.torrent"]);
    assert!(
        words.contains("Ordner") && words.contains("사진/الصور.bin"),
        "{words}"
    );
}

#[test]
fn what_is_shared_is_not_replaced_by_its_torrent() {
    let folder = folder_with(&[("Ordner/a.txt", b"a"), ("b", b"b")]);
    let at = folder.path();
    for arguments in [
        ["create", "Ordner", "-o", "Ordner/a.txt"],
        ["create", "b", "-o", "./Ordner/../b"],
    ] {
        let text = fail(2, at, &arguments);
        assert!(text.contains("one of the files to share"), "{text}");
    }
    assert_eq!(fs::read(at.join("Ordner/a.txt")).unwrap(), b"a");
    assert_eq!(fs::read(at.join("b")).unwrap(), b"b");
    // One that is not there yet is no file of it.
    succeed(at, &["create", "Ordner", "-o", "Ordner/a.torrent"]);
    assert_eq!(show(at, "Ordner/a.torrent")["length"], 1);
}

#[test]
fn a_wish_that_a_torrent_cannot_fulfil_is_told_before_anything_is_made() {
    let folder = folder_with(&[("Ordner/a.txt", b"a"), ("Ordner/b.txt", b"b")]);
    let at = folder.path();
    succeed(at, &["create", "Ordner", "-o", "x.torrent"]);
    let get = ["get", "x.torrent", "-o", "out"];
    let text = fail(2, at, &[&get[..], &["--only", "c.txt"]].concat());
    assert!(
        text.contains("--only c.txt matches no file of Ordner"),
        "{text}"
    );
    let text = fail(
        2,
        at,
        &[&get[..], &["--only", "a.txt", "--skip", "Ordner"]].concat(),
    );
    assert!(text.contains("nothing to fetch"), "{text}");
    assert!(!at.join("out").exists());
}

#[test]
fn a_single_file_is_itself_and_the_same_files_make_the_same_torrent() {
    let folder = folder_with(&[("a b.bin", &[1; 5]), ("b.bin", &[2; 5])]);
    let at = folder.path();
    let one = succeed(at, &["create", "a b.bin", "-o", "1.torrent", "--private"]);
    let two = succeed(at, &["create", "a b.bin", "-o", "2.torrent", "--private"]);
    assert_eq!(one, two);
    assert_eq!(
        fs::read(at.join("1.torrent")).unwrap(),
        fs::read(at.join("2.torrent")).unwrap()
    );
    let shown = show(at, "1.torrent");
    assert_eq!(shown["files"], json!([{ "path": "a b.bin", "length": 5 }]));
    assert_eq!(shown["private"], true);
    // Trackers are not part of what is shared.
    succeed(
        at,
        &[
            "create",
            "a b.bin",
            "-o",
            "1.torrent",
            "--private",
            "--tracker",
            "udp://t.example:80",
        ],
    );
    assert_eq!(show(at, "1.torrent")["info_hash"], shown["info_hash"]);
    succeed(
        at,
        &[
            "create",
            "a b.bin",
            "b.bin",
            "--name",
            "both",
            "-o",
            "3.torrent",
        ],
    );
    assert_eq!(show(at, "3.torrent")["name"], "both");
}

#[test]
fn a_link_is_shown_as_far_as_it_tells() {
    let folder = folder_with(&[]);
    let hash = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
    let magnet = format!("magnet:?xt=urn:btih:{hash}&dn=%C3%9Cbung&tr=udp%3A%2F%2Ft.example%3A80");
    let shown = show(folder.path(), &magnet);
    assert_eq!(shown["info_hash"], hash);
    assert_eq!(shown["name"], "Übung");
    assert_eq!(shown["trackers"], json!(["udp://t.example:80"]));
    for unknown in ["piece_length", "pieces", "length", "files", "private"] {
        assert_eq!(shown[unknown], Value::Null, "{unknown}");
    }
    let link = format!("http://127.0.0.1:8080/#magnet:?xt=urn:btih:{hash}&dn=x");
    assert_eq!(
        show(folder.path(), &link)["trackers"],
        json!(["ws://127.0.0.1:8080/swarm"])
    );
    assert_eq!(show(folder.path(), hash)["name"], Value::Null);
}

/// As scripts do: what makes one and what reads it, side by side.
#[test]
fn torrents_and_links_pass_through_pipes() {
    let folder = folder_with(&[("a", b"four"), ("-", b"no torrent")]);
    let at = folder.path();
    let piped = |arguments: &[&str], input: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_native-peer"))
            .args(arguments)
            .current_dir(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    let made = piped(&["create", "a", "-o", "-"], b"");
    assert!(made.status.success(), "{made:?}");
    let info_hash = succeed(at, &["create", "a", "-o", "x.torrent"]);
    assert_eq!(made.stdout, fs::read(at.join("x.torrent")).unwrap());
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(said.ends_with(&info_hash), "{said}");
    assert_eq!(fs::read(at.join("-")).unwrap(), b"no torrent");

    let link = format!("magnet:?xt=urn:btih:{info_hash}");
    for input in [&made.stdout[..], link.as_bytes(), info_hash.as_bytes()] {
        let shown = piped(&["show", "--json", "-"], input);
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(shown["info_hash"], info_hash.trim());
    }
    // Everything is here already.
    let got = piped(
        &["get", "-", "--tracker", "ws://127.0.0.1:1", "--no-dht"],
        &made.stdout,
    );
    assert!(got.status.success(), "{got:?}");
    for input in [&b""[..], b"nothing of the kind"] {
        let refused = piped(&["show", "-"], input);
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: standard input is not"), "{text}");
    }
}

/// Checks that each of these ends with this code, and says something on its one line.
fn check_failures(code: i32, folder: &Path, cases: &[(&[&str], &str)]) {
    for (arguments, expected) in cases {
        let text = fail(code, folder, arguments);
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.trim_end().contains(char::is_control), "{text:?}");
    }
}

#[test]
fn what_makes_no_sense_is_told_on_one_line() {
    let folder = folder_with(&[("file", b"bytes"), ("below/file", b"bytes")]);
    let at = folder.path();
    let hash = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
    let create = |more: &[&'static str]| [&["create", "file", "-o", "x.torrent"], more].concat();
    let get = |more: &[&'static str]| [&["get", hash, "-o", "out"], more].concat();
    check_failures(
        2,
        at,
        &[
            (&[], "seed, get, create"),
            (&["dht"], "lookup, get, put"),
            (&["frobnicate"], "frobnicate"),
            (&["show"], "TORRENT"),
            (&["show", "x", "y"], "y"),
            (&["show", "--jason", "x"], "--jason"),
            (&["show", "what is this"], "not a share link"),
            (&["show", ""], "not a share link"),
            (&["show", "magnet:?dn=nothing"], "xt=urn:btih"),
            (&["show", "magnet:?xt=urn:btih:abc"], "info-hash"),
            (&["create", "file"], "--output"),
            (&create(&["below/file"]), "two of the paths"),
            (&create(&["--name", "a/b"]), "a name is wanted"),
            (&create(&["--piece-length", "1000"]), "power of two"),
            (&create(&["--tracker", "gopher://x"]), "gopher://x"),
            (&create(&["--web-seed", "x"]), "https://example.org"),
            (&["seed", "file", "--up", "0"], "a second above 0"),
            (
                &["seed", "file", "--tracker", "nonsense"],
                "nonsense is not a tracker address",
            ),
            (&["seed", "file", "--tracker", "ftp://x"], "udp://"),
            (&["get", "nonsense"], "not a share link"),
            (&get(&["--down", "fast"]), "a second above 0"),
            (&get(&["--seed-ratio", "all"]), "--seed-ratio"),
            (&get(&["--seed-time", "soon"]), "--seed-time"),
            (
                &get(&["--tracker", "udp://x"]),
                "udp://x is not a tracker address",
            ),
            (
                &get(&["--peer", "192.0.2.1"]),
                "it must be a host and a port",
            ),
            (&get(&["--no-dht", "--dht-port", "1"]), "--no-dht"),
            (&get(&["--bridge", "--no-tcp"]), "--no-tcp"),
            (&["dht", "get", "12"], "40 hexadecimal digits"),
            (&["dht", "lookup", "nothing"], "not a share link"),
            (&["dht", "put", "text", "--seq", "1"], "--secret"),
        ],
    );
    for left in ["x.torrent", "out"] {
        assert!(!at.join(left).exists(), "nothing is begun");
    }
}

#[test]
fn what_fails_is_told_on_one_line() {
    let large = [b"d4:infod6:pieces17825792:".as_slice(), &[b'x'; 17 << 20]].concat();
    let folder = folder_with(&[
        ("junk.torrent", b"this is no torrent"),
        ("short.torrent", b"d4:infod"),
        ("large.torrent", &[&large[..], b"ee"].concat()),
        ("empty/nothing", b""),
        ("file", b"bytes"),
        ("escape\x1b[2J.torrent", b"x"),
    ]);
    let at = folder.path();
    fs::create_dir(at.join("hollow")).unwrap();
    let hash = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
    let create = |what: &'static str| ["create", what, "-o", "x.torrent"];
    check_failures(
        1,
        at,
        &[
            (&["show", "missing.torrent"], "cannot read missing.torrent"),
            (&["show", "junk.torrent"], "junk.torrent"),
            (&["show", "short.torrent"], "short.torrent"),
            (&["show", "large.torrent"], "larger than 16 MiB"),
            (&["show", "escape\x1b[2J.torrent"], "escape"),
            (&["show", "."], "cannot read ."),
            (&create("missing"), "cannot read missing"),
            (&create("hollow"), "nothing to share"),
            (&create("empty"), "every file is empty"),
            (
                &["create", "file", "-o", "no/such/folder/x.torrent"],
                "cannot write no/such/folder/x.torrent",
            ),
            (&["seed", "missing"], "cannot read missing"),
            (&["get", "junk.torrent"], "junk.torrent"),
            (&["get", hash, "-o", "file/below"], "file/below"),
            (
                &["get", hash, "-o", "out", "--record", "file"],
                "file is there already",
            ),
        ],
    );
    assert!(
        !at.join("x.torrent").exists(),
        "nothing is left behind by what failed"
    );
}

#[test]
fn a_complete_download_needs_no_tracker() {
    let folder = folder_with(&[
        ("Ordner/a", &[3; 50_000]),
        ("Ordner/b/c", b"c"),
        ("Ordner/leer", b""),
    ]);
    let at = folder.path();
    succeed(
        at,
        &[
            "create",
            "Ordner",
            "-o",
            "x.torrent",
            "--piece-length",
            "16K",
        ],
    );
    // Nobody listens there.
    succeed(
        at,
        &[
            "get",
            "x.torrent",
            "-o",
            ".",
            "--tracker",
            "ws://127.0.0.1:1",
        ],
    );
    assert_eq!(fs::read(at.join("Ordner/a")).unwrap(), [3; 50_000]);
}

#[test]
fn files_in_the_way_are_left_alone() {
    let folder = folder_with(&[("a", b"four"), ("out/a", b"longer than four")]);
    let at = folder.path();
    succeed(at, &["create", "a", "-o", "x.torrent"]);
    let text = fail(
        1,
        at,
        &[
            "get",
            "x.torrent",
            "-o",
            "out",
            "--tracker",
            "ws://127.0.0.1:1",
        ],
    );
    assert!(
        text.contains("a is there already") && text.contains("--overwrite"),
        "{text}"
    );
    assert_eq!(fs::read(at.join("out/a")).unwrap(), b"longer than four");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_panic() {
    let folder = folder_with(&[("a", b"four")]);
    let hash = "2c6b6858d61da9543d4231a71db4b1c9264b0685";
    for arguments in [
        &["show", hash][..],
        &["show", "--json", hash],
        &["--help"],
        &["create", "a", "-o", "t"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_native-peer"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && !text.contains("panicked"),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn help_says_what_there_is() {
    let folder = folder_with(&[]);
    let help = succeed(folder.path(), &["--help"]);
    for command in ["seed", "get", "create", "show", "dht"] {
        assert!(help.contains(command), "{help}");
        assert!(succeed(folder.path(), &[command, "--help"]).contains("Usage"));
    }
}

#[test]
fn a_private_torrent_is_announced_to_no_tracker_but_its_own() {
    let folder = folder_with(&[("a", b"four")]);
    let at = folder.path();
    let create = ["create", "a", "--private", "-o"];
    let tracker = ["--tracker", "http://private.invalid/announce"];
    succeed(at, &[&create[..], &["p.torrent"], &tracker].concat());
    let get = ["get", "p.torrent", "-o", "out"];
    let text = fail(1, at, &[&get[..], &["--no-tcp"]].concat());
    assert!(
        text.contains("a is private") && text.contains("http://private.invalid/announce"),
        "{text}"
    );
    let text = fail(
        2,
        at,
        &[&get[..], &["--tracker", "ws://127.0.0.1:1"]].concat(),
    );
    assert!(text.contains("only its own trackers"), "{text}");
    succeed(at, &[&create[..], &["none.torrent"]].concat());
    let text = fail(2, at, &["get", "none.torrent", "-o", "out"]);
    assert!(text.contains("names no tracker"), "{text}");
    assert!(!at.join("out").exists());
}

#[cfg(unix)]
#[test]
fn complete_files_in_a_place_that_cannot_be_written_to_are_taken() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder_with(&[("Ordner/a", &[3; 50_000])]);
    let at = folder.path();
    succeed(at, &["create", "Ordner", "-o", "x.torrent"]);
    let locked = |mode| {
        for place in ["Ordner", "."] {
            fs::set_permissions(at.join(place), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    locked(0o555);
    let get = ["get", "x.torrent", "--tracker", "ws://127.0.0.1:1"];
    let output = run(at, &get);
    locked(0o755);
    assert!(output.status.success(), "{output:?}");
    // Nothing was touched.
    let names: Vec<_> = fs::read_dir(at.join("Ordner")).unwrap().collect();
    assert_eq!(names.len(), 1);
}
