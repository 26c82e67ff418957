//! Which files of a torrent are wanted.

use std::collections::BTreeSet;

use swarm_core::metainfo::{File, Metainfo, Selection};
use swarm_core::pieces::{Priority, piece_priorities};
use wildmatch::WildMatch;

use crate::Error;
use crate::arguments::Choice;
use crate::text::plain;

/// So many files are named; of more only the number is told.
const NAMED: usize = 5;

/// The files of one torrent, and which of them are wanted.
pub(super) struct Chosen {
    priorities: Vec<Priority>,
}

impl Chosen {
    /// What `choice` means for this torrent. A pattern that matches nothing is an error: it
    /// is a slip of the keyboard, and what was meant would be fetched or left out wrongly.
    /// What a link asks for (BEP 53) counts where nothing is chosen by name.
    pub(super) fn of(
        choice: &Choice,
        asked: Option<&Selection>,
        metainfo: &Metainfo,
    ) -> Result<Self, Error> {
        let only = matches("--only", &choice.only, metainfo)?;
        let skip = matches("--skip", &choice.skip, metainfo)?;
        let asked = match asked {
            Some(asked) if choice.only.is_empty() => {
                let name = plain(metainfo.name());
                let none = || {
                    format!(
                        "{name} has none of the files that the link asks for (so=): choose with --only"
                    )
                };
                Some(
                    asked
                        .priorities(metainfo)
                        .ok_or_else(|| Error::Usage(none()))?,
                )
            }
            _ => None,
        };
        let is_wanted = |index: &usize| {
            let by_link = |asked: &Vec<Priority>| asked[*index] > Priority::Skip;
            asked.as_ref().is_none_or(by_link)
                && (choice.only.is_empty() || only.contains(index))
                && !skip.contains(index)
        };
        let priorities: Vec<_> = (0..metainfo.files().len())
            .map(|index| match is_wanted(&index) {
                true => Priority::Normal,
                false => Priority::Skip,
            })
            .collect();
        if priorities.iter().all(|p| *p == Priority::Skip) {
            return Err(Error::Usage(
                "--only, --skip and the link together leave nothing to fetch".to_owned(),
            ));
        }
        Ok(Chosen { priorities })
    }

    /// For the engine, in the order of the torrent.
    pub(super) fn priorities(&self) -> Vec<Priority> {
        self.priorities.clone()
    }

    /// The indices of the files that are left out.
    pub(super) fn left_out(&self) -> BTreeSet<usize> {
        let files = self.priorities.iter().enumerate();
        files
            .filter(|(_, priority)| **priority == Priority::Skip)
            .map(|(index, _)| index)
            .collect()
    }

    /// How many files are wanted, and their bytes.
    pub(super) fn size(&self, metainfo: &Metainfo) -> (usize, u64) {
        let wanted = || self.files(metainfo).filter(|(_, p)| *p != Priority::Skip);
        (
            wanted().count(),
            wanted().map(|(file, _)| file.length).sum(),
        )
    }

    /// What was left out, in words; nothing if nothing was.
    pub(super) fn words(&self, metainfo: &Metainfo) -> Vec<String> {
        let files = self.files(metainfo);
        let left_out: Vec<_> = files
            .filter(|(_, priority)| *priority == Priority::Skip)
            .map(|(file, _)| file)
            .collect();
        let mut lines = Vec::new();
        if !left_out.is_empty() {
            lines.push(format!("left out: {}", names(&left_out)));
        }
        let pieces = self.pieces(metainfo);
        let length = u64::from(metainfo.layout().piece_length());
        let is_wanted = |byte: u64| {
            let piece = usize::try_from(byte / length).ok();
            piece.and_then(|piece| pieces.get(piece)) > Some(&Priority::Skip)
        };
        // Only at its ends can a file share a piece with another.
        let mut came_along = left_out;
        came_along.retain(|file| {
            let last = file.offset + file.length.saturating_sub(1);
            file.length > 0 && (is_wanted(file.offset) || is_wanted(last))
        });
        if !came_along.is_empty() {
            lines.push(format!(
                "parts of them came along, in pieces that they share with wanted files: {}",
                names(&came_along)
            ));
        }
        lines
    }

    fn files<'a>(&'a self, metainfo: &'a Metainfo) -> impl Iterator<Item = (&'a File, Priority)> {
        metainfo.files().iter().zip(self.priorities.iter().copied())
    }

    fn pieces(&self, metainfo: &Metainfo) -> Vec<Priority> {
        let files = self.files(metainfo);
        let ranges = files.map(|(file, p)| (file.offset..file.offset + file.length, p));
        piece_priorities(metainfo.layout(), ranges)
    }
}

/// The indices of the files that some of the patterns match.
fn matches(
    option: &str,
    patterns: &[String],
    metainfo: &Metainfo,
) -> Result<BTreeSet<usize>, Error> {
    let mut all = BTreeSet::new();
    for text in patterns {
        let pattern = Pattern::new(text);
        let files = metainfo.files().iter().enumerate();
        let mut found = files
            .filter(|(_, file)| pattern.matches(file.path.parts()))
            .map(|(index, _)| index)
            .peekable();
        if found.peek().is_none() {
            let name = metainfo.name();
            return Err(Error::Usage(format!(
                "{option} {text} matches no file of {name} (case counts)"
            )));
        }
        all.extend(found);
    }
    Ok(all)
}

/// See `--only` in [`Choice`].
struct Pattern {
    file: WildMatch,
    folder: WildMatch,
}

impl Pattern {
    fn new(text: &str) -> Self {
        let text = text.trim_end_matches('/');
        Pattern {
            file: WildMatch::new(text),
            folder: WildMatch::new(&format!("{text}/*")),
        }
    }

    /// It may begin at any part of the path, and end at any.
    fn matches(&self, parts: &[String]) -> bool {
        (0..parts.len()).any(|first| {
            let path = parts[first..].join("/");
            self.file.matches(&path) || self.folder.matches(&path)
        })
    }
}

/// Some names, and how many there are beyond those.
fn names(files: &[&File]) -> String {
    let named = files.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|file| plain(&file.path.parts().join("/")))
        .collect();
    match files.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_names_folders_and_paths() {
        let path: Vec<_> = ["Reise", "사진 2024", "IMG 1.jpg"]
            .map(str::to_owned)
            .into();
        for text in [
            "IMG 1.jpg",
            "*.jpg",
            "IMG ?.jpg",
            "사진 2024",
            "사진*/",
            "사진 2024/*.jpg",
            "Reise",
            "Reise/사진 2024/IMG 1.jpg",
            "Reise/*.jpg",
            "*",
        ] {
            assert!(Pattern::new(text).matches(&path), "{text}");
        }
        for text in [
            "",
            "jpg",
            "*.JPG",
            "IMG",
            "사진",
            "/IMG 1.jpg",
            "Reise/IMG 1.jpg",
            "*.png",
        ] {
            assert!(!Pattern::new(text).matches(&path), "{text}");
        }
    }
}
