//! What one client can take from the others: little, and not for long.
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

mod support;

use std::fs;
use std::time::Duration;

use support::{Client, Raw, get, open_socket, start};
use swarm_core::hub::HubConfig;
use swarm_core::wire::relay::{ClientMessage, SUBPROTOCOL, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tracker_relay::{Config, Page, Server};

/// Larger than what the system buffers for a socket whose other end does not read.
const LARGE_FILE: usize = 16 << 20;

async fn server_with_large_file(config: Config) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "the page").unwrap();
    fs::write(folder.path().join("large"), vec![b'x'; LARGE_FILE]).unwrap();
    let page = Page::Folder(folder.path().to_owned());
    let server = start(Config { page, ..config }).await;
    (folder, server)
}

/// Asks for the large file, and has seen that it begins to come.
async fn ask_and_read_nothing(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = "GET /large HTTP/1.1\r\nHost: test\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.unwrap();
    stream
}

/// A counter of what was limited.
async fn limited(server: &Server, name: &str) -> u64 {
    let health = get(server.address(), "/health", "").await;
    let body = health.split("\r\n\r\n").nth(1).unwrap();
    let health: serde_json::Value = serde_json::from_str(body).unwrap();
    health["limited"][name].as_u64().unwrap()
}

#[tokio::test]
async fn who_asks_for_pages_and_never_reads_keeps_nobody_from_them() {
    let (_folder, server) = server_with_large_file(Config {
        max_http_connections: 3,
        ..Config::default()
    })
    .await;
    let mut stuck = Vec::new();
    for _ in 0..3 {
        stuck.push(ask_and_read_nothing(&server).await);
    }
    let page = get(server.address(), "/", "").await;
    assert!(page.ends_with("the page"), "{page}");
    // The oldest of them has given way: not all of the file comes.
    let mut received = Vec::new();
    let _ = stuck.remove(0).read_to_end(&mut received).await;
    assert!(received.len() < LARGE_FILE, "{}", received.len());
    assert!(limited(&server, "closed_http_for_others").await > 0);
}

#[tokio::test]
async fn who_takes_nothing_of_a_page_for_too_long_is_dropped() {
    let (_folder, server) = server_with_large_file(Config {
        write_timeout: Duration::from_millis(200),
        ..Config::default()
    })
    .await;
    let _stuck = ask_and_read_nothing(&server).await;
    while limited(&server, "closed_slow").await == 0 {}
}

#[tokio::test]
async fn a_request_that_is_never_complete_ends() {
    let server = start(Config {
        http_timeout: Duration::from_millis(200),
        ..Config::default()
    })
    .await;
    for begun in [
        "",
        "GET / HTTP/1.1\r\nHo",
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
    }
    let mut long = TcpStream::connect(server.address()).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(64 << 10));
    let _ = long.write_all(head.as_bytes()).await;
    let mut answer = String::new();
    let _ = long.read_to_string(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_flood_of_pings_ends_with_a_reason() {
    let server = start(Config::default()).await;
    let mut client = Raw::connect(server.address()).await;
    for _ in 0..10 {
        client.send(0x89, b"hello").await;
        // 0x8A: the answer, in kind.
        while client.next().await != (0x8A, b"hello".to_vec()) {}
    }
    for _ in 0..200 {
        client.send(0x89, b"").await;
    }
    let reason = client.closed().await;
    assert_eq!(reason.0, u16::from(CloseCode::Policy));
    assert!(reason.1.contains("pings"), "{}", reason.1);
    assert_eq!(limited(&server, "closed_pings").await, 1);
}

#[tokio::test]
async fn a_client_that_takes_no_answers_to_its_pings_is_dropped() {
    let server = start(Config {
        write_timeout: Duration::from_millis(400),
        ping_interval: Duration::from_millis(400),
        ..Config::default()
    })
    .await;
    // Far more of them than the server lets wait, in the time that it may be stuck.
    let mut client = Raw::connect(server.address()).await;
    let pings: Vec<u8> = std::iter::repeat_n(Raw::frame(0x89, &[b'p'; 125]), 1 << 10)
        .flatten()
        .collect();
    // It is not read from for ever, however patient it is.
    while client.send_raw(&pings).await {}
    assert_eq!(server.stats().connections, 0);
}

#[tokio::test]
async fn large_messages_that_never_end_give_way_to_others() {
    let server = start(Config {
        max_unfinished: 700 << 10,
        ..Config::default()
    })
    .await;
    let mut small = Raw::connect(server.address()).await;
    let mut large = Raw::connect(server.address()).await;
    // Fragments: each is complete, and the message is not.
    for (client, kibibytes) in [(&mut small, 300), (&mut large, 350)] {
        client.send(0x02, &vec![b'd'; kibibytes << 10]).await;
        client.send(0x89, b"seen?").await;
        while client.next().await != (0x8A, b"seen?".to_vec()) {}
    }
    let mut third = Raw::connect(server.address()).await;
    third.send(0x02, &vec![b'd'; 200 << 10]).await;
    let (code, reason) = large.closed().await;
    assert_eq!(code, 1013, "try again later");
    assert!(reason.contains("large"), "{reason}");
    for client in [&mut small, &mut third] {
        client.send(0x89, b"still?").await;
        while client.next().await != (0x8A, b"still?".to_vec()) {}
    }
    assert_eq!(limited(&server, "closed_unfinished").await, 1);
}

#[tokio::test]
async fn a_message_may_come_in_parts_and_with_pings_between() {
    let server = start(Config::default()).await;
    let mut client = Raw::connect(server.address()).await;
    let leave = ClientMessage::Leave {
        info_hash: support::SWARM,
    }
    .encode();
    let (first, rest) = leave.split_at(5);
    client.send(0x02, first).await;
    client.send(0x89, b"between").await;
    client.send(0x00, &rest[..10]).await;
    client.send(0x80, &rest[10..]).await;
    client.send(0x89, b"after").await;
    while client.next().await != (0x8A, b"after".to_vec()) {}
    assert_eq!(server.stats().connections, 1);
}

#[tokio::test]
async fn clients_of_a_trusted_proxy_are_charged_each_for_itself() {
    // One address may have half of these.
    let hub = HubConfig {
        max_connections: 8,
        ..HubConfig::default()
    };
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let config = Config {
        hub,
        trusted_proxies,
        ..Config::default()
    };
    let server = start(config.clone()).await;
    let join = async |server: &Server, address: &str| {
        let headers = [
            ("Sec-WebSocket-Protocol", SUBPROTOCOL),
            ("X-Forwarded-For", address),
        ];
        let socket = open_socket(server.address(), &headers).await.unwrap();
        Client::welcomed(socket).await
    };
    let mut crowd = Vec::new();
    for _ in 0..4 {
        crowd.push(join(&server, "192.0.2.1").await.unwrap());
    }
    let close = join(&server, "192.0.2.1").await.unwrap_err();
    assert_eq!(close.code, CloseCode::Policy);
    assert!(close.reason.contains("your address"), "{}", close.reason);
    crowd.push(join(&server, "203.0.113.5, 192.0.2.2").await.unwrap());

    let server = start(Config {
        trusted_proxies: Vec::new(),
        ..config
    })
    .await;
    let mut crowd = Vec::new();
    for last in 1..5 {
        let address = format!("192.0.2.{last}");
        crowd.push(join(&server, &address).await.unwrap());
    }
    // Anybody can say so; it is one address.
    assert!(join(&server, "192.0.2.9").await.is_err());
}

#[tokio::test]
async fn small_and_large_messages_arrive_as_they_were() {
    // Small ones are copied, so that they don't keep the buffer that they came in.
    let server = start(Config::default()).await;
    let (mut sender, mut receiver) = (Client::join(&server).await, Client::join(&server).await);
    let channel = sender.open(&mut receiver, [0, 1 << 20]).await;
    let sizes = [1, 4091, 4092, 5000, 65_000, 3, 300_000, 2];
    for (number, size) in sizes.into_iter().enumerate() {
        sender.data(channel, &vec![number as u8; size]).await;
    }
    for (number, size) in sizes.into_iter().enumerate() {
        let ServerMessage::Data(frame) = receiver.next().await else {
            panic!("no data")
        };
        assert_eq!(frame.payload(), vec![number as u8; size]);
    }
    sender.send_raw(Message::Close(None)).await;
}

#[tokio::test]
async fn who_floods_with_requests_is_refused_and_nobody_else() {
    let server = start(Config {
        hub: HubConfig {
            // What is saved up is soon used, and little comes after it.
            work_per_source: Duration::from_micros(2),
            visit_burst: Duration::from_millis(1),
            max_visit_wait: Duration::from_millis(50),
            ..HubConfig::default()
        },
        ..Config::default()
    })
    .await;
    let flood = async || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        socket.connect(server.address()).await.unwrap()
    };
    let mut stream = flood().await;
    let mut answer = Vec::new();
    while !answer.starts_with(b"HTTP/1.1 429 ") {
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 405 "));
        answer.clear();
        let request = "POST / HTTP/1.1\r\nHost: test\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        while !answer.ends_with(b"\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        // The words.
        while stream.read_u8().await.unwrap() != b'\n' {}
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("retry-after: "), "{answer}");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "it is closed");
    // Nor is another connection of any use.
    let mut refused = String::new();
    flood().await.read_to_string(&mut refused).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("Retry-After: ") && refused.contains("slow down"));
    assert_eq!(limited(&server, "visits").await, 2);
}
