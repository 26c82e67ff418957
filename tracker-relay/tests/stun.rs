//! Clients ask for their own addresses, as seen from outside.

#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

use std::net::SocketAddr;

use swarm_core::wire::stun::{Request, Response, Transaction};
use tokio::net::{TcpListener, UdpSocket};
use tracker_relay::{Config, Server, Sockets, serve};

mod support;
use support::{Client, health};

async fn start(config: Config, host: &str) -> (Server, SocketAddr) {
    let stun = UdpSocket::bind((host, 0)).await.unwrap();
    let address = stun.local_addr().unwrap();
    let sockets = Sockets {
        http: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        stun: Some(stun),
        udp: None,
        dht: None,
    };
    (serve(config, sockets).unwrap(), address)
}

fn request(number: u8) -> Request {
    Request {
        transaction: Transaction([number; 12]),
        fingerprint: number % 2 == 1,
        unknown: Vec::new(),
    }
}

/// Asks once, and takes the answer.
async fn ask(client: &UdpSocket, request: &Request) -> Response {
    client.send(&request.encode()).await.unwrap();
    let mut buffer = [0; 100];
    let length = client.recv(&mut buffer).await.unwrap();
    Response::decode(&buffer[..length]).unwrap()
}

#[tokio::test]
async fn a_client_hears_its_own_address_over_ipv4_and_ipv6() {
    for host in ["127.0.0.1", "::1"] {
        let (_server, address) = start(Config::default(), host).await;
        let client = UdpSocket::bind((host, 0)).await.unwrap();
        client.connect(address).await.unwrap();
        // What is no question is passed over.
        client.send(b"hello").await.unwrap();
        for number in [1, 2] {
            let request = request(number);
            let expected = request.answer(client.local_addr().unwrap());
            assert_eq!(ask(&client, &request).await, expected);
        }
    }
}

#[tokio::test]
async fn peers_are_told_the_port_unless_a_name_is_given() {
    let (server, address) = start(Config::default(), "127.0.0.1").await;
    let told = Client::connect(&server).await.welcome.stun;
    let told: Vec<String> = told.iter().map(|stun| stun.url("example.org")).collect();
    assert_eq!(told, [format!("stun:example.org:{}", address.port())]);

    let mut config = Config::default();
    config.hub.stun = vec!["stun.example.org:3478".parse().unwrap()];
    let (server, _) = start(config.clone(), "127.0.0.1").await;
    let told = Client::connect(&server).await.welcome.stun;
    assert_eq!(told, config.hub.stun);
}

#[tokio::test]
async fn one_address_is_answered_only_so_often() {
    let config = Config {
        max_stun_rate: 0,
        ..Config::default()
    };
    let (server, address) = start(config, "127.0.0.1").await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(address).await.unwrap();
    client.send(&request(1).encode()).await.unwrap();
    let refused = loop {
        let seen = health(&server).await;
        if seen["limited"]["refused_stun"] != 0 {
            break seen;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(refused["limited"]["refused_stun"], 1);
    assert_eq!(refused["answered"]["stun"], 0);
    let nothing = client.try_recv(&mut [0; 100]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
}
