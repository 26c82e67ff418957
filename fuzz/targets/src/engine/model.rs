//! What must hold of an engine, as far as somebody outside can see.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use swarm_core::engine::Config;
use swarm_core::engine::view::{Known, Told};
use swarm_core::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId, PeerId};
use swarm_core::pieces::BLOCK;
use swarm_core::wire::direct::Signal;
use swarm_core::wire::extension::{
    Begin, ExtensionHandshake, HANDSHAKE_ID, MetadataMessage, Proof, Token,
};
use swarm_core::wire::introduce::{Introduction, Step};
use swarm_core::wire::overlay::OverlayMessage;
use swarm_core::wire::peer::{BlockRef, Message, Received};
use swarm_core::wire::pex::PexMessage;
use swarm_core::wire::relay::{ClientMessage, Welcome};
use swarm_core::wire::trackers::TrackersMessage;

pub(super) use super::channel::Channel;
use super::claims::check_block;
use super::fixtures::{fixture, sha1};
use super::network::Network;
use super::offers::Offers;
use super::remote::{TS_DIRECT, TS_INTRODUCE, TS_OVERLAY, TS_TRACKERS, UT_METADATA, UT_PEX};
use super::web::Web;

/// Small messages that may be sent while blocks are held back, in bytes.
const SMALL: usize = 1 << 20;

/// What is known of the engine.
#[derive(Default)]
pub(super) struct Model {
    /// There are several servers, and a network.
    pub(super) wide: bool,
    /// Servers that welcomed us.
    pub(super) servers: BTreeMap<LinkId, Server>,
    /// What there is beside them.
    pub(super) network: Network,
    /// Connections that trackers' messages agree on.
    pub(super) offers: Offers,
    /// Web seeds.
    pub(super) web: Web,
    /// Torrents that were added, and their pieces that are verified and written.
    pub(super) verified: BTreeMap<InfoHash, BTreeSet<u32>>,
    /// Channels that are open; wires, too, are some.
    pub(super) channels: BTreeMap<ChannelKey, Channel>,
    /// What stands for the addresses of both ends of channels: the other one's, and ours.
    pub(super) ends: BTreeMap<ChannelKey, [[u8; 4]; 2]>,
    /// What the engine said on channels to know their other ends by, in the order in which
    /// they were opened; some are gone.
    pub(super) tokens: BTreeMap<ChannelKey, Token>,
    /// Of which torrents they were.
    pub(super) torrents: BTreeMap<ChannelKey, InfoHash>,
    /// Bytes of data frames not reported as sent, as the engine counts them.
    pub(super) unsent: BTreeMap<LinkId, usize>,
    /// What somebody elsewhere was told of each torrent, and knows by that.
    pub(super) viewers: BTreeMap<InfoHash, (Told, Known)>,
}

/// A server, and what is between it and the engine.
pub(super) struct Server {
    /// What it said when the link came up.
    pub(super) welcome: Welcome,
    /// Wishes for channels that the engine sent and that are not answered.
    pub(super) opening: BTreeMap<u32, Wish>,
    /// Channels that were offered to the engine: for what, and with how much credit.
    pub(super) offers: BTreeMap<ChannelId, (InfoHash, u32)>,
}

/// The engine wants a channel.
pub(super) struct Wish {
    pub(super) info_hash: InfoHash,
    pub(super) member: MemberId,
    pub(super) credit: u32,
}

impl Server {
    pub(super) fn new(welcome: Welcome) -> Self {
        Server {
            welcome,
            opening: BTreeMap::new(),
            offers: BTreeMap::new(),
        }
    }
}

impl Model {
    /// What the peer behind a channel says to show that it is behind another one, too: rightly,
    /// if both are known.
    pub(super) fn shows(
        &self,
        channel: ChannelKey,
        u: &mut Unstructured<'_>,
    ) -> Result<ExtensionHandshake> {
        let mut said = ExtensionHandshake::default();
        if self.tokens.is_empty() {
            return Ok(said);
        }
        match u.int_in_range(0..=3)? {
            0 => said.begin = Some(*u.choose(&[Begin::Asks, Begin::Answers])?),
            1 => said.token = Some(token_of(channel)),
            _ => {
                let known: Vec<_> = self.tokens.keys().copied().collect();
                said.proof = self.proof(*u.choose(&known)?, channel);
            }
        }
        Ok(said)
    }

    /// What shows through a channel that one is behind another one.
    pub(super) fn proof(&self, first: ChannelKey, channel: ChannelKey) -> Option<Proof> {
        let tokens = |of: ChannelKey| [Some(token_of(of)), self.tokens.get(&of).copied()];
        let info_hash = self.channels.get(&channel).map(|c| c.info_hash);
        let mut bytes = b"tabswarm: one peer, two channels".to_vec();
        bytes.extend(info_hash.into_iter().flat_map(|of| of.0));
        let all = tokens(first).into_iter().chain(tokens(channel));
        bytes.extend(all.flatten().flatten());
        let ends = self.ends.get(&channel);
        bytes.extend(ends.into_iter().flatten().flatten());
        Some(sha1(&bytes))
    }

    /// A channel of a server leads to this member.
    pub(super) fn met(&mut self, key: ChannelKey, member: MemberId) {
        if let Some(server) = self.servers.get(&key.link) {
            let ends = [member, server.welcome.member].map(|m| m.0.to_be_bytes());
            self.ends.insert(key, ends);
        }
    }

    /// A link is down, and everything that belonged to it is gone; of a wire, too.
    pub(super) fn down(&mut self, link: LinkId) {
        self.servers.remove(&link);
        self.network.wires.remove(&link);
        self.channels.retain(|key, _| key.link != link);
        self.ends.retain(|key, _| key.link != link);
        self.unsent.remove(&link);
    }

    /// A channel is open from now on.
    pub(super) fn open(&mut self, key: ChannelKey, mut state: Channel) {
        state.wide = self.wide;
        self.torrents.insert(key, state.info_hash);
        let before = self.channels.insert(key, state);
        assert!(before.is_none(), "two channels of one number");
    }

    /// It is a wire, not a server's.
    pub(super) fn is_wire(&self, link: LinkId) -> bool {
        self.network.wires.contains_key(&link)
    }

    /// A link has sent so many bytes.
    pub(super) fn sent(&mut self, link: LinkId, bytes: usize) {
        let unsent = self.unsent.entry(link).or_default();
        *unsent = unsent.saturating_sub(bytes);
    }

    /// Bytes that each link has not sent; none from now on.
    pub(super) fn take_unsent(&mut self) -> BTreeMap<LinkId, usize> {
        std::mem::take(&mut self.unsent)
    }

    /// The engine sent a message to a server.
    pub(super) fn hear(&mut self, link: LinkId, message: ClientMessage, config: &Config) {
        let encoded = message.clone().encode();
        assert_eq!(ClientMessage::decode(encoded).as_ref(), Ok(&message));
        let server = self.servers.get_mut(&link);
        let server = server.expect("only who is welcomed speaks");
        let welcome = &server.welcome;
        let key = |channel| ChannelKey { link, channel };
        match message {
            ClientMessage::Announce(announce) => {
                let may = self.offers.may && !welcome.relay_only && !self.network.relay_only;
                assert!(may || !announce.rtc, "offers beside relays");
                self.check_told(announce.info_hash, link);
                let pieces = announce.pieces.unwrap_or_default();
                self.check_claim(announce.info_hash, &pieces);
                if let Some(left) = announce.left {
                    self.check_left(announce.info_hash, left);
                }
            }
            ClientMessage::Have(have) => {
                self.check_told(have.info_hash, link);
                for piece in have.pieces {
                    self.check_have(have.info_hash, piece);
                }
                self.check_left(have.info_hash, have.left);
            }
            ClientMessage::Leave { .. } | ClientMessage::Ping => {}
            ClientMessage::Offer(signal) => {
                assert!(!welcome.relay_only, "an offer beside relays");
                self.check_told(signal.info_hash, link);
                self.offered(link, signal.info_hash, signal.id, &signal.sdp);
            }
            ClientMessage::Answer(_) => {
                assert!(!welcome.relay_only, "an answer beside relays");
            }
            ClientMessage::Open(open) => {
                assert!(open.credit <= welcome.max_credit);
                let most = welcome.max_channels as usize;
                let wish = Wish {
                    info_hash: open.info_hash,
                    member: open.member,
                    credit: open.credit,
                };
                server.opening.insert(open.request, wish);
                self.check_told(open.info_hash, link);
                let here = self.channels.keys().filter(|key| key.link == link);
                assert!(here.count() < most, "more channels than the hub allows");
            }
            ClientMessage::Accept { channel, credit } => {
                assert!(credit <= welcome.max_credit);
                let offered = server.offers.remove(&channel);
                let (info_hash, to_send) = offered.expect("only what is offered is accepted");
                self.open(key(channel), Channel::new(info_hash, to_send, credit));
            }
            ClientMessage::Credit { channel, bytes } => {
                let most = u64::from(welcome.max_credit.min(config.far_window));
                let state = self.channels.get_mut(&key(channel));
                let state = state.expect("credit is for channels that are open");
                state.granted += u64::from(bytes);
                assert!(
                    state.granted <= state.delivered.saturating_add(most),
                    "more credit than the window"
                );
            }
            ClientMessage::Close { channel, .. } => {
                server.offers.remove(&channel);
                self.channels.remove(&key(channel));
            }
            ClientMessage::Data(_) => unreachable!("that is heard as a stretch"),
        }
    }

    /// The engine sent a stretch of a channel.
    pub(super) fn hear_stretch(
        &mut self,
        key: ChannelKey,
        bytes: bytes::Bytes,
        us: PeerId,
        config: &Config,
    ) {
        let most = match self.servers.get(&key.link) {
            Some(server) => server.welcome.max_payload as usize,
            None => self
                .network
                .wires
                .get(&key.link)
                .copied()
                .unwrap_or_default(),
        };
        assert!(bytes.len() <= most, "more at once than the link takes");
        let unsent = self.unsent.entry(key.link).or_default();
        *unsent += bytes.len();
        assert!(
            *unsent <= config.link_budget.1 + config.frame_payload + SMALL,
            "the link's budget is exceeded"
        );
        let Some(channel) = self.channels.get_mut(&key) else {
            panic!("data through a channel that is not open");
        };
        assert!(channel.spend(bytes.len()), "data without credit");
        channel.sent.push(bytes);
        let info_hash = channel.info_hash;
        while let Some(received) = self.poll(key) {
            self.hear_peer(key, info_hash, received, us, config);
        }
    }

    fn poll(&mut self, channel: ChannelKey) -> Option<Received> {
        let polled = self.channels.get_mut(&channel)?.sent.poll();
        polled.expect("the engine speaks the peer wire")
    }

    /// The engine said something to a peer.
    fn hear_peer(
        &mut self,
        id: ChannelKey,
        info_hash: InfoHash,
        received: Received,
        us: PeerId,
        config: &Config,
    ) {
        let fixture = fixture(info_hash).expect("channels are for known torrents");
        let layout = fixture.metainfo.layout();
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match received {
            Received::Handshake(handshake) => {
                assert_eq!((handshake.info_hash, handshake.peer_id), (info_hash, us));
                channel.greeted = true;
            }
            Received::Message(Message::Request(block)) => {
                assert!(layout.check(block).is_some_and(|b| b.length <= BLOCK));
                channel.asked.insert(block);
                channel.wanted.insert(block);
                let requests = &config.requests;
                let most = requests.queue.1 + requests.far / 2;
                assert!(
                    channel.starved || channel.asked.len() <= most,
                    "too many requests in flight"
                );
            }
            Received::Message(Message::Cancel(block)) => {
                assert!(layout.check(block).is_some());
                channel.asked.remove(&block);
                channel.wanted.remove(&block);
            }
            Received::Message(Message::Bitfield(bits)) => self.check_claim(info_hash, &bits),
            Received::Message(Message::HaveAll) => {
                (0..layout.piece_count()).for_each(|piece| self.check_have(info_hash, piece));
            }
            Received::Message(Message::Have(piece)) => self.check_have(info_hash, piece),
            Received::Message(Message::Piece { piece, begin, data }) => {
                let length = u32::try_from(data.len()).expect("a short message");
                let block = BlockRef {
                    piece,
                    begin,
                    length,
                };
                channel.answered.push((block, true));
                self.check_have(info_hash, piece);
                check_block(fixture, piece, begin, &data);
            }
            Received::Message(Message::RejectRequest(block)) => {
                channel.answered.push((block, false));
            }
            Received::Message(Message::Extended {
                id: HANDSHAKE_ID,
                payload,
            }) => {
                let said = ExtensionHandshake::decode(&payload).expect("a good dictionary");
                let several = config.paths.channels > 1;
                let ours = said.token.is_some() || said.proof.is_some() || said.begin.is_some();
                assert!(several || !ours, "nobody is told what nobody needs");
                if said.begin.is_some() {
                    // What was asked before is void.
                    channel.asked.clear();
                    channel.unchoked = false;
                }
                if let Some(token) = said.token {
                    self.tokens.insert(id, token);
                }
            }
            Received::Message(Message::Choke) => channel.unchoked = false,
            Received::Message(Message::Unchoke) => channel.unchoked = true,
            Received::Message(Message::Extended {
                id: UT_METADATA,
                payload,
            }) => {
                if let Ok(Some(MetadataMessage::Request { piece })) =
                    MetadataMessage::decode(&payload)
                {
                    channel.metadata_asked.push(piece);
                }
            }
            Received::Message(Message::Extended {
                id: TS_DIRECT,
                payload,
            }) if channel.wide => {
                let signal = Signal::decode(&payload).expect("a good message");
                if let Some(Signal::Offer { attempt, .. }) = signal {
                    channel.offered.push(attempt);
                }
            }
            Received::Message(Message::Extended {
                id: TS_INTRODUCE,
                payload,
            }) if channel.wide => {
                let said = Introduction::decode(&payload).expect("a good message");
                if let Some(Introduction::Step {
                    carried,
                    peer,
                    attempt,
                    step: Step::Offer(_),
                }) = said
                {
                    channel.carried.push((peer, attempt));
                    if !carried {
                        self.network.introduced.insert(attempt, info_hash);
                    }
                }
            }
            Received::Message(Message::Extended {
                id: TS_OVERLAY,
                payload,
            }) if channel.wide => {
                let said = OverlayMessage::decode(&payload).expect("a good message");
                if let Some(OverlayMessage::Question { number, .. }) = said {
                    channel.asked_by_overlay.push(number);
                }
            }
            Received::Message(Message::Extended {
                id: UT_PEX,
                payload,
            }) if channel.wide => {
                PexMessage::decode(&payload).expect("a good message");
            }
            Received::Message(Message::Extended {
                id: TS_TRACKERS,
                payload,
            }) if channel.wide => {
                TrackersMessage::decode(&payload).expect("a good message");
            }
            Received::Message(_) => {}
        }
        let greeted = self.channels.get(&id).is_none_or(|channel| channel.greeted);
        assert!(greeted, "the handshake comes first");
    }
}

/// What the peer behind a channel says to know its other end by.
pub(super) fn token_of(key: ChannelKey) -> Token {
    let mut token = [key.channel.0 as u8; 16];
    token[1] ^= key.link.0 as u8;
    token
}
