//! What files are called while they are in the making.
//!
//! `film.mkv` is `film.mkv.1a2b3c4d.part` until it is complete, with the beginning of the
//! info-hash: so that no file of a person's own has the name, and two torrents of one name do
//! not share a file. Of files that are not wanted a piece's share may come along; it is kept
//! in a hidden file of the torrent's folder, so that nothing that lies in their places
//! matters.

use std::collections::BTreeSet;

use swarm_core::metainfo::{Metainfo, SafePath};

use super::folder::Place;

/// Where a file goes.
#[derive(Debug)]
pub(super) struct Names {
    /// Complete.
    pub(super) named: Place,
    /// In the making.
    pub(super) part: Place,
}

/// Where every file of a torrent goes.
pub(super) fn names(metainfo: &Metainfo, left_out: &BTreeSet<usize>) -> Vec<Names> {
    let hash = &metainfo.info_hash().to_string()[..8];
    let files = metainfo.files().iter().enumerate();
    let taken: BTreeSet<String> = files
        .clone()
        .map(|(_, file)| file.path.to_string().to_lowercase())
        .collect();
    files
        .map(|(index, file)| {
            let named = place(&file.path);
            let part = if left_out.contains(&index) {
                Place {
                    folders: named.folders.first().cloned().into_iter().collect(),
                    name: format!(".{index}.{hash}.part"),
                }
            } else {
                part(&named, index, hash, &taken)
            };
            Names { named, part }
        })
        .collect()
}

fn place(path: &SafePath) -> Place {
    let (name, folders) = path.parts().split_last().expect("a path has a part");
    Place {
        folders: folders.to_vec(),
        name: name.clone(),
    }
}

fn part(named: &Place, index: usize, hash: &str, taken: &BTreeSet<String>) -> Place {
    let mut name = format!("{}.{hash}.part", named.name);
    let whole = |name: &str| {
        let path = [&named.folders[..], &[name.to_owned()]].concat();
        path.join("/").to_lowercase()
    };
    // Too long for a file system, or the torrent has a file of that name: never by accident.
    if name.len() > SafePath::MAX_PART || taken.contains(&whole(&name)) {
        let mark = format!(".{index}.{hash}.part");
        let room = SafePath::MAX_PART - mark.len();
        let stem = &named.name[..named.name.floor_char_boundary(room)];
        name = format!("{stem}{mark}");
        while taken.contains(&whole(&name)) {
            name.insert(0, '_');
        }
    }
    Place {
        folders: named.folders.clone(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::torrent;

    #[test]
    fn files_in_the_making_have_names_of_their_own() {
        let long = "x".repeat(255);
        let (metainfo, _) = torrent(&[("a/b.bin", 1), (&long, 1), ("c", 1)]);
        let hash = &metainfo.info_hash().to_string()[..8];
        let names = names(&metainfo, &BTreeSet::from([2]));
        assert_eq!(names[0].named.name, "b.bin");
        assert_eq!(names[0].part.name, format!("b.bin.{hash}.part"));
        assert_eq!(names[0].part.folders, names[0].named.folders);
        assert_eq!(names[1].part.name.len(), 255);
        assert!(names[1].part.name.ends_with(&format!(".1.{hash}.part")));
        // Beside the torrent's folders, whatever lies in its place.
        assert_eq!(names[2].part.name, format!(".2.{hash}.part"));
        assert_eq!(names[2].part.folders, ["täglich"]);
    }
}
