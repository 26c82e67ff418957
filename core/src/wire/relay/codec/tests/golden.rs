//! Every message, and its bytes.

use super::*;

pub(super) fn golden_client() -> Vec<(ClientMessage, &'static [u8])> {
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

pub(super) fn golden_server() -> Vec<(ServerMessage, &'static [u8])> {
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
