use arbitrary::Unstructured;

use super::*;

fn any_handshake(u: &mut Unstructured<'_>) -> arbitrary::Result<ExtensionHandshake> {
    let ut_metadata: Option<u8> = u.arbitrary()?;
    let request_queue: Option<u32> = u.arbitrary()?;
    let client: Option<String> = u.arbitrary()?;
    let printable = |name: String| name.chars().filter(|c| is_printable(*c)).take(64).collect();
    let ts_direct: Option<u8> = u.arbitrary()?;
    let ts_trackers: Option<u8> = u.arbitrary()?;
    Ok(ExtensionHandshake {
        ts_direct: ts_direct.filter(|&id| id != 0),
        ts_trackers: ts_trackers.filter(|&id| id != 0),
        ut_metadata: ut_metadata.filter(|&id| id != 0),
        metadata_size: u
            .arbitrary::<bool>()?
            .then(|| u.int_in_range(1..=16 << 20))
            .transpose()?,
        client: client.map(printable),
        request_queue: request_queue.filter(|&length| length != 0),
        ts_introduce: u.arbitrary::<Option<u8>>()?.filter(|&id| id != 0),
        ts_overlay: u.arbitrary::<Option<u8>>()?.filter(|&id| id != 0),
        ut_pex: u.arbitrary::<Option<u8>>()?.filter(|&id| id != 0),
        port: u.arbitrary::<Option<u16>>()?.filter(|&port| port != 0),
        gateway: u.arbitrary()?,
        token: u.arbitrary()?,
        proof: u.arbitrary()?,
        begin: *u.choose(&[None, Some(Begin::Asks), Some(Begin::Answers)])?,
    })
}

fn any_metadata_message(u: &mut Unstructured<'_>) -> arbitrary::Result<MetadataMessage> {
    let piece = u.int_in_range(0..=1023)?;
    Ok(match u.int_in_range(0..=2_u8)? {
        0 => MetadataMessage::Request { piece },
        1 => {
            let length = u.int_in_range(1..=METADATA_PIECE)?;
            let full = length == METADATA_PIECE;
            let more = if full && piece < 1023 {
                u.int_in_range(0..=9)?
            } else {
                0
            };
            MetadataMessage::Data {
                piece,
                total_size: piece * METADATA_PIECE + length + more,
                data: vec![u.arbitrary()?; length as usize].into(),
            }
        }
        _ => MetadataMessage::Reject { piece },
    })
}

fn decode(bytes: &'static [u8]) -> Result<Option<MetadataMessage>, ExtensionError> {
    MetadataMessage::decode(&Bytes::from_static(bytes))
}

#[test]
fn handshake_has_golden_bytes() {
    let handshake = ExtensionHandshake {
        ut_metadata: Some(2),
        metadata_size: Some(31_235),
        client: Some("Tabswarm 0.1.0".into()),
        request_queue: Some(512),
        ..ExtensionHandshake::default()
    };
    let golden = b"d1:md11:ut_metadatai2ee13:metadata_sizei31235e4:reqqi512e1:v14:Tabswarm 0.1.0e";
    assert_eq!(handshake.encode(), golden[..]);
    assert_eq!(ExtensionHandshake::decode(golden), Ok(handshake));

    let listens = ExtensionHandshake {
        ut_pex: Some(3),
        port: Some(6881),
        ..ExtensionHandshake::default()
    };
    let golden = b"d1:md6:ut_pexi3ee1:pi6881ee";
    assert_eq!(listens.encode(), golden[..]);
    assert_eq!(ExtensionHandshake::decode(golden), Ok(listens));

    let nothing = ExtensionHandshake::default();
    assert_eq!(nothing.encode(), b"d1:mdee"[..]);
    assert_eq!(ExtensionHandshake::decode(b"de"), Ok(nothing));
}

#[test]
fn what_is_our_own_in_a_handshake_has_golden_bytes() {
    let golden: [(ExtensionHandshake, &[u8]); 5] = [
        (
            ExtensionHandshake {
                gateway: Some(true),
                ..ExtensionHandshake::default()
            },
            b"d1:mde10:ts_gatewayi1ee",
        ),
        (
            ExtensionHandshake {
                gateway: Some(false),
                ..ExtensionHandshake::default()
            },
            b"d1:mde10:ts_gatewayi0ee",
        ),
        (
            ExtensionHandshake {
                token: Some(*b"0123456789abcdef"),
                ..ExtensionHandshake::default()
            },
            b"d1:mde8:ts_token16:0123456789abcdefe",
        ),
        (
            ExtensionHandshake {
                proof: Some(*b"0123456789abcdefghij"),
                ..ExtensionHandshake::default()
            },
            b"d1:mde8:ts_proof20:0123456789abcdefghije",
        ),
        (
            ExtensionHandshake {
                begin: Some(Begin::Asks),
                ..ExtensionHandshake::default()
            },
            b"d1:mde8:ts_begini1ee",
        ),
    ];
    for (handshake, golden) in golden {
        assert_eq!(handshake.encode(), golden);
        assert_eq!(ExtensionHandshake::decode(golden), Ok(handshake));
    }
    // Of another length, or another number: as if it were not there.
    for odd in [
        &b"d8:ts_token2:01e"[..],
        b"d8:ts_proof0:e",
        b"d8:ts_begini3ee",
        b"d10:ts_gatewayi2ee",
        b"d10:ts_gatewayi-1ee",
    ] {
        let nothing = ExtensionHandshake::default();
        assert_eq!(ExtensionHandshake::decode(odd), Ok(nothing));
    }
}

#[test]
fn metadata_messages_have_golden_bytes() {
    let golden: [(MetadataMessage, &[u8]); 3] = [
        (
            MetadataMessage::Request { piece: 3 },
            b"d8:msg_typei0e5:piecei3ee",
        ),
        (
            MetadataMessage::Data {
                piece: 1,
                total_size: 16_389,
                data: Bytes::from_static(b"bytes"),
            },
            b"d8:msg_typei1e5:piecei1e10:total_sizei16389eebytes",
        ),
        (
            MetadataMessage::Reject { piece: 3 },
            b"d8:msg_typei2e5:piecei3ee",
        ),
    ];
    for (message, bytes) in golden {
        assert_eq!(message.encode(), bytes);
        assert_eq!(decode(bytes), Ok(Some(message)));
    }
}

#[test]
fn every_handshake_round_trips() {
    arbtest::arbtest(|u| {
        let handshake = any_handshake(u)?;
        assert_eq!(
            ExtensionHandshake::decode(&handshake.encode()),
            Ok(handshake)
        );
        Ok(())
    });
}

#[test]
fn every_metadata_message_round_trips() {
    arbtest::arbtest(|u| {
        let message = any_metadata_message(u)?;
        assert_eq!(
            MetadataMessage::decode(&message.encode()),
            Ok(Some(message))
        );
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    arbtest::arbtest(|u| {
        let mut bytes = match u.int_in_range(0..=2)? {
            0 => any_handshake(u)?.encode().to_vec(),
            1 => any_metadata_message(u)?.encode().to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..u.int_in_range(0..=4)? {
            let at = u.int_in_range(0..=bytes.len())?;
            let end = u.int_in_range(at..=bytes.len())?;
            bytes.splice(at..end, u.arbitrary::<Vec<u8>>()?);
        }
        if let Ok(handshake) = ExtensionHandshake::decode(&bytes) {
            assert_eq!(
                ExtensionHandshake::decode(&handshake.encode()),
                Ok(handshake)
            );
        }
        if let Ok(Some(message)) = MetadataMessage::decode(&bytes.into()) {
            assert_eq!(
                MetadataMessage::decode(&message.encode()),
                Ok(Some(message))
            );
        }
        Ok(())
    });
}

#[test]
fn handshakes_of_other_clients_are_read() {
    let handshake = ExtensionHandshake::decode(
        b"d12:complete_agoi1e1:md11:lt_donthavei7e10:share_modei8e11:upload_onlyi3e12:ut_holepunchi4e11:ut_metadatai2e6:ut_pexi1ee13:metadata_sizei0e4:reqqi2000e1:v19:\xb5Torrent/\x1b[31m3.5.56:yourip4:\x7f\0\0\x01e",
    );
    assert_eq!(
        handshake,
        Ok(ExtensionHandshake {
            ut_metadata: Some(2),
            metadata_size: None,
            client: Some("\u{fffd}Torrent/[31m3.5.5".into()),
            request_queue: Some(2000),
            ut_pex: Some(1),
            ..ExtensionHandshake::default()
        })
    );
    let odd = ExtensionHandshake::decode(
        b"d1:md11:ut_metadatai256ee13:metadata_sizei99999999e4:reqqi-1ee",
    );
    assert_eq!(odd, Ok(ExtensionHandshake::default()));
}

#[test]
fn a_client_name_does_not_look_like_something_else() {
    // An override turns the rest around: "Tab gpj.exe" would look like "Tab exe.jpg".
    let name = "Tab \u{202e}gpj.exe\u{202c}\u{200b}\u{2066}\u{feff}\u{e0041}";
    let dictionary = format!("d1:v{}:{name}e", name.len());
    let handshake = ExtensionHandshake::decode(dictionary.as_bytes()).unwrap();
    assert_eq!(handshake.client.as_deref(), Some("Tab gpj.exe"));
    // Letters of every direction stay.
    let hebrew = "\u{5d0}\u{5d1} 1.0";
    let dictionary = format!("d1:v{}:{hebrew}e", hebrew.len());
    let handshake = ExtensionHandshake::decode(dictionary.as_bytes()).unwrap();
    assert_eq!(handshake.client.as_deref(), Some(hebrew));
}

#[test]
fn unknown_metadata_messages_are_ignored() {
    assert_eq!(decode(b"d8:msg_typei3e5:piecei0ee"), Ok(None));
    assert_eq!(decode(b"d8:msg_typei-1eebytes"), Ok(None));
}

#[test]
fn metadata_that_does_not_fit_is_refused() {
    let refused: [&[u8]; 9] = [
        b"",
        b"de",
        b"li0ei0ei0ee",
        b"d8:msg_typei0ee",
        b"d8:msg_typei0e5:piecei-1ee",
        b"d8:msg_typei1e5:piecei0eebytes",
        // Too few bytes, too many, and a piece that such a dictionary has not.
        b"d8:msg_typei1e5:piecei0e10:total_sizei6eebytes",
        b"d8:msg_typei1e5:piecei0e10:total_sizei4eebytes",
        b"d8:msg_typei1e5:piecei1e10:total_sizei16384ee",
    ];
    for bytes in refused {
        assert!(decode(bytes).is_err(), "{}", bytes.escape_ascii());
    }
}
