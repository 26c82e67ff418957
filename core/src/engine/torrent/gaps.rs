//! What peers leave to web seeds.

/// See the module.
#[derive(Debug)]
pub(super) struct Gaps {
    /// The piece from which on the next range is looked for. It begins anywhere: those who fetch
    /// from one web seed are to have different pieces.
    next: u32,
    /// All peers together give too little.
    everything: bool,
}

impl Gaps {
    pub(super) fn new(from: u32) -> Self {
        Gaps {
            next: from,
            everything: true,
        }
    }

    /// Where to look for the next range.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// This piece was asked for.
    pub(super) fn pass(&mut self, piece: u32) {
        self.next = piece.saturating_add(1);
    }

    /// Web seeds may be asked for everything, and not only for what no peer has.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    /// They may, or not any more.
    pub(super) fn set_everything(&mut self, everything: bool) {
        self.everything = everything;
    }
}
