//! What must hold of an engine, as far as somebody outside can see.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::engine::Config;
use swarm_core::engine::view::{Known, Told};
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::node::Node;
use swarm_core::pieces::{BLOCK, Bitfield, PieceIndex};
use swarm_core::time::Time;
use swarm_core::wire::extension::{
    Begin, ExtensionHandshake, HANDSHAKE_ID, MetadataMessage, Token,
};
use swarm_core::wire::peer::{BlockRef, Decoder, Message, Received};
use swarm_core::wire::relay::{ClientMessage, DataFrame, Welcome};

use super::fixtures::{Fixture, fixture, sha1};
use super::remote::UT_METADATA;

/// Small messages that may be sent while blocks are held back, in bytes.
const SMALL: usize = 1 << 20;
/// The longest message that an engine has reason to send.
const MAX_MESSAGE: u32 = 1 << 18;

/// Credit with which small messages never wait, in bytes.
const PLENTY: u64 = 1 << 17;

/// What is known of the engine.
#[derive(Default)]
pub(super) struct Model {
    /// What the hub said when the link came up; none while it is down.
    pub(super) welcome: Option<Welcome>,
    /// Torrents that were added, and their pieces that are verified and written.
    pub(super) verified: BTreeMap<InfoHash, BTreeSet<u32>>,
    /// Channels that are open.
    pub(super) channels: BTreeMap<ChannelId, Channel>,
    /// Wishes for channels that the engine sent and that are not answered.
    pub(super) opening: BTreeMap<u32, (InfoHash, u32)>,
    /// Of whom they are.
    pub(super) asked_for: BTreeMap<u32, MemberId>,
    /// Channels that were offered to the engine: for what, and with how much credit.
    pub(super) offers: BTreeMap<ChannelId, (InfoHash, u32)>,
    /// Members behind channels.
    pub(super) members: BTreeMap<ChannelId, MemberId>,
    /// What the engine said on channels to know their other ends by, in the order in which
    /// they were opened; some are gone.
    pub(super) tokens: BTreeMap<ChannelId, Token>,
    /// Bytes of data frames not reported as sent, as the engine counts them.
    pub(super) unsent: usize,
    /// The hub used a channel's number twice: what travels through it makes no sense.
    pub(super) tainted: BTreeSet<ChannelId>,
    /// What somebody elsewhere was told of each torrent, and knows by that.
    viewers: BTreeMap<InfoHash, (Told, Known)>,
}

/// The engine's end of a channel.
pub(super) struct Channel {
    pub(super) info_hash: InfoHash,
    /// Bytes that the engine may send.
    pub(super) send_credit: u64,
    /// Bytes that the engine may get, and those of them that came.
    pub(super) granted: u64,
    pub(super) delivered: u64,
    sent: Decoder,
    greeted: bool,
    got: Decoder,
    /// It had so little credit at times that what it says may be old.
    starved: bool,
    /// Requests in flight, or fewer: the engine may have given some up.
    pub(super) asked: BTreeSet<BlockRef>,
    /// Blocks that were asked for and are worth sending.
    pub(super) wanted: BTreeSet<BlockRef>,
    /// What the peer has said and has not travelled yet.
    pub(super) backlog: Vec<u8>,
    /// The peer has sent its handshake.
    pub(super) said_hello: bool,
    /// Pieces of the info dictionary that the engine asked for.
    pub(super) metadata_asked: Vec<u32>,
    /// The engine answers requests.
    pub(super) unchoked: bool,
    /// Blocks that the engine sent, and requests that it refused.
    pub(super) answered: Vec<(BlockRef, bool)>,
}

impl Channel {
    pub(super) fn new(info_hash: InfoHash, send_credit: u32, granted: u32) -> Self {
        Channel {
            info_hash,
            send_credit: u64::from(send_credit),
            starved: u64::from(send_credit) < PLENTY,
            granted: u64::from(granted),
            delivered: 0,
            sent: Decoder::new(MAX_MESSAGE),
            greeted: false,
            got: Decoder::new(MAX_MESSAGE),
            asked: BTreeSet::new(),
            wanted: BTreeSet::new(),
            backlog: Vec::new(),
            said_hello: false,
            metadata_asked: Vec::new(),
            unchoked: false,
            answered: Vec::new(),
        }
    }

    /// The engine is about to get these bytes.
    pub(super) fn deliver(&mut self, bytes: &Bytes) {
        self.delivered += bytes.len() as u64;
        self.got.push(bytes.clone());
        while let Ok(Some(received)) = self.got.poll() {
            let Received::Message(message) = received else {
                continue;
            };
            match message {
                Message::Choke => self.asked.clear(),
                Message::RejectRequest(block) => {
                    self.asked.remove(&block);
                }
                Message::Piece { piece, begin, data } => {
                    let length = u32::try_from(data.len()).expect("a short message");
                    let block = BlockRef {
                        piece,
                        begin,
                        length,
                    };
                    self.asked.remove(&block);
                    self.wanted.remove(&block);
                }
                _ => {}
            }
        }
    }
}

impl Model {
    /// What the peer behind a channel says to show that it is behind another one, too: rightly,
    /// if both are known.
    pub(super) fn shows(
        &self,
        channel: ChannelId,
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
                let first = *u.choose(&known)?;
                let tokens = |of: ChannelId| [Some(token_of(of)), self.tokens.get(&of).copied()];
                let ends = [
                    self.members.get(&channel).copied(),
                    self.welcome.as_ref().map(|welcome| welcome.member),
                ];
                let info_hash = self.channels.get(&channel).map(|c| c.info_hash);
                let mut bytes = b"tabswarm: one peer, two channels".to_vec();
                bytes.extend(info_hash.into_iter().flat_map(|of| of.0));
                let all = tokens(first).into_iter().chain(tokens(channel));
                bytes.extend(all.flatten().flatten());
                bytes.extend(ends.into_iter().flatten().flat_map(|m| m.0.to_be_bytes()));
                said.proof = Some(sha1(&bytes));
            }
        }
        Ok(said)
    }

    /// The link is down, and everything that belonged to it is gone.
    pub(super) fn down(&mut self) {
        self.welcome = None;
        self.channels.clear();
        self.opening.clear();
        self.offers.clear();
        self.tainted.clear();
        self.members.clear();
        self.unsent = 0;
    }

    /// A channel is open from now on.
    pub(super) fn open(&mut self, channel: ChannelId, state: Channel) {
        if self.channels.insert(channel, state).is_some() {
            self.tainted.insert(channel);
        }
    }

    /// The engine sent a message to the tracker.
    pub(super) fn hear(&mut self, message: ClientMessage, us: PeerId, config: &Config) {
        let encoded = message.clone().encode();
        assert_eq!(ClientMessage::decode(encoded).as_ref(), Ok(&message));
        let welcome = self.welcome.as_ref().expect("only who is welcomed speaks");
        match message {
            ClientMessage::Announce(announce) => {
                let pieces = announce.pieces.unwrap_or_default();
                self.check_claim(announce.info_hash, &pieces);
                if let Some(left) = announce.left {
                    self.check_left(announce.info_hash, left);
                }
            }
            ClientMessage::Have(have) => {
                for piece in have.pieces {
                    self.check_have(have.info_hash, piece);
                }
                self.check_left(have.info_hash, have.left);
            }
            ClientMessage::Leave { .. } | ClientMessage::Ping => {}
            ClientMessage::Offer(_) | ClientMessage::Answer(_) => {
                panic!("the engine makes no offers")
            }
            ClientMessage::Open(open) => {
                assert!(open.credit <= welcome.max_credit);
                self.opening
                    .insert(open.request, (open.info_hash, open.credit));
                self.asked_for.insert(open.request, open.member);
                let most = welcome.max_channels as usize;
                assert!(
                    !self.tainted.is_empty() || self.channels.len() < most,
                    "more channels than the hub allows"
                );
            }
            ClientMessage::Accept { channel, credit } => {
                assert!(credit <= welcome.max_credit);
                if let Some((info_hash, to_send)) = self.offers.remove(&channel) {
                    self.open(channel, Channel::new(info_hash, to_send, credit));
                } else {
                    let excused = self.tainted.contains(&channel);
                    assert!(excused, "only what is offered is accepted");
                }
            }
            ClientMessage::Credit { channel, bytes } => {
                let most = u64::from(welcome.max_credit.min(config.far_window));
                if let Some(state) = self.channels.get_mut(&channel) {
                    state.granted += u64::from(bytes);
                    // Two sessions of one number grant each for itself.
                    let excused = self.tainted.contains(&channel);
                    assert!(
                        excused || state.granted <= state.delivered.saturating_add(most),
                        "more credit than the window"
                    );
                } else {
                    let excused = self.tainted.contains(&channel);
                    assert!(excused, "credit for a channel that is not open");
                }
            }
            ClientMessage::Close { channel, .. } => {
                self.channels.remove(&channel);
                self.offers.remove(&channel);
            }
            ClientMessage::Data(frame) => self.hear_data(&frame, us, config),
        }
    }

    fn hear_data(&mut self, frame: &DataFrame, us: PeerId, config: &Config) {
        let length = frame.payload_len();
        let most = self.welcome.as_ref().map_or(0, |w| w.max_payload) as usize;
        assert!(length <= most, "a frame longer than the hub takes");
        self.unsent += length;
        assert!(
            self.unsent <= config.link_budget.1 + config.frame_payload + SMALL,
            "the link's budget is exceeded"
        );
        if self.tainted.contains(&frame.channel()) {
            return;
        }
        let Some(channel) = self.channels.get_mut(&frame.channel()) else {
            panic!("data through a channel that is not open");
        };
        let Some(credit) = channel.send_credit.checked_sub(length as u64) else {
            panic!("data without credit");
        };
        channel.send_credit = credit;
        channel.starved |= credit < PLENTY;
        channel.sent.push(frame.payload());
        let info_hash = channel.info_hash;
        while let Some(received) = self.poll(frame.channel()) {
            self.hear_peer(frame.channel(), info_hash, received, us, config);
        }
    }

    fn poll(&mut self, channel: ChannelId) -> Option<Received> {
        let polled = self.channels.get_mut(&channel)?.sent.poll();
        polled.expect("the engine speaks the peer wire")
    }

    /// The engine said something to a peer.
    fn hear_peer(
        &mut self,
        id: ChannelId,
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
            Received::Message(_) => {}
        }
        let greeted = self.channels.get(&id).is_none_or(|channel| channel.greeted);
        assert!(greeted, "the handshake comes first");
    }

    /// The engine wants a piece to be kept.
    pub(super) fn check_write(&self, info_hash: InfoHash, piece: PieceIndex, data: &Bytes) {
        let fixture = fixture(info_hash).expect("writes are for known torrents");
        assert_eq!(sha1(data), fixture.metainfo.piece_hash(piece));
        self.check_unverified(info_hash, piece);
    }

    /// What is here is not written over.
    pub(super) fn check_unverified(&self, info_hash: InfoHash, piece: PieceIndex) {
        let known = self.verified.get(&info_hash);
        assert!(known.is_some_and(|verified| !verified.contains(&piece.get())));
    }

    fn check_have(&self, info_hash: InfoHash, piece: u32) {
        let verified = self.verified.get(&info_hash);
        assert!(
            verified.is_some_and(|verified| verified.contains(&piece)),
            "piece {piece} is announced, and not verified and written"
        );
    }

    fn check_claim(&self, info_hash: InfoHash, bits: &[u8]) {
        if bits.is_empty() {
            return;
        }
        let fixture = fixture(info_hash).expect("claims are about known torrents");
        let claimed = Bitfield::from_bytes(bits, fixture.pieces()).expect("a good bitfield");
        for piece in claimed.iter() {
            self.check_have(info_hash, piece.get());
        }
    }

    fn check_left(&self, info_hash: InfoHash, left: u64) {
        let fixture = fixture(info_hash).expect("what is left is of known torrents");
        let layout = fixture.metainfo.layout();
        let verified = self.verified.get(&info_hash).into_iter().flatten();
        let had: u64 = verified
            .filter_map(|piece| layout.piece(*piece))
            .map(|piece| u64::from(layout.length(piece)))
            .sum();
        assert!(
            left >= layout.total_length() - had,
            "less left than there is"
        );
    }

    /// What a person sees.
    pub(super) fn check_view(&mut self, engine: &Node, now: Time, config: &Config) {
        let view = engine.view(now);
        let shown: BTreeSet<InfoHash> = view.torrents.iter().map(|t| t.info_hash).collect();
        assert!(
            shown.iter().eq(self.verified.keys()),
            "torrents come and go as told"
        );
        for torrent in &view.torrents {
            assert!(
                (0.0..=1.0).contains(&torrent.progress),
                "{} of a torrent is here",
                torrent.progress
            );
            let contents = engine.contents(torrent.info_hash);
            let contents = contents.expect("what is shown is there");
            let have = contents.have.map_or(&[][..], Bitfield::as_bytes);
            self.check_claim(torrent.info_hash, have);
            let length = contents.metainfo.map_or(0, |m| m.layout().piece_length());
            let bytes = contents.in_progress().count() as u64 * u64::from(length);
            let far = config.requests.far as u64 * u64::from(BLOCK);
            let room = config.bytes_in_progress + far + 2 * u64::from(length);
            assert!(bytes <= room, "{bytes} bytes in progress");
            assert!(torrent.peers.len() <= config.max_peers + config.target_peers);
            // Whoever is told only what is new knows all of it.
            let (told, known) = self.viewers.entry(torrent.info_hash).or_default();
            if let Some(changes) = told.news(&contents) {
                known.learn(changes);
            }
            assert!(told.news(&contents).is_none(), "nothing is told twice");
            let mut fresh = Known::default();
            fresh.learn(Told::default().news(&contents).unwrap_or_default());
            assert_eq!(*known, fresh);
        }
        self.viewers
            .retain(|info_hash, _| shown.contains(info_hash));
    }
}

/// What the peer behind a channel says to know its other end by.
pub(super) fn token_of(channel: ChannelId) -> Token {
    [channel.0 as u8; 16]
}

fn check_block(fixture: &Fixture, piece: u32, begin: u32, data: &[u8]) {
    let layout = fixture.metainfo.layout();
    let piece = layout.piece(piece).expect("a piece that exists");
    let begin = begin as usize;
    let right = fixture.piece(piece);
    assert!(
        right.get(begin..begin + data.len()) == Some(data),
        "a block of a verified piece is wrong"
    );
}
