//! The command-line peer in a DHT of its own, on this machine.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use dht_node::{DhtNode, Event, Listen, Options};
use serde_json::Value;
use swarm_core::dht::Config;
use swarm_core::dht::Output::Joined;
use tokio::runtime::Runtime;

/// So long waits who knows that nobody will answer.
const SHORT: [&str; 2] = ["--timeout", "1"];

/// Nodes of ours that run until this is dropped.
struct Dht {
    _runtime: Runtime,
    /// The one by which others join.
    first: SocketAddr,
}

impl Dht {
    fn start(nodes: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let first = runtime.block_on(async {
            let first = Self::run(Self::node(Vec::new()));
            for _ in 1..nodes {
                let mut node = Self::node(vec![first.to_string()]);
                while !matches!(node.next().await, Event::Said(Joined { .. })) {}
                Self::run(node);
            }
            first
        });
        Dht {
            _runtime: runtime,
            first,
        }
    }

    fn node(bootstrap: Vec<String>) -> DhtNode {
        let node = DhtNode::open(Options {
            config: Config::default(),
            listen: Listen::At("127.0.0.1:0".parse().unwrap()),
            bootstrap,
            file: None,
        });
        node.unwrap()
    }

    fn run(mut node: DhtNode) -> SocketAddr {
        let address = node.address();
        tokio::spawn(async move {
            loop {
                node.next().await;
            }
        });
        address
    }

    fn bootstrap(&self) -> [String; 2] {
        ["--dht-bootstrap".to_owned(), self.first.to_string()]
    }
}

/// What the program keeps is in the folder in which it is run.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_native-peer"));
    command
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("LOCALAPPDATA", folder.join("state"))
        .env("HOME", folder)
        .env("TABSWARM_NO_DHT", "1")
        .env_remove("TABSWARM_TRACKER")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str], dht: &[String]) -> Output {
    let mut command = command(folder);
    command.args(arguments).args(dht).output().unwrap()
}

fn succeed(folder: &Path, arguments: &[&str], dht: &[String]) -> String {
    let output = run(folder, arguments, dht);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What must fail with this exit code and one line; that line.
fn fail(code: i32, folder: &Path, arguments: &[&str], dht: &[String]) -> String {
    let output = run(folder, arguments, dht);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    text
}

fn json(folder: &Path, arguments: &[&str], dht: &[String]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let output = run(folder, &arguments, dht);
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}"))
}

/// A peer that runs until this is dropped.
struct Peer {
    child: Child,
    said: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Peer {
    fn start(folder: &Path, arguments: &[&str], dht: &[String]) -> Self {
        let mut child = command(folder).args(arguments).args(dht).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Peer { child, said }
    }

    /// Waits for a line that contains this.
    fn says(&mut self, words: &str) {
        let said = self.said.by_ref().map(Result::unwrap);
        assert!(said.into_iter().any(|line| line.contains(words)), "{words}");
    }

    /// The first line of its standard output.
    fn prints(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder_with(name: &str, bytes: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    folder
}

/// The info-hash of a torrent file.
fn hash(folder: &Path, torrent: &str) -> String {
    let shown: Value =
        serde_json::from_str(&succeed(folder, &["show", torrent, "--json"], &[])).unwrap();
    shown["info_hash"].as_str().unwrap().to_owned()
}

/// A seeder and somebody who knows nothing but an info-hash and a node.
#[test]
fn an_info_hash_is_all_that_one_needs_to_know() {
    let dht = Dht::start(5);
    let bytes = vec![7; 300_000];
    let folder = folder_with("file.bin", &bytes);
    let at = folder.path();
    succeed(at, &["create", "file.bin", "-o", "x.torrent"], &[]);
    let hash = hash(at, "x.torrent");
    let bootstrap = dht.bootstrap();
    let mut seed = Peer::start(at, &["seed", "file.bin", "--no-lsd"], &bootstrap);
    assert!(seed.prints().contains(&hash));
    seed.says("DHT");
    succeed(at, &["get", &hash, "-o", "out", "--no-lsd"], &bootstrap);
    assert!(fs::read(at.join("out/file.bin")).unwrap() == bytes);
    // And whoever looks sees it too.
    let looked = json(at, &["dht", "lookup", &hash], &bootstrap);
    let peers = looked["peers"].as_array().unwrap();
    assert!(
        !peers.is_empty() && looked["info_hash"] == *hash,
        "{looked}"
    );
    for name in ["queries", "answers", "hops", "seconds"] {
        assert!(looked[name].is_number(), "{name}: {looked}");
    }
    assert_eq!(looked["closest"][0]["id"].as_str().unwrap().len(), 40);
}

/// A leecher that comes before the seeder looks again by and by.
#[test]
fn a_seeder_that_comes_late_is_found() {
    let dht = Dht::start(5);
    let folder = folder_with("file.bin", &[9; 100_000]);
    let at = folder.path();
    succeed(at, &["create", "file.bin", "-o", "x.torrent"], &[]);
    let bootstrap = dht.bootstrap();
    let hash = hash(at, "x.torrent");
    let get = ["get", &hash, "-o", "out", "--no-lsd"];
    let mut get = Peer::start(at, &get, &bootstrap);
    get.says("DHT");
    let _seed = Peer::start(at, &["seed", "file.bin", "--no-lsd"], &bootstrap);
    get.says("file.bin, 100.00 kB, is in out");
}

/// Nothing that has to do with a private torrent reaches a node.
#[test]
fn a_private_torrent_stays_out_of_the_dht() {
    let tracker = Tracker::start();
    let folder = folder_with("file.bin", &[1; 100_000]);
    let at = folder.path();
    let torrent = ["create", "file.bin", "--private", "-o", "p.torrent"];
    succeed(
        at,
        &[&torrent[..], &["--tracker", &tracker.url()]].concat(),
        &[],
    );
    let node = UdpSocket::bind("127.0.0.1:0").unwrap();
    node.set_nonblocking(true).unwrap();
    let bootstrap = [
        "--dht-bootstrap".to_owned(),
        node.local_addr().unwrap().to_string(),
    ];
    let mut seed = Peer::start(at, &["get", "p.torrent", "--seed"], &bootstrap);
    seed.says("file.bin, 100.00 kB, is in .");
    succeed(at, &["get", "p.torrent", "-o", "out"], &bootstrap);
    assert!(node.recv(&mut [0; 2000]).is_err(), "the DHT heard of it");
}

/// Somebody who has only the hash of a private torrent looks for it, since nothing says that it
/// is private; as soon as that is known it is left alone, and it is never announced.
#[test]
fn a_link_to_a_private_torrent_is_never_announced() {
    let tracker = Tracker::start();
    let dht = Dht::start(4);
    let folder = folder_with("file.bin", &[1; 100_000]);
    let at = folder.path();
    let torrent = ["create", "file.bin", "--private", "-o", "p.torrent"];
    let url = tracker.url();
    succeed(at, &[&torrent[..], &["--tracker", &url]].concat(), &[]);
    let hash = hash(at, "p.torrent");
    let mut seed = Peer::start(at, &["get", "p.torrent", "--seed"], &[]);
    seed.says("file.bin, 100.00 kB, is in .");
    let get = ["get", &hash, "-o", "out", "--tracker", &url];
    succeed(at, &get, &dht.bootstrap());
    let looked = json(at, &["dht", "lookup", &hash], &dht.bootstrap());
    assert_eq!(looked["peers"], serde_json::json!([]), "{looked}");
}

#[test]
fn values_are_stored_and_fetched() {
    let dht = Dht::start(6);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let bootstrap = dht.bootstrap();
    let key = succeed(at, &["dht", "put", "Hello World!"], &bootstrap);
    assert_eq!(key.trim(), "e5f96f6f38320f0f33959cb4d3d656452117aadb");
    let get = ["dht", "get", key.trim()];
    assert_eq!(succeed(at, &get, &bootstrap), "Hello World!\n");
    let known = json(at, &get, &bootstrap);
    assert_eq!(known["text"], "Hello World!");
    assert_eq!(known["bencoded"], "31323a48656c6c6f20576f726c6421");

    // What its owner changes is found by the owner's key, and the newest of it.
    let owner = ["--secret", "secret", "--salt", "news"];
    let put = |value, seq| {
        let arguments = [&["dht", "put", value, "--seq", seq][..], &owner].concat();
        succeed(at, &arguments, &bootstrap).trim().to_owned()
    };
    let key = put("first", "1");
    assert_eq!(put("second", "2"), key);
    let get = ["dht", "get", &key, "--salt", "news"];
    assert_eq!(succeed(at, &get, &bootstrap), "second\n");
    let known = json(at, &get, &bootstrap);
    assert_eq!(
        (&known["seq"], &known["key"]),
        (&2.into(), &key.as_str().into())
    );

    let nothing = "0".repeat(40);
    let text = fail(1, at, &["dht", "get", &nothing], &bootstrap);
    assert!(text.contains("no such value"), "{text}");
    let long = "x".repeat(1000);
    let text = fail(2, at, &["dht", "put", &long], &bootstrap);
    assert!(text.contains("1,000 bytes"), "{text}");
}

#[test]
fn the_table_is_shown_bucket_by_bucket() {
    let dht = Dht::start(20);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let table = json(at, &["dht", "table"], &dht.bootstrap());
    let network = &table["families"][0];
    assert_eq!(network["family"], "IPv4");
    let buckets = network["buckets"].as_array().unwrap();
    let nodes = buckets
        .iter()
        .map(|it| it["nodes"].as_array().unwrap().len());
    assert_eq!(network["nodes"], nodes.sum::<usize>());
    // As many as are told of at once, at least.
    assert!(network["nodes"].as_u64().unwrap() >= 8, "{table}");
    // Who begins without a table that was kept has asked the bootstrap node before all others.
    let folder = tempfile::tempdir().unwrap();
    let text = succeed(folder.path(), &["dht", "table"], &dht.bootstrap());
    assert!(text.contains(&dht.first.to_string()), "{text}");
}

#[test]
fn what_goes_wrong_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let bootstrap = ["--dht-bootstrap".to_owned(), address.clone()];
    for question in [
        &["dht", "lookup", &"1".repeat(40)][..],
        &["dht", "get", &"1".repeat(40)],
        &["dht", "put", "x"],
        &["dht", "table"],
    ] {
        let text = fail(1, at, &[question, &SHORT].concat(), &bootstrap);
        let complete = text.contains("no node of the DHT answered") && text.contains(&address);
        assert!(complete, "{text}");
    }
    let port = address.rsplit(':').next().unwrap();
    let taken = ["dht", "table", "--dht-port", port];
    let text = fail(1, at, &taken, &bootstrap);
    assert!(text.contains("UDP port"), "{text}");
}

#[test]
fn nobody_announced_is_another_answer_than_nobody_there() {
    let dht = Dht::start(3);
    let folder = tempfile::tempdir().unwrap();
    let lookup = ["dht", "lookup", &"2".repeat(40)];
    let output = run(folder.path(), &lookup, &dht.bootstrap());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("nobody announced") && text.contains("hop"),
        "{text}"
    );
}

/// A file that something else wrote is said to be one, and does no harm.
#[test]
fn a_damaged_table_is_begun_anew() {
    let dht = Dht::start(3);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let lookup = ["dht", "lookup", &"3".repeat(40)];
    let tables = || {
        let folder = fs::read_dir(at.join("state/tabswarm")).unwrap();
        let paths = folder.map(|entry| entry.unwrap().path());
        paths.filter(|it| it.extension().is_some_and(|it| it == "table"))
    };
    run(at, &lookup, &dht.bootstrap());
    for table in tables() {
        fs::write(table, "not ours").unwrap();
    }
    let output = run(at, &lookup, &dht.bootstrap());
    let text = String::from_utf8(output.stderr).unwrap();
    let said = text.lines().filter(|line| line.contains("is damaged"));
    assert_eq!(said.count(), 1, "{text}");
    assert!(text.contains("nobody announced"), "{text}");
    for table in tables() {
        let kept = fs::read_to_string(table).unwrap();
        assert!(kept.lines().count() > 1, "{kept}");
    }
}

#[cfg(unix)]
#[test]
fn a_question_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let bootstrap = ["--dht-bootstrap".to_owned(), address];
    let lookup = ["dht", "lookup", &"1".repeat(40)];
    let mut peer = Peer::start(folder.path(), &lookup, &bootstrap);
    // It is listening to signals once it asks.
    silent.recv(&mut [0; 2000]).unwrap();
    let id = peer.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(peer.child.wait().unwrap().code(), Some(130));
}

/// A tracker in this process.
struct Tracker {
    runtime: Runtime,
    server: Option<tracker_relay::Server>,
}

impl Tracker {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tracker_relay::serve(tracker_relay::Config::default(), listener).unwrap()
        });
        Tracker {
            runtime,
            server: Some(server),
        }
    }

    fn url(&self) -> String {
        format!("ws://{}", self.server.as_ref().unwrap().address())
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
