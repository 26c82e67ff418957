//! Terminals, a tracker for them, and what they share.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tokio::runtime::Runtime;

/// Names in several scripts, an empty file, pieces that several files share.
pub(crate) const FILES: [(&str, usize); 6] = [
    ("readme.txt", 700),
    ("Ελληνικά/αρχείο.bin", 3_000_000),
    ("日本語/写真.jpg", 1_500_000),
    ("العربية.dat", 123_457),
    ("नमस्ते/empty", 0),
    ("z", 1),
];

/// A tracker in this process.
pub(crate) struct Tracker {
    pub(crate) runtime: Runtime,
    server: Option<tracker_relay::Server>,
    pub(crate) address: SocketAddr,
}

impl Tracker {
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap())
    }

    pub(crate) fn start_on(address: SocketAddr) -> Self {
        Self::start_as(tracker_relay::Config::default(), address)
    }

    pub(crate) fn start_as(config: tracker_relay::Config, address: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            tracker_relay::serve(config, listener).unwrap()
        });
        let address = server.address();
        Tracker {
            runtime,
            server: Some(server),
            address,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Bytes of channels that it has passed on.
    pub(crate) fn relayed_bytes(&self) -> u64 {
        self.server.as_ref().unwrap().stats().relayed_bytes
    }

    /// Ends the server; what else runs here goes on.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }

    /// How many are connected.
    pub(crate) fn connections(&self) -> usize {
        let server = self.server.as_ref().unwrap();
        server.stats().connections
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A running `native-peer`, ended with the test.
pub(crate) struct Peer(pub(crate) Child);

impl Peer {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_native-peer"))
            .args(arguments)
            .current_dir(folder)
            .env_remove("TABSWARM_TRACKER")
            .env("TABSWARM_NO_DHT", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Peer(child.unwrap())
    }

    /// A peer that seeds, and its link.
    pub(crate) fn seed(folder: &Path, arguments: &[&str]) -> (Self, String) {
        let mut peer = Peer::start(folder, &[&["seed"], arguments].concat());
        let mut link = String::new();
        BufReader::new(peer.0.stdout.as_mut().unwrap())
            .read_line(&mut link)
            .unwrap();
        (peer, link.trim().to_owned())
    }

    /// Waits until it has said something that has these words.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let mut said = BufReader::new(self.0.stderr.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended early");
        }
    }

    pub(crate) fn end(mut self) -> Output {
        let mut stderr = Vec::new();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_end(&mut stderr)
            .unwrap();
        Output {
            status: self.0.wait().unwrap(),
            stdout: Vec::new(),
            stderr,
        }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn get(folder: &Path, arguments: &[&str]) {
    let output = Peer::start(folder, &[&["get"], arguments].concat()).end();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Bytes that compress badly and differ from file to file.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    swarm_core::rng::Rng::new(seed).fill(&mut bytes);
    bytes
}

pub(crate) fn shared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (seed, (name, length)) in (0..).zip(FILES) {
        let path = folder.path().join("Много файлов").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes(seed, length)).unwrap();
    }
    folder
}

pub(crate) fn assert_all_there(folder: &Path) {
    for (seed, (name, length)) in (0..).zip(FILES) {
        let there = fs::read(folder.join("Много файлов").join(name)).unwrap();
        assert!(there == bytes(seed, length), "{name} differs");
    }
}
