mod any;
mod golden;

use any::{any_client_message, any_server_message};
use golden::{golden_client, golden_server};

use super::*;
use crate::id::{MemberId, PeerId};
use crate::wire::fields::is_printable;
use crate::wire::relay::{
    Announce, Have, Incoming, MAX_BITFIELD, MAX_HAVE, MAX_MEMBERS, MAX_SDP, MAX_STUN, Member, Open,
    Peers, RelayUse, Signal, Signalled, StunServer, Welcome,
};
use crate::wire::webtorrent::OfferId;

const INFO_HASH: InfoHash = InfoHash(*b"abcdefghijklmnopqrst");
const PEER_ID: PeerId = PeerId(*b"-TS0100-0123456789ab");
const OFFER: OfferId = OfferId([b'o'; 20]);
const CHANNEL: ChannelId = ChannelId(7);
const MEMBER: MemberId = MemberId(3);

fn decode_client(bytes: &'static [u8]) -> Result<ClientMessage, RelayError> {
    ClientMessage::decode(Bytes::from_static(bytes))
}

#[test]
fn client_messages_have_golden_bytes() {
    for (message, bytes) in golden_client() {
        assert_eq!(message.clone().encode(), bytes, "{message:?}");
        assert_eq!(decode_client(bytes), Ok(message));
    }
}

#[test]
fn server_messages_have_golden_bytes() {
    for (message, bytes) in golden_server() {
        assert_eq!(message.clone().encode(), bytes, "{message:?}");
        assert_eq!(
            ServerMessage::decode(Bytes::from_static(bytes)),
            Ok(message)
        );
    }
}

#[test]
fn golden_bytes_are_the_examples_of_the_documentation() {
    let documentation = include_str!("../../../../../docs/protocol.md");
    let client = golden_client().into_iter().map(|(_, bytes)| bytes);
    let server = golden_server().into_iter().map(|(_, bytes)| bytes);
    for bytes in client.chain(server) {
        let example: String = bytes
            .iter()
            .map(|&byte| match byte {
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            })
            .collect();
        assert!(
            documentation.lines().any(|line| line == example),
            "docs/protocol.md lacks {example}"
        );
    }
}

#[test]
fn every_client_message_round_trips() {
    arbtest::arbtest(|u| {
        let message = any_client_message(u)?;
        assert_eq!(ClientMessage::decode(message.clone().encode()), Ok(message));
        Ok(())
    });
}

#[test]
fn every_server_message_round_trips() {
    arbtest::arbtest(|u| {
        let message = any_server_message(u)?;
        assert_eq!(ServerMessage::decode(message.clone().encode()), Ok(message));
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    arbtest::arbtest(|u| {
        let mut bytes = match u.int_in_range(0..=2)? {
            0 => any_client_message(u)?.encode().to_vec(),
            1 => any_server_message(u)?.encode().to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..u.int_in_range(0..=4)? {
            let at = u.int_in_range(0..=bytes.len())?;
            let end = u.int_in_range(at..=bytes.len())?;
            bytes.splice(at..end, u.arbitrary::<Vec<u8>>()?);
        }
        let bytes = Bytes::from(bytes);
        // What is read is worth sending, and then stays what it is.
        if let Ok(message) = ClientMessage::decode(bytes.clone()) {
            assert_eq!(ClientMessage::decode(message.clone().encode()), Ok(message));
        }
        if let Ok(message) = ServerMessage::decode(bytes) {
            assert_eq!(ServerMessage::decode(message.clone().encode()), Ok(message));
        }
        Ok(())
    });
}

#[test]
fn unknown_keys_are_ignored() {
    assert_eq!(
        decode_client(b"d7:channeli7e6:crediti1e1:t6:accept3:xyzld1:ai1eeee"),
        Ok(ClientMessage::Accept {
            channel: CHANNEL,
            credit: 1
        })
    );
}

#[test]
fn what_is_no_message_is_refused() {
    let refused: [&[u8]; 14] = [
        b"",
        b"\x01",
        b"\x01\0\0\0\x07",
        b"\x02\0\0\0\x07bytes",
        b"hello",
        b"d",
        b"de",
        b"d1:t7:unknowne",
        // What only a hub says.
        b"d7:channeli7e6:crediti4194304e7:requesti1e1:t8:acceptede",
        // Out of range.
        b"d7:channeli-7e6:crediti1e1:t6:accepte",
        b"d7:channeli4294967296e6:crediti1e1:t6:accepte",
        // A hash of nineteen bytes, and one that is a list.
        b"d9:info_hash19:abcdefghijklmnopqrs1:t5:leavee",
        b"d9:info_hashli1ei2ei3ei4ei5ei6ei7ei8ei9ei10ei11ei12ei13ei14ei15ei16ei17ei18ei19ei20ee1:t5:leavee",
        // A piece index of three bytes.
        b"d9:info_hash20:abcdefghijklmnopqrst4:lefti0e6:pieces3:\0\0\x011:t4:havee",
    ];
    for bytes in refused {
        assert!(
            matches!(decode_client(bytes), Err(RelayError::Malformed(_))),
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn a_welcome_names_few_stun_servers_and_only_such() {
    let welcome = |stun: &str| {
        let message = format!(
            "d12:max_channelsi1e10:max_crediti1e11:max_payloadi1e6:memberi3e4:stunl{stun}e1:t7:welcomee"
        );
        ServerMessage::decode(message.into())
    };
    assert!(welcome(&"5::3478".repeat(MAX_STUN)).is_ok());
    assert!(welcome(&"5::3478".repeat(MAX_STUN + 1)).is_err());
    assert!(welcome("9:evil/:347").is_err());
    assert!(welcome("1:x").is_err());
}

#[test]
fn an_error_does_not_repeat_everything_it_was_sent() {
    let name = "x".repeat(100_000);
    let message = format!("d1:t{}:{name}e", name.len());
    let Err(RelayError::Malformed(why)) = ClientMessage::decode(message.into()) else {
        panic!("there is no such message");
    };
    assert!(why.len() <= MAX_REASON, "{why}");
}

#[test]
fn limits_hold() {
    let too_long = Bytes::from(vec![frame::DATA; MAX_MESSAGE + 1]);
    let error = RelayError::TooLong(MAX_MESSAGE + 1);
    assert_eq!(ClientMessage::decode(too_long.clone()), Err(error.clone()));
    assert_eq!(ServerMessage::decode(too_long), Err(error));

    let announce = |bytes| {
        let announce = Announce {
            info_hash: INFO_HASH,
            peer_id: PEER_ID,
            left: None,
            pieces: Some(vec![0; bytes].into()),
            numwant: 0,
            rtc: false,
        };
        ClientMessage::decode(ClientMessage::Announce(announce).encode())
    };
    assert!(announce(MAX_BITFIELD).is_ok());
    assert!(announce(MAX_BITFIELD + 1).is_err());

    let have = |pieces| {
        let have = Have {
            info_hash: INFO_HASH,
            pieces: vec![u32::MAX; pieces],
            left: 0,
        };
        ClientMessage::decode(ClientMessage::Have(have).encode())
    };
    assert!(have(MAX_HAVE).is_ok());
    assert!(have(MAX_HAVE + 1).is_err());

    let offer = |bytes| {
        let offer = Signal {
            info_hash: INFO_HASH,
            id: OFFER,
            sdp: "x".repeat(bytes),
        };
        ClientMessage::decode(ClientMessage::Offer(offer).encode())
    };
    assert!(offer(MAX_SDP).is_ok());
    assert!(offer(MAX_SDP + 1).is_err());

    let peers = |members| {
        let member = Member {
            member: MemberId(u32::MAX),
            peer_id: PEER_ID,
            have: u32::MAX,
            seed: true,
        };
        let peers = Peers {
            rtc: 0,
            info_hash: INFO_HASH,
            interval: u32::MAX,
            complete: u32::MAX,
            incomplete: u32::MAX,
            members: vec![member; members],
        };
        ServerMessage::decode(ServerMessage::Peers(peers).encode())
    };
    assert!(peers(MAX_MEMBERS).is_ok());
    assert!(peers(MAX_MEMBERS + 1).is_err());
}

#[test]
fn a_reason_is_cut_and_cleaned() {
    let close = |reason: &str| ClientMessage::Close {
        channel: CHANNEL,
        reason: reason.into(),
    };
    let sent = close(&format!("\x1b[2J{}", "é".repeat(200)));
    let Ok(ClientMessage::Close { reason, .. }) = ClientMessage::decode(sent.encode()) else {
        panic!("what we encode is read");
    };
    assert_eq!(reason, format!("[2J{}", "é".repeat(126)));

    let long = format!("d7:channeli7e6:reason257:{}1:t5:closee", "x".repeat(257));
    assert!(ClientMessage::decode(long.into()).is_err());
    assert_eq!(
        decode_client(b"d7:channeli7e6:reason6:\x1b[2Jhi1:t5:closee"),
        Ok(close("[2Jhi"))
    );
}
