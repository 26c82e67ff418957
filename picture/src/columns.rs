//! Pieces side by side in columns: one each while there is room, else several share one.

/// A row's pieces, and how many of each column's it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    pieces: usize,
    columns: usize,
    /// As on the peer wire.
    have: Vec<u8>,
    levels: Vec<u32>,
}

impl Columns {
    /// None of so many pieces, in so many columns at most.
    pub fn new(pieces: u32, most: usize) -> Self {
        let pieces = pieces as usize;
        let columns = pieces.min(most);
        Columns {
            pieces,
            columns,
            have: Vec::new(),
            levels: vec![0; columns],
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.columns
    }

    /// The part of a column's pieces that are there, 0 to 1.
    pub fn level(&self, column: usize) -> f64 {
        let width = self.first_of(column + 1) - self.first_of(column);
        let level = self.levels.get(column).copied().unwrap_or_default();
        f64::from(level) / width.max(1) as f64
    }

    /// Takes in a bitfield; calls `changed` for each column with a piece that came (true) or went.
    /// False if nothing did.
    pub fn take(&mut self, have: &[u8], mut changed: impl FnMut(usize, usize, bool)) -> bool {
        if self.have == have {
            return false;
        }
        let before = std::mem::replace(&mut self.have, have.to_vec());
        let byte = |of: &[u8], index| of.get(index).copied().unwrap_or(0_u8);
        for index in 0..before.len().max(have.len()) {
            let now = byte(have, index);
            let mut bits = byte(&before, index) ^ now;
            while bits != 0 {
                let bit = bits.leading_zeros() as usize;
                bits &= !(0x80 >> bit);
                let piece = index * 8 + bit;
                if piece < self.pieces {
                    let came = now & (0x80 >> bit) != 0;
                    let column = self.of(piece);
                    self.levels[column] = match came {
                        true => self.levels[column] + 1,
                        false => self.levels[column].saturating_sub(1),
                    };
                    changed(piece, column, came);
                }
            }
        }
        true
    }

    /// The column of a piece.
    pub fn of(&self, piece: usize) -> usize {
        // As many as fit evenly: the inverse of `first_of`.
        let ended = (piece as u64 + 1) * self.columns as u64;
        (ended.saturating_sub(1) / self.pieces.max(1) as u64) as usize
    }

    /// The first piece of a column, or of the one after the last.
    pub fn first_of(&self, column: usize) -> usize {
        (column as u64 * self.pieces as u64 / self.columns.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_in_the_column_that_begins_before_it() {
        for (pieces, most) in [(1, 10), (10, 10), (11, 10), (1000, 333), (99_991, 780)] {
            let columns = Columns::new(pieces, most);
            assert_eq!(columns.count(), most.min(pieces as usize));
            for column in 0..columns.count() {
                let range = columns.first_of(column)..columns.first_of(column + 1);
                assert!(!range.is_empty());
                for piece in range {
                    assert_eq!(columns.of(piece), column, "{piece} of {pieces} in {most}");
                }
            }
        }
    }

    #[test]
    fn what_comes_and_goes_is_counted_and_told_once() {
        let mut columns = Columns::new(20, 10);
        let mut told = Vec::new();
        let take = |columns: &mut Columns, have: &[u8], told: &mut Vec<_>| {
            told.clear();
            columns.take(have, |piece, column, came| told.push((piece, column, came)))
        };
        assert!(take(&mut columns, &[0b1100_0000, 0, 0], &mut told));
        assert_eq!(told, [(0, 0, true), (1, 0, true)]);
        assert_eq!((columns.level(0), columns.level(1)), (1.0, 0.0));
        assert!(!take(&mut columns, &[0b1100_0000, 0, 0], &mut told));
        assert!(take(
            &mut columns,
            &[0b0110_0000, 0, 0b0000_1111],
            &mut told
        ));
        assert_eq!(
            told,
            [(0, 0, false), (2, 1, true)],
            "spare bits are no pieces"
        );
        assert_eq!((columns.level(0), columns.level(1)), (0.5, 0.5));
        assert!(take(&mut columns, &[], &mut told), "nobody knows any more");
        assert_eq!(columns.level(1), 0.0);
    }
}
