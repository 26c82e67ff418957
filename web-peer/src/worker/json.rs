//! What WebTorrent's trackers say, and what is said to them: JSON, by JavaScript's own reader and
//! writer, since the package `webtorrent-json` would bring the page another one. Bytes travel as
//! characters, `U+0000` to `U+00FF`. `docs/protocol.md`, section 6.

use js_sys::{Array, JSON, JsString, Object, Reflect};
use swarm_core::id::{InfoHash, PeerId};
use swarm_core::wire::tracker::{Event, printable};
use swarm_core::wire::webtorrent::{ClientMessage, MessageLimits, Offer, OfferId, ServerMessage};
use wasm_bindgen::{JsCast, JsValue};

/// Reads what a tracker sent; none where it is nothing of interest.
pub(super) fn decode(text: &JsString) -> Option<ServerMessage> {
    let limits = MessageLimits::default();
    if text.length() as usize > limits.message {
        return None;
    }
    let message = JSON::parse(&String::from(text)).ok()?;
    let twenty = |key| twenty_bytes(&get(&message, key)?);
    let info_hash = InfoHash(twenty("info_hash")?);
    if let Some(reason) = get(&message, "failure reason") {
        let reason = printable(reason.as_string()?.as_bytes());
        return Some(ServerMessage::Failure { info_hash, reason });
    }
    if get(&message, "action")?.as_string()? != "announce" {
        return None;
    }
    let sdp = |of: JsValue| {
        let sdp = get(&of, "sdp")?.as_string()?;
        (sdp.len() <= limits.sdp).then_some(sdp)
    };
    let (offer, answer) = (get(&message, "offer"), get(&message, "answer"));
    let is_offer = offer.is_some();
    let Some(description) = offer.or(answer) else {
        // Beyond what fits, `as` takes the nearest that does.
        let number = |key| Some(get(&message, key)?.as_f64()? as u32);
        return Some(ServerMessage::Announced {
            info_hash,
            interval: number("interval")?,
            complete: number("complete").unwrap_or_default(),
            incomplete: number("incomplete").unwrap_or_default(),
        });
    };
    let (peer_id, id) = (PeerId(twenty("peer_id")?), OfferId(twenty("offer_id")?));
    let sdp = sdp(description)?;
    Some(match is_offer {
        true => ServerMessage::Offer {
            info_hash,
            peer_id,
            offer: Offer { id, sdp },
        },
        false => ServerMessage::Answer {
            info_hash,
            peer_id,
            id,
            sdp,
        },
    })
}

/// Writes what a tracker is sent.
pub(super) fn encode(message: &ClientMessage) -> String {
    let object = match message {
        ClientMessage::Announce(announce) => {
            let offers = announce.offers.iter().map(|offer| {
                object(&[
                    ("offer", description("offer", &offer.sdp)),
                    ("offer_id", characters(offer.id.0)),
                ])
            });
            let number = |number: u64| JsValue::from(number as f64);
            let event = match announce.event {
                Event::Started => "started".into(),
                Event::Completed => "completed".into(),
                Event::Stopped => "stopped".into(),
                // Undefined is not written.
                Event::Update | Event::Paused => JsValue::UNDEFINED,
            };
            object(&[
                ("action", "announce".into()),
                ("info_hash", characters(announce.info_hash.0)),
                ("peer_id", characters(announce.peer_id.0)),
                ("uploaded", number(announce.uploaded)),
                ("downloaded", number(announce.downloaded)),
                ("left", announce.left.map_or(JsValue::NULL, number)),
                ("event", event),
                ("numwant", announce.numwant.into()),
                ("offers", offers.collect::<Array>().into()),
            ])
        }
        ClientMessage::Answer(answer) => object(&[
            ("action", "announce".into()),
            ("info_hash", characters(answer.info_hash.0)),
            ("peer_id", characters(answer.peer_id.0)),
            ("to_peer_id", characters(answer.to.0)),
            ("offer_id", characters(answer.id.0)),
            ("answer", description("answer", &answer.sdp)),
        ]),
        ClientMessage::Scrape { .. } => unreachable!("a tab asks for no scrapes"),
    };
    let text = JSON::stringify(&object).expect("it is a tree of strings and numbers");
    text.into()
}

/// What is there under a key, unless it is nothing.
fn get(of: &JsValue, key: &str) -> Option<JsValue> {
    let value = Reflect::get(of, &key.into()).ok()?;
    (!value.is_null() && !value.is_undefined()).then_some(value)
}

fn twenty_bytes(value: &JsValue) -> Option<[u8; 20]> {
    let text: &JsString = value.dyn_ref()?;
    let mut bytes = [0; 20];
    if text.length() as usize != bytes.len() {
        return None;
    }
    for (at, byte) in (0..).zip(&mut bytes) {
        *byte = u8::try_from(text.char_code_at(at) as u32).ok()?;
    }
    Some(bytes)
}

fn characters(bytes: [u8; 20]) -> JsValue {
    let text: String = bytes.into_iter().map(char::from).collect();
    text.into()
}

fn description(kind: &str, sdp: &str) -> JsValue {
    object(&[("type", kind.into()), ("sdp", sdp.into())])
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (key, value) in fields {
        let _ = Reflect::set(&object, &(*key).into(), value);
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use swarm_core::wire::webtorrent::{Announce, Answer};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    const INFO_HASH: InfoHash = InfoHash([0xE9; 20]);
    const PEER_ID: PeerId = PeerId(*b"-TS0100-0123456789ab");
    const ID: OfferId = OfferId([0; 20]);

    /// Twenty bytes of 0xE9, and of 0, as they travel.
    const HASH: &str = "éééééééééééééééééééé";
    const ZEROS: &str = r"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000";

    fn read(text: &str) -> Option<ServerMessage> {
        decode(&text.into())
    }

    #[wasm_bindgen_test]
    fn what_is_said_is_what_the_other_reader_has_as_golden_texts() {
        let offer = Offer {
            id: ID,
            sdp: "v=0\r\n".to_owned(),
        };
        let announce = Announce {
            info_hash: INFO_HASH,
            peer_id: PEER_ID,
            uploaded: 0,
            downloaded: 1,
            left: Some(2),
            event: Event::Started,
            numwant: Some(5),
            offers: vec![offer.clone()],
        };
        assert_eq!(
            encode(&ClientMessage::Announce(announce)),
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-TS0100-0123456789ab","uploaded":0,"downloaded":1,"left":2,"event":"started","numwant":5,"offers":[{{"offer":{{"type":"offer","sdp":"v=0\r\n"}},"offer_id":"{ZEROS}"}}]}}"#
            )
        );
        let answer = Answer {
            info_hash: INFO_HASH,
            peer_id: PEER_ID,
            to: PeerId([b'x'; 20]),
            id: ID,
            sdp: offer.sdp,
        };
        assert_eq!(
            encode(&ClientMessage::Answer(answer)),
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-TS0100-0123456789ab","to_peer_id":"xxxxxxxxxxxxxxxxxxxx","offer_id":"{ZEROS}","answer":{{"type":"answer","sdp":"v=0\r\n"}}}}"#
            )
        );
    }

    #[wasm_bindgen_test]
    fn what_is_heard_is_understood() {
        let announced = format!(
            r#"{{"action":"announce","info_hash":"{HASH}","interval":120,"complete":1,"incomplete":1e99,"other":[]}}"#
        );
        let expected = ServerMessage::Announced {
            info_hash: INFO_HASH,
            interval: 120,
            complete: 1,
            incomplete: u32::MAX,
        };
        assert_eq!(read(&announced), Some(expected));
        let signal = |kind| {
            read(&format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-TS0100-0123456789ab","offer_id":"{ZEROS}","{kind}":{{"type":"{kind}","sdp":"v=0"}}}}"#
            ))
        };
        let (info_hash, peer_id, id, sdp) = (INFO_HASH, PEER_ID, ID, "v=0".to_owned());
        let answer = ServerMessage::Answer {
            info_hash,
            peer_id,
            id,
            sdp: sdp.clone(),
        };
        assert_eq!(signal("answer"), Some(answer));
        let offer = ServerMessage::Offer {
            info_hash,
            peer_id,
            offer: Offer { id, sdp },
        };
        assert_eq!(signal("offer"), Some(offer));
        let failure = format!(r#"{{"failure reason":"no","info_hash":"{HASH}"}}"#);
        let expected = ServerMessage::Failure {
            info_hash,
            reason: "no".to_owned(),
        };
        assert_eq!(read(&failure), Some(expected));
    }

    #[wasm_bindgen_test]
    fn what_makes_no_sense_is_nothing() {
        let long = "x".repeat((64 << 10) + 1);
        for text in [
            "",
            "null",
            "1",
            "[]",
            "{}",
            r#"{"action":"announce","info_hash":"short","interval":1}"#,
            r#"{"action":"announce","info_hash":"abcdefghijklmnopqrsĀ","interval":1}"#,
            r#"{"action":"announce","info_hash":"abcdefghijklmnopqrst"}"#,
            r#"{"action":"announce","info_hash":"abcdefghijklmnopqrst","interval":"1"}"#,
            r#"{"action":"scrape","files":{}}"#,
            r#"{"action":"announce","info_hash":"abcdefghijklmnopqrst","offer":{"sdp":"v=0"}}"#,
            r#"{"action":"announce","info_hash":"abcdefghijklmnopqrst","peer_id":"abcdefghijklmnopqrst","offer_id":"abcdefghijklmnopqrst","offer":1}"#,
            &format!(
                r#"{{"action":"announce","info_hash":"abcdefghijklmnopqrst","peer_id":"abcdefghijklmnopqrst","offer_id":"abcdefghijklmnopqrst","answer":{{"sdp":"{long}"}}}}"#
            ),
            &"[".repeat(200_000),
        ] {
            assert_eq!(read(text), None, "{}", &text[..text.len().min(80)]);
        }
    }
}
