//! What a torrent is and has.

use serde::{Deserialize, Serialize};

use crate::metainfo::Metainfo;
use crate::pieces::{Bitfield, PieceIndex, Priority};

/// See the module. Borrowed from the engine: next to nothing is copied.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    /// Its name; the info-hash while it is not known.
    pub name: &'a str,
    /// Its description; none while only the info-hash is known.
    pub metainfo: Option<&'a Metainfo>,
    /// How much each file is wanted, in the order of the torrent; files beyond the end are
    /// normal.
    pub priorities: &'a [Priority],
    /// Verified pieces; none while nobody knows how many there are.
    pub have: Option<&'a Bitfield>,
    pub(in crate::engine) in_progress: Vec<PieceIndex>,
}

impl Contents<'_> {
    /// Pieces in progress, ascending.
    pub fn in_progress(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.in_progress.iter().copied()
    }

    /// What stays the same once the metadata is here.
    pub fn describe(&self) -> Description {
        let Some(metainfo) = self.metainfo else {
            return Description {
                name: self.name.to_owned(),
                ..Description::default()
            };
        };
        let files = metainfo.files().iter();
        Description {
            name: self.name.to_owned(),
            length: metainfo.length(),
            piece_length: metainfo.layout().piece_length(),
            pieces: metainfo.layout().piece_count(),
            files: files
                .clone()
                .map(|file| (file.path.parts().join("/"), file.length))
                .collect(),
            offsets: files.map(|file| file.offset).collect(),
        }
    }
}

/// What a torrent is, for a viewer elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its name; the info-hash while it is not known.
    pub name: String,
    /// Bytes of its files, padding (BEP 47) not counted; 0 while it is not known.
    pub length: u64,
    /// Bytes of a piece; 0 while it is not known.
    pub piece_length: u32,
    /// How many pieces; 0 while it is not known.
    pub pieces: u32,
    /// Paths (with `/`) and lengths; padding is none of them.
    pub files: Vec<(String, u64)>,
    /// Where each of them begins in the torrent, in bytes: between them may be padding.
    pub offsets: Vec<u64>,
}
