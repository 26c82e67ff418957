//! How one shows that two channels lead to the same somebody.
//!
//! Each end of a channel tells the other a token, through that channel and to nobody else.
//! Whoever knows both tokens of a channel is one of its ends, or was told by one. They are
//! never shown: a proof is a hash over them, and over the fresh tokens and the ends of the
//! channel on which it is shown. So it can be used once, on that channel, by that end.

use sha1::{Digest, Sha1};

use crate::id::{Fingerprint, InfoHash};
use crate::wire::extension::{Proof, Token};

/// What both ends of a channel know, and nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    /// What we told the other end.
    pub(crate) ours: Token,
    /// What it told us.
    pub(crate) theirs: Token,
}

/// A channel on which a proof is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The torrent.
    pub(crate) info_hash: InfoHash,
    /// Its own secret.
    pub(crate) secret: Secret,
    /// What stands for our address.
    pub(crate) here: [u8; 4],
    /// What stands for the other end's: somebody in the middle has another.
    pub(crate) there: [u8; 4],
    /// On a link that a neighbour brought about, in the place of a server that vouches for
    /// addresses: ours and the other end's.
    pub(crate) certificates: Option<[Fingerprint; 2]>,
}

impl Secret {
    /// What we show to prove that we are an end of the channel with this secret.
    pub(crate) fn proof(&self, place: &Place) -> Proof {
        let certificates = place.certificates.iter().flatten();
        let certificates: Vec<u8> = certificates.flat_map(|it| it.0).collect();
        Sha1::new()
            .chain_update(b"tabswarm: one peer, two channels")
            .chain_update(place.info_hash.0)
            .chain_update(self.ours)
            .chain_update(self.theirs)
            .chain_update(place.secret.ours)
            .chain_update(place.secret.theirs)
            .chain_update(place.here)
            .chain_update(place.there)
            .chain_update(certificates)
            .finalize()
            .into()
    }

    /// What the other end has to show.
    pub(crate) fn expected(&self, place: &Place) -> Proof {
        self.turned().proof(&Place {
            secret: place.secret.turned(),
            here: place.there,
            there: place.here,
            certificates: place.certificates.map(|[ours, theirs]| [theirs, ours]),
            ..*place
        })
    }

    /// As the other end sees it.
    fn turned(&self) -> Self {
        Secret {
            ours: self.theirs,
            theirs: self.ours,
        }
    }

    /// A number that both ends come to.
    pub(crate) fn lot(&self) -> u128 {
        u128::from_be_bytes(self.ours) ^ u128::from_be_bytes(self.theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_for_one_end_of_one_channel() {
        let first = Secret {
            ours: [1; 16],
            theirs: [2; 16],
        };
        let place = Place {
            info_hash: InfoHash([3; 20]),
            secret: Secret {
                ours: [4; 16],
                theirs: [5; 16],
            },
            here: [0, 0, 0, 6],
            there: [0, 0, 0, 7],
            certificates: None,
        };
        let theirs = Place {
            secret: place.secret.turned(),
            here: place.there,
            there: place.here,
            ..place
        };
        assert_eq!(first.turned().proof(&theirs), first.expected(&place));
        // Sent back, in another torrent, on another channel, by somebody in the middle, or
        // without the secret: never the same.
        let others = [
            first.proof(&place),
            first.expected(&Place {
                info_hash: InfoHash([8; 20]),
                ..place
            }),
            first.expected(&Place {
                secret: first,
                ..place
            }),
            first.expected(&Place {
                there: [0, 0, 0, 8],
                ..place
            }),
            place.secret.expected(&place),
        ];
        assert!(!others.contains(&first.expected(&place)));
        // Where certificates stand for addresses, all of them counts.
        let [ours, mut other] = [[8; 16], [9; 16]];
        let linked = |theirs| Place {
            certificates: Some([ours, theirs].map(Fingerprint)),
            ..place
        };
        let expected = first.expected(&linked(other));
        let at_their_end = Place {
            certificates: Some([other, ours].map(Fingerprint)),
            ..theirs
        };
        assert_eq!(first.turned().proof(&at_their_end), expected);
        other[15] ^= 1;
        assert_ne!(first.expected(&linked(other)), expected);
        assert_eq!(first.lot(), first.turned().lot());
    }

    /// The bytes that another implementation has to come to: `docs/protocol.md` has them.
    #[test]
    fn a_proof_has_golden_bytes() {
        let first = Secret {
            ours: [0xa1; 16],
            theirs: [0xb1; 16],
        };
        let place = Place {
            info_hash: InfoHash([0x11; 20]),
            secret: Secret {
                ours: [0xa2; 16],
                theirs: [0xb2; 16],
            },
            here: 5_u32.to_be_bytes(),
            there: 9_u32.to_be_bytes(),
            certificates: None,
        };
        let hex = |proof: Proof| proof.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(first.proof(&place)),
            "349b394b95e1f8aaca1266ba1999ca6643dffa4a"
        );
        let linked = Place {
            certificates: Some([Fingerprint([0xc1; 16]), Fingerprint([0xd1; 16])]),
            here: [0xc1; 4],
            there: [0xd1; 4],
            ..place
        };
        assert_eq!(
            hex(first.proof(&linked)),
            "544802b3871b909ffd4c8d2c7daeece974e70f9c"
        );
    }
}
