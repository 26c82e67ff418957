//! The link to the tracker, against a server that comes and goes.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use native_peer::address::{Tracker, Trackers};
use native_peer::host::HostEvent;
use native_peer::link::{Link, LinkEvent, LinkStatus};
use native_peer::{Host, TrackerAddress};
use swarm_core::engine::{Command, Config};
use swarm_core::id::{InfoHash, MemberId};
use swarm_core::rng::Rng;
use swarm_core::wire::relay::{ClientMessage, SUBPROTOCOL, ServerMessage, Welcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

struct Server {
    listener: TcpListener,
}

impl Server {
    async fn new() -> Self {
        Server {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    fn address(&self) -> TrackerAddress {
        format!("ws://{}", self.listener.local_addr().unwrap())
            .parse()
            .unwrap()
    }

    #[allow(
        clippy::result_large_err,
        reason = "the callback's type is tungstenite's"
    )]
    async fn accept(&self) -> WebSocketStream<TcpStream> {
        let (stream, _) = self.listener.accept().await.unwrap();
        let check = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().path(), "/swarm");
            let protocol = request.headers()["sec-websocket-protocol"].clone();
            assert_eq!(protocol, SUBPROTOCOL);
            response
                .headers_mut()
                .insert("sec-websocket-protocol", protocol);
            Ok(response)
        };
        tokio_tungstenite::accept_hdr_async(stream, check)
            .await
            .unwrap()
    }
}

fn welcome() -> ServerMessage {
    ServerMessage::Welcome(Welcome {
        max_channels: 10,
        max_payload: 1 << 18,
        max_credit: 1 << 22,
        max_swarms: 100,
        ..Welcome::of(MemberId(7))
    })
}

#[tokio::test]
async fn messages_go_both_ways_and_are_accounted_for() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(1));
    assert_eq!(*link.status(), LinkStatus::Connecting);
    let mut socket = server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));

    socket
        .send(Message::Binary(welcome().encode()))
        .await
        .unwrap();
    let LinkEvent::Message(message) = link.next().await else {
        panic!("a message came")
    };
    assert_eq!(message, welcome());

    let leave = ClientMessage::Leave {
        info_hash: InfoHash([3; 20]),
    };
    let bytes = leave.clone().encode();
    for _ in 0..3 {
        link.send(bytes.clone());
    }
    for _ in 0..3 {
        let message = socket.next().await.unwrap().unwrap();
        assert_eq!(
            ClientMessage::decode(message.into_data()),
            Ok(leave.clone())
        );
    }
    let mut sent = 0;
    while sent < 3 * bytes.len() {
        let LinkEvent::Sent(more) = link.next().await else {
            panic!("it was sent")
        };
        sent += more;
    }
    assert_eq!(sent, 3 * bytes.len());
}

#[tokio::test]
async fn it_comes_back_after_the_tracker_did() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(2));
    for _ in 0..2 {
        let socket = server.accept().await;
        assert!(matches!(link.next().await, LinkEvent::Up));
        assert_eq!(*link.status(), LinkStatus::Up);
        drop(socket);
        assert!(matches!(link.next().await, LinkEvent::Down));
        assert!(matches!(link.status(), LinkStatus::Down { .. }));
        // Into nowhere, and not into the next connection.
        link.send(Bytes::from_static(b"late"));
    }
}

#[tokio::test]
async fn what_was_queued_is_sent_before_goodbye() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(3));
    let mut socket = server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));
    link.send(Bytes::from_static(b"last words"));
    let patience = std::time::Duration::from_secs(60);
    let closing = tokio::spawn(link.close(patience));
    let message = socket.next().await.unwrap().unwrap();
    assert_eq!(message.into_data(), "last words");
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    closing.await.unwrap();
}

#[tokio::test]
async fn a_web_server_that_is_no_tracker_is_told_in_words() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(4));
    let (mut stream, _) = server.listener.accept().await.unwrap();
    let mut request = [0; 4096];
    assert!(stream.read(&mut request).await.unwrap() > 0);
    stream
        .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    assert!(matches!(link.next().await, LinkEvent::Down));
    let LinkStatus::Down { reason, .. } = link.status() else {
        panic!("it is down")
    };
    assert!(reason.contains("HTTP 404"), "{reason}");
}

#[tokio::test]
async fn another_protocol_is_told_in_words() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(5));
    let mut socket = server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));
    socket
        .send(Message::Text("{\"action\":\"announce\"}".into()))
        .await
        .unwrap();
    assert!(matches!(link.next().await, LinkEvent::Down));
    let LinkStatus::Down { reason, .. } = link.status() else {
        panic!("it is down")
    };
    assert!(reason.contains("does not speak"), "{reason}");
}

#[tokio::test]
async fn a_server_without_encryption_is_told_in_words() {
    let server = Server::new().await;
    let address = server.address().as_str().replace("ws://", "wss://");
    let address: TrackerAddress = address.parse().unwrap();
    let mut link = Link::new(address, Rng::new(6));
    let (mut stream, _) = server.listener.accept().await.unwrap();
    stream
        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    assert!(matches!(link.next().await, LinkEvent::Down));
    let LinkStatus::Down { reason, .. } = link.status() else {
        panic!("it is down")
    };
    assert!(reason.contains("no encrypted connection"), "{reason}");
}

#[tokio::test]
async fn the_next_tracker_is_tried_when_one_is_not_there() {
    let [absent, other, server] = [
        Server::new().await,
        Server::new().await,
        Server::new().await,
    ];
    let list = [&absent, &other, &server].map(|s| Tracker::Relay(s.address()));
    let gone = absent.address();
    drop(absent);
    let mut link = Link::new(Trackers::relays(&list).unwrap(), Rng::new(7));
    assert!(matches!(link.next().await, LinkEvent::Down));
    let LinkStatus::Down { reason, .. } = link.status() else {
        panic!("it is down")
    };
    assert!(reason.contains(gone.as_str()), "{reason}");
    // One that is no tracker is as good as none.
    let (stream, _) = other.listener.accept().await.unwrap();
    drop(stream);
    assert!(matches!(link.next().await, LinkEvent::Down));
    let mut socket = server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));
    let message = Message::Binary(welcome().encode());
    socket.send(message).await.unwrap();
    assert!(matches!(link.next().await, LinkEvent::Message(_)));
    // It was there: it is the first to be tried again.
    drop(socket);
    assert!(matches!(link.next().await, LinkEvent::Down));
    server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));
}

#[tokio::test]
async fn a_tracker_that_pings_and_does_not_read_gets_few_answers() {
    let server = Server::new().await;
    let mut link = Link::new(server.address(), Rng::new(8));
    let mut socket = server.accept().await;
    assert!(matches!(link.next().await, LinkEvent::Up));
    let ping = Bytes::from(vec![b'p'; 125]);
    // 32 MiB of answers, if each were kept.
    for _ in 0..250_000 {
        socket.feed(Message::Ping(ping.clone())).await.unwrap();
    }
    socket
        .send(Message::Binary(welcome().encode()))
        .await
        .unwrap();
    // All pings were read by then.
    assert!(matches!(link.next().await, LinkEvent::Message(_)));
    link.send(Bytes::from_static(b"still here"));
    let mut answers = 0;
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Pong(_) => answers += 1,
            message => break assert_eq!(message.into_data(), "still here"),
        }
    }
    // What the buffers of the system and of the socket hold.
    assert!(answers < 120_000, "{answers} answers were kept");
}

#[tokio::test]
async fn a_tracker_that_says_nothing_but_errors_is_left() {
    let server = Server::new().await;
    let mut host = Host::new(Config::terminal(), server.address(), 9);
    let info_hash = InfoHash([9; 20]);
    host.command(Command::AddLink {
        info_hash,
        name: None,
        check: false,
        paused: false,
    });
    let refused = async {
        let mut words = 0;
        loop {
            if let HostEvent::Refused(_) = host.next_event().await {
                words += 1;
                assert_eq!(words, 1, "the same is said once");
            }
        }
    };
    let flood = async {
        let mut socket = server.accept().await;
        let greeting = Message::Binary(welcome().encode());
        let error = ServerMessage::Error {
            info_hash: Some(info_hash),
            reason: "no".to_owned(),
        };
        let error = Message::Binary(error.encode());
        socket.send(greeting).await.unwrap();
        while socket.send(error.clone()).await.is_ok() {}
        // And it may try again.
        server.accept().await;
    };
    tokio::select! {
        () = refused => {}
        () = flood => {}
    }
}
