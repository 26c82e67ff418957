//! Which files a link asks for (BEP 53, `so=0,2,4-6`).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::Metainfo;
use crate::pieces::Priority;

/// Some files of a torrent, by the numbers that they have in the info dictionary
/// ([`super::File::number`]), padding counted. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Ascending, with a gap between each two, so that equal selections are equal.
    ranges: Vec<RangeInclusive<u32>>,
}

/// A text that selects no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link's choice of files is not a list of numbers")]
pub struct NotASelection;

impl Selection {
    /// The file with this number is asked for.
    pub fn contains(&self, number: u32) -> bool {
        let next = self.ranges.partition_point(|range| *range.end() < number);
        let range = self.ranges.get(next);
        range.is_some_and(|range| range.contains(&number))
    }

    /// How much each file of the torrent is wanted, in the order of [`Metainfo::files`];
    /// none if the torrent has none of the files that are asked for.
    pub fn priorities(&self, metainfo: &Metainfo) -> Option<Vec<Priority>> {
        let files = metainfo.files().iter();
        let priorities: Vec<Priority> = files
            .map(|file| match self.contains(file.number) {
                true => Priority::Normal,
                false => Priority::Skip,
            })
            .collect();
        priorities.contains(&Priority::Normal).then_some(priorities)
    }
}

impl FromStr for Selection {
    type Err = NotASelection;

    /// Parts that are neither a number nor a range are passed over, as others do.
    fn from_str(text: &str) -> Result<Self, NotASelection> {
        let mut given: Vec<RangeInclusive<u32>> = text.split(',').filter_map(range).collect();
        given.sort_unstable_by_key(|range| *range.start());
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::with_capacity(given.len());
        for range in given {
            match ranges.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => ranges.push(range),
            }
        }
        match ranges.is_empty() {
            true => Err(NotASelection),
            false => Ok(Selection { ranges }),
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let (start, end) = (range.start(), range.end());
            match start == end {
                true => write!(f, "{comma}{start}")?,
                false => write!(f, "{comma}{start}-{end}")?,
            }
        }
        Ok(())
    }
}

/// `7` or `7-9`.
fn range(part: &str) -> Option<RangeInclusive<u32>> {
    let number = |digits: &str| {
        let digits = digits.trim();
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let (start, end) = part.split_once('-').unwrap_or((part, part));
    let range = number(start)?..=number(end)?;
    (!range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<Selection>().ok().map(|s| s.to_string())
    }

    #[test]
    fn numbers_and_ranges_are_read_and_put_in_order() {
        for (text, selection) in [
            ("0", "0"),
            ("0,2,4,6-8", "0,2,4,6-8"),
            ("8,6-7,0,0", "0,6-8"),
            ("3-5,4-9,10", "3-10"),
            (" 1 , 3 - 4 ", "1,3-4"),
            ("4294967295,0-4294967294", "0-4294967295"),
        ] {
            assert_eq!(read(text).as_deref(), Some(selection), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_passed_over() {
        assert_eq!(
            read("a,1,-2,3-,5-4,+6,7-8-9,4294967296").as_deref(),
            Some("1")
        );
        for text in ["", ",", "-", "x", "9-1", "+1", "0x1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_selected_is_contained_and_nothing_else() {
        arbtest::arbtest(|u| {
            let numbers: Vec<u8> = u.arbitrary()?;
            let text: Vec<String> = numbers.iter().map(u8::to_string).collect();
            let Some(selection) = text.join(",").parse::<Selection>().ok() else {
                assert!(numbers.is_empty());
                return Ok(());
            };
            for number in 0..=256 {
                let selected = numbers.iter().any(|n| u32::from(*n) == number);
                assert_eq!(selection.contains(number), selected);
            }
            assert_eq!(selection.to_string().parse(), Ok(selection));
            Ok(())
        });
    }
}
