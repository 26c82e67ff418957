//! The CRC-32 of ZIP, eight bytes at a time.
//!
//! Crates bring their tables along, 16 kB that don't compress, in every page; these are
//! made when a person first saves a folder.

/// The polynomial of ISO 3309, bits reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// A CRC in the making.
#[derive(Debug)]
pub(super) struct Crc {
    /// `tables[n][byte]`: what a byte contributes `n` bytes before the end of a group.
    tables: Box<[[u32; 256]; 8]>,
    state: u32,
}

impl Crc {
    pub(super) fn new() -> Self {
        let mut tables = Box::new([[0; 256]; 8]);
        for byte in 0..=255_u8 {
            let mut crc = u32::from(byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(crc & 1));
            }
            tables[0][usize::from(byte)] = crc;
        }
        for n in 1..8 {
            for byte in 0..256 {
                let before = tables[n - 1][byte];
                tables[n][byte] = (before >> 8) ^ tables[0][usize::from(before as u8)];
            }
        }
        Crc { tables, state: !0 }
    }

    /// Takes in more bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let tables = &*self.tables;
        let mut crc = self.state;
        let (groups, rest) = bytes.as_chunks::<8>();
        for group in groups {
            let [a, b, c, d] = crc.to_le_bytes();
            crc = tables[7][usize::from(group[0] ^ a)]
                ^ tables[6][usize::from(group[1] ^ b)]
                ^ tables[5][usize::from(group[2] ^ c)]
                ^ tables[4][usize::from(group[3] ^ d)]
                ^ tables[3][usize::from(group[4])]
                ^ tables[2][usize::from(group[5])]
                ^ tables[1][usize::from(group[6])]
                ^ tables[0][usize::from(group[7])];
        }
        for byte in rest {
            crc = (crc >> 8) ^ tables[0][usize::from(byte ^ crc as u8)];
        }
        self.state = crc;
    }

    /// The CRC of all bytes; begins anew.
    pub(super) fn take(&mut self) -> u32 {
        !std::mem::replace(&mut self.state, !0)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn has_the_known_value_however_the_bytes_are_cut() {
        let mut crc = Crc::new();
        assert_eq!(crc.take(), 0);
        crc.update(b"123456789");
        assert_eq!(crc.take(), 0xcbf4_3926);
        let bytes: Vec<u8> = (0..=255).collect();
        crc.update(&bytes);
        let whole = crc.take();
        for cut in 0..bytes.len() {
            crc.update(&bytes[..cut]);
            crc.update(&bytes[cut..]);
            assert_eq!(crc.take(), whole, "cut at {cut}");
        }
    }
}
