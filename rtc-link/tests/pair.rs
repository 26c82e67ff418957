//! Two ends on this machine's own network: what a host sees of them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use rtc_link::{Config, ConnectionId, Endpoint, Event, LinkError};
use swarm_core::net::Parts;
use swarm_core::wire::stun::Request;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// A test that waits for longer has failed; it says nothing of how long anything takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// How both call the connection.
const IT: ConnectionId = 7;

fn open() -> Endpoint {
    Endpoint::open(Config::default()).unwrap()
}

async fn next(endpoint: &mut Endpoint) -> Event {
    let next = timeout(PATIENCE, endpoint.next()).await;
    let (id, event) = next.expect("it says something").expect("it is there");
    assert_eq!(id, IT);
    event
}

async fn description(endpoint: &mut Endpoint) -> String {
    match next(endpoint).await {
        Event::Described(description) => description,
        event => panic!("{event:?} instead of a description"),
    }
}

async fn ending(endpoint: &mut Endpoint) -> LinkError {
    loop {
        match next(endpoint).await {
            Event::Ended(error) => return error,
            Event::Sent(_) | Event::Received(_) => {}
            event => panic!("{event:?} instead of an end"),
        }
    }
}

/// Two that are connected.
async fn pair() -> [Endpoint; 2] {
    let [mut a, mut b] = [open(), open()];
    a.offer(IT, Vec::new());
    b.answer(IT, description(&mut a).await, Vec::new());
    a.accept(IT, description(&mut b).await);
    assert_eq!(next(&mut a).await, Event::Open);
    assert_eq!(next(&mut b).await, Event::Open);
    [a, b]
}

fn parts(bytes: &[u8]) -> Parts {
    let mut parts = Parts::default();
    parts.write(|head| head.extend_from_slice(&bytes[..bytes.len().min(13)]));
    parts.push(Bytes::copy_from_slice(&bytes[bytes.len().min(13)..]));
    parts
}

/// Takes so many bytes.
async fn take(endpoint: &mut Endpoint, length: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    while taken.len() < length {
        match next(endpoint).await {
            Event::Received(bytes) => taken.extend_from_slice(&bytes),
            Event::Sent(_) => {}
            event => panic!("{event:?} instead of bytes"),
        }
    }
    taken
}

#[tokio::test]
async fn bytes_arrive_in_order_both_ways_and_all_are_reported() {
    let [mut a, mut b] = pair().await;
    b.send(IT, parts(b"a handshake of the other end"));
    assert_eq!(take(&mut a, 28).await, b"a handshake of the other end");

    let bytes: Vec<u8> = (0..4_u32 << 20).map(|n| ((n * 7) >> 9) as u8).collect();
    let (mut reported, mut taken) = (0, Vec::new());
    // A window, as engines have one.
    let mut chunks = bytes.chunks(64 << 10).map(parts);
    for chunk in chunks.by_ref().take(16) {
        a.send(IT, chunk);
    }
    while reported < bytes.len() || taken.len() < bytes.len() {
        tokio::select! {
            event = next(&mut a) => match event {
                Event::Sent(more) => {
                    reported += more;
                    for chunk in chunks.by_ref().take(more >> 16) {
                        a.send(IT, chunk);
                    }
                }
                event => panic!("{event:?}"),
            },
            event = next(&mut b) => match event {
                Event::Received(more) => taken.extend_from_slice(&more),
                // Its own first words.
                Event::Sent(28) => {}
                event => panic!("{event:?}"),
            },
        }
    }
    assert_eq!(reported, bytes.len());
    assert!(taken == bytes);
}

/// An address of this machine in the network, by what it describes.
fn host_of(description: &str) -> Option<IpAddr> {
    let mut lines = description.lines();
    lines.find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_host = line.starts_with("a=candidate:") && words.get(7) == Some(&"host");
        let ip: IpAddr = is_host.then(|| words[4].parse().unwrap())?;
        (ip.is_ipv4() && !ip.is_loopback()).then_some(ip)
    })
}

/// Where there is a network: a server on this machine alone sees what we do, and is not asked.
#[tokio::test]
async fn what_a_server_beyond_a_nat_sees_is_told() {
    let mut a = open();
    a.offer(IT, Vec::new());
    let Some(ip) = host_of(&description(&mut a).await) else {
        return;
    };
    a.close(IT);
    let server = UdpSocket::bind((ip, 0)).await.unwrap();
    let stun = server.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut datagram = [0; 2048];
        loop {
            let (length, from) = server.recv_from(&mut datagram).await.unwrap();
            let request = Request::decode(&datagram[..length]).unwrap();
            let answer = request.answer("203.0.113.5:7000".parse().unwrap());
            server.send_to(&answer.encode(), from).await.unwrap();
        }
    });
    a.offer(IT, vec![stun]);
    let offer = description(&mut a).await;
    assert!(offer.contains(" 203.0.113.5 7000 typ srflx "), "{offer}");
    a.close(IT);

    // A server that says nothing holds nobody up for ever.
    let silent = UdpSocket::bind((ip, 0)).await.unwrap();
    let mut b = open();
    b.offer(IT, vec![silent.local_addr().unwrap().to_string()]);
    let offer = description(&mut b).await;
    assert!(!offer.contains("srflx"), "{offer}");
}

/// As where two offer to each other at once.
#[tokio::test]
async fn two_may_be_linked_twice() {
    let [mut a, mut b] = pair().await;
    const ANOTHER: ConnectionId = 8;
    b.offer(ANOTHER, Vec::new());
    let (mut open, mut came) = (0, Vec::new());
    while open < 2 || came.len() < 2 {
        let (name, (id, event)) = tokio::select! {
            event = timeout(PATIENCE, a.next()) => ("a", event.unwrap().unwrap()),
            event = timeout(PATIENCE, b.next()) => ("b", event.unwrap().unwrap()),
        };
        match (name, event) {
            ("b", Event::Described(offer)) => a.answer(ANOTHER, offer, Vec::new()),
            (_, Event::Described(answer)) => b.accept(ANOTHER, answer),
            (_, Event::Open) => {
                open += 1;
                if open == 2 {
                    a.send(IT, parts(b"through the first"));
                    a.send(ANOTHER, parts(b"through the second"));
                }
            }
            (_, Event::Received(bytes)) => came.push((id, bytes)),
            (_, Event::Sent(_)) => {}
            (_, event) => panic!("{event:?}"),
        }
    }
    came.sort();
    let words = [(IT, "through the first"), (ANOTHER, "through the second")];
    assert_eq!(came, words.map(|(id, words)| (id, Bytes::from(words))));
}

#[tokio::test]
async fn what_was_given_before_the_end_arrives() {
    let [a, mut b] = pair().await;
    let bytes = vec![3; 200 << 10];
    for chunk in bytes.chunks(64 << 10) {
        a.send(IT, parts(chunk));
    }
    a.close(IT);
    assert_eq!(take(&mut b, bytes.len()).await, bytes);
    assert_eq!(ending(&mut b).await, LinkError::Closed);
}

#[tokio::test]
async fn an_endpoint_that_finishes_says_goodbye() {
    let [a, mut b] = pair().await;
    a.finish(PATIENCE).await;
    assert_eq!(ending(&mut b).await, LinkError::Closed);
}

#[tokio::test]
async fn a_certificate_that_is_not_the_one_that_was_described_ends_it() {
    let [mut a, mut b, mut other] = [open(), open(), open()];
    a.offer(IT, Vec::new());
    b.answer(IT, description(&mut a).await, Vec::new());
    other.offer(IT, Vec::new());
    // Somebody on the way puts another's certificate in.
    let answer = description(&mut b).await;
    let fingerprint = |text: &str| {
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("a=fingerprint:"));
        line.expect("there is one").to_owned()
    };
    let theirs = fingerprint(&description(&mut other).await);
    let forged = answer.replace(&fingerprint(&answer), &theirs);
    assert_ne!(forged, answer);
    a.accept(IT, forged);
    match ending(&mut a).await {
        LinkError::Broken(words) => assert!(words.contains("fingerprint"), "{words}"),
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn what_is_no_description_is_refused_by_name() {
    let mut a = open();
    let megabyte = format!("v=0\r\n{}", "a=x\r\n".repeat(200_000));
    for (theirs, refusal) in [
        (megabyte.clone(), LinkError::LongDescription(megabyte.len())),
        (String::new(), LinkError::NoChannel),
        ("v=0\r\n".to_owned(), LinkError::NoChannel),
        (
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".to_owned(),
            LinkError::NoChannel,
        ),
    ] {
        a.answer(IT, theirs, Vec::new());
        assert_eq!(ending(&mut a).await, refusal);
    }
    a.answer(IT, "v=0\r\nm=application 9\r\n".to_owned(), Vec::new());
    assert!(matches!(ending(&mut a).await, LinkError::Description(_)));
    a.offer(IT, Vec::new());
    description(&mut a).await;
    a.accept(IT, "nonsense".to_owned());
    assert_eq!(ending(&mut a).await, LinkError::NoChannel);
}

#[tokio::test]
async fn no_more_connections_are_made_than_may_be() {
    let config = Config { connections: 1 };
    let mut a = Endpoint::open(config).unwrap();
    a.offer(IT, Vec::new());
    description(&mut a).await;
    a.offer(IT, Vec::new());
    assert_eq!(ending(&mut a).await, LinkError::TooMany);
    a.close(IT);
    a.offer(IT, Vec::new());
    description(&mut a).await;
}
