//! Any message.

use arbitrary::Unstructured;

use super::*;

pub(super) fn any_info_hash(u: &mut Unstructured<'_>) -> arbitrary::Result<InfoHash> {
    Ok(InfoHash(u.arbitrary()?))
}

pub(super) fn any_reason(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let text: String = u.arbitrary()?;
    let mut text: String = text.chars().filter(|c| is_printable(*c)).collect();
    text.truncate(text.floor_char_boundary(MAX_REASON));
    Ok(text)
}

pub(super) fn any_left(u: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    Ok(u.arbitrary::<u64>()? >> 1)
}

pub(super) fn any_frame(u: &mut Unstructured<'_>) -> arbitrary::Result<DataFrame> {
    let mut payload: Vec<u8> = u.arbitrary()?;
    payload.push(0);
    Ok(DataFrame::new(ChannelId(u.arbitrary()?), &payload))
}

pub(super) fn any_client_message(u: &mut Unstructured<'_>) -> arbitrary::Result<ClientMessage> {
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

pub(super) fn any_member(u: &mut Unstructured<'_>) -> arbitrary::Result<Member> {
    Ok(Member {
        member: MemberId(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
        have: u.arbitrary()?,
        seed: u.arbitrary()?,
    })
}

pub(super) fn any_signal(u: &mut Unstructured<'_>) -> arbitrary::Result<Signal> {
    Ok(Signal {
        info_hash: any_info_hash(u)?,
        id: OfferId(u.arbitrary()?),
        sdp: u.arbitrary()?,
    })
}

pub(super) fn any_signalled(u: &mut Unstructured<'_>) -> arbitrary::Result<Signalled> {
    Ok(Signalled {
        info_hash: any_info_hash(u)?,
        member: MemberId(u.arbitrary()?),
        peer_id: PeerId(u.arbitrary()?),
        id: OfferId(u.arbitrary()?),
        sdp: u.arbitrary()?,
    })
}

pub(super) fn any_stun(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<StunServer>> {
    let hosts = ["", "stun.example.org", "192.0.2.1", "[2001:db8::1]"];
    let any = |u: &mut Unstructured<'_>| {
        let (host, port) = (u.choose(&hosts)?, u.int_in_range(1..=u16::MAX)?);
        Ok(format!("{host}:{port}").parse().unwrap())
    };
    (0..u.int_in_range(0..=MAX_STUN)?).map(|_| any(u)).collect()
}

pub(super) fn any_server_message(u: &mut Unstructured<'_>) -> arbitrary::Result<ServerMessage> {
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
