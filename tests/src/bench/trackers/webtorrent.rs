//! Clients of WebTorrent's at a tracker: each announces with offers, answers every offer that it
//! gets, and announces again when it has its answer.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::rng::Rng;
use swarm_core::wire::tracker::Event;
use swarm_core::wire::webtorrent::{
    Announce, Answer, ClientMessage, MessageLimits, Offer, OfferId, ServerMessage,
};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use webtorrent_json::{decode_server, encode_client};

use super::super::others::LIMIT;
use super::programs::Server;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Offers of each announce, as WebTorrent makes them.
const OFFERS: u8 = 5;
/// Announces that wait for their answer at once.
const WAITING: usize = 500;
/// All has been passed on when nothing came for so long.
const QUIET: Duration = Duration::from_secs(1);
/// Whose answer has not come by then will get none: some trackers drop what they can't send at once.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of this process's own: ten thousand buffers of the usual size are a gigabyte.
const BUFFER: usize = 8 << 10;

/// A description as Chromium makes it for a data channel, gathered whole.
const SDP: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
m=application 50513 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 192.0.2.17\r\n\
a=candidate:2071640341 1 udp 2113937151 6e4ac8a5-1c22-4dd4-9f0b-2f6d1e0d4c5a.local 50513 typ host generation 0 network-cost 999\r\n\
a=candidate:842163049 1 udp 1677729535 192.0.2.17 50513 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999\r\n\
a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg2c\r\n\
a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n\
a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// The swarm of all. Not all of it is ASCII, as usual.
const INFO_HASH: InfoHash = InfoHash(*b"one swarm \xe9\xff\x00 for it");

/// What a tracker was asked, and what that cost.
pub(super) struct Load {
    announces: u32,
    /// Offers and answers that were handed on: ten for an announce, if none is lost.
    handed: u32,
    cpu_seconds: f64,
    pub(super) peak_mib: f64,
}

impl Load {
    pub(super) fn announces_per_second(&self) -> f64 {
        f64::from(self.announces) / self.cpu_seconds
    }

    pub(super) fn handed_per_second(&self) -> f64 {
        f64::from(self.handed) / self.cpu_seconds
    }
}

#[derive(Default)]
struct Counts {
    announced: AtomicU32,
    unanswered: AtomicU32,
    handed: AtomicU32,
    told: AtomicU32,
}

/// So many clients of one swarm, each of which announces so often.
pub(super) async fn load(server: &Server, peers: u32, rounds: u32) -> Result<Load> {
    let mut sockets = Vec::new();
    for _ in 0..peers {
        sockets.push(connect(server.address).await?);
    }
    let before = server.process.cpu_seconds();
    let counts = Arc::new(Counts::default());
    let turns = Arc::new(Semaphore::new(WAITING));
    let mut clients = JoinSet::new();
    for (number, socket) in (0..).zip(sockets) {
        let client = Client::new(number, rounds, socket, Arc::clone(&counts));
        clients.spawn(client.run(Arc::clone(&turns)));
    }
    let (begin, mut seen, mut since) = (Instant::now(), 0, Instant::now());
    loop {
        let failed = tokio::time::timeout(QUIET / 10, clients.join_next()).await;
        if let Ok(Some(failed)) = failed {
            failed??;
        }
        let told = counts.told.load(Relaxed);
        if told != seen {
            (seen, since) = (told, Instant::now());
        }
        let announces = counts.announced.load(Relaxed);
        let unanswered = counts.unanswered.load(Relaxed);
        if announces + unanswered >= peers * rounds && since.elapsed() > QUIET {
            return Ok(Load {
                announces,
                handed: counts.handed.load(Relaxed),
                cpu_seconds: server.process.cpu_seconds() - before,
                peak_mib: server.process.peak_mib(),
            });
        }
        let late = begin.elapsed() > LIMIT;
        ensure!(
            !late,
            "{announces} of {peers} × {rounds} announces answered"
        );
    }
}

async fn connect(address: SocketAddr) -> Result<Socket> {
    let config = WebSocketConfig::default().read_buffer_size(BUFFER);
    let url = format!("ws://{address}/");
    Ok(connect_async_with_config(url, Some(config), true).await?.0)
}

struct Client {
    peer_id: PeerId,
    rng: Rng,
    left: u32,
    socket: Socket,
    counts: Arc<Counts>,
}

impl Client {
    fn new(number: u32, left: u32, socket: Socket, counts: Arc<Counts>) -> Self {
        let mut peer_id = *b"-WW0300-            ";
        let number = format!("{number:012}");
        peer_id[8..].copy_from_slice(number.as_bytes());
        Client {
            peer_id: PeerId(peer_id),
            rng: Rng::new(number.parse().unwrap_or(0)),
            left,
            socket,
            counts,
        }
    }

    /// Ends with an error alone: who has announced enough goes on answering.
    async fn run(mut self, turns: Arc<Semaphore>) -> Result<()> {
        let mut turn: Option<OwnedSemaphorePermit> = None;
        let mut patience = std::pin::pin!(sleep(PATIENCE));
        loop {
            let wants = self.left > 0 && turn.is_none();
            let next = async {
                match wants {
                    true => Arc::clone(&turns).acquire_owned().await,
                    false => pending().await,
                }
            };
            tokio::select! {
                permit = next => {
                    turn = Some(permit?);
                    self.announce().await?;
                    patience.as_mut().reset(Instant::now() + PATIENCE);
                }
                () = &mut patience, if turn.is_some() => {
                    self.counts.unanswered.fetch_add(1, Relaxed);
                    turn = None;
                }
                message = self.socket.next() => {
                    let message = message.context("the tracker is gone")??;
                    // Some trackers say the same to who answers an offer.
                    if self.hear(&message).await? && turn.take().is_some() {
                        self.counts.announced.fetch_add(1, Relaxed);
                    }
                }
            }
        }
    }

    async fn announce(&mut self) -> Result<()> {
        let offers = (0..OFFERS).map(|_| {
            let mut id = [0; 20];
            self.rng.fill(&mut id);
            let sdp = SDP.to_owned();
            Offer {
                id: OfferId(id),
                sdp,
            }
        });
        let announce = Announce {
            info_hash: INFO_HASH,
            peer_id: self.peer_id,
            uploaded: 0,
            downloaded: 0,
            left: Some(1),
            event: Event::Update,
            numwant: Some(OFFERS.into()),
            offers: offers.collect(),
        };
        self.left -= 1;
        self.send(&ClientMessage::Announce(announce)).await
    }

    /// Says whether it was the answer to an announce.
    async fn hear(&mut self, message: &Message) -> Result<bool> {
        let Message::Text(text) = message else {
            return Ok(false);
        };
        let message = decode_server(text, &MessageLimits::default())?;
        self.counts.told.fetch_add(1, Relaxed);
        match message {
            ServerMessage::Announced { .. } => return Ok(true),
            ServerMessage::Offer { peer_id, offer, .. } => {
                self.counts.handed.fetch_add(1, Relaxed);
                let answer = Answer {
                    info_hash: INFO_HASH,
                    peer_id: self.peer_id,
                    to: peer_id,
                    id: offer.id,
                    sdp: offer.sdp,
                };
                self.send(&ClientMessage::Answer(answer)).await?;
            }
            ServerMessage::Answer { .. } => {
                self.counts.handed.fetch_add(1, Relaxed);
            }
            other => bail!("the tracker says {other:?}"),
        }
        Ok(false)
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<()> {
        let text = encode_client(message);
        Ok(self.socket.send(Message::text(text)).await?)
    }
}
