//! How many cells the honeycomb has, where they are, and what each stands for.

use super::Pieces;

/// Distances between the middles of two cells of a row, in CSS pixels, best first.
const PITCHES: [f64; 4] = [16.0, 13.0, 10.5, 8.5];

/// So high the map may get.
const MOST_ROWS: usize = 8;

/// A gap between two cells, as a part of the pitch.
const GAP: f64 = 0.16;

/// Rows of a honeycomb with hexagons that stand on a corner are that much closer.
const ROW_STEP: f64 = 0.866;

/// The place of every cell.
pub(crate) struct Grid {
    pitch: f64,
    columns: usize,
    cells: usize,
    pieces_per_cell: usize,
}

/// What a cell shows.
pub(crate) struct Cell {
    /// Its verified pieces over its pieces.
    pub(crate) part: f64,
    /// Some piece is in progress, and none verified.
    pub(crate) is_busy: bool,
}

impl Grid {
    /// The largest cells with which so many pieces fit into so many CSS pixels; if the
    /// smallest are too large, several pieces share one. None when there is no room.
    pub(crate) fn fit(pieces: u32, width: f64) -> Option<Self> {
        let pieces = pieces as usize;
        // Every other row is shifted by half a cell.
        let columns = |pitch: f64| (width / pitch - 0.5) as usize;
        let smallest = PITCHES[PITCHES.len() - 1];
        let fits = |pitch: &f64| columns(*pitch) * MOST_ROWS >= pieces;
        let pitch = PITCHES.into_iter().find(fits).unwrap_or(smallest);
        let columns = columns(pitch);
        if columns == 0 || pieces == 0 {
            return None;
        }
        let pieces_per_cell = pieces.div_ceil(columns * MOST_ROWS);
        Some(Grid {
            pitch,
            columns,
            cells: pieces.div_ceil(pieces_per_cell),
            pieces_per_cell,
        })
    }

    /// In CSS pixels.
    pub(crate) fn height(&self) -> f64 {
        let rows = self.cells.div_ceil(self.columns) as f64;
        // The first row needs its corners, too.
        ((rows - 1.0) * ROW_STEP * self.pitch + 2.0 * self.radius()).ceil()
    }

    /// From its middle to a corner.
    fn radius(&self) -> f64 {
        self.pitch * (1.0 - GAP) / (2.0 * ROW_STEP)
    }

    /// What each cell shows.
    pub(crate) fn cells(&self, pieces: &Pieces) -> Vec<Cell> {
        let mut busy = vec![false; self.cells];
        for &piece in pieces.in_progress {
            if let Some(cell) = busy.get_mut(piece as usize / self.pieces_per_cell) {
                *cell = true;
            }
        }
        let all: Vec<u32> = (0..pieces.count).collect();
        let groups = all.chunks(self.pieces_per_cell).zip(busy);
        let cell = |(group, busy): (&[u32], bool)| {
            let here = group.iter().filter(|&&piece| pieces.has(piece)).count();
            Cell {
                part: here as f64 / group.len() as f64,
                is_busy: busy && here == 0,
            }
        };
        groups.map(cell).collect()
    }

    /// The corners of a cell, in CSS pixels.
    pub(crate) fn corners(&self, cell: usize) -> [(f64, f64); 6] {
        let (row, column) = (cell / self.columns, cell % self.columns);
        let shift = if row % 2 == 1 { 1.0 } else { 0.5 };
        let (x, y) = (
            (column as f64 + shift) * self.pitch,
            row as f64 * ROW_STEP * self.pitch + self.radius(),
        );
        let (r, half, wide) = (self.radius(), self.radius() / 2.0, self.radius() * ROW_STEP);
        [
            (x, y - r),
            (x + wide, y - half),
            (x + wide, y + half),
            (x, y + r),
            (x - wide, y + half),
            (x - wide, y - half),
        ]
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn every_cell_is_inside() {
        for pieces in [1, 7, 399, 400, 5000, 100_000] {
            for width in [40.0, 320.0, 797.5] {
                let grid = Grid::fit(pieces, width).unwrap();
                for (x, y) in (0..grid.cells).flat_map(|cell| grid.corners(cell)) {
                    assert!(x >= 0.0 && x <= width, "{pieces} pieces in {width}: {x}");
                    assert!(y >= 0.0 && y <= grid.height());
                }
                assert!(grid.cells.div_ceil(grid.columns) <= MOST_ROWS);
            }
        }
        assert!(Grid::fit(10, 3.0).is_none() && Grid::fit(0, 300.0).is_none());
    }

    #[wasm_bindgen_test]
    fn pieces_that_share_a_cell_add_up() {
        let pieces = Pieces {
            count: 3000,
            length: 1,
            have: &[0xff; 375],
            in_progress: &[2999],
        };
        let grid = Grid::fit(3000, 320.0).unwrap();
        let cells = grid.cells(&pieces);
        assert_eq!(cells.len(), grid.cells);
        assert!(cells.iter().all(|cell| cell.part == 1.0 && !cell.is_busy));

        let none = Pieces {
            have: &[0; 375],
            ..pieces
        };
        let cells = grid.cells(&none);
        assert!(cells.iter().all(|cell| cell.part == 0.0));
        assert_eq!(cells.iter().filter(|cell| cell.is_busy).count(), 1);
    }
}
