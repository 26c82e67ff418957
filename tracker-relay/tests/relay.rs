//! Clients over real sockets.
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use support::{Client, HANDSHAKE, Raw, get, open_socket, start};
use swarm_core::hub::HubConfig;
use swarm_core::id::ChannelId;
use swarm_core::wire::relay::{ClientMessage, DataFrame, SUBPROTOCOL, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tracker_relay::Config;

#[tokio::test]
async fn megabytes_travel_with_credit_and_arrive_whole() {
    const TOTAL: usize = 24 << 20;
    const WINDOW: u32 = 1 << 20;
    let server = start(Config::default()).await;
    let (mut sender, mut receiver) = (Client::join(&server).await, Client::join(&server).await);
    let channel = sender.open(&mut receiver, [0, WINDOW]).await;
    let bytes: Bytes = (0..TOTAL).map(|at| (at % 251) as u8).collect();
    let expected = bytes.clone();

    let sending = async move {
        let (mut position, mut credit) = (0, WINDOW as usize);
        while position < TOTAL {
            while credit == 0 {
                match sender.next().await {
                    ServerMessage::Credit { bytes, .. } => credit += bytes as usize,
                    other => panic!("instead of credit: {other:?}"),
                }
            }
            let length = credit.min(100_000).min(TOTAL - position);
            sender
                .data(channel, &bytes[position..position + length])
                .await;
            (position, credit) = (position + length, credit - length);
        }
        sender
    };
    let receiving = async move {
        let mut position = 0;
        while position < TOTAL {
            let ServerMessage::Data(frame) = receiver.next().await else {
                panic!("no data")
            };
            let payload = frame.payload();
            assert!(payload == expected[position..position + payload.len()]);
            position += payload.len();
            let bytes = u32::try_from(payload.len()).unwrap();
            receiver
                .send(ClientMessage::Credit { channel, bytes })
                .await;
        }
        receiver
    };
    let (sender, mut receiver) = tokio::join!(sending, receiving);
    assert_eq!(server.stats().relayed_bytes, TOTAL as u64);
    drop(sender);
    let ServerMessage::Close { reason, .. } = receiver.next().await else {
        panic!("no close")
    };
    assert!(reason.contains("gone"), "{reason}");
}

#[tokio::test]
async fn a_violation_closes_with_a_reason_and_the_others_go_on() {
    let server = start(Config::default()).await;
    let (mut liar, mut victim) = (Client::join(&server).await, Client::join(&server).await);
    let channel = liar.open(&mut victim, [0, 10]).await;
    liar.data(channel, &[0; 11]).await;
    let close = liar.closed().await.unwrap();
    assert_eq!(close.code, CloseCode::Policy);
    assert!(close.reason.contains("credit"), "{}", close.reason);
    assert!(matches!(victim.next().await, ServerMessage::Close { .. }));
    let mut third = Client::join(&server).await;
    third.open(&mut victim, [1, 1]).await;
}

#[tokio::test]
async fn what_is_no_message_closes_the_connection() {
    let server = start(Config::default()).await;
    for (message, code) in [
        (Message::binary("nonsense".as_bytes()), CloseCode::Policy),
        (Message::text("text"), CloseCode::Unsupported),
        (Message::binary(vec![1; (1 << 20) + 1]), CloseCode::Size),
    ] {
        let mut client = Client::join(&server).await;
        client.send_raw(message).await;
        assert_eq!(client.closed().await.unwrap().code, code);
    }
    let mut client = Raw::connect(server.address()).await;
    client.send(0x81, b"\xff\xfe").await;
    assert_eq!(client.closed().await.0, 1007, "text that is no UTF-8");
}

#[tokio::test]
async fn a_receiver_that_does_not_read_stops_its_sender() {
    let limit = 2 << 20;
    let hub = HubConfig {
        max_inflight_per_connection: limit,
        ..HubConfig::default()
    };
    let server = start(Config {
        hub,
        ..Config::default()
    })
    .await;
    let (mut sender, mut receiver) = (Client::join(&server).await, Client::join(&server).await);
    let channel = sender.open(&mut receiver, [0, 0]).await;
    // It promises to take everything, and then takes nothing.
    receiver
        .send(ClientMessage::Credit {
            channel,
            bytes: u32::MAX,
        })
        .await;
    let mut sent = 0;
    let mut most = 0;
    // Until no credit comes, because sockets and the relay are full. The wait is only for
    // noticing that; a shorter one would make the test weaker, not flaky.
    while let Ok(ServerMessage::Credit { bytes, .. }) =
        tokio::time::timeout(Duration::from_millis(500), sender.next()).await
    {
        for part in vec![7; bytes as usize].chunks(200_000) {
            sender.data(channel, part).await;
        }
        sent += u64::from(bytes);
        let stats = server.stats();
        most = most.max(stats.queued_bytes + stats.credit_bytes);
    }
    assert!(most <= limit, "{most} bytes in the relay");
    assert!(sent > limit / 4, "only {sent} bytes went through");
    // It reads at last: everything sent arrives, and the sender may go on.
    let mut received = 0;
    while received < sent {
        let ServerMessage::Data(frame) = receiver.next().await else {
            panic!("no data")
        };
        received += frame.payload_len() as u64;
    }
    assert!(matches!(sender.next().await, ServerMessage::Credit { .. }));
}

#[tokio::test]
async fn a_client_that_takes_nothing_for_too_long_is_dropped() {
    let config = Config {
        write_timeout: Duration::from_millis(200),
        ..Config::default()
    };
    let server = start(config).await;
    let (mut sender, mut receiver) = (Client::join(&server).await, Client::join(&server).await);
    let channel = sender.open(&mut receiver, [0, 0]).await;
    receiver
        .send(ClientMessage::Credit {
            channel,
            bytes: u32::MAX,
        })
        .await;
    let reason = loop {
        match sender.next().await {
            ServerMessage::Credit { bytes, .. } => {
                for part in vec![7; bytes as usize].chunks(200_000) {
                    sender.data(channel, part).await;
                }
            }
            ServerMessage::Close { reason, .. } => break reason,
            other => panic!("unexpected {other:?}"),
        }
    };
    assert!(reason.contains("gone"), "{reason}");
    assert_eq!(server.stats().queued_bytes, 0);
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_a_dead_one_dropped() {
    let server = start(Config {
        ping_interval: Duration::from_millis(400),
        ..Config::default()
    })
    .await;
    let mut watcher = Client::join(&server).await;
    let mut dead = Client::join(&server).await;
    watcher.open(&mut dead, [1, 1]).await;
    // `dead` no longer polls its socket, so it answers no ping; `watcher` does.
    assert!(matches!(watcher.next().await, ServerMessage::Close { .. }));
    assert_eq!(server.stats().connections, 1);
}

#[tokio::test]
async fn many_small_messages_keep_their_order() {
    let server = start(Config::default()).await;
    let (mut sender, mut receiver) = (Client::join(&server).await, Client::join(&server).await);
    let channel = sender.open(&mut receiver, [0, 1 << 20]).await;
    for number in 0..2000_u32 {
        sender.data(channel, &number.to_be_bytes()).await;
    }
    sender
        .send(ClientMessage::Close {
            channel,
            reason: "done".to_owned(),
        })
        .await;
    for number in 0..2000_u32 {
        let expected = DataFrame::new(channel, &number.to_be_bytes());
        assert_eq!(receiver.next().await, ServerMessage::Data(expected));
    }
    let reason = "done".to_owned();
    assert_eq!(
        receiver.next().await,
        ServerMessage::Close { channel, reason }
    );
}

#[tokio::test]
async fn only_our_subprotocol_our_page_and_allowed_origins_are_let_in() {
    let allowed_origins = vec!["https://good.example".to_owned()];
    let server = start(Config {
        allowed_origins,
        ..Config::default()
    })
    .await;
    let status =
        async |headers: &[(&'static str, &str)]| match open_socket(server.address(), headers).await
        {
            Ok(_) => 101,
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
        };
    let ours = ("Sec-WebSocket-Protocol", SUBPROTOCOL);
    let here = format!("http://{}", server.address());
    // It is WebTorrent's protocol that is spoken without one.
    assert_eq!(status(&[]).await, 101);
    assert_eq!(status(&[("Sec-WebSocket-Protocol", "chat")]).await, 400);
    assert_eq!(
        status(&[("Sec-WebSocket-Protocol", "TABSWARM.V1")]).await,
        400
    );
    for (origin, expected) in [
        ("https://bad.example", 403),
        ("null", 403),
        ("https://good.example", 101),
        (here.as_str(), 101),
    ] {
        assert_eq!(
            status(&[ours, ("Origin", origin)]).await,
            expected,
            "{origin}"
        );
    }
    assert_eq!(
        status(&[("Sec-WebSocket-Protocol", &format!("x, {SUBPROTOCOL}"))]).await,
        101
    );
    assert!(
        get(server.address(), "/swarm", "")
            .await
            .starts_with("HTTP/1.1 426")
    );
    let health = get(server.address(), "/health", "").await;
    assert!(health.contains("\"refused_origin\":2"), "{health}");
}

#[tokio::test]
async fn handshakes_that_are_not_in_order_are_refused_in_words() {
    let server = start(Config::default()).await;
    let answer = async |version: &str, without: &str, instead: &str| {
        let kept = HANDSHAKE.iter().filter(|line| !line.starts_with(without));
        let lines: Vec<_> = kept.copied().chain([instead]).collect();
        let request = format!(
            "GET /swarm HTTP/{version}\r\n{}\r\n\r\n",
            lines.join("\r\n")
        );
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert_eq!(answer("1.1", "none", "X: y").await, "HTTP/1.1 101");
    for key in [
        "X: y",
        "Sec-WebSocket-Key: short",
        "Sec-WebSocket-Key: c2hvcnQ=",
    ] {
        let refused = answer("1.1", "Sec-WebSocket-Key", key).await;
        assert_eq!(refused, "HTTP/1.1 400", "{key}");
    }
    assert_eq!(answer("1.0", "none", "X: y").await, "HTTP/1.0 426");
}

#[tokio::test]
async fn shutting_down_says_goodbye() {
    let server = start(Config::default()).await;
    let mut client = Client::join(&server).await;
    let address = server.address();
    let (close, ()) = tokio::join!(client.closed(), server.shutdown());
    assert_eq!(close.unwrap().code, CloseCode::Away);
    assert!(open_socket(address, &[]).await.is_err());
}

#[tokio::test]
async fn everything_is_forgotten_when_everybody_left() {
    let server = start(Config::default()).await;
    let mut stayer = Client::join(&server).await;
    let mut leaver = Client::join(&server).await;
    let channel: ChannelId = stayer.open(&mut leaver, [1000, 1000]).await;
    stayer.data(channel, &[1; 500]).await;
    drop(leaver);
    while !matches!(stayer.next().await, ServerMessage::Close { .. }) {}
    let stats = server.stats();
    assert_eq!((stats.connections, stats.channels), (1, 0));
    assert_eq!((stats.queued_bytes, stats.credit_bytes), (0, 0));
}
