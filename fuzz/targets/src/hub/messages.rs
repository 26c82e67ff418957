//! What connections say.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::id::{ChannelId, InfoHash, MemberId, PeerId};
use swarm_core::wire::relay::{Announce, ClientMessage, DataFrame, Have, Open};

pub(super) fn announce(info_hash: InfoHash) -> Announce {
    Announce {
        info_hash,
        peer_id: PeerId([1; 20]),
        left: None,
        pieces: None,
        numwant: 10,
        rtc: false,
    }
}

pub(super) fn any_message(u: &mut Unstructured<'_>) -> Result<ClientMessage> {
    let info_hash = InfoHash([u.int_in_range(0..=2)?; 20]);
    let channel = ChannelId(u.int_in_range(0..=8)?);
    let bytes = if u.ratio(1, 10)? {
        u32::MAX
    } else {
        u.int_in_range(0..=300)?
    };
    Ok(match u.int_in_range(0..=9)? {
        0 | 1 => {
            let pieces = u.arbitrary::<Option<[u8; 3]>>()?;
            ClientMessage::Announce(Announce {
                left: u.arbitrary()?,
                pieces: pieces.map(|bits| Bytes::copy_from_slice(&bits)),
                ..announce(info_hash)
            })
        }
        2 => ClientMessage::Have(Have {
            info_hash,
            pieces: vec![bytes],
            left: u.int_in_range(0..=1)?,
        }),
        3 => ClientMessage::Leave { info_hash },
        4 | 5 => ClientMessage::Open(Open {
            request: bytes,
            info_hash,
            member: MemberId(u.int_in_range(0..=6)?),
            credit: bytes,
        }),
        6 => ClientMessage::Accept {
            channel,
            credit: bytes,
        },
        7 => ClientMessage::Credit { channel, bytes },
        8 => ClientMessage::Close {
            channel,
            reason: String::new(),
        },
        _ => ClientMessage::Data(DataFrame::new(channel, &vec![0; u.int_in_range(1..=301)?])),
    })
}
