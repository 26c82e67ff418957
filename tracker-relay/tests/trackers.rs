//! WebTorrent's clients and ordinary ones at the same server.

#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::relay::SUBPROTOCOL;
use swarm_core::wire::tracker::http::{
    AnnounceQuery, AnnounceResponse, Announced, ScrapeResponse, scrape_query,
};
use swarm_core::wire::tracker::udp::{Request, Response};
use swarm_core::wire::tracker::{Announce, Counts, Event};
use swarm_core::wire::webtorrent::{
    self, Answer, ClientMessage, MessageLimits, Offer, OfferId, ServerMessage,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tracker_relay::{Config, Server, Sockets, serve};
use webtorrent_json::{decode_server, encode_client};

mod support;
use support::{Client, SWARM, health, start};

struct WebTorrent(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl WebTorrent {
    async fn connect(server: &Server, path: &str) -> Self {
        let url = format!("ws://{}{path}", server.address());
        WebTorrent(connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, message: &ClientMessage) {
        let text = Message::text(encode_client(message));
        self.0.send(text).await.unwrap();
    }

    async fn next(&mut self) -> ServerMessage {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => {
                decode_server(&text, &MessageLimits::default()).unwrap()
            }
            other => panic!("instead of a message: {other:?}"),
        }
    }

    /// Announces, and hears how many there are.
    async fn announce(&mut self, name: u8, offers: u8) -> u32 {
        let offer = |number| Offer {
            id: OfferId([number; 20]),
            sdp: "v=0\r\n".to_owned(),
        };
        let announce = webtorrent::Announce {
            info_hash: SWARM,
            peer_id: PeerId([name; 20]),
            uploaded: 0,
            downloaded: 0,
            left: None,
            event: Event::Started,
            numwant: Some(5),
            offers: (0..offers).map(offer).collect(),
        };
        self.send(&ClientMessage::Announce(announce)).await;
        match self.next().await {
            ServerMessage::Announced { incomplete, .. } => incomplete,
            other => panic!("instead of the answer: {other:?}"),
        }
    }
}

#[tokio::test]
async fn webtorrent_is_spoken_wherever_no_subprotocol_is_asked_for() {
    let server = start(Config::default()).await;
    let mut clients = Vec::new();
    for (number, path) in ["/", "/announce", "/swarm", "/any/path?x"]
        .iter()
        .enumerate()
    {
        let mut client = WebTorrent::connect(&server, path).await;
        let name = u8::try_from(number).unwrap();
        assert_eq!(client.announce(name, 0).await, u32::from(name) + 1);
        clients.push(client);
    }
    // And tabs are in the same swarm, though nobody tells them of these.
    let tab = Client::join(&server).await;
    assert_eq!((server.stats().swarms, server.stats().memberships), (1, 5));
    drop((tab, clients));
}

#[tokio::test]
async fn offers_and_answers_are_handed_on() {
    let server = start(Config::default()).await;
    let mut answerer = WebTorrent::connect(&server, "/").await;
    answerer.announce(b'a', 0).await;
    let mut offerer = WebTorrent::connect(&server, "/").await;
    offerer.announce(0xE9, 1).await;
    let ServerMessage::Offer { peer_id, offer, .. } = answerer.next().await else {
        panic!("no offer");
    };
    assert_eq!(
        (peer_id, offer.sdp.as_str()),
        (PeerId([0xE9; 20]), "v=0\r\n")
    );
    let answer = Answer {
        info_hash: SWARM,
        peer_id: PeerId([b'a'; 20]),
        to: peer_id,
        id: offer.id,
        sdp: "answer".to_owned(),
    };
    answerer.send(&ClientMessage::Answer(answer)).await;
    let ServerMessage::Answer { id, sdp, .. } = offerer.next().await else {
        panic!("no answer");
    };
    assert_eq!((id, sdp.as_str()), (offer.id, "answer"));
    let swarms = vec![SWARM];
    offerer.send(&ClientMessage::Scrape { swarms }).await;
    let counts = Counts {
        incomplete: 2,
        ..Counts::default()
    };
    let scraped = ServerMessage::Scraped([(SWARM, counts)].into());
    assert_eq!(offerer.next().await, scraped);
    let seen = health(&server).await;
    assert_eq!((&seen["offers"], &seen["answers"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection_with_a_reason() {
    let server = start(Config::default()).await;
    let long = "x".repeat(129 << 10);
    let cases = [
        ("hello", CloseCode::Policy, "not a message"),
        (r#"{"action":"other"}"#, CloseCode::Policy, "action"),
        (long.as_str(), CloseCode::Size, "131072 are allowed"),
    ];
    for (text, code, reason) in cases {
        let mut client = WebTorrent::connect(&server, "/").await;
        client.0.send(Message::text(text)).await.unwrap();
        match client.0.next().await {
            Some(Ok(Message::Close(Some(close)))) => {
                assert_eq!(close.code, code);
                assert!(close.reason.contains(reason), "{}", close.reason);
            }
            other => panic!("instead of a close: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
    let config = Config {
        webtorrent: false,
        http_tracker: false,
        ..Config::default()
    };
    let server = start(config).await;
    let url = format!("ws://{}/", server.address());
    match connect_async(url).await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 400);
            let body = response.into_body().unwrap();
            assert!(String::from_utf8_lossy(&body).contains(SUBPROTOCOL));
        }
        other => panic!("instead of a refusal: {other:?}"),
    }
    let (status, _) = get(server.address(), "/announce?x=y", "").await;
    assert_ne!(
        status, 200,
        "it is a path of the page, which is not built here"
    );
}

fn announce(port: u16) -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: PeerId([b'o'; 20]),
        port,
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        event: Event::Started,
        numwant: None,
        key: None,
    }
}

/// The status and the body, whatever bytes those are.
async fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12])
        .unwrap()
        .parse()
        .unwrap();
    (status, answer.split_off(end + 4))
}

async fn http(server: &Server, query: &AnnounceQuery, headers: &str) -> Announced {
    let path = format!("/announce?{}", query.to_query());
    let (status, body) = get(server.address(), &path, headers).await;
    assert_eq!(status, 200);
    match AnnounceResponse::decode(&body).unwrap() {
        AnnounceResponse::Announced(announced) => announced,
        AnnounceResponse::Failure(reason) => panic!("{reason}"),
    }
}

fn addresses(announced: &Announced) -> Vec<String> {
    let peers = announced.peers.iter();
    peers.map(|peer| peer.address.to_string()).collect()
}

#[tokio::test]
async fn ordinary_clients_hear_of_each_other_over_http() {
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = start(Config {
        trusted_proxies,
        ..Config::default()
    })
    .await;
    let mut query = AnnounceQuery::new(announce(1));
    let nobody = http(&server, &query, "").await;
    assert_eq!((nobody.interval, addresses(&nobody)), (900, vec![]));
    // Behind a proxy it is the client's address that counts.
    query.announce.port = 2;
    let told = http(&server, &query, "X-Forwarded-For: 2001:db8::7\r\n").await;
    assert_eq!(addresses(&told), ["127.0.0.1:1"]);
    assert_eq!(told.external, Some("2001:db8::7".parse().unwrap()));
    query.announce.port = 3;
    (query.compact, query.no_peer_id) = (false, false);
    let told = http(&server, &query, "").await;
    assert_eq!(addresses(&told), ["127.0.0.1:1", "[2001:db8::7]:2"]);
    assert!(
        told.peers
            .iter()
            .all(|peer| peer.peer_id == Some(PeerId([b'o'; 20])))
    );

    let unknown = InfoHash([9; 20]);
    let path = format!("/scrape?{}", scrape_query(&[SWARM, unknown]));
    let (_, body) = get(server.address(), &path, "").await;
    let counts = Counts {
        incomplete: 3,
        ..Counts::default()
    };
    let scraped = [(SWARM, counts), (unknown, Counts::default())].into();
    assert_eq!(
        ScrapeResponse::decode(&body),
        Ok(ScrapeResponse::Scraped(scraped))
    );
    for path in [
        "/announce",
        "/announce?info_hash=x",
        "/scrape",
        "/scrape?info_hash=x",
    ] {
        let (status, body) = get(server.address(), path, "").await;
        let answer = AnnounceResponse::decode(&body).unwrap();
        assert!(matches!(answer, AnnounceResponse::Failure(_)), "{answer:?}");
        assert_eq!(status, 200);
    }
}

async fn start_udp(config: Config, host: &str) -> (Server, SocketAddr) {
    let udp = UdpSocket::bind((host, 0)).await.unwrap();
    let address = udp.local_addr().unwrap();
    let sockets = Sockets {
        http: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        stun: None,
        udp: Some(udp),
        dht: None,
    };
    (serve(config, sockets).unwrap(), address)
}

/// Asks the UDP tracker, and takes the answer.
async fn ask(client: &UdpSocket, request: &Request) -> Response {
    client.send(&request.encode()).await.unwrap();
    let mut buffer = [0; 2000];
    let length = client.recv(&mut buffer).await.unwrap();
    let ipv6 = client.local_addr().unwrap().is_ipv6();
    Response::decode(&buffer[..length], ipv6).unwrap()
}

#[tokio::test]
async fn ordinary_clients_hear_of_each_other_over_udp_and_http() {
    for host in ["127.0.0.1", "::1"] {
        let (server, address) = start_udp(Config::default(), host).await;
        let client = UdpSocket::bind((host, 0)).await.unwrap();
        client.connect(address).await.unwrap();
        let connect = Request::Connect { transaction: 1 };
        let Response::Connect { connection, .. } = ask(&client, &connect).await else {
            panic!("no connection id");
        };
        let request = |connection, port| Request::Announce {
            connection,
            transaction: u32::from(port),
            announce: announce(port),
            path: b"/announce".to_vec(),
        };
        // Whoever makes one up gets no answer: the next answer is for the next request.
        let made_up = request(connection ^ 1, 9);
        client.send(&made_up.encode()).await.unwrap();
        client.send(b"hello").await.unwrap();
        for (port, known) in [(1, vec![]), (2, vec![1])] {
            let Response::Announce {
                transaction, peers, ..
            } = ask(&client, &request(connection, port)).await
            else {
                panic!("no answer to an announce");
            };
            assert_eq!(transaction, u32::from(port));
            let ports: Vec<u16> = peers.iter().map(SocketAddr::port).collect();
            assert_eq!(ports, known);
        }
        let told = http(&server, &AnnounceQuery::new(announce(3)), "").await;
        assert_eq!(told.peers.len(), 2);
        let scrape = Request::Scrape {
            connection,
            transaction: 7,
            swarms: vec![InfoHash([9; 20]), SWARM],
        };
        let Response::Scrape { counts, .. } = ask(&client, &scrape).await else {
            panic!("no answer to a scrape");
        };
        let incomplete: Vec<u32> = counts.iter().map(|it| it.incomplete).collect();
        assert_eq!(incomplete, [0, 3]);
    }
}
