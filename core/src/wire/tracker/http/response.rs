//! What is answered: a bencoded dictionary.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::super::{Counts, MAX_PEERS, MAX_SCRAPE, Scraped, printable};
use super::query::MAX_TRACKER_ID;
use crate::bencode::{self, BencodeError, DecodeLimits, Value};
use crate::id::{InfoHash, PeerId};
use crate::wire::fields::ByteString;

/// The answer to an announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceResponse {
    /// Who else is there.
    Announced(Announced),
    /// It was refused, in words for a person of at most [`MAX_REASON`](crate::wire::relay::MAX_REASON) bytes.
    Failure(String),
}

/// The answer to an announce that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Seconds until the client should announce again.
    pub interval: u32,
    /// Seconds until it may.
    pub min_interval: Option<u32>,
    /// Peers that have everything.
    pub complete: Option<u32>,
    /// Peers that lack something.
    pub incomplete: Option<u32>,
    /// How often a download was completed.
    pub downloaded: Option<u32>,
    /// Some of them; of more than [`MAX_PEERS`] the first.
    pub peers: Vec<Peer>,
    /// The client's own address, as the tracker sees it (BEP 24).
    pub external: Option<IpAddr>,
    /// To be sent along from now on, at most 128 bytes.
    pub tracker_id: Option<Vec<u8>>,
    /// Something for a person to read, of at most [`MAX_REASON`](crate::wire::relay::MAX_REASON) bytes, though it was taken.
    pub warning: Option<String>,
}

/// Somebody who takes connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where.
    pub address: SocketAddr,
    /// What it calls itself; compact answers do not say.
    pub peer_id: Option<PeerId>,
}

/// The answer to a scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScrapeResponse {
    /// How the swarms stand that were asked about; of more than [`MAX_SCRAPE`] the first.
    Scraped(Scraped),
    /// It was refused, in words for a person.
    Failure(String),
}

/// Why a body is no answer of a tracker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It is no bencoding that is read.
    #[error("not an answer of a tracker: {0}")]
    Bencode(#[from] BencodeError),
    /// It is bencoded, and no dictionary.
    #[error("not an answer of a tracker: not a dictionary")]
    NoDictionary,
    /// What should be there is not, or is something else.
    #[error("a tracker's answer whose {0} is missing or not valid")]
    Field(&'static str),
}

/// Before a person sees a peer of thousands, in a dictionary of three entries each.
const LIMITS: DecodeLimits = DecodeLimits {
    length: 1 << 20,
    depth: 6,
    values: 1 << 15,
};

/// What is used where a tracker does not say, in seconds.
const DEFAULT_INTERVAL: u32 = 1800;

impl AnnounceResponse {
    /// The body of the answer, its peers in one string or (not `compact`) in a list.
    pub fn encode(&self, compact: bool) -> Vec<u8> {
        let announced = match self {
            AnnounceResponse::Announced(announced) => announced,
            AnnounceResponse::Failure(reason) => return failure(reason),
        };
        let addresses = || announced.peers.iter().map(|peer| peer.address);
        let compact_peers = compact.then(|| compact_bytes(addresses().filter(SocketAddr::is_ipv4)));
        let peers6 = compact.then(|| compact_bytes(addresses().filter(SocketAddr::is_ipv6)));
        let list = (!compact).then(|| announced.peers.iter().map(listed).collect());
        let body = Body {
            complete: announced.complete,
            downloaded: announced.downloaded,
            external: announced.external.map(|ip| ByteString(octets(ip))),
            incomplete: announced.incomplete,
            interval: announced.interval,
            min_interval: announced.min_interval,
            peers: Peers {
                compact: compact_peers,
                list,
            },
            // Some clients give up on an empty one.
            peers6: peers6.filter(|peers| !peers.is_empty()).map(ByteString),
            tracker_id: announced.tracker_id.clone().map(ByteString),
            warning: announced
                .warning
                .as_deref()
                .map(|it| printable(it.as_bytes())),
        };
        bencode::encode(&body)
    }

    /// Reads a body.
    pub fn decode(body: &[u8]) -> Result<Self, ResponseError> {
        let fields = Fields::read(body)?;
        if let Some(reason) = fields.text("failure reason") {
            return Ok(AnnounceResponse::Failure(reason));
        }
        let mut peers = Vec::new();
        if let Some(value) = fields.get("peers") {
            match (value.string(), value.list()) {
                (Some(bytes), _) => read_compact::<4>(bytes, "peers", &mut peers)?,
                (_, Some(list)) => peers.extend(list.filter_map(read_listed)),
                _ => return Err(ResponseError::Field("peers")),
            }
        }
        if let Some(value) = fields.get("peers6") {
            let bytes = value.string().ok_or(ResponseError::Field("peers6"))?;
            read_compact::<16>(bytes, "peers6", &mut peers)?;
        }
        peers.truncate(MAX_PEERS);
        let tracker_id = fields.get("tracker id").and_then(Value::string);
        let tracker_id = tracker_id.filter(|id| id.len() <= MAX_TRACKER_ID);
        Ok(AnnounceResponse::Announced(Announced {
            interval: fields.number("interval").unwrap_or(DEFAULT_INTERVAL),
            min_interval: fields.number("min interval"),
            complete: fields.number("complete"),
            incomplete: fields.number("incomplete"),
            downloaded: fields.number("downloaded"),
            peers,
            external: fields
                .get("external ip")
                .and_then(Value::string)
                .and_then(address),
            tracker_id: tracker_id.map(<[u8]>::to_vec),
            warning: fields.text("warning message"),
        }))
    }
}

impl ScrapeResponse {
    /// The body of the answer.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            ScrapeResponse::Scraped(scraped) => bencode::encode(&ScrapeBody {
                files: Files(scraped),
            }),
            ScrapeResponse::Failure(reason) => failure(reason),
        }
    }

    /// Reads a body.
    pub fn decode(body: &[u8]) -> Result<Self, ResponseError> {
        let fields = Fields::read(body)?;
        if let Some(reason) = fields.text("failure reason") {
            return Ok(ScrapeResponse::Failure(reason));
        }
        let files = fields.get("files").and_then(Value::entries);
        let files = files.ok_or(ResponseError::Field("files"))?;
        let read = |(key, value): (&[u8], Value<'_>)| {
            let info_hash = InfoHash(key.try_into().ok()?);
            let counts = Fields::of(value)?;
            let number = |name| counts.number(name).unwrap_or_default();
            let counts = Counts {
                complete: number("complete"),
                downloaded: number("downloaded"),
                incomplete: number("incomplete"),
            };
            Some((info_hash, counts))
        };
        Ok(ScrapeResponse::Scraped(
            files.filter_map(read).take(MAX_SCRAPE).collect(),
        ))
    }
}

/// The top-level dictionary: of a key that comes twice the first counts, and a value of another
/// type is as good as missing.
struct Fields<'a>(Vec<(&'a [u8], Value<'a>)>);

impl<'a> Fields<'a> {
    fn read(body: &'a [u8]) -> Result<Self, ResponseError> {
        let value = Value::of(body, LIMITS)?;
        Fields::of(value).ok_or(ResponseError::NoDictionary)
    }

    fn of(value: Value<'a>) -> Option<Self> {
        Some(Fields(value.entries()?.collect()))
    }

    fn get(&self, name: &str) -> Option<Value<'a>> {
        let found = self.0.iter().find(|(key, _)| *key == name.as_bytes());
        found.map(|&(_, value)| value)
    }

    fn number(&self, name: &str) -> Option<u32> {
        u32::try_from(self.get(name)?.integer()?).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = self.get(name)?.string()?;
        Some(printable(text))
    }
}

#[derive(Serialize)]
struct Body {
    complete: Option<u32>,
    downloaded: Option<u32>,
    #[serde(rename = "external ip")]
    external: Option<ByteString>,
    incomplete: Option<u32>,
    interval: u32,
    #[serde(rename = "min interval")]
    min_interval: Option<u32>,
    peers: Peers,
    peers6: Option<ByteString>,
    #[serde(rename = "tracker id")]
    tracker_id: Option<ByteString>,
    #[serde(rename = "warning message")]
    warning: Option<String>,
}

/// One of the two.
struct Peers {
    compact: Option<Vec<u8>>,
    list: Option<Vec<Listed>>,
}

impl Serialize for Peers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.compact, &self.list) {
            (Some(bytes), _) => serializer.serialize_bytes(bytes),
            (None, list) => list.as_deref().unwrap_or_default().serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Listed {
    ip: String,
    #[serde(rename = "peer id")]
    peer_id: Option<ByteString>,
    port: u16,
}

#[derive(Serialize)]
struct ScrapeBody<'a> {
    files: Files<'a>,
}

struct Files<'a>(&'a Scraped);

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry {
            complete: u32,
            downloaded: u32,
            incomplete: u32,
        }
        let mut files = serializer.serialize_map(None)?;
        for (info_hash, counts) in self.0 {
            let entry = Entry {
                complete: counts.complete,
                downloaded: counts.downloaded,
                incomplete: counts.incomplete,
            };
            files.serialize_entry(&ByteString(info_hash.0.to_vec()), &entry)?;
        }
        files.end()
    }
}

fn failure(reason: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Failure {
        #[serde(rename = "failure reason")]
        reason: String,
    }
    let reason = printable(reason.as_bytes());
    bencode::encode(&Failure { reason })
}

fn listed(peer: &Peer) -> Listed {
    Listed {
        ip: peer.address.ip().to_string(),
        peer_id: peer.peer_id.map(|id| ByteString(id.0.to_vec())),
        port: peer.address.port(),
    }
}

/// None for a host with a name: nobody is looked up for a stranger.
fn read_listed(value: Value<'_>) -> Option<Peer> {
    let fields = Fields::of(value)?;
    let ip = std::str::from_utf8(fields.get("ip")?.string()?).ok()?;
    let port = u16::try_from(fields.number("port")?).ok()?;
    let peer_id = fields.get("peer id").and_then(Value::string);
    Some(Peer {
        address: SocketAddr::new(ip.parse().ok()?, port),
        peer_id: peer_id.and_then(|id| Some(PeerId(id.try_into().ok()?))),
    })
}

/// Addresses and ports one after the other, as datagrams have them too.
pub(in crate::wire::tracker) fn compact_bytes(
    addresses: impl Iterator<Item = SocketAddr>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for address in addresses {
        bytes.extend(octets(address.ip()));
        bytes.extend(address.port().to_be_bytes());
    }
    bytes
}

/// The addresses of `N` bytes that [`compact_bytes`] wrote; none if some of the last is missing.
pub(in crate::wire::tracker) fn compact_addresses<const N: usize>(
    bytes: &[u8],
) -> Option<impl Iterator<Item = SocketAddr>> {
    let read = |entry: &[u8]| {
        let (ip, port) = entry.split_at(N);
        let port = u16::from_be_bytes(port.try_into().ok()?);
        Some(SocketAddr::new(address(ip)?, port))
    };
    let whole = bytes.len().is_multiple_of(N + 2);
    whole.then(|| bytes.chunks_exact(N + 2).filter_map(read))
}

fn read_compact<const N: usize>(
    bytes: &[u8],
    name: &'static str,
    peers: &mut Vec<Peer>,
) -> Result<(), ResponseError> {
    let addresses = compact_addresses::<N>(bytes).ok_or(ResponseError::Field(name))?;
    peers.extend(addresses.take(MAX_PEERS).map(|address| Peer {
        address,
        peer_id: None,
    }));
    Ok(())
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}
