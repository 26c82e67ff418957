//! What a remote peer has, as far as we can tell.

use bytes::Bytes;

use crate::pieces::{Bitfield, BitfieldError, Layout};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum RemotePieces {
    /// We don't know yet how many pieces there are.
    Early {
        /// Its bitfield message.
        bitfield: Option<Bytes>,
        /// It says that it has everything.
        all: bool,
        /// Its have messages, as many as the configuration allows.
        haves: Vec<u32>,
    },
    /// Checked against the layout.
    Known(Bitfield),
}

impl RemotePieces {
    /// Nothing yet.
    pub(crate) fn early() -> Self {
        RemotePieces::Early {
            bitfield: None,
            all: false,
            haves: Vec::new(),
        }
    }

    /// The checked set, once it is known.
    pub(crate) fn known(&self) -> Option<&Bitfield> {
        match self {
            RemotePieces::Known(bitfield) => Some(bitfield),
            RemotePieces::Early { .. } => None,
        }
    }

    /// It says that it has something.
    pub(crate) fn has_something(&self) -> bool {
        match self {
            RemotePieces::Known(pieces) => !pieces.is_empty(),
            RemotePieces::Early {
                bitfield,
                all,
                haves,
            } => {
                let mut bytes = bitfield.iter().flatten();
                *all || !haves.is_empty() || bytes.any(|byte| *byte != 0)
            }
        }
    }

    /// Checks what came early against the layout, now that it is known.
    pub(crate) fn resolve(&self, layout: &Layout) -> Result<Bitfield, BitfieldError> {
        let count = layout.piece_count();
        match self {
            RemotePieces::Known(bitfield) => Ok(bitfield.clone()),
            RemotePieces::Early { all: true, .. } => Ok(Bitfield::full(count)),
            RemotePieces::Early {
                bitfield, haves, ..
            } => {
                let mut pieces = match bitfield {
                    Some(bytes) => Bitfield::from_bytes(bytes, count)?,
                    None => Bitfield::empty(count),
                };
                for &index in haves {
                    pieces.insert(layout.piece(index).ok_or(BitfieldError::SpareBits)?);
                }
                Ok(pieces)
            }
        }
    }
}
