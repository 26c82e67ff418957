//! What is sent.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::fields::Twenty;
use crate::handed::Handed;
use crate::names::{ANNOUNCE, SCRAPE, event_name};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::Scraped;
use swarm_core::wire::webtorrent::{Answer, ClientMessage, Offer, OfferId, ServerMessage};

#[derive(Serialize)]
struct Description<'a> {
    r#type: &'static str,
    sdp: &'a str,
}

#[derive(Serialize)]
struct OfferOut<'a> {
    offer: Description<'a>,
    offer_id: Twenty,
}

#[derive(Serialize)]
struct AnnounceOut<'a> {
    action: &'static str,
    info_hash: Twenty,
    peer_id: Twenty,
    uploaded: u64,
    downloaded: u64,
    /// `null` while it is not known.
    left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    numwant: Option<u32>,
    offers: Vec<OfferOut<'a>>,
}

#[derive(Serialize)]
struct ScrapeOut {
    action: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    info_hash: Vec<Twenty>,
}

#[derive(Serialize)]
struct AnnouncedOut {
    action: &'static str,
    info_hash: Twenty,
    interval: u32,
    complete: u32,
    incomplete: u32,
}

#[derive(Serialize)]
struct ScrapedOut<'a> {
    action: &'static str,
    files: FilesOut<'a>,
}

struct FilesOut<'a>(&'a Scraped);

impl Serialize for FilesOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct File {
            complete: u32,
            downloaded: u32,
            incomplete: u32,
        }
        let mut files = serializer.serialize_map(Some(self.0.len()))?;
        for (hash, counts) in self.0 {
            let file = File {
                complete: counts.complete,
                downloaded: counts.downloaded,
                incomplete: counts.incomplete,
            };
            files.serialize_entry(&Twenty(hash.0), &file)?;
        }
        files.end()
    }
}

#[derive(Serialize)]
struct FailureOut<'a> {
    #[serde(rename = "failure reason")]
    reason: &'a str,
    action: &'static str,
    info_hash: Twenty,
}

/// The text of one message.
pub fn encode_client(message: &ClientMessage) -> String {
    match message {
        ClientMessage::Announce(announce) => to_text(&AnnounceOut {
            action: ANNOUNCE,
            info_hash: hash(announce.info_hash),
            peer_id: Twenty(announce.peer_id.0),
            uploaded: announce.uploaded,
            downloaded: announce.downloaded,
            left: announce.left,
            event: event_name(announce.event),
            numwant: announce.numwant,
            offers: announce.offers.iter().map(offered).collect(),
        }),
        ClientMessage::Answer(Answer {
            info_hash,
            peer_id,
            to,
            id,
            sdp,
        }) => handed("answer", *info_hash, (*peer_id, Some(*to)), *id, sdp),
        ClientMessage::Scrape { swarms } => to_text(&ScrapeOut {
            action: SCRAPE,
            info_hash: swarms.iter().copied().map(hash).collect(),
        }),
    }
}
/// The text of one message.
pub fn encode_server(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Announced {
            info_hash,
            interval,
            complete,
            incomplete,
        } => to_text(&AnnouncedOut {
            action: ANNOUNCE,
            info_hash: hash(*info_hash),
            interval: *interval,
            complete: *complete,
            incomplete: *incomplete,
        }),
        ServerMessage::Offer {
            info_hash,
            peer_id,
            offer: Offer { id, sdp },
        } => handed("offer", *info_hash, (*peer_id, None), *id, sdp),
        ServerMessage::Answer {
            info_hash,
            peer_id,
            id,
            sdp,
        } => handed("answer", *info_hash, (*peer_id, None), *id, sdp),
        ServerMessage::Scraped(scraped) => to_text(&ScrapedOut {
            action: SCRAPE,
            files: FilesOut(scraped),
        }),
        ServerMessage::Failure { info_hash, reason } => to_text(&FailureOut {
            reason,
            action: ANNOUNCE,
            info_hash: hash(*info_hash),
        }),
    }
}
/// Of whom it is, and for whom, where a tracker has to know.
fn handed(
    kind: &'static str,
    info_hash: InfoHash,
    (peer_id, to): (PeerId, Option<PeerId>),
    id: OfferId,
    sdp: &str,
) -> String {
    let handed = Handed {
        info_hash,
        peer_id,
        to,
        id,
        kind,
        sdp,
    };
    handed.to_text()
}

fn hash(info_hash: InfoHash) -> Twenty {
    Twenty(info_hash.0)
}

fn offer(sdp: &str) -> Description<'_> {
    let r#type = "offer";
    Description { r#type, sdp }
}

fn offered(it: &Offer) -> OfferOut<'_> {
    OfferOut {
        offer: offer(&it.sdp),
        offer_id: Twenty(it.id.0),
    }
}

fn to_text(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("all of it can be said in JSON")
}
