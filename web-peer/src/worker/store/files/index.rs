//! Where the pieces of a torrent are in its file, and what of the file is free.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::super::schema::Extent;

/// A piece, or the stretch of it that begins at this byte.
pub(super) type Spot = (u32, Option<u32>);

/// What is in the file at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) spot: Spot,
    pub(super) extent: Extent,
    /// It was written or compared with its hash since the tab was loaded.
    pub(super) proven: bool,
}

/// See the module. Only what is in the index may be read; nothing in it is ever overwritten:
/// what takes its place goes elsewhere, and then its extent is free.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By spot.
    entries: Vec<Entry>,
    /// By place; none touches another, nor the end.
    free: Vec<Range<u64>>,
    /// Behind it nothing is kept or being written.
    end: u64,
}

impl Index {
    /// Of what was kept in an earlier session, by spot.
    pub(super) fn new(kept: impl Iterator<Item = (Spot, Extent)>) -> Self {
        let entries = kept.map(|(spot, extent)| Entry {
            spot,
            extent,
            proven: false,
        });
        let entries: Vec<Entry> = entries.collect();
        // The standard library's sort would weigh more than all of this.
        let extents = entries.iter().map(|Entry { extent, .. }| extent);
        let mut extents: BinaryHeap<Reverse<(u64, u64)>> = extents
            .map(|extent| Reverse((extent.at, extent.end())))
            .collect();
        let (mut free, mut end) = (Vec::new(), 0);
        while let Some(Reverse((at, behind))) = extents.pop() {
            if at > end {
                free.push(end..at);
            }
            end = end.max(behind);
        }
        Index { entries, free, end }
    }

    /// How long the file has to be.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn find(&self, spot: Spot) -> Option<&Entry> {
        self.place(spot).ok().map(|place| &self.entries[place])
    }

    /// The stretches of a piece that begin within these bytes of it, in order.
    pub(super) fn stretches(&self, piece: u32, bytes: Range<u32>) -> &[Entry] {
        let (Range { start, end }, place) = (bytes, |spot| self.behind(spot));
        let first = place((piece, Some(start)));
        &self.entries[first..place((piece, Some(end))).max(first)]
    }

    /// The pieces that are here whole, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = u32> {
        let whole = self.entries.iter().filter(|entry| entry.spot.1.is_none());
        whole.map(|entry| entry.spot.0)
    }

    /// All spots of a kind, in order.
    pub(super) fn spots(&self, which: impl Fn(Spot) -> bool) -> Vec<Spot> {
        let spots = self.entries.iter().map(|entry| entry.spot);
        spots.filter(|spot| which(*spot)).collect()
    }

    /// Room for so many bytes: the first that is free, else behind everything. It is kept for
    /// the caller until it is inserted or released.
    pub(super) fn allocate(&mut self, length: u32) -> Extent {
        let wanted = u64::from(length);
        let mut free = self.free.iter_mut();
        let Some(found) = free.position(|range| range.end - range.start >= wanted) else {
            let at = self.end;
            self.end += wanted;
            return Extent { at, length };
        };
        let at = self.free[found].start;
        self.free[found].start += wanted;
        if self.free[found].is_empty() {
            self.free.remove(found);
        }
        Extent { at, length }
    }

    /// The extent is free again.
    pub(super) fn release(&mut self, extent: Extent) {
        let (mut from, mut to) = (extent.at, extent.end());
        let place = self.free.partition_point(|range| range.start < from);
        if self.free.get(place).is_some_and(|next| next.start == to) {
            to = self.free.remove(place).end;
        }
        if place > 0 && self.free[place - 1].end == from {
            from = self.free.remove(place - 1).start;
        }
        if to == self.end {
            self.end = from;
        } else if from < to {
            let place = self.free.partition_point(|range| range.start < from);
            self.free.insert(place, from..to);
        }
    }

    /// The bytes of this spot are there from now on, and verified if it is a piece.
    pub(super) fn insert(&mut self, spot: Spot, extent: Extent) {
        let entry = Entry {
            spot,
            extent,
            proven: true,
        };
        match self.place(spot) {
            Ok(place) => {
                let before = std::mem::replace(&mut self.entries[place], entry);
                self.release(before.extent);
            }
            Err(place) => self.entries.insert(place, entry),
        }
    }

    /// Forgets some, whose extents are free again.
    pub(super) fn forget(&mut self, which: impl Fn(&Entry) -> bool) {
        let gone: Vec<Entry> = self.entries.iter().copied().filter(&which).collect();
        if gone.is_empty() {
            return;
        }
        self.entries.retain(|entry| !which(entry));
        for entry in gone {
            self.release(entry.extent);
        }
    }

    /// A whole piece was compared with its hash.
    pub(super) fn prove(&mut self, piece: u32) {
        if let Ok(place) = self.place((piece, None)) {
            self.entries[place].proven = true;
        }
    }

    fn place(&self, spot: Spot) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&spot, |entry| entry.spot)
    }

    /// The first place that is not before this spot.
    fn behind(&self, spot: Spot) -> usize {
        self.entries.partition_point(|entry| entry.spot < spot)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn extent(at: u64, length: u32) -> Extent {
        Extent { at, length }
    }

    fn gaps(index: &Index) -> Vec<(u64, u64)> {
        let gaps = index.free.iter();
        gaps.map(|range| (range.start, range.end)).collect()
    }

    fn write(index: &mut Index, piece: u32, length: u32) -> Extent {
        let extent = index.allocate(length);
        index.insert((piece, None), extent);
        extent
    }

    #[wasm_bindgen_test]
    fn the_file_is_as_long_as_what_is_kept_and_what_is_freed_is_used_again() {
        let mut index = Index::default();
        for piece in [7, 3, 5, 1] {
            write(&mut index, piece, 100);
        }
        assert_eq!(index.end(), 400);
        index.forget(|entry| entry.spot.0 == 3 || entry.spot.0 == 5);
        assert_eq!((index.end(), gaps(&index)), (400, vec![(100, 300)]));
        assert_eq!(write(&mut index, 9, 150), extent(100, 150));
        assert_eq!(write(&mut index, 3, 100), extent(400, 100));
        assert_eq!(write(&mut index, 4, 50), extent(250, 50));
        assert!(index.free.is_empty());
        // From behind everything is given back.
        index.forget(|entry| entry.spot.0 == 1);
        assert_eq!(index.end(), 500);
        index.forget(|entry| entry.spot.0 == 3);
        assert_eq!((index.end(), index.free.len()), (300, 0));
        assert_eq!(index.pieces().collect::<Vec<_>>(), [4, 7, 9]);
    }

    #[wasm_bindgen_test]
    fn what_is_kept_is_not_overwritten_by_what_takes_its_place() {
        let mut index = Index::default();
        let before = write(&mut index, 0, 100);
        let extent = index.allocate(100);
        assert_eq!(extent.at, before.end());
        assert_eq!(index.find((0, None)).unwrap().extent, before);
        index.insert((0, None), extent);
        assert_eq!(gaps(&index), [(0, 100)]);
        index.release(index.find((0, None)).unwrap().extent);
        assert_eq!(index.end(), 0);
    }

    #[wasm_bindgen_test]
    fn gaps_that_an_earlier_session_left_are_free() {
        let kept = [
            ((1, Some(0)), extent(250, 50)),
            ((1, Some(50)), extent(300, 50)),
            ((2, None), extent(100, 100)),
        ];
        let index = Index::new(kept.into_iter());
        assert_eq!(
            (index.end(), &index.free[..]),
            (350, &[0..100, 200..250][..])
        );
        assert_eq!(index.stretches(1, 0..51).len(), 2);
        assert_eq!(index.stretches(1, 1..50).len(), 0);
        assert!(!index.find((2, None)).unwrap().proven);
        assert_eq!(index.pieces().collect::<Vec<_>>(), [2]);
    }
}
