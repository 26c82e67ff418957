//! Upper and lower case made the same, of names in any script.
//!
//! The standard library knows this too, in tables of thirty kilobytes: a tab would download
//! them for this alone.

/// Equal for names that differ only in case. `ß` is `ss` in it, and the Kelvin sign is a `k`.
pub(super) fn fold_case(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars() {
        match () {
            () if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            () => match expansion(c) {
                Some(several) => folded.push_str(several),
                None => folded.push(simple(c)),
            },
        }
    }
    folded
}

/// What several characters stand for this one when case does not matter.
fn expansion(c: char) -> Option<&'static str> {
    // Few names have any such character, and the list is short.
    let mut entries = EXPANSIONS.split(' ');
    entries.find_map(|entry| entry.strip_prefix(c))
}

/// The one character that stands for this one.
fn simple(c: char) -> char {
    let code = u32::from(c);
    let index = RUNS.partition_point(|run| run.0 <= code);
    let Some(&(start, length, stride, delta)) = RUNS[..index].last() else {
        return c;
    };
    let (distance, stride) = (code - start, u32::from(stride));
    if distance % stride != 0 || distance / stride >= u32::from(length) {
        return c;
    }
    char::from_u32(code.wrapping_add_signed(delta)).unwrap_or(c)
}

/// First character, how many there are and how far apart, and what is to be added to each.
type Run = (u32, u8, u8, i32);

/// Characters that several stand for, each with these behind it.
const EXPANSIONS: &str = "\
    \u{df}ss \u{130}i\u{307} \u{149}\u{2bc}n \u{1f0}j\u{30c} \u{390}\u{3b9}\u{308}\u{301} \
    \u{3b0}\u{3c5}\u{308}\u{301} \u{587}\u{565}\u{582} \u{1e96}h\u{331} \u{1e97}t\u{308} \
    \u{1e98}w\u{30a} \u{1e99}y\u{30a} \u{1e9a}a\u{2be} \u{1f50}\u{3c5}\u{313} \
    \u{1f52}\u{3c5}\u{313}\u{300} \u{1f54}\u{3c5}\u{313}\u{301} \u{1f56}\u{3c5}\u{313}\u{342} \
    \u{1f80}\u{1f00}\u{3b9} \u{1f81}\u{1f01}\u{3b9} \u{1f82}\u{1f02}\u{3b9} \
    \u{1f83}\u{1f03}\u{3b9} \u{1f84}\u{1f04}\u{3b9} \u{1f85}\u{1f05}\u{3b9} \
    \u{1f86}\u{1f06}\u{3b9} \u{1f87}\u{1f07}\u{3b9} \u{1f88}\u{1f00}\u{3b9} \
    \u{1f89}\u{1f01}\u{3b9} \u{1f8a}\u{1f02}\u{3b9} \u{1f8b}\u{1f03}\u{3b9} \
    \u{1f8c}\u{1f04}\u{3b9} \u{1f8d}\u{1f05}\u{3b9} \u{1f8e}\u{1f06}\u{3b9} \
    \u{1f8f}\u{1f07}\u{3b9} \u{1f90}\u{1f20}\u{3b9} \u{1f91}\u{1f21}\u{3b9} \
    \u{1f92}\u{1f22}\u{3b9} \u{1f93}\u{1f23}\u{3b9} \u{1f94}\u{1f24}\u{3b9} \
    \u{1f95}\u{1f25}\u{3b9} \u{1f96}\u{1f26}\u{3b9} \u{1f97}\u{1f27}\u{3b9} \
    \u{1f98}\u{1f20}\u{3b9} \u{1f99}\u{1f21}\u{3b9} \u{1f9a}\u{1f22}\u{3b9} \
    \u{1f9b}\u{1f23}\u{3b9} \u{1f9c}\u{1f24}\u{3b9} \u{1f9d}\u{1f25}\u{3b9} \
    \u{1f9e}\u{1f26}\u{3b9} \u{1f9f}\u{1f27}\u{3b9} \u{1fa0}\u{1f60}\u{3b9} \
    \u{1fa1}\u{1f61}\u{3b9} \u{1fa2}\u{1f62}\u{3b9} \u{1fa3}\u{1f63}\u{3b9} \
    \u{1fa4}\u{1f64}\u{3b9} \u{1fa5}\u{1f65}\u{3b9} \u{1fa6}\u{1f66}\u{3b9} \
    \u{1fa7}\u{1f67}\u{3b9} \u{1fa8}\u{1f60}\u{3b9} \u{1fa9}\u{1f61}\u{3b9} \
    \u{1faa}\u{1f62}\u{3b9} \u{1fab}\u{1f63}\u{3b9} \u{1fac}\u{1f64}\u{3b9} \
    \u{1fad}\u{1f65}\u{3b9} \u{1fae}\u{1f66}\u{3b9} \u{1faf}\u{1f67}\u{3b9} \
    \u{1fb2}\u{1f70}\u{3b9} \u{1fb3}\u{3b1}\u{3b9} \u{1fb4}\u{3ac}\u{3b9} \
    \u{1fb6}\u{3b1}\u{342} \u{1fb7}\u{3b1}\u{342}\u{3b9} \u{1fbc}\u{3b1}\u{3b9} \
    \u{1fc2}\u{1f74}\u{3b9} \u{1fc3}\u{3b7}\u{3b9} \u{1fc4}\u{3ae}\u{3b9} \
    \u{1fc6}\u{3b7}\u{342} \u{1fc7}\u{3b7}\u{342}\u{3b9} \u{1fcc}\u{3b7}\u{3b9} \
    \u{1fd2}\u{3b9}\u{308}\u{300} \u{1fd3}\u{3b9}\u{308}\u{301} \u{1fd6}\u{3b9}\u{342} \
    \u{1fd7}\u{3b9}\u{308}\u{342} \u{1fe2}\u{3c5}\u{308}\u{300} \u{1fe3}\u{3c5}\u{308}\u{301} \
    \u{1fe4}\u{3c1}\u{313} \u{1fe6}\u{3c5}\u{342} \u{1fe7}\u{3c5}\u{308}\u{342} \
    \u{1ff2}\u{1f7c}\u{3b9} \u{1ff3}\u{3c9}\u{3b9} \u{1ff4}\u{3ce}\u{3b9} \
    \u{1ff6}\u{3c9}\u{342} \u{1ff7}\u{3c9}\u{342}\u{3b9} \u{1ffc}\u{3c9}\u{3b9} \u{fb00}ff \
    \u{fb01}fi \u{fb02}fl \u{fb03}ffi \u{fb04}ffl \u{fb05}st \u{fb06}st \u{fb13}\u{574}\u{576} \
    \u{fb14}\u{574}\u{565} \u{fb15}\u{574}\u{56b} \u{fb16}\u{57e}\u{576} \u{fb17}\u{574}\u{56d}";

/// In the order of their first characters; none overlaps with another.
#[rustfmt::skip]
const RUNS: &[Run] = &[
    (0xb5, 1, 2, 775), (0xc0, 23, 1, 32), (0xd8, 7, 1, 32), (0x100, 24, 2, 1),
    (0x131, 1, 2, -200), (0x132, 3, 2, 1), (0x139, 8, 2, 1), (0x14a, 23, 2, 1),
    (0x178, 1, 2, -121), (0x179, 3, 2, 1), (0x17f, 1, 2, -268), (0x181, 1, 2, 210),
    (0x182, 2, 2, 1), (0x186, 1, 2, 206), (0x187, 1, 2, 1), (0x189, 2, 1, 205), (0x18b, 1, 2, 1),
    (0x18e, 1, 2, 79), (0x18f, 1, 2, 202), (0x190, 1, 2, 203), (0x191, 1, 2, 1),
    (0x193, 1, 2, 205), (0x194, 1, 2, 207), (0x196, 1, 2, 211), (0x197, 1, 2, 209),
    (0x198, 1, 2, 1), (0x19c, 1, 2, 211), (0x19d, 1, 2, 213), (0x19f, 1, 2, 214),
    (0x1a0, 3, 2, 1), (0x1a6, 1, 2, 218), (0x1a7, 1, 2, 1), (0x1a9, 1, 2, 218), (0x1ac, 1, 2, 1),
    (0x1ae, 1, 2, 218), (0x1af, 1, 2, 1), (0x1b1, 2, 1, 217), (0x1b3, 2, 2, 1),
    (0x1b7, 1, 2, 219), (0x1b8, 1, 2, 1), (0x1bc, 1, 2, 1), (0x1c4, 1, 2, 2), (0x1c5, 1, 2, 1),
    (0x1c7, 1, 2, 2), (0x1c8, 1, 2, 1), (0x1ca, 1, 2, 2), (0x1cb, 9, 2, 1), (0x1de, 9, 2, 1),
    (0x1f1, 1, 2, 2), (0x1f2, 2, 2, 1), (0x1f6, 1, 2, -97), (0x1f7, 1, 2, -56), (0x1f8, 20, 2, 1),
    (0x220, 1, 2, -130), (0x222, 9, 2, 1), (0x23a, 1, 2, 10795), (0x23b, 1, 2, 1),
    (0x23d, 1, 2, -163), (0x23e, 1, 2, 10792), (0x241, 1, 2, 1), (0x243, 1, 2, -195),
    (0x244, 1, 2, 69), (0x245, 1, 2, 71), (0x246, 5, 2, 1), (0x345, 1, 2, 116), (0x370, 2, 2, 1),
    (0x376, 1, 2, 1), (0x37f, 1, 2, 116), (0x386, 1, 2, 38), (0x388, 3, 1, 37), (0x38c, 1, 2, 64),
    (0x38e, 2, 1, 63), (0x391, 17, 1, 32), (0x3a3, 9, 1, 32), (0x3c2, 1, 2, 1), (0x3cf, 1, 2, 8),
    (0x3d0, 1, 2, -30), (0x3d1, 1, 2, -25), (0x3d5, 1, 2, -15), (0x3d6, 1, 2, -22),
    (0x3d8, 12, 2, 1), (0x3f0, 1, 2, -54), (0x3f1, 1, 2, -48), (0x3f4, 1, 2, -60),
    (0x3f5, 1, 2, -64), (0x3f7, 1, 2, 1), (0x3f9, 1, 2, -7), (0x3fa, 1, 2, 1),
    (0x3fd, 3, 1, -130), (0x400, 16, 1, 80), (0x410, 32, 1, 32), (0x460, 17, 2, 1),
    (0x48a, 27, 2, 1), (0x4c0, 1, 2, 15), (0x4c1, 7, 2, 1), (0x4d0, 48, 2, 1), (0x531, 38, 1, 48),
    (0x10a0, 38, 1, 7264), (0x10c7, 1, 2, 7264), (0x10cd, 1, 2, 7264), (0x13a0, 80, 1, 38864),
    (0x13f0, 6, 1, 8), (0x1c80, 1, 2, -6222), (0x1c81, 1, 2, -6221), (0x1c82, 1, 2, -6212),
    (0x1c83, 2, 1, -6210), (0x1c85, 1, 2, -6211), (0x1c86, 1, 2, -6204), (0x1c87, 1, 2, -6180),
    (0x1c88, 1, 2, 35267), (0x1c89, 1, 2, 1), (0x1c90, 43, 1, -3008), (0x1cbd, 3, 1, -3008),
    (0x1e00, 75, 2, 1), (0x1e9b, 1, 2, -58), (0x1e9e, 1, 2, -7615), (0x1ea0, 48, 2, 1),
    (0x1f08, 8, 1, -8), (0x1f18, 6, 1, -8), (0x1f28, 8, 1, -8), (0x1f38, 8, 1, -8),
    (0x1f48, 6, 1, -8), (0x1f59, 4, 2, -8), (0x1f68, 8, 1, -8), (0x1fb8, 2, 1, -8),
    (0x1fba, 2, 1, -74), (0x1fbe, 1, 2, -7173), (0x1fc8, 4, 1, -86), (0x1fd8, 2, 1, -8),
    (0x1fda, 2, 1, -100), (0x1fe8, 2, 1, -8), (0x1fea, 2, 1, -112), (0x1fec, 1, 2, -7),
    (0x1ff8, 2, 1, -128), (0x1ffa, 2, 1, -126), (0x2126, 1, 2, -7517), (0x212a, 1, 2, -8383),
    (0x212b, 1, 2, -8262), (0x2132, 1, 2, 28), (0x2160, 16, 1, 16), (0x2183, 1, 2, 1),
    (0x24b6, 26, 1, 26), (0x2c00, 48, 1, 48), (0x2c60, 1, 2, 1), (0x2c62, 1, 2, -10743),
    (0x2c63, 1, 2, -3814), (0x2c64, 1, 2, -10727), (0x2c67, 3, 2, 1), (0x2c6d, 1, 2, -10780),
    (0x2c6e, 1, 2, -10749), (0x2c6f, 1, 2, -10783), (0x2c70, 1, 2, -10782), (0x2c72, 1, 2, 1),
    (0x2c75, 1, 2, 1), (0x2c7e, 2, 1, -10815), (0x2c80, 50, 2, 1), (0x2ceb, 2, 2, 1),
    (0x2cf2, 1, 2, 1), (0xa640, 23, 2, 1), (0xa680, 14, 2, 1), (0xa722, 7, 2, 1),
    (0xa732, 31, 2, 1), (0xa779, 2, 2, 1), (0xa77d, 1, 2, -35332), (0xa77e, 5, 2, 1),
    (0xa78b, 1, 2, 1), (0xa78d, 1, 2, -42280), (0xa790, 2, 2, 1), (0xa796, 10, 2, 1),
    (0xa7aa, 1, 2, -42308), (0xa7ab, 1, 2, -42319), (0xa7ac, 1, 2, -42315),
    (0xa7ad, 1, 2, -42305), (0xa7ae, 1, 2, -42308), (0xa7b0, 1, 2, -42258),
    (0xa7b1, 1, 2, -42282), (0xa7b2, 1, 2, -42261), (0xa7b3, 1, 2, 928), (0xa7b4, 8, 2, 1),
    (0xa7c4, 1, 2, -48), (0xa7c5, 1, 2, -42307), (0xa7c6, 1, 2, -35384), (0xa7c7, 2, 2, 1),
    (0xa7cb, 1, 2, -42343), (0xa7cc, 8, 2, 1), (0xa7dc, 1, 2, -42561), (0xa7f5, 1, 2, 1),
    (0xff21, 26, 1, 32), (0x10400, 40, 1, 40), (0x104b0, 36, 1, 40), (0x10570, 11, 1, 39),
    (0x1057c, 15, 1, 39), (0x1058c, 7, 1, 39), (0x10594, 2, 1, 39), (0x10c80, 51, 1, 64),
    (0x10d50, 22, 1, 32), (0x118a0, 32, 1, 32), (0x16e40, 32, 1, 32), (0x16ea0, 25, 1, 27),
    (0x1e900, 34, 1, 34),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::fmt::Write as _;

    /// No script beyond has upper and lower case.
    const LAST: char = '\u{1ffff}';

    /// What the standard library says of one character. Upper case first: it knows that `ß` is
    /// `SS`.
    fn by_std(c: char) -> String {
        c.to_string().to_uppercase().to_lowercase()
    }

    #[test]
    fn every_character_is_folded_as_the_standard_library_does() {
        let others = ('\u{80}'..=LAST).filter(|&c| by_std(c) != c.to_string());
        let (single, several): (Vec<char>, Vec<char>) =
            others.partition(|&c| by_std(c).chars().count() == 1);
        // So a newer Unicode fails here, and says what the tables have to be.
        let mut text = "const EXPANSIONS: &str = \"".to_owned();
        for c in several {
            let entry = format!("{c}{} ", by_std(c));
            text.push_str(&entry.escape_default().to_string());
        }
        text = text.trim_end().to_owned() + "\";\nconst RUNS: &[Run] = &[";
        for (start, length, stride, delta) in runs(&single) {
            write!(text, "({start:#x}, {length}, {stride}, {delta}), ").unwrap();
        }
        for c in '\0'..=LAST {
            assert_eq!(fold_case(&c.to_string()), by_std(c), "{text}];");
        }
    }

    fn runs(chars: &[char]) -> Vec<Run> {
        let code = |c: &char| u32::from(*c);
        let delta = |c: &char| code(&by_std(*c).chars().next().unwrap()) as i32 - code(c) as i32;
        let mut left: BTreeMap<u32, i32> = chars.iter().map(|c| (code(c), delta(c))).collect();
        let mut runs = Vec::new();
        while let Some((&start, &delta)) = left.first_key_value() {
            let length = |stride: u32| {
                let mut codes = (start..).step_by(stride as usize).take(255);
                codes
                    .position(|code| {
                        left.get(&code) != Some(&delta)
                            || (stride == 2 && code > start && left.contains_key(&(code - 1)))
                    })
                    .unwrap_or(255)
            };
            let (length, stride) = (length(1), 1_u8).max((length(2), 2));
            let of_it: BTreeSet<u32> = (start..).step_by(stride.into()).take(length).collect();
            left.retain(|code, _| !of_it.contains(code));
            runs.push((start, length as u8, stride, delta));
        }
        runs
    }

    #[test]
    fn names_that_differ_in_case_are_one() {
        let same = |a: &str, b: &str| assert_eq!(fold_case(a), fold_case(b));
        same("README.txt", "readme.TXT");
        same("Straße", "STRASSE");
        same("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς");
        same("\u{212a}", "k");
        same("ﬁle", "FILE");
        assert_ne!(fold_case("é"), fold_case("e"));
    }
}
