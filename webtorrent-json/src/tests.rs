use arbitrary::Unstructured;

use super::*;
use crate::names::MAX_NUMBER;
use swarm_core::wire::tracker::{Counts, Event, MAX_SCRAPE};

const INFO_HASH: InfoHash = InfoHash([0xE9; 20]);
const PEER_ID: PeerId = PeerId(*b"-WW0300-0123456789ab");
const ID: OfferId = OfferId([b'o'; 20]);

/// Twenty bytes of 0xE9 as they travel: `é`, in UTF-8.
const HASH: &str = "éééééééééééééééééééé";

fn announce() -> Announce {
    Announce {
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
        uploaded: 0,
        downloaded: 1,
        left: Some(2),
        event: Event::Started,
        numwant: Some(5),
        offers: vec![Offer {
            id: ID,
            sdp: "v=0\r\n".to_owned(),
        }],
    }
}

fn golden_client() -> Vec<(ClientMessage, String)> {
    let answer = Answer {
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
        to: PeerId([b'x'; 20]),
        id: ID,
        sdp: "v=0\r\n".to_owned(),
    };
    let unknown = Announce {
        left: None,
        event: Event::Update,
        numwant: None,
        offers: Vec::new(),
        ..announce()
    };
    vec![
        (
            ClientMessage::Announce(announce()),
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-WW0300-0123456789ab","uploaded":0,"downloaded":1,"left":2,"event":"started","numwant":5,"offers":[{{"offer":{{"type":"offer","sdp":"v=0\r\n"}},"offer_id":"oooooooooooooooooooo"}}]}}"#
            ),
        ),
        (
            ClientMessage::Announce(unknown),
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-WW0300-0123456789ab","uploaded":0,"downloaded":1,"left":null,"offers":[]}}"#
            ),
        ),
        (
            ClientMessage::Answer(answer),
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-WW0300-0123456789ab","to_peer_id":"xxxxxxxxxxxxxxxxxxxx","offer_id":"oooooooooooooooooooo","answer":{{"type":"answer","sdp":"v=0\r\n"}}}}"#
            ),
        ),
        (
            ClientMessage::Scrape {
                swarms: vec![INFO_HASH],
            },
            format!(r#"{{"action":"scrape","info_hash":["{HASH}"]}}"#),
        ),
        (
            ClientMessage::Scrape { swarms: Vec::new() },
            r#"{"action":"scrape"}"#.to_owned(),
        ),
    ]
}

fn golden_server() -> Vec<(ServerMessage, String)> {
    let counts = Counts {
        complete: 1,
        downloaded: 2,
        incomplete: 3,
    };
    vec![
        (
            ServerMessage::Announced {
                info_hash: INFO_HASH,
                interval: 120,
                complete: 1,
                incomplete: 2,
            },
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","interval":120,"complete":1,"incomplete":2}}"#
            ),
        ),
        (
            ServerMessage::Offer {
                info_hash: INFO_HASH,
                peer_id: PEER_ID,
                offer: Offer {
                    id: ID,
                    sdp: "v=0".to_owned(),
                },
            },
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-WW0300-0123456789ab","offer_id":"oooooooooooooooooooo","offer":{{"type":"offer","sdp":"v=0"}}}}"#
            ),
        ),
        (
            ServerMessage::Answer {
                info_hash: INFO_HASH,
                peer_id: PEER_ID,
                id: ID,
                sdp: "v=0".to_owned(),
            },
            format!(
                r#"{{"action":"announce","info_hash":"{HASH}","peer_id":"-WW0300-0123456789ab","offer_id":"oooooooooooooooooooo","answer":{{"type":"answer","sdp":"v=0"}}}}"#
            ),
        ),
        (
            ServerMessage::Scraped([(INFO_HASH, counts)].into()),
            format!(
                r#"{{"action":"scrape","files":{{"{HASH}":{{"complete":1,"downloaded":2,"incomplete":3}}}}}}"#
            ),
        ),
        (
            ServerMessage::Failure {
                info_hash: INFO_HASH,
                reason: "too many swarms".to_owned(),
            },
            format!(
                r#"{{"failure reason":"too many swarms","action":"announce","info_hash":"{HASH}"}}"#
            ),
        ),
    ]
}

fn client(text: &str) -> Result<ClientMessage, WebTorrentError> {
    decode_client(text, &MessageLimits::default())
}

fn server(text: &str) -> Result<ServerMessage, WebTorrentError> {
    decode_server(text, &MessageLimits::default())
}

#[test]
fn messages_have_golden_bytes() {
    for (message, text) in golden_client() {
        assert_eq!(encode_client(&message), text);
        assert_eq!(client(&text), Ok(message));
    }
    for (message, text) in golden_server() {
        assert_eq!(encode_server(&message), text);
        assert_eq!(server(&text), Ok(message));
    }
}

#[test]
fn what_clients_write_in_their_own_ways_is_understood() {
    let announce = |rest: &str| {
        let text = format!(
            r#"{{"action":"announce","info_hash":"\u00e9{}","peer_id":"-WW0300-0123456789ab"{rest}}}"#,
            &HASH[2..]
        );
        match client(&text) {
            Ok(ClientMessage::Announce(announce)) => announce,
            other => panic!("{text}: {other:?}"),
        }
    };
    for unknown in [
        "",
        r#","left":-1"#,
        r#","left":null"#,
        r#","left":1.5"#,
        r#","left":"0""#,
        r#","left":[0,{}]"#,
        r#","left":{"a":[]}"#,
        r#","left":18446744073709551615,"offers":null,"event":null,"trackerid":"x","corrupt":0"#,
    ] {
        let announce = announce(unknown);
        assert_eq!((announce.info_hash, announce.left), (INFO_HASH, None));
        assert_eq!((announce.event, announce.offers.len()), (Event::Update, 0));
    }
    assert_eq!(announce(r#","event":"paused""#).event, Event::Paused);
    assert_eq!(announce(r#","event":"other""#).event, Event::Update);
    let one = format!(r#"{{"action":"scrape","info_hash":"{HASH}"}}"#);
    let swarms = vec![INFO_HASH];
    assert_eq!(client(&one), Ok(ClientMessage::Scrape { swarms }));
}

#[test]
fn what_is_no_message_is_a_named_error() {
    let long = "x".repeat(129 << 10);
    assert_eq!(client(&long), Err(WebTorrentError::TooLong(129 << 10)));
    for (text, error) in [
        ("{}", WebTorrentError::Action),
        (r#"{"action":"other"}"#, WebTorrentError::Action),
        (
            r#"{"action":"announce"}"#,
            WebTorrentError::Missing("info_hash"),
        ),
    ] {
        assert_eq!(client(text), Err(error));
    }
    for text in [
        "",
        "[]",
        "1",
        "{",
        r#"{"action":1}"#,
        r#"{"action":"scrape","info_hash":"short"}"#,
        // A character above U+00FF is no byte.
        r#"{"action":"scrape","info_hash":"abcdefghijklmnopqrsĀ"}"#,
        &"[".repeat(100_000),
    ] {
        let refused = client(text);
        assert!(
            matches!(&refused, Err(WebTorrentError::Json(why)) if why.len() <= 256),
            "{refused:?}"
        );
    }
    let mut offer = announce();
    offer.offers[0].sdp = "x".repeat((64 << 10) + 1);
    let text = encode_client(&ClientMessage::Announce(offer));
    assert_eq!(client(&text), Err(WebTorrentError::LongSdp((64 << 10) + 1)));
}

#[test]
fn more_offers_and_swarms_than_allowed_are_passed_over() {
    let limits = MessageLimits {
        offers: 2,
        scrape: 2,
        ..MessageLimits::default()
    };
    let mut many = announce();
    many.offers = vec![many.offers[0].clone(); 5];
    let text = encode_client(&ClientMessage::Announce(many.clone()));
    many.offers.truncate(2);
    let read = decode_client(&text, &limits);
    assert_eq!(read, Ok(ClientMessage::Announce(many)));
    let swarms = vec![INFO_HASH; 5];
    let text = encode_client(&ClientMessage::Scrape { swarms });
    let swarms = vec![INFO_HASH; 2];
    assert_eq!(
        decode_client(&text, &limits),
        Ok(ClientMessage::Scrape { swarms })
    );
}

fn any_id(u: &mut Unstructured<'_>) -> arbitrary::Result<OfferId> {
    Ok(OfferId(u.arbitrary()?))
}

fn any_client(u: &mut Unstructured<'_>) -> arbitrary::Result<ClientMessage> {
    let number = |u: &mut Unstructured<'_>| u.int_in_range(0..=MAX_NUMBER);
    let (info_hash, peer_id) = (InfoHash(u.arbitrary()?), PeerId(u.arbitrary()?));
    Ok(match u.int_in_range(0..=2_u8)? {
        0 => ClientMessage::Announce(Announce {
            info_hash,
            peer_id,
            uploaded: number(u)?,
            downloaded: number(u)?,
            left: u.arbitrary::<bool>()?.then(|| number(u)).transpose()?,
            event: *u.choose(&[
                Event::Update,
                Event::Started,
                Event::Stopped,
                Event::Completed,
            ])?,
            numwant: u.arbitrary()?,
            offers: (0..u.int_in_range(0..=3)?)
                .map(|_| {
                    Ok(Offer {
                        id: any_id(u)?,
                        sdp: u.arbitrary()?,
                    })
                })
                .collect::<arbitrary::Result<_>>()?,
        }),
        1 => ClientMessage::Answer(Answer {
            info_hash,
            peer_id,
            to: PeerId(u.arbitrary()?),
            id: any_id(u)?,
            sdp: u.arbitrary()?,
        }),
        _ => ClientMessage::Scrape {
            swarms: (0..u.int_in_range(0..=MAX_SCRAPE)?)
                .map(|_| Ok(InfoHash(u.arbitrary()?)))
                .collect::<arbitrary::Result<_>>()?,
        },
    })
}

fn any_server(u: &mut Unstructured<'_>) -> arbitrary::Result<ServerMessage> {
    let (info_hash, peer_id) = (InfoHash(u.arbitrary()?), PeerId(u.arbitrary()?));
    Ok(match u.int_in_range(0..=3_u8)? {
        0 => ServerMessage::Announced {
            info_hash,
            interval: u.arbitrary()?,
            complete: u.arbitrary()?,
            incomplete: u.arbitrary()?,
        },
        1 => ServerMessage::Offer {
            info_hash,
            peer_id,
            offer: Offer {
                id: any_id(u)?,
                sdp: u.arbitrary()?,
            },
        },
        2 => ServerMessage::Answer {
            info_hash,
            peer_id,
            id: any_id(u)?,
            sdp: u.arbitrary()?,
        },
        _ => ServerMessage::Failure {
            info_hash,
            reason: "why not".to_owned(),
        },
    })
}

#[test]
fn messages_round_trip() {
    arbtest::arbtest(|u| {
        let message = any_client(u)?;
        assert_eq!(client(&encode_client(&message)), Ok(message));
        let message = any_server(u)?;
        assert_eq!(server(&encode_server(&message)), Ok(message));
        Ok(())
    });
}

#[test]
fn arbitrary_text_is_read_or_refused() {
    arbtest::arbtest(|u| {
        let mut text = match u.int_in_range(0..=2)? {
            0 => encode_client(&any_client(u)?),
            1 => encode_server(&any_server(u)?),
            _ => u.arbitrary()?,
        };
        for _ in 0..u.int_in_range(0..=3)? {
            let at = text.floor_char_boundary(u.int_in_range(0..=text.len())?);
            let end = text.ceil_char_boundary(u.int_in_range(at..=text.len())?);
            text.replace_range(at..end, u.choose(&["", "null", "[", "}", "\"", "1", "é"])?);
        }
        if let Ok(message) = client(&text) {
            assert_eq!(client(&encode_client(&message)), Ok(message));
        }
        if let Ok(message) = server(&text) {
            assert_eq!(server(&encode_server(&message)), Ok(message));
        }
        Ok(())
    });
}
