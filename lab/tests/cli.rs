//! The program `lab`, as a person meets it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .output()
        .expect("lab starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// A directory that is gone afterwards.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("lab-{name}-{}", process::id()));
        fs::create_dir_all(&path).expect("a temporary directory");
        Directory(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A swarm that is played in a moment.
const SMALL: [&str; 6] = [
    "--pieces",
    "8",
    "--piece-length",
    "64KiB",
    "--leechers",
    "4",
];

#[test]
fn wrong_values_are_one_clear_line() {
    for (arguments, line) in [
        (&["--free-riders", "2"][..], "free-riders is 2"),
        (&["--piece-length", "1000"], "a multiple of 16 KiB"),
        (&["--up", "fast"], "`fast` is no rate"),
        (&["--outage", "30s"], "30s+20s"),
        (&["--stay", "seed-for"], "seed-for:60s"),
    ] {
        let output = lab(&[&["run"], arguments].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        let first = error.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("error: ") && first.contains(line),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_is_missing_is_no_wrong_value() {
    for arguments in [
        &["run", "--scenario", "no-such-file"][..],
        &["dht", "--scenario", "no-such-file"],
        &["replay", "no-such-file"],
    ] {
        let output = lab(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("no-such-file"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_printed_scenario_is_one_to_start_from() {
    let directory = Directory::new("scenario");
    let options = [
        "run",
        "--print-scenario",
        "--up",
        "2MB",
        "--latency",
        "30ms",
        "--arrivals",
        "poisson:0.5",
        "--stay",
        "exp:2min",
        "--outage",
        "30s+20s",
        "--outage",
        "2min+1s",
        "--start",
        "spread-out",
        "--strategy",
        "streaming",
        "--relay-capacity",
        "10MB",
        "--choking",
        "off",
        "--max-peers",
        "40",
    ];
    let printed = text(&lab(&options).stdout);
    for line in [
        "strategy = \"streaming\"",
        "poisson = 0.5",
        "up = 2000000.0",
        "seeders = 0",
    ] {
        assert!(printed.contains(line), "{line}:\n{printed}");
    }
    let file = directory.file("scenario.toml");
    fs::write(&file, &printed).unwrap();
    let again = lab(&["run", "--scenario", &file, "--print-scenario"]);
    assert_eq!(text(&again.stdout), printed);
    let other = lab(&[
        "run",
        "--scenario",
        &file,
        "--seed",
        "7",
        "--print-scenario",
    ]);
    assert_eq!(text(&other.stdout), printed.replace("seed = 1", "seed = 7"));
    fs::write(&file, "pieces = 3\nleachers = 2\n").unwrap();
    let wrong = lab(&["run", "--scenario", &file]);
    assert_eq!(wrong.status.code(), Some(2));
    let error = text(&wrong.stderr);
    assert!(
        error.contains("line 2") && error.contains("leachers"),
        "{error}"
    );
}

#[test]
fn a_run_is_summed_up_and_written_down() {
    let directory = Directory::new("run");
    let (json, csv, log) = (
        directory.file("r.json"),
        directory.file("r.csv"),
        directory.file("r.log"),
    );
    let files = ["--json", &json, "--csv", &csv, "--log", &log];
    let output = lab(&[&["run"], &SMALL[..], &files].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary = text(&output.stdout);
    for part in [
        "4 of 4 complete",
        "µs for each of",
        "longest stall",
        "524.3 kB in 8 pieces",
    ] {
        assert!(summary.contains(part), "{part}:\n{summary}");
    }
    let results: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(results["completion"]["count"], 4);
    let csv = fs::read_to_string(csv).unwrap();
    let columns = |line: &str| line.split(',').count();
    assert_eq!(csv.lines().count(), 1 + 5);
    assert!(csv.lines().all(|line| columns(line) == 13), "{csv}");
    let log = fs::read_to_string(log).unwrap();
    assert_eq!(
        log.lines()
            .filter(|line| line.contains(" complete "))
            .count(),
        4
    );
}

/// Somebody waits for minutes, and then has nothing.
#[test]
fn what_cannot_be_written_is_told_before_anything_is_played() {
    let directory = Directory::new("unwritable");
    let nowhere = directory.file("none/r.svg");
    // Far more than this test has time for.
    let long = ["--leechers", "5000", "--pieces", "100000"];
    let compare = ["compare", "--strategies", "sequential,rarest-first"];
    for (command, option) in [
        (&["run"][..], "--json"),
        (&["run"], "--csv"),
        (&["run"], "--log"),
        (&compare, "--json"),
        (&compare, "--csv"),
        (&compare, "--chart"),
    ] {
        let output = lab(&[command, &long, &[option, &nowhere]].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains(&format!("cannot write {nowhere}")),
            "{error}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let directory = Directory::new("reader");
    let json = directory.file("r.json");
    let compare = ["compare", "--choking", "on,off", "--seeds", "1"];
    for arguments in [
        &["run", "--print-scenario"][..],
        &[&["run", "--json", &json], &SMALL[..]].concat(),
        &[&compare[..], &SMALL].concat(),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        let output = command.args(arguments).stdout(writer).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    // What was written down is there all the same.
    let results = fs::read_to_string(json).unwrap();
    assert!(results.contains("\"blocks\""), "{results}");
}

/// A file is opened once more by that name, and each opening has its own place in it.
#[cfg(unix)]
#[test]
fn what_goes_to_the_same_file_as_the_summary_does_not_overwrite_it() {
    let directory = Directory::new("stdout");
    let results = directory.file("results");
    let few = ["dht", "--nodes", "40", "--lookups", "20", "--idle", "5s"];
    let compare = ["compare", "--choking", "on,off", "--seeds", "1"];
    for (arguments, summary) in [
        (&[&["run"], &SMALL[..]].concat()[..], "4 of 4 complete"),
        (&[&compare[..], &SMALL].concat(), "choking off against"),
        (&few, "first peer"),
    ] {
        for json in ["/dev/stdout", &results] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
            command.args(arguments).args(["--json", json]);
            let output = command.stdout(File::create(&results).unwrap()).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            let written = fs::read_to_string(&results).unwrap();
            let (json, rest) = json_and_rest(&written);
            assert!(json.is_object() || json.is_array(), "{json}");
            assert!(rest.starts_with('\n') && rest.contains(summary), "{rest}");
        }
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args([&["run", "--log", "/dev/stdout"], &SMALL[..]].concat());
    let output = command.stdout(File::create(&results).unwrap()).output();
    assert!(output.unwrap().status.success());
    let written = fs::read_to_string(&results).unwrap();
    let log = directory.file("log");
    assert!(
        lab(&[&["run", "--log", &log], &SMALL[..]].concat())
            .status
            .success()
    );
    let rest = written.strip_prefix(&fs::read_to_string(log).unwrap());
    assert!(
        rest.is_some_and(|rest| rest.contains("4 of 4 complete")),
        "{written}"
    );
}

/// What a text begins with, and what follows.
fn json_and_rest(text: &str) -> (serde_json::Value, &str) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next().expect("a value").expect("JSON");
    (value, &text[values.byte_offset()..])
}

#[test]
fn a_network_is_summed_up_and_written_down() {
    let directory = Directory::new("dht");
    let json = directory.file("dht.json");
    let few = ["dht", "--nodes", "40", "--lookups", "20", "--idle", "5s"];
    let output = lab(&[&few[..], &["--dead", "0.1", "--json", &json]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary = text(&output.stdout);
    assert!(summary.contains("first peer"), "{summary}");
    let results: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(results["lookups"].as_array().unwrap().len(), 20);

    let alone = lab(&[&few[..], &["--no-bootstrap"]].concat());
    assert!(text(&alone.stdout).contains("found         0.00 %"));
    let wrong = lab(&["dht", "--nodes", "1"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).starts_with("error: nodes is 1"));
    let printed = lab(&["dht", "--churn", "1.4", "--print-scenario"]);
    assert!(text(&printed.stdout).contains("churn = 84.0"));
}

#[test]
fn variants_are_compared() {
    let directory = Directory::new("compare");
    let (json, csv, chart) = (
        directory.file("c.json"),
        directory.file("c.csv"),
        directory.file("c.svg"),
    );
    let variants = ["--strategies", "sequential,rarest-first", "--seeds", "3"];
    let files = ["--json", &json, "--csv", &csv, "--chart", &chart];
    let output = lab(&[&["compare"], &variants[..], &SMALL, &files].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(
        table.contains("rarest-first against sequential, mean:"),
        "{table}"
    );
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(json[1]["name"], "rarest-first");
    assert_eq!(json[1]["mean-ratio"]["runs"], 3);
    assert_eq!(json[0]["scenario"]["strategy"], "sequential");
    assert_eq!(fs::read_to_string(csv).unwrap().lines().count(), 1 + 6);
    let chart = fs::read_to_string(chart).unwrap();
    assert!(chart.contains("sequential") && chart.contains("time (s)"));

    let one = lab(&["compare"]);
    assert_eq!(one.status.code(), Some(2));
    let bitmap = lab(&["compare", "--choking", "on,off", "--chart", "c.png"]);
    assert_eq!(bitmap.status.code(), Some(2));
    assert!(text(&bitmap.stderr).contains("*.svg"));
}

#[test]
fn test_files_are_generated_once() {
    let directory = Directory::new("generate");
    let into = directory.file("files");
    let generate = |more: &[&str]| {
        let arguments = [
            "generate",
            "--directory",
            &into,
            "--count",
            "2",
            "--size",
            "100kB",
        ];
        lab(&[&arguments, more].concat())
    };
    assert!(generate(&[]).status.success());
    let read = |name: &str| fs::read(Path::new(&into).join(name)).unwrap();
    let (first, second) = (read("piece_0.bin"), read("piece_1.bin"));
    assert_eq!((first.len(), second.len()), (100_000, 100_000));
    assert_ne!(first, second);
    let again = generate(&["--seed", "2"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("--force"));
    assert_eq!(read("piece_0.bin"), first, "what was there is untouched");
    assert!(generate(&["--seed", "2", "--force"]).status.success());
    assert_ne!(read("piece_0.bin"), first);
    assert!(generate(&["--force"]).status.success());
    assert_eq!(read("piece_0.bin"), first);
    assert_eq!(
        fs::read_dir(&into).unwrap().count(),
        2,
        "nothing unfinished is left"
    );
}
