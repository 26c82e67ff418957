//! What is sent.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::fields::Twenty;
use crate::names::{ANNOUNCE, SCRAPE, event_name};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::Scraped;
use swarm_core::wire::webtorrent::{Answer, ClientMessage, Offer, OfferId, ServerMessage};

/// What a message takes beside descriptions, mostly.
const SKELETON: usize = 384;

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

/// An offer or an answer on its way.
#[derive(Serialize)]
struct Handed<'a> {
    action: &'static str,
    info_hash: Twenty,
    peer_id: Twenty,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_peer_id: Option<Twenty>,
    offer_id: Twenty,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<Description<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Description<'a>>,
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
        }) => to_text_of(
            sdp.len(),
            &Handed {
                to_peer_id: Some(Twenty(to.0)),
                answer: Some(answer(sdp)),
                ..handed(*info_hash, *peer_id, *id)
            },
        ),
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
        } => to_text_of(
            sdp.len(),
            &Handed {
                offer: Some(offer(sdp)),
                ..handed(*info_hash, *peer_id, *id)
            },
        ),
        ServerMessage::Answer {
            info_hash,
            peer_id,
            id,
            sdp,
        } => to_text_of(
            sdp.len(),
            &Handed {
                answer: Some(answer(sdp)),
                ..handed(*info_hash, *peer_id, *id)
            },
        ),
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

/// What hands on nothing yet.
fn handed<'a>(info_hash: InfoHash, from: PeerId, offer: OfferId) -> Handed<'a> {
    Handed {
        action: ANNOUNCE,
        info_hash: hash(info_hash),
        peer_id: Twenty(from.0),
        to_peer_id: None,
        offer_id: Twenty(offer.0),
        offer: None,
        answer: None,
    }
}

fn hash(info_hash: InfoHash) -> Twenty {
    Twenty(info_hash.0)
}

fn offer(sdp: &str) -> Description<'_> {
    let r#type = "offer";
    Description { r#type, sdp }
}

fn answer(sdp: &str) -> Description<'_> {
    let r#type = "answer";
    Description { r#type, sdp }
}

fn offered(it: &Offer) -> OfferOut<'_> {
    OfferOut {
        offer: offer(&it.sdp),
        offer_id: Twenty(it.id.0),
    }
}

fn to_text(message: &impl Serialize) -> String {
    to_text_of(0, message)
}

/// The same where so many bytes of descriptions are in it: it has room for them from the start.
/// Every line of theirs ends with two characters that are written as two each.
fn to_text_of(sdp: usize, message: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(SKELETON + sdp + sdp / 8);
    serde_json::to_writer(&mut text, message).expect("all of it can be said in JSON");
    String::from_utf8(text).expect("JSON is UTF-8")
}
