//! Telling a viewer elsewhere what a torrent is and has: everything once, then what changed.

use serde::{Deserialize, Serialize};

use super::{Contents, Description};
use crate::pieces::{Bitfield, Priority};

/// What is new about a torrent's [`Contents`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// What it is, now that this is known.
    pub description: Option<Description>,
    /// How much each file is wanted; see [`Contents::priorities`].
    pub priorities: Option<Vec<Priority>>,
    /// Pieces that were verified, or lost.
    pub have: Option<HaveChange>,
    /// The pieces in progress, ascending.
    pub in_progress: Option<Vec<u32>>,
}

/// What is new about the pieces that are verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HaveChange {
    /// All of them, as the peer wire's bitfield.
    All(Vec<u8>),
    /// These are verified and were not, or the other way round; ascending.
    Toggled(Vec<u32>),
}

impl HaveChange {
    /// What makes the pieces as they were told those that there are now, which count as told from
    /// now on; none if they are the same.
    pub(super) fn between(told: &mut Vec<u8>, now: &[u8]) -> Option<Self> {
        if told == now {
            return None;
        }
        let change = difference(told, now);
        told.clear();
        told.extend_from_slice(now);
        Some(change)
    }

    /// Makes the pieces that a viewer knows of those that there are.
    pub(super) fn apply(self, known: &mut Vec<u8>) {
        match self {
            HaveChange::All(have) => *known = have,
            HaveChange::Toggled(pieces) => {
                for piece in pieces {
                    if let Some(byte) = known.get_mut(piece as usize / 8) {
                        *byte ^= 0x80 >> (piece % 8);
                    }
                }
            }
        }
    }
}

/// What a viewer was told of a torrent.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Whether it was told what the torrent is, and the metadata was part of that.
    described: Option<bool>,
    priorities: Vec<Priority>,
    have: Vec<u8>,
    in_progress: Vec<u32>,
}

impl Told {
    /// What is to be told, which counts as told from now on; none if nothing is new.
    pub fn news(&mut self, contents: &Contents<'_>) -> Option<Changes> {
        let mut changes = Changes::default();
        let described = Some(contents.metainfo.is_some());
        if self.described != described {
            self.described = described;
            changes.description = Some(contents.describe());
        }
        if self.priorities != contents.priorities {
            self.priorities = contents.priorities.to_vec();
            changes.priorities = Some(self.priorities.clone());
        }
        let have = contents.have.map_or(&[][..], Bitfield::as_bytes);
        changes.have = HaveChange::between(&mut self.have, have);
        if !contents
            .in_progress()
            .map(|piece| piece.get())
            .eq(self.in_progress.iter().copied())
        {
            self.in_progress = contents.in_progress().map(|piece| piece.get()).collect();
            changes.in_progress = Some(self.in_progress.clone());
        }
        (changes != Changes::default()).then_some(changes)
    }
}

/// The smaller way to say it.
fn difference(before: &[u8], now: &[u8]) -> HaveChange {
    let toggled = || {
        let bytes = (0_u32..).zip(before.iter().zip(now));
        bytes.flat_map(|(index, (before, now))| {
            let bits = before ^ now;
            let set = (0..8).filter(move |bit| bits & (0x80 >> bit) != 0);
            set.map(move |bit| index * 8 + bit)
        })
    };
    // A number takes up to three bytes when it travels.
    match before.len() == now.len() && toggled().count() * 3 <= now.len() {
        true => HaveChange::Toggled(toggled().collect()),
        false => HaveChange::All(now.to_vec()),
    }
}

/// What a viewer knows of a torrent, from the [`Changes`] it was told in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What it is.
    pub description: Description,
    /// How much each file is wanted; files beyond the end are normal.
    pub priorities: Vec<Priority>,
    /// Verified pieces, as the peer wire's bitfield; empty while nobody knows how many there
    /// are.
    pub have: Vec<u8>,
    /// Pieces in progress, ascending.
    pub in_progress: Vec<u32>,
}

impl Known {
    /// Takes in what is new.
    pub fn learn(&mut self, changes: Changes) {
        let Changes {
            description,
            priorities,
            have,
            in_progress,
        } = changes;
        if let Some(description) = description {
            self.description = description;
        }
        if let Some(priorities) = priorities {
            self.priorities = priorities;
        }
        if let Some(have) = have {
            have.apply(&mut self.have);
        }
        if let Some(in_progress) = in_progress {
            self.in_progress = in_progress;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_come_and_go_are_told_in_fewer_bytes_than_all_of_them() {
        arbtest::arbtest(|u| {
            let before: Vec<u8> = u.arbitrary()?;
            let mut now = before.clone();
            for _ in 0..u.int_in_range(0..=5)? {
                if let Some(byte) = now.first_mut() {
                    *byte ^= u.arbitrary::<u8>()?;
                }
                let places = now.len().max(1) - 1;
                let place = u.int_in_range(0..=places)?;
                now.rotate_left(place);
            }
            let now = match u.ratio(1, 5)? {
                true => u.arbitrary()?,
                false => now,
            };
            let change = difference(&before, &now);
            if let HaveChange::Toggled(pieces) = &change {
                assert!(pieces.len() <= now.len());
                assert!(pieces.is_sorted());
            }
            let mut known = Known {
                have: before,
                ..Known::default()
            };
            known.learn(Changes {
                have: Some(change),
                ..Changes::default()
            });
            assert_eq!(known.have, now);
            Ok(())
        });
    }
}
