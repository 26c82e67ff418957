//! A server on a free port, and clients that speak the relay's protocol to it.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::wire::relay::{
    Announce, ClientMessage, DataFrame, ENDPOINT, Open, SUBPROTOCOL, ServerMessage, Welcome,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tracker_relay::{Config, Server, serve};

pub(crate) const SWARM: InfoHash = InfoHash([3; 20]);

pub(crate) async fn start(config: Config) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(config, listener).unwrap()
}

#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) welcome: Welcome,
}

impl Client {
    pub(crate) async fn connect(server: &Server) -> Self {
        let protocol = [("Sec-WebSocket-Protocol", SUBPROTOCOL)];
        let socket = open_socket(server.address(), &protocol).await.unwrap();
        Self::welcomed(socket).await.unwrap()
    }

    /// A socket that has just been opened, once it was welcomed; else why it is closed.
    pub(crate) async fn welcomed(
        mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ) -> Result<Self, CloseFrame> {
        match socket.next().await {
            Some(Ok(Message::Binary(message))) => match ServerMessage::decode(message).unwrap() {
                ServerMessage::Welcome(welcome) => Ok(Client { socket, welcome }),
                other => panic!("instead of a welcome: {other:?}"),
            },
            Some(Ok(Message::Close(Some(close)))) => Err(close),
            other => panic!("instead of a welcome: {other:?}"),
        }
    }

    /// Connects and announces to [`SWARM`].
    pub(crate) async fn join(server: &Server) -> Self {
        let mut client = Self::connect(server).await;
        let (info_hash, peer_id) = (SWARM, PeerId([b'p'; 20]));
        let announce = Announce {
            info_hash,
            peer_id,
            left: Some(1),
            pieces: None,
            numwant: 50,
            rtc: false,
        };
        client.send(ClientMessage::Announce(announce)).await;
        match client.next().await {
            ServerMessage::Peers(_) => client,
            other => panic!("instead of peers: {other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, message: ClientMessage) {
        self.send_raw(Message::Binary(message.encode())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn data(&mut self, channel: ChannelId, payload: &[u8]) {
        self.send(ClientMessage::Data(DataFrame::new(channel, payload)))
            .await;
    }

    /// The next message of the protocol.
    pub(crate) async fn next(&mut self) -> ServerMessage {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(message))) => {
                    return ServerMessage::decode(message).unwrap();
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("instead of a message: {other:?}"),
            }
        }
    }

    /// Reads until the server closes; the close frame, if there was one.
    pub(crate) async fn closed(&mut self) -> Option<CloseFrame> {
        let mut close = None;
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(frame) = message {
                close = frame;
            }
        }
        close
    }

    /// Opens a channel to another client.
    pub(crate) async fn open(&mut self, other: &mut Client, credits: [u32; 2]) -> ChannelId {
        let member: MemberId = other.welcome.member;
        let open = Open {
            request: 1,
            info_hash: SWARM,
            member,
            credit: credits[0],
        };
        self.send(ClientMessage::Open(open)).await;
        let ServerMessage::Incoming(incoming) = other.next().await else {
            panic!("no offer")
        };
        let channel = incoming.channel;
        other
            .send(ClientMessage::Accept {
                channel,
                credit: credits[1],
            })
            .await;
        match self.next().await {
            ServerMessage::Accepted {
                channel: accepted, ..
            } => assert_eq!(accepted, channel),
            other => panic!("instead of the channel: {other:?}"),
        }
        channel
    }
}

/// A client that sends what no library would, frame by frame (RFC 6455 §5.2).
pub(crate) struct Raw(TcpStream);

/// A handshake that is in order.
pub(crate) const HANDSHAKE: [&str; 6] = [
    "Host: test",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: tabswarm.v1",
];

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // So that it shows soon when it does not read.
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let head = format!(
            "GET {ENDPOINT} HTTP/1.1\r\n{}\r\n\r\n",
            HANDSHAKE.join("\r\n")
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"));
        Raw(stream)
    }

    /// `first` is the first byte: flags and opcode. The mask is zero.
    pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length @ 126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        frame
    }

    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        // It may be closed already.
        self.send_raw(&Self::frame(first, payload)).await;
    }

    /// False: it is closed.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// The next frame: its first byte and its payload.
    pub(crate) async fn next(&mut self) -> (u8, Vec<u8>) {
        let first = self.0.read_u8().await.unwrap();
        let length = match self.0.read_u8().await.unwrap() {
            126 => self.0.read_u16().await.unwrap().into(),
            127 => self.0.read_u64().await.unwrap(),
            length => length.into(),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.unwrap();
        (first, payload)
    }

    /// Reads until the server closes: the code, and the reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            let (first, payload) = self.next().await;
            if first == 0x88 {
                let code = u16::from_be_bytes(payload[..2].try_into().unwrap());
                return (code, String::from_utf8(payload[2..].to_vec()).unwrap());
            }
        }
    }
}

/// Tries to open a WebSocket with these headers.
pub(crate) async fn open_socket(
    address: SocketAddr,
    headers: &[(&'static str, &str)],
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Error> {
    let mut request = format!("ws://{address}{ENDPOINT}")
        .into_client_request()
        .unwrap();
    for &(name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// One plain HTTP request; the whole answer.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// What the server tells of itself.
pub(crate) async fn health(server: &Server) -> serde_json::Value {
    let answer = get(server.address(), "/health", "").await;
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    serde_json::from_str(body).unwrap()
}
