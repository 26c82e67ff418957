//! The binary, as a person or a script runs it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

mod support;

use std::net::SocketAddr;
use std::process::Stdio;
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use support::Raw;
use support::{get, open_socket};
use swarm_core::wire::relay::SUBPROTOCOL;
use tokio::io::{AsyncBufReadExt, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

#[cfg(target_os = "linux")]
const MIB: usize = 1 << 20;

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracker-relay"));
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn it_prints_its_address_and_stops_on_sigterm() {
    let mut server = binary().args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");

    let taken = address.trim_start_matches("http://");
    let second = binary().args(["--listen", taken]).output().await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    let complaint = String::from_utf8(second.stderr).unwrap();
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(
        complaint.contains(taken) && complaint.contains("in use"),
        "{complaint}"
    );

    let id = server.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap()
            .success()
    );
    assert!(server.wait().await.unwrap().success());
}

#[tokio::test]
async fn what_makes_no_sense_is_told_apart_from_what_fails() {
    let stun = ["--stun-name", "a:1", "--stun-name", "b:1", "--stun-name"];
    let fifth = [
        &stun[..],
        &["c:1", "--stun-name", "d:1", "--stun-name", "e:1"],
    ]
    .concat();
    let dht = ["--listen", "127.0.0.1:0", "--dht", "127.0.0.1:0"];
    for (code, options, says) in [
        (2, vec!["--listen", "localhost"], "127.0.0.1:8080"),
        (2, vec!["--log", "loud"], "`loud` is no level"),
        (2, vec!["--max-connections", "0"], "at least 1"),
        (2, vec!["--dht-table", "x"], "--dht"),
        (
            2,
            [&dht[..], &["--dht-bootstrap", "host"]].concat(),
            "a host and a port",
        ),
        (2, fifth, "5 times"),
        (
            1,
            [&dht[..], &["--dht-table", "/dev/null/table"]].concat(),
            "/dev/null/table",
        ),
    ] {
        let output = binary().args(&options).output().await.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{options:?}: {text}");
        assert!(text.contains(says), "{options:?}: {text}");
        assert!(output.stdout.is_empty(), "{options:?}");
    }
}

/// As where a service's environment passes on what nobody has set.
#[tokio::test]
async fn an_empty_variable_says_nothing() {
    let help = binary().arg("--help").output().await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names = help.split("[env: ").skip(1);
    let names: Vec<_> = names
        .filter_map(|rest| rest.split(['=', ']']).next())
        .collect();
    assert!(names.contains(&"TABSWARM_STUN"), "{names:?}");
    let mut command = binary();
    command.envs(names.iter().map(|name| (name, "")));
    let (_server, address) = start_as(command, &[]).await;
    assert!(get(address, "/health", "").await.contains("200 OK"));
}

/// Starts it, and returns where it listens.
async fn start(options: &[&str]) -> (Child, SocketAddr) {
    start_as(binary(), options).await
}

async fn start_as(mut command: Command, options: &[&str]) -> (Child, SocketAddr) {
    let mut server = command
        .args(["--listen", "127.0.0.1:0"])
        .args(options)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let address = lines.next_line().await.unwrap().unwrap();
    (
        server,
        address.trim_start_matches("http://").parse().unwrap(),
    )
}

/// Who joins by it is in its DHT, and sees others there; a restart forgets nobody.
#[tokio::test]
async fn it_is_a_node_by_which_a_dht_is_joined() {
    use dht_node::{DhtNode, Event, Listen, Options};
    use swarm_core::dht::Output;
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("dht.table");
    let table = table.to_str().unwrap();
    let (mut server, address) = start(&["--dht", "127.0.0.1:0", "--dht-table", table]).await;
    let health = async |address| -> serde_json::Value {
        let answer = get(address, "/health", "").await;
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let dht = health(address).await["dht"]["address"].clone();
    let mut node = DhtNode::open(Options {
        config: swarm_core::dht::Config::default(),
        listen: Listen::At("127.0.0.1:0".parse().unwrap()),
        bootstrap: vec![dht.as_str().unwrap().to_owned()],
        file: None,
    })
    .unwrap();
    while !matches!(node.next().await, Event::Said(Output::Joined { .. })) {}
    let running = tokio::spawn(async move {
        loop {
            node.next().await;
        }
    });
    // It asks back before it believes that somebody is there.
    while health(address).await["dht"]["nodes"] != 1 {}
    let id = server.id().unwrap().to_string();
    let stop = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(stop.unwrap().success() && server.wait().await.unwrap().success());

    let (_server, address) = start(&["--dht", "127.0.0.1:0", "--dht-table", table]).await;
    while health(address).await["dht"]["nodes"] != 1 {}
    running.abort();
    let (_server, address) = start(&[]).await;
    assert!(health(address).await["dht"].is_null());
}

#[tokio::test]
async fn a_reader_of_its_log_that_goes_away_or_sleeps_stops_nothing() {
    let (mut server, address) = start(&["--log", "trace"]).await;
    let health = async || get(address, "/health", "").await;
    let log = server.stderr.take().unwrap();
    // Far more lines than fit into a pipe that nobody reads.
    for _ in 0..500 {
        assert!(health().await.starts_with("HTTP/1.1 200"));
    }
    drop(log);
    for _ in 0..20 {
        assert!(health().await.starts_with("HTTP/1.1 200"));
    }
    assert!(server.try_wait().unwrap().is_none());
}

/// A page elsewhere that tries again and again, or many of them, don't fill a disk with log.
#[tokio::test]
async fn what_is_refused_again_and_again_is_counted() {
    let (mut server, address) = start(&[]).await;
    let refused = async |origin: &str| {
        let headers = [("Sec-WebSocket-Protocol", SUBPROTOCOL), ("Origin", origin)];
        assert!(open_socket(address, &headers).await.is_err(), "{origin}");
    };
    for _ in 0..30 {
        refused("https://again.example").await;
    }
    refused("https://other.example").await;
    let id = server.id().unwrap().to_string();
    let stop = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(stop.unwrap().success());
    let mut log = String::new();
    let mut stderr = server.stderr.take().unwrap();
    stderr.read_to_string(&mut log).await.unwrap();
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("https://other.example"), 1, "{log}");
    // Twice if a minute ends meanwhile.
    assert!((1..3).contains(&lines("https://again.example")), "{log}");
    assert!((1..3).contains(&lines("were not written")), "{log}");
}

/// Kibibytes of memory that a process has.
#[cfg(target_os = "linux")]
fn memory(server: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id().unwrap()));
    let line = status.unwrap();
    let line = line.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// What docs and help promise: tens of kibibytes for one who is connected, whatever it has
/// sent or not read before.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_cost_little_whatever_they_did() {
    const CLIENTS: usize = 200;
    let (server, address) = start(&[]).await;
    let before = memory(&server);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Raw::connect(address).await);
    }
    let idle = memory(&server) - before;
    assert!(idle < 24 * CLIENTS, "{idle} KiB for {CLIENTS} idle ones");

    let message = large_message(MIB);
    for client in &mut clients {
        client.send(0x82, &message).await;
        client.send(0x89, b"").await;
        while client.next().await.0 != 0x8A {}
    }
    let after = settled(&server, before + 48 * CLIENTS).await - before;
    assert!(after <= 48 * CLIENTS, "{after} KiB after large messages");

    // Large messages that never end, as far as those have room for them.
    let (limited, address) = start(&["--unfinished-memory", "8"]).await;
    let before = memory(&limited);
    let mut hoarders = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Raw::connect(address).await;
        client.send(0x02, &vec![b'd'; MIB - 1]).await;
        client.send(0x89, b"").await;
        // A ping's answer, or a goodbye.
        while !matches!(client.next().await.0, 0x8A | 0x88) {}
        hoarders.push(client);
    }
    let bound = 2 * 8 * 1024 + 48 * CLIENTS;
    let hoarded = settled(&limited, before + bound).await - before;
    assert!(hoarded <= bound, "{hoarded} KiB, more than {bound}");
}

/// What a rush of large messages took is given back, though those who sent them stay.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_of_a_rush_is_given_back() {
    const CLIENTS: usize = 240;
    let (server, address) = start(&[]).await;
    let before = memory(&server);
    let message = Raw::frame(0x82, &large_message(MIB));
    let (begin, end) = message.split_at(message.len() - 100);
    let mut clients = Vec::new();
    // Each comes while large messages of those before it are on their way. After the first ones
    // the system's allocator knows what is coming.
    for number in 0..CLIENTS {
        let mut client = Raw::connect(address).await;
        client.send_raw(begin).await;
        if number < 10 {
            client.send_raw(end).await;
        }
        clients.push(client);
    }
    for client in &mut clients[10..] {
        client.send_raw(end).await;
    }
    for client in &mut clients {
        client.send(0x89, b"").await;
        while client.next().await.0 != 0x8A {}
    }
    let kept = settled(&server, before + 48 * CLIENTS).await - before;
    assert!(kept <= 48 * CLIENTS, "{kept} KiB for {CLIENTS} idle ones");
}

/// Kibibytes of memory that a process has once that is no more than `bound`, or once it has
/// had long enough to get there: the allocator gives back in its own time, and says nothing.
#[cfg(target_os = "linux")]
async fn settled(server: &Child, bound: usize) -> usize {
    let shrunk = async {
        while memory(server) > bound {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(60), shrunk).await;
    memory(server)
}

/// Nothing stays of large messages, however their lengths are chosen and whatever follows.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_small_message_keeps_nothing_of_the_large_one_before() {
    const CLIENTS: usize = 50;
    let (server, address) = start(&[]).await;
    let before = memory(&server);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Raw::connect(address).await;
        // A little more than what a buffer that doubles would have room for.
        for length in (13..20).map(|power| (1 << power) + 800).chain([MIB]) {
            client.send(0x82, &large_message(length)).await;
            client.send(0x89, b"").await;
            while client.next().await.0 != 0x8A {}
        }
        // And the start of the next.
        client.send_raw(&Raw::frame(0x82, b"the next")[..5]).await;
        clients.push(client);
    }
    let bound = before + 192 * CLIENTS;
    let kept = settled(&server, bound).await - before;
    assert!(kept <= 192 * CLIENTS, "{kept} KiB for {CLIENTS} clients");
}

/// A message of nearly so many bytes, of which the hub keeps nothing.
#[cfg(target_os = "linux")]
fn large_message(length: usize) -> Vec<u8> {
    let padding = "x".repeat(length - 100);
    let message = format!(
        "d9:info_hash20:{}1:t5:leave2:zz{}:{padding}e",
        "h".repeat(20),
        padding.len()
    );
    message.into_bytes()
}

/// The worst that a client does to memory: it asks, and neither reads the answers nor ends
/// what it began. That is bounded for each, and not for long.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn clients_that_ask_and_never_read_cost_little_and_are_cut() {
    const CROWD: u8 = 50;
    const HOSTILE: usize = 8;
    let announce = |peer: u8| {
        let peer_id = [b'a' + peer % 26; 20];
        let mut message = format!(
            "d9:info_hash20:{}4:lefti5e7:numwanti50e7:peer_id20:",
            "h".repeat(20)
        )
        .into_bytes();
        message.extend(peer_id);
        message.extend(b"1:t8:announcee");
        Raw::frame(0x82, &message)
    };
    let (server, address) = start(&["--write-timeout", "1"]).await;
    let mut crowd = Vec::new();
    for peer in 0..CROWD {
        let mut client = Raw::connect(address).await;
        client.send_raw(&announce(peer)).await;
        crowd.push(client);
    }
    let before = memory(&server);
    let flood: Vec<u8> = std::iter::repeat_n(announce(7), 1000).flatten().collect();
    let mut hostile = Vec::new();
    for _ in 0..HOSTILE {
        let mut client = Raw::connect(address).await;
        let mut flood = flood.clone();
        flood.extend(Raw::frame(0x02, &[b'd'; 16 << 10]));
        hostile.push(tokio::spawn(async move {
            while client.send_raw(&flood).await {}
        }));
    }
    let mut peak = before;
    while hostile.iter().any(|client| !client.is_finished()) {
        peak = peak.max(memory(&server));
        get(address, "/health", "").await;
    }
    let each = (peak - before) / HOSTILE;
    assert!(each < 192, "{each} KiB for each");
}
