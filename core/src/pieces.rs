//! Pieces and blocks: how a torrent is cut, who has what, what to ask for next.

pub mod allowed_fast;
pub mod bitfield;
pub mod download;
pub mod layout;
pub mod padding;
pub mod partial;
pub mod parts;
pub mod picker;
pub mod priority;

pub use allowed_fast::allowed_fast_set;
pub use bitfield::{Bitfield, BitfieldError};
pub use download::{BlockOutcome, Download, DownloadLimits, Waste};
pub use layout::{Block, Layout, LayoutError, PieceIndex};
pub use padding::Padding;
pub use parts::{Cut, Stretch};
pub use picker::{Picker, Strategy};
pub use priority::{Priority, piece_priorities};

/// Bytes of a block, except a piece's last (BEP 3 practice).
pub const BLOCK: u32 = 16 * 1024;
