use arbitrary::Unstructured;

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

fn golden_client() -> Vec<(ClientMessage, &'static [u8])> {
    let announce = Announce {
        info_hash: INFO_HASH,
        peer_id: PEER_ID,
        left: Some(1000),
        pieces: Some(Bytes::from_static(b"\xf0")),
        numwant: 30,
        rtc: false,
    };
    vec![
        (
            ClientMessage::Announce(announce.clone()),
            b"d9:info_hash20:abcdefghijklmnopqrst4:lefti1000e7:numwanti30e7:peer_id20:-TS0100-0123456789ab6:pieces1:\xf01:t8:announcee",
        ),
        (
            ClientMessage::Announce(Announce {
                left: None,
                pieces: None,
                ..announce.clone()
            }),
            b"d9:info_hash20:abcdefghijklmnopqrst7:numwanti30e7:peer_id20:-TS0100-0123456789ab1:t8:announcee",
        ),
        (
            ClientMessage::Announce(Announce {
                left: Some(0),
                pieces: None,
                rtc: true,
                ..announce
            }),
            b"d9:info_hash20:abcdefghijklmnopqrst4:lefti0e7:numwanti30e7:peer_id20:-TS0100-0123456789ab3:rtci1e1:t8:announcee",
        ),
        (
            ClientMessage::Have(Have {
                info_hash: INFO_HASH,
                pieces: vec![1, 0x0203_0405],
                left: 0,
            }),
            b"d9:info_hash20:abcdefghijklmnopqrst4:lefti0e6:pieces8:\0\0\0\x01\x02\x03\x04\x051:t4:havee",
        ),
        (
            ClientMessage::Leave {
                info_hash: INFO_HASH,
            },
            b"d9:info_hash20:abcdefghijklmnopqrst1:t5:leavee",
        ),
        (
            ClientMessage::Open(Open {
                request: 1,
                info_hash: INFO_HASH,
                member: MEMBER,
                credit: 4_194_304,
            }),
            b"d6:crediti4194304e9:info_hash20:abcdefghijklmnopqrst6:memberi3e7:requesti1e1:t4:opene",
        ),
        (
            ClientMessage::Accept {
                channel: CHANNEL,
                credit: 4_194_304,
            },
            b"d7:channeli7e6:crediti4194304e1:t6:accepte",
        ),
        (
            ClientMessage::Credit {
                channel: CHANNEL,
                bytes: 262_144,
            },
            b"d5:bytesi262144e7:channeli7e1:t6:credite",
        ),
        (
            ClientMessage::Close {
                channel: CHANNEL,
                reason: "done".into(),
            },
            b"d7:channeli7e6:reason4:done1:t5:closee",
        ),
        (
            ClientMessage::Data(DataFrame::new(CHANNEL, b"bytes")),
            b"\x01\0\0\0\x07bytes",
        ),
        (
            ClientMessage::Offer(Signal {
                info_hash: INFO_HASH,
                id: OFFER,
                sdp: "v=0".into(),
            }),
            b"d2:id20:oooooooooooooooooooo9:info_hash20:abcdefghijklmnopqrst3:sdp3:v=01:t5:offere",
        ),
        (
            ClientMessage::Answer(Signal {
                info_hash: INFO_HASH,
                id: OFFER,
                sdp: "v=0".into(),
            }),
            b"d2:id20:oooooooooooooooooooo9:info_hash20:abcdefghijklmnopqrst3:sdp3:v=01:t6:answere",
        ),
        (ClientMessage::Ping, b"d1:t4:pinge"),
    ]
}

fn golden_server() -> Vec<(ServerMessage, &'static [u8])> {
    vec![
        (
            ServerMessage::Welcome(Welcome {
                max_channels: 64,
                max_payload: 262_144,
                max_credit: 8_388_608,
                max_swarms: 100,
                ..Welcome::of(MEMBER)
            }),
            b"d12:max_channelsi64e10:max_crediti8388608e11:max_payloadi262144e10:max_swarmsi100e6:memberi3e1:t7:welcomee",
        ),
        (
            ServerMessage::Welcome(Welcome {
                max_channels: 64,
                max_payload: 262_144,
                max_credit: 8_388_608,
                max_swarms: 100,
                stun: vec![":3478".parse().unwrap(), "[2001:db8::1]:19302".parse().unwrap()],
                relay: RelayUse::Spare,
                relay_only: true,
                ..Welcome::of(MEMBER)
            }),
            b"d12:max_channelsi64e10:max_crediti8388608e11:max_payloadi262144e10:max_swarmsi100e6:memberi3e5:relay5:spare10:relay_onlyi1e4:stunl5::347819:[2001:db8::1]:19302e1:t7:welcomee",
        ),
        (
            ServerMessage::Peers(Peers {
rtc: 0,
                info_hash: INFO_HASH,
                interval: 120,
                complete: 1,
                incomplete: 2,
                members: vec![Member {
                    member: MEMBER,
                    peer_id: PEER_ID,
                    have: 4,
                    seed: true,
                }],
            }),
            b"d8:completei1e10:incompletei2e9:info_hash20:abcdefghijklmnopqrst8:intervali120e7:membersld4:havei4e6:memberi3e7:peer_id20:-TS0100-0123456789ab4:seedi1eee1:t5:peerse",
        ),
        (
            ServerMessage::Peers(Peers {
                rtc: 2,
                info_hash: INFO_HASH,
                interval: 120,
                complete: 0,
                incomplete: 1,
                members: Vec::new(),
            }),
            b"d8:completei0e10:incompletei1e9:info_hash20:abcdefghijklmnopqrst8:intervali120e7:membersle3:rtci2e1:t5:peerse",
        ),
        (
            ServerMessage::Incoming(Incoming {
                channel: CHANNEL,
                info_hash: INFO_HASH,
                member: MEMBER,
                peer_id: PEER_ID,
                credit: 4_194_304,
            }),
            b"d7:channeli7e6:crediti4194304e9:info_hash20:abcdefghijklmnopqrst6:memberi3e7:peer_id20:-TS0100-0123456789ab1:t8:incominge",
        ),
        (
            ServerMessage::Accepted {
                request: 1,
                channel: CHANNEL,
                credit: 4_194_304,
            },
            b"d7:channeli7e6:crediti4194304e7:requesti1e1:t8:acceptede",
        ),
        (
            ServerMessage::Refused {
                request: 1,
                reason: "no such member".into(),
            },
            b"d6:reason14:no such member7:requesti1e1:t7:refusede",
        ),
        (
            ServerMessage::Credit {
                channel: CHANNEL,
                bytes: 262_144,
            },
            b"d5:bytesi262144e7:channeli7e1:t6:credite",
        ),
        (
            ServerMessage::Close {
                channel: CHANNEL,
                reason: "gone".into(),
            },
            b"d7:channeli7e6:reason4:gone1:t5:closee",
        ),
        (
            ServerMessage::Error {
                info_hash: Some(INFO_HASH),
                reason: "too many swarms".into(),
            },
            b"d9:info_hash20:abcdefghijklmnopqrst6:reason15:too many swarms1:t5:errore",
        ),
        (
            ServerMessage::Error {
                info_hash: None,
                reason: "slow down".into(),
            },
            b"d6:reason9:slow down1:t5:errore",
        ),
        (
            ServerMessage::Data(DataFrame::new(CHANNEL, b"bytes")),
            b"\x01\0\0\0\x07bytes",
        ),
        (
            ServerMessage::Offer(Signalled {
                info_hash: INFO_HASH,
                member: MEMBER,
                peer_id: PEER_ID,
                id: OFFER,
                sdp: "v=0".into(),
            }),
            b"d2:id20:oooooooooooooooooooo9:info_hash20:abcdefghijklmnopqrst6:memberi3e7:peer_id20:-TS0100-0123456789ab3:sdp3:v=01:t5:offere",
        ),
        (
            ServerMessage::Answer(Signalled {
                info_hash: INFO_HASH,
                member: MEMBER,
                peer_id: PEER_ID,
                id: OFFER,
                sdp: "v=0".into(),
            }),
            b"d2:id20:oooooooooooooooooooo9:info_hash20:abcdefghijklmnopqrst6:memberi3e7:peer_id20:-TS0100-0123456789ab3:sdp3:v=01:t6:answere",
        ),
        (ServerMessage::Pong, b"d1:t4:ponge"),
    ]
}

fn any_info_hash(u: &mut Unstructured<'_>) -> arbitrary::Result<InfoHash> {
    Ok(InfoHash(u.arbitrary()?))
}

fn any_reason(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let text: String = u.arbitrary()?;
    let mut text: String = text.chars().filter(|c| is_printable(*c)).collect();
    text.truncate(text.floor_char_boundary(MAX_REASON));
    Ok(text)
}

fn any_left(u: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    Ok(u.arbitrary::<u64>()? >> 1)
}

fn any_frame(u: &mut Unstructured<'_>) -> arbitrary::Result<DataFrame> {
    let mut payload: Vec<u8> = u.arbitrary()?;
    payload.push(0);
    Ok(DataFrame::new(ChannelId(u.arbitrary()?), &payload))
}

fn any_client_message(u: &mut Unstructured<'_>) -> arbitrary::Result<ClientMessage> {
    let channel = ChannelId(u.arbitrary()?);
    Ok(match u.int_in_range(0..=10_u8)? {
        0 => ClientMessage::Announce(Announce {
            info_hash: any_info_hash(u)?,
            peer_id: PeerId(u.arbitrary()?),
            left: u.arbitrary::<bool>()?.then(|| any_left(u)).transpose()?,
            pieces: u.arbitrary::<Option<Vec<u8>>>()?.map(Bytes::from),
            numwant: u.arbitrary()?,
            rtc: u.arbitrary()?,
        }),
        1 => ClientMessage::Have(Have {
            info_hash: any_info_hash(u)?,
            pieces: u.arbitrary()?,
            left: any_left(u)?,
        }),
        2 => ClientMessage::Leave {
            info_hash: any_info_hash(u)?,
        },
        3 => ClientMessage::Open(Open {
            request: u.arbitrary()?,
            info_hash: any_info_hash(u)?,
            member: MemberId(u.arbitrary()?),
            credit: u.arbitrary()?,
        }),
        4 => ClientMessage::Accept {
            channel,
            credit: u.arbitrary()?,
        },
        5 => ClientMessage::Credit {
            channel,
            bytes: u.arbitrary()?,
        },
        6 => ClientMessage::Close {
            channel,
            reason: any_reason(u)?,
        },
        7 => ClientMessage::Ping,
        8 => ClientMessage::Offer(any_signal(u)?),
        9 => ClientMessage::Answer(any_signal(u)?),
        _ => ClientMessage::Data(any_frame(u)?),
    })
}

fn any_member(u: &mut Unstructured<'_>) -> arbitrary::Result<Member> {
    Ok(Member {
        member: MemberId(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
        have: u.arbitrary()?,
        seed: u.arbitrary()?,
    })
}

fn any_signal(u: &mut Unstructured<'_>) -> arbitrary::Result<Signal> {
    Ok(Signal {
        info_hash: any_info_hash(u)?,
        id: OfferId(u.arbitrary()?),
        sdp: u.arbitrary()?,
    })
}

fn any_signalled(u: &mut Unstructured<'_>) -> arbitrary::Result<Signalled> {
    Ok(Signalled {
        info_hash: any_info_hash(u)?,
        member: MemberId(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
        id: OfferId(u.arbitrary()?),
        sdp: u.arbitrary()?,
    })
}

fn any_stun(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<StunServer>> {
    let hosts = ["", "stun.example.org", "192.0.2.1", "[2001:db8::1]"];
    let any = |u: &mut Unstructured<'_>| {
        let (host, port) = (u.choose(&hosts)?, u.int_in_range(1..=u16::MAX)?);
        Ok(format!("{host}:{port}").parse().unwrap())
    };
    (0..u.int_in_range(0..=MAX_STUN)?).map(|_| any(u)).collect()
}

fn any_server_message(u: &mut Unstructured<'_>) -> arbitrary::Result<ServerMessage> {
    let channel = ChannelId(u.arbitrary()?);
    let request = u.arbitrary()?;
    Ok(match u.int_in_range(0..=10_u8)? {
        0 => ServerMessage::Welcome(Welcome {
            member: MemberId(u.arbitrary()?),
            max_channels: u.arbitrary()?,
            max_payload: u.arbitrary()?,
            max_credit: u.arbitrary()?,
            max_swarms: u.arbitrary()?,
            stun: any_stun(u)?,
            relay: *u.choose(&[RelayUse::Free, RelayUse::Spare])?,
            relay_only: u.arbitrary()?,
        }),
        1 => ServerMessage::Peers(Peers {
            rtc: u.int_in_range(0..=9)?,
            info_hash: any_info_hash(u)?,
            interval: u.arbitrary()?,
            complete: u.arbitrary()?,
            incomplete: u.arbitrary()?,
            members: (0..u.int_in_range(0..=4)?)
                .map(|_| any_member(u))
                .collect::<Result<_, _>>()?,
        }),
        2 => ServerMessage::Incoming(Incoming {
            channel,
            info_hash: any_info_hash(u)?,
            member: MemberId(u.arbitrary()?),
            peer_id: PeerId(u.arbitrary()?),
            credit: u.arbitrary()?,
        }),
        3 => ServerMessage::Accepted {
            request,
            channel,
            credit: u.arbitrary()?,
        },
        4 => ServerMessage::Refused {
            request,
            reason: any_reason(u)?,
        },
        5 => ServerMessage::Credit {
            channel,
            bytes: u.arbitrary()?,
        },
        6 => ServerMessage::Close {
            channel,
            reason: any_reason(u)?,
        },
        7 => ServerMessage::Error {
            info_hash: u
                .arbitrary::<bool>()?
                .then(|| any_info_hash(u))
                .transpose()?,
            reason: any_reason(u)?,
        },
        8 => ServerMessage::Offer(any_signalled(u)?),
        9 => ServerMessage::Answer(any_signalled(u)?),
        _ => ServerMessage::Data(any_frame(u)?),
    })
}

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
