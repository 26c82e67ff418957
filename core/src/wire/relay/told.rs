//! Reads what a hub says, key by key.
//!
//! Derived code does the same in three times the bytes, and every tab has to load it. What clients
//! say only hubs read: that is derived.

use super::codec::{tag, unknown_type};
use super::{
    Incoming, InvalidStunServer, MAX_MEMBERS, MAX_REASON, MAX_SDP, MAX_STUN, Member, Peers,
    RelayUse, ServerMessage, Signalled, StunServer, Welcome,
};
use crate::bencode::{BencodeError, Keys, Value};
use crate::id::{ChannelId, InfoHash, MemberId, PeerId};
use crate::wire::fields::reason::printable;
use crate::wire::webtorrent::OfferId;

/// What was read, or why it can't be.
type Read<T> = Result<T, BencodeError>;

/// The message of the type `t` with these keys.
pub(super) fn message(t: &str, keys: Keys<'_>) -> Read<ServerMessage> {
    let keys = Fields(keys);
    Ok(match t {
        tag::WELCOME => ServerMessage::Welcome(welcome(keys)?),
        tag::PEERS => ServerMessage::Peers(peers(keys)?),
        tag::INCOMING => ServerMessage::Incoming(Incoming {
            channel: keys.channel()?,
            info_hash: keys.info_hash()?,
            member: keys.member()?,
            peer_id: keys.peer_id()?,
            credit: keys.number("credit")?,
        }),
        tag::ACCEPTED => ServerMessage::Accepted {
            request: keys.number("request")?,
            channel: keys.channel()?,
            credit: keys.number("credit")?,
        },
        tag::REFUSED => ServerMessage::Refused {
            request: keys.number("request")?,
            reason: keys.reason()?,
        },
        tag::CREDIT => ServerMessage::Credit {
            channel: keys.channel()?,
            bytes: keys.number("bytes")?,
        },
        tag::CLOSE => ServerMessage::Close {
            channel: keys.channel()?,
            reason: keys.reason()?,
        },
        tag::ERROR => ServerMessage::Error {
            info_hash: match keys.0.find("info_hash") {
                Some(_) => Some(keys.info_hash()?),
                None => None,
            },
            reason: keys.reason()?,
        },
        tag::OFFER => ServerMessage::Offer(signalled(keys)?),
        tag::ANSWER => ServerMessage::Answer(signalled(keys)?),
        tag::PONG => ServerMessage::Pong,
        unknown => return Err(BencodeError::Shape(unknown_type(unknown))),
    })
}

fn welcome(keys: Fields<'_>) -> Read<Welcome> {
    Ok(Welcome {
        member: keys.member()?,
        max_channels: keys.number("max_channels")?,
        max_payload: keys.number("max_payload")?,
        max_credit: keys.number("max_credit")?,
        max_swarms: keys.number_or("max_swarms", u32::MAX)?,
        stun: match keys.0.find("stun") {
            Some(_) => stun_servers(keys.0.strings("stun")?)?,
            None => Vec::new(),
        },
        relay: match keys.0.string("relay")? {
            None => RelayUse::default(),
            Some(b"free") => RelayUse::Free,
            Some(b"spare") => RelayUse::Spare,
            Some(_) => return Err(misfit("a relay is free or to be spared")),
        },
        relay_only: keys.0.find("relay_only").is_some() && keys.flag("relay_only")?,
    })
}

fn stun_servers(servers: Vec<&[u8]>) -> Read<Vec<StunServer>> {
    if servers.len() > MAX_STUN {
        return Err(misfit("too many STUN servers"));
    }
    let read = |server| {
        let server = text(server)?.parse();
        server.map_err(|invalid: InvalidStunServer| misfit(&invalid.to_string()))
    };
    servers.into_iter().map(read).collect()
}

fn peers(keys: Fields<'_>) -> Read<Peers> {
    Ok(Peers {
        info_hash: keys.info_hash()?,
        interval: keys.number("interval")?,
        complete: keys.number("complete")?,
        incomplete: keys.number("incomplete")?,
        members: members(keys.0.need("members")?)?,
        rtc: keys.number_or("rtc", 0)?,
    })
}

fn members(members: Value<'_>) -> Read<Vec<Member>> {
    let members = members.list().ok_or_else(|| misfit("members are a list"))?;
    // One more than may be tells that there are too many.
    let members = members.take(MAX_MEMBERS + 1).map(member);
    let members: Vec<Member> = members.collect::<Read<_>>()?;
    if members.len() > MAX_MEMBERS {
        return Err(misfit("too many members"));
    }
    Ok(members)
}

fn member(member: Value<'_>) -> Read<Member> {
    let keys = Fields(member.keys()?);
    Ok(Member {
        member: keys.member()?,
        peer_id: keys.peer_id()?,
        have: keys.number("have")?,
        seed: keys.flag("seed")?,
    })
}

fn signalled(keys: Fields<'_>) -> Read<Signalled> {
    let sdp = keys.text("sdp")?;
    if sdp.len() > MAX_SDP {
        return Err(misfit("the session description is too long"));
    }
    Ok(Signalled {
        info_hash: keys.info_hash()?,
        member: keys.member()?,
        peer_id: keys.peer_id()?,
        id: OfferId(keys.twenty_bytes("id")?),
        sdp: sdp.to_owned(),
    })
}

/// The keys of a message, as its fields are written.
#[derive(Clone, Copy)]
struct Fields<'a>(Keys<'a>);

impl<'a> Fields<'a> {
    fn number(self, key: &str) -> Read<u32> {
        self.0.need(key)?;
        self.number_or(key, 0)
    }

    fn number_or(self, key: &str, missing: u32) -> Read<u32> {
        match self.0.integer(key)?.map(u32::try_from) {
            None => Ok(missing),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => Err(misfit("a number does not fit 32 bits")),
        }
    }

    fn flag(self, key: &str) -> Read<bool> {
        match self.number(key)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(misfit("a flag is 0 or 1")),
        }
    }

    fn twenty_bytes(self, key: &str) -> Read<[u8; 20]> {
        self.0.need(key)?;
        let bytes = self.0.string(key)?.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| misfit("a hash or a peer id has twenty bytes"))
    }

    fn info_hash(self) -> Read<InfoHash> {
        self.twenty_bytes("info_hash").map(InfoHash)
    }

    fn peer_id(self) -> Read<PeerId> {
        self.twenty_bytes("peer_id").map(PeerId)
    }

    fn member(self) -> Read<MemberId> {
        self.number("member").map(MemberId)
    }

    fn channel(self) -> Read<ChannelId> {
        self.number("channel").map(ChannelId)
    }

    fn text(self, key: &str) -> Read<&'a str> {
        self.0.need(key)?;
        text(self.0.string(key)?.unwrap_or_default())
    }

    fn reason(self) -> Read<String> {
        let reason = self.text("reason")?;
        if reason.len() > MAX_REASON {
            return Err(misfit("the reason is too long"));
        }
        Ok(printable(reason))
    }
}

fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| misfit("a string that is no UTF-8"))
}

fn misfit(why: &str) -> BencodeError {
    BencodeError::Shape(why.to_owned())
}
