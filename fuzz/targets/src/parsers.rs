//! Targets for what is read from the network or from a file.

use bytes::Bytes;
use serde::de::IgnoredAny;
use swarm_core::bencode::{DecodeLimits, Keys, Value, decode, scan, value_length};
use swarm_core::metainfo::{
    Metainfo, TorrentLink, TrackerAddress, WebSeedAddress, nodes_of_torrent,
};
use swarm_core::node::Answer;
use swarm_core::wire::extension::{ExtensionHandshake, MetadataMessage};
use swarm_core::wire::fingerprint;
use swarm_core::wire::introduce::{Introduction, Step};
use swarm_core::wire::peer::{Decoder, Message, PeerWireError, Received};
use swarm_core::wire::pex::PexMessage;
use swarm_core::wire::relay::{ClientMessage, ServerMessage};
use swarm_core::wire::trackers::TrackersMessage;

const LIMITS: DecodeLimits = DecodeLimits {
    length: 1 << 16,
    depth: 16,
    values: 1 << 12,
};

/// Bencoding is read or refused, and the ways to read it agree.
pub fn bencode(input: &[u8]) {
    let whole = value_length(input, LIMITS) == Ok(input.len());
    assert_eq!(whole, decode::<IgnoredAny>(input, LIMITS).is_ok());
    let info = scan(input, b"info", LIMITS).map(|scanned| scanned.raw());
    if let Ok(Some(info)) = info {
        assert_eq!(value_length(info, LIMITS), Ok(info.len()));
    }
    // A dictionary is asked for a key by itself, or for one of many.
    let keys = Keys::of(input, LIMITS);
    assert_eq!(keys.is_ok(), whole && input.starts_with(b"d"));
    if let Ok(keys) = keys {
        assert_eq!(info, Ok(keys.find("info").map(Value::raw)));
        let kinds = [
            keys.integer("info").is_ok_and(|it| it.is_some()),
            keys.string("info").is_ok_and(|it| it.is_some()),
            keys.keys("info").is_ok_and(|it| it.is_some()),
        ];
        assert!(kinds.into_iter().filter(|is| *is).count() <= 1);
        let _ = keys.strings("info");
    }
    // Whatever is strict is read where it is too; that much is walked without a panic.
    let value = Value::first_of(input, LIMITS);
    if let Ok(length) = value_length(input, LIMITS) {
        assert_eq!(value.as_ref().map(|value| value.raw().len()), Ok(length));
    }
    if let Ok(value) = value {
        assert_eq!(Value::of(value.raw(), LIMITS), Ok(value));
        let (leaves, _) = walk(value);
        assert!(leaves <= value.raw().len());
    }
}

/// Integers and strings below a value, and the bytes that it takes.
fn walk(value: Value<'_>) -> (usize, usize) {
    let kinds = [
        value.integer().is_some(),
        value.string().is_some(),
        value.list().is_some(),
        value.entries().is_some(),
    ];
    let is_one = kinds.into_iter().filter(|is| *is).count() == 1;
    assert!(is_one, "a value is of one kind");
    let mut leaves = usize::from(kinds[0] || kinds[1]);
    let mut bytes = 2;
    for below in value.list().into_iter().flatten() {
        let (more, length) = walk(below);
        leaves += more;
        bytes += length;
    }
    for (key, below) in value.entries().into_iter().flatten() {
        let (more, length) = walk(below);
        leaves += more;
        bytes += length + key.len() + 1 + key.len().to_string().len();
    }
    if kinds[2] || kinds[3] {
        assert_eq!(bytes, value.raw().len(), "nothing is passed over");
    }
    (leaves, value.raw().len())
}

/// What is read as a torrent file can be written, and is the same torrent then.
pub fn metainfo(input: &[u8]) {
    for node in nodes_of_torrent(input) {
        assert!(
            node.rsplit_once(':')
                .is_some_and(|(host, _)| !host.is_empty())
        );
    }
    let Ok(torrent) = Metainfo::from_torrent(input) else {
        return;
    };
    for piece in torrent.layout().pieces() {
        torrent.piece_hash(piece);
        let length = torrent.layout().length(piece);
        let mut padding = 0;
        let mut next = 0;
        for span in torrent.piece_spans(piece) {
            padding += span.begin - next;
            next = span.begin + span.length;
        }
        padding += length - next;
        let offset = torrent.layout().offset(piece);
        assert_eq!(torrent.padding().within(offset, length), padding);
    }
    assert_eq!(
        Metainfo::from_torrent(&torrent.to_torrent()).as_ref(),
        Ok(&torrent)
    );
    let info = torrent.info().clone();
    let trackers = torrent.trackers().to_vec();
    // The list of its trackers has no tiers; everything else is the same.
    let again = Metainfo::from_info(info, torrent.info_hash(), trackers);
    let again = again.expect("it was read before");
    assert_eq!(again.trackers(), torrent.trackers());
    assert_eq!(again.layout(), torrent.layout());
    assert!(again.files().eq(torrent.files()));
    let seed = WebSeedAddress::parse("http://seed/a/").expect("an address");
    for file in 0..torrent.files().len().min(100) {
        let url = seed.file(&torrent, file);
        let read = WebSeedAddress::parse(&url);
        assert!(read.is_ok_and(|read| read.as_str() == url) || url.len() > 2048);
        assert!(url.starts_with("http://seed/a") && !url.contains("/../"));
    }
}

/// What is said of web seeds, and by them: an address, and what an answer says of its range.
pub fn web_seed(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(read) = WebSeedAddress::parse(text) {
        assert_eq!(WebSeedAddress::parse(read.as_str()), Ok(read.clone()));
        assert!(read.as_str().contains(read.host()));
    }
    if let Some(first) = Answer::first_of(text) {
        assert!(text.contains('-') || text.trim().ends_with(&first.to_string()));
    }
}

/// A link that is read can be written as a magnet link, and means the same then. A tracker's
/// address that is read has one way of writing.
pub fn link(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let link = text.parse::<TorrentLink>();
    let named = link.iter().flat_map(|link| &link.trackers);
    for address in named.map(String::as_str).chain([text]) {
        if let Ok(read) = TrackerAddress::parse(address) {
            assert_eq!(TrackerAddress::parse(read.as_str()), Ok(read));
        }
    }
    let Ok(link) = link else { return };
    link.page_tracker();
    let again: TorrentLink = link.to_magnet().parse().expect("our own links are links");
    assert_eq!(again.info_hash, link.info_hash);
    assert_eq!(again.name, link.name);
    assert_eq!(again.trackers, link.trackers);
    assert_eq!(again.web_seeds, link.web_seeds);
    assert_eq!(again.files, link.files);
}

const MAX_MESSAGE: u32 = 1 << 16;

/// A stream of the peer wire reads the same however it is cut, and its messages survive
/// being written. The first byte says how the rest is cut.
pub fn peer_wire(input: &[u8]) {
    let Some((cut, bytes)) = input.split_first() else {
        return;
    };
    let whole = decode_stream(bytes.chunks(bytes.len().max(1)));
    assert_eq!(whole, decode_stream(bytes.chunks(usize::from(*cut).max(1))));

    let mut encoded = Vec::new();
    for received in &whole.0 {
        match received {
            Received::Handshake(handshake) => encoded.extend_from_slice(&handshake.encode()),
            Received::Message(message) => {
                message.encode(&mut encoded);
                decode_extension(message);
            }
        }
    }
    assert_eq!(decode_stream([&encoded[..]]), (whole.0, None));
}

fn decode_stream<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Received>, Option<PeerWireError>) {
    let mut decoder = Decoder::new(MAX_MESSAGE);
    let mut received = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.poll() {
                Ok(Some(item)) => received.push(item),
                Ok(None) => break,
                Err(error) => return (received, Some(error)),
            }
        }
    }
    (received, None)
}

fn decode_extension(message: &Message) {
    let Message::Extended { payload, .. } = message else {
        return;
    };
    if let Ok(handshake) = ExtensionHandshake::decode(payload) {
        assert_eq!(
            ExtensionHandshake::decode(&handshake.encode()),
            Ok(handshake)
        );
    }
    if let Ok(peers) = PexMessage::decode(payload) {
        assert_eq!(PexMessage::decode(&peers.encode()), Ok(peers));
    }
    if let Ok(Some(metadata)) = MetadataMessage::decode(payload) {
        assert_eq!(
            MetadataMessage::decode(&metadata.encode()),
            Ok(Some(metadata))
        );
    }
    if let Ok(Some(said)) = Introduction::decode(payload) {
        if let Introduction::Step {
            step: Step::Offer(text) | Step::Answer(text),
            ..
        } = &said
        {
            fingerprint::of_description(text);
        }
        assert_eq!(Introduction::decode(&said.encode()), Ok(Some(said)));
    }
    if let Ok(told) = TrackersMessage::decode(payload) {
        assert_eq!(TrackersMessage::decode(&told.encode()), Ok(told));
    }
}

/// What a client or a hub sends is read or refused, and survives being written.
pub fn relay(input: &[u8]) {
    let input = Bytes::copy_from_slice(input);
    if let Ok(message) = ClientMessage::decode(input.clone()) {
        assert_eq!(ClientMessage::decode(message.clone().encode()), Ok(message));
    }
    if let Ok(message) = ServerMessage::decode(input) {
        assert_eq!(ServerMessage::decode(message.clone().encode()), Ok(message));
    }
}
