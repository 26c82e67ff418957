//! How much a piece is wanted.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Layout;

/// How much a piece, or a file, is wanted: everything of a higher priority that a peer can
/// give is begun before anything of a lower one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Not at all.
    Skip,
    /// After everything else.
    Low,
    /// As everything is wanted of which nothing else was said.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

impl Priority {
    /// Those of pieces that are wanted, the highest first.
    pub(super) const WANTED: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

    /// Its index in an array of those that are wanted.
    pub(super) fn rank(self) -> Option<usize> {
        Self::WANTED.iter().position(|wanted| *wanted == self)
    }
}

/// What each piece's priority is when files have priorities. A file is given by the range
/// of its bytes within the torrent. A piece of several files takes the highest; a piece of
/// no file is skipped. Bytes beyond the torrent are ignored.
///
/// `O(pieces + files)`, as long as files do not overlap.
pub fn piece_priorities(
    layout: &Layout,
    files: impl IntoIterator<Item = (Range<u64>, Priority)>,
) -> Vec<Priority> {
    let mut pieces = vec![Priority::Skip; layout.piece_count() as usize];
    let piece_length = u64::from(layout.piece_length());
    for (bytes, priority) in files {
        let end = bytes.end.min(layout.total_length());
        if bytes.start >= end {
            continue;
        }
        let first = index(bytes.start / piece_length);
        let last = index((end - 1) / piece_length);
        for piece in &mut pieces[first..=last] {
            *piece = priority.max(*piece);
        }
    }
    pieces
}

fn index(piece: u64) -> usize {
    usize::try_from(piece).expect("pieces are counted in u32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_several_files_takes_the_highest() {
        use Priority::{High, Low, Normal, Skip};
        let layout = Layout::new(95, 10).unwrap();
        let files = [
            (0..25, Low),
            (25..25, High),
            (25..41, High),
            (41..60, Skip),
            (60..61, Normal),
            (61..95, Skip),
        ];
        assert_eq!(
            piece_priorities(&layout, files),
            [Low, Low, High, High, High, Skip, Normal, Skip, Skip, Skip]
        );
    }

    #[test]
    fn agrees_with_asking_every_byte() {
        arbtest::arbtest(|u| {
            let length = u.int_in_range(1..=100)?;
            let layout = Layout::new(length, u.int_in_range(1..=30)?).unwrap();
            let mut files = Vec::new();
            let mut start = 0;
            while start < length {
                let end = u.int_in_range(start..=length + 5)?;
                let priority = [
                    Priority::Skip,
                    Priority::Low,
                    Priority::Normal,
                    Priority::High,
                ][u.choose_index(4)?];
                files.push((start..end, priority));
                start = end + u64::from(u.ratio(1, 5)?);
            }
            let expected: Vec<Priority> = layout
                .pieces()
                .map(|piece| {
                    let start = layout.offset(piece);
                    let bytes = start..start + u64::from(layout.length(piece));
                    files
                        .iter()
                        .filter(|(file, _)| bytes.clone().any(|byte| file.contains(&byte)))
                        .map(|(_, priority)| *priority)
                        .max()
                        .unwrap_or(Priority::Skip)
                })
                .collect();
            assert_eq!(piece_priorities(&layout, files), expected);
            Ok(())
        });
    }
}
