//! Padding (BEP 47): stretches of a torrent that only make the next file begin on a new
//! piece. They are zeros, and everybody knows it.

use std::ops::Range;
use std::sync::Arc;

/// Which bytes of a torrent are padding. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Padding {
    /// Ascending, none empty, none touching the next.
    ranges: Arc<[Range<u64>]>,
}

impl Default for Padding {
    /// None.
    fn default() -> Self {
        Padding { ranges: [].into() }
    }
}

impl Padding {
    /// These bytes, in ascending order and not overlapping; empty ranges are left out.
    pub fn new(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                _ if range.is_empty() => {}
                Some(last) if last.end == range.start => last.end = range.end,
                last => {
                    debug_assert!(last.is_none_or(|last| last.end < range.start));
                    joined.push(range);
                }
            }
        }
        Padding {
            ranges: joined.into(),
        }
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The stretches, in order.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// How many bytes of `length` from `offset` are padding.
    pub fn within(&self, offset: u64, length: u32) -> u32 {
        let end = offset.saturating_add(u64::from(length));
        let first = self.ranges.partition_point(|range| range.end <= offset);
        let bytes: u64 = self.ranges[first..]
            .iter()
            .take_while(|range| range.start < end)
            .map(|range| range.end.min(end) - range.start.max(offset))
            .sum();
        u32::try_from(bytes).expect("no more than what was asked about")
    }

    /// Makes zeros of those of these bytes, which begin at `offset`, that are padding.
    pub fn blank(&self, offset: u64, bytes: &mut [u8]) {
        for range in self.ranges_in(offset, bytes.len()) {
            bytes[range].fill(0);
        }
    }

    /// Where it is among so many bytes of the torrent, counted from the first of them.
    pub fn ranges_in(&self, offset: u64, length: usize) -> impl Iterator<Item = Range<usize>> {
        let end = offset.saturating_add(length as u64);
        let first = self.ranges.partition_point(|range| range.end <= offset);
        let within = self.ranges[first..].iter();
        within
            .take_while(move |range| range.start < end)
            .map(move |range| {
                let index = |byte: u64| usize::try_from(byte - offset).expect("within the bytes");
                index(range.start.max(offset))..index(range.end.min(end))
            })
    }

    /// All of these bytes are padding.
    pub fn covers(&self, offset: u64, length: u32) -> bool {
        !self.is_empty() && self.within(offset, length) == length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_padding_are_counted() {
        let padding = Padding::new([5..5, 10..20, 20..25, 30..31]);
        assert_eq!(padding.ranges(), [10..25, 30..31]);
        for (offset, length, within) in [
            (0, 10, 0),
            (0, 11, 1),
            (12, 3, 3),
            (24, 7, 2),
            (0, 100, 16),
            (31, 9, 0),
        ] {
            assert_eq!(padding.within(offset, length), within, "{offset}");
            assert_eq!(padding.covers(offset, length), within == length);
        }
        assert!(Padding::new(Some(3..3)).is_empty());
        assert!(!Padding::default().covers(0, 1));
    }

    #[test]
    fn agrees_with_asking_every_byte() {
        arbtest::arbtest(|u| {
            let mut ranges: Vec<Range<u64>> = Vec::new();
            let mut at = 0;
            while at < 60 && !u.is_empty() && ranges.len() < 20 {
                let start = u.int_in_range(at..=at + 5)?;
                at = u.int_in_range(start..=start + 9)?;
                ranges.push(start..at);
            }
            let padding = Padding::new(ranges.clone());
            let (offset, length) = (u.int_in_range(0..=70)?, u.int_in_range(0..=30)?);
            let bytes = (offset..offset + u64::from(length))
                .filter(|byte| ranges.iter().any(|range| range.contains(byte)));
            let bytes: Vec<u64> = bytes.collect();
            assert_eq!(padding.within(offset, length) as usize, bytes.len());
            let mut blanked = vec![1; length as usize];
            padding.blank(offset, &mut blanked);
            for (byte, value) in (offset..).zip(blanked) {
                assert_eq!(value == 0, bytes.contains(&byte));
            }
            Ok(())
        });
    }
}
