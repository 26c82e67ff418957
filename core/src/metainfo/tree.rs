//! All paths of one torrent, told apart on every platform.
//!
//! Many file systems take `README` and `readme` for one file, a torrent may name a file
//! twice, and making names harmless can make two of them equal. The first file keeps its
//! name, later ones become `name (2).ext`. A file that would stand where a folder has to
//! be gives way in the same manner.
//!
//! Not told apart are names that differ only in Unicode normalisation (one file on macOS):
//! the tables would weigh more than the rest of a page.

use std::collections::BTreeMap;

use super::fold::fold_case;
use super::path::{self, PathError, SafePath};

/// Safe paths for all files of a torrent, in their order.
pub(super) fn distinct_paths<'a>(
    paths: impl IntoIterator<Item = &'a [String]>,
) -> Result<Vec<SafePath>, PathError> {
    let paths = paths.into_iter().map(SafePath::new);
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    let mut tree = Tree::default();
    // Folders first: files are what gives way.
    let folders: Vec<Node> = paths.iter().map(|path| tree.folder_of(path)).collect();
    for (path, folder) in paths.iter_mut().zip(folders) {
        if !tree.take(folder, path.file_name()) {
            let name = tree.rename(folder, path.file_name());
            path.set_file_name(name);
        }
    }
    Ok(paths)
}

/// A folder of the [`Tree`].
type Node = usize;
const ROOT: Node = 0;

/// Names by folder, with upper and lower case the same.
#[derive(Default)]
struct Tree {
    /// For files too, but nobody asks for a file's number.
    nodes: BTreeMap<(Node, String), Node>,
    /// The number that the next file called so gets, so that a thousand files of one name
    /// need a thousand steps and not half a million.
    next: BTreeMap<(Node, String), u32>,
}

impl Tree {
    fn folder_of(&mut self, path: &SafePath) -> Node {
        let folders = &path.parts()[..path.parts().len() - 1];
        folders.iter().fold(ROOT, |folder, name| {
            let new = self.nodes.len() + 1;
            *self.nodes.entry((folder, fold_case(name))).or_insert(new)
        })
    }

    /// Whether the name was free.
    fn take(&mut self, folder: Node, name: &str) -> bool {
        let new = self.nodes.len() + 1;
        let key = (folder, fold_case(name));
        let free = !self.nodes.contains_key(&key);
        self.nodes.entry(key).or_insert(new);
        free
    }

    fn rename(&mut self, folder: Node, name: &str) -> String {
        /// Bytes of ` (4294967295)`: names that become equal when cut share a counter.
        const MARK: usize = 13;
        let (stem, extension) = path::shorten(name, MARK);
        let counter = (folder, fold_case(&format!("{stem}/{extension}")));
        let mut number = self.next.get(&counter).copied().unwrap_or(2);
        loop {
            let candidate = format!("{stem} ({number}){extension}");
            number += 1;
            if self.take(folder, &candidate) {
                self.next.insert(counter, number);
                return candidate;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn distinct(paths: &[&str]) -> Vec<String> {
        let paths: Vec<Vec<String>> = paths
            .iter()
            .map(|path| path.split('/').map(str::to_owned).collect())
            .collect();
        let distinct = distinct_paths(paths.iter().map(Vec::as_slice)).unwrap();
        distinct.iter().map(SafePath::to_string).collect()
    }

    #[test]
    fn different_files_keep_their_names() {
        let paths = ["a/b", "a/c/d", "A/e", "b", "a (2)"];
        assert_eq!(distinct(&paths), paths);
    }

    #[test]
    fn equal_names_are_numbered() {
        assert_eq!(
            distinct(&["a.txt", "A.TXT", "a (2).txt", "a.txt", "b/a.txt"]),
            [
                "a.txt",
                "A (2).TXT",
                "a (2) (2).txt",
                "a (3).txt",
                "b/a.txt"
            ]
        );
        assert_eq!(
            distinct(&["Straße", "STRASSE", "ΑΣ", "ας", "ασ"]),
            ["Straße", "STRASSE (2)", "ΑΣ", "ας (2)", "ασ (3)"]
        );
        assert_eq!(distinct(&["a?", "a*"]), ["a_", "a_ (2)"]);
    }

    #[test]
    fn a_file_gives_way_to_a_folder_of_its_name() {
        assert_eq!(distinct(&["a", "A/b"]), ["a (2)", "A/b"]);
        assert_eq!(distinct(&["x/y/z", "x/Y"]), ["x/y/z", "x/Y (2)"]);
    }

    #[test]
    fn long_names_are_numbered_within_their_limit() {
        let long = "x".repeat(255);
        let names = distinct(&[&long, &long, &format!("{}y", &long[..254])]);
        assert_eq!(names[1], format!("{} (2)", "x".repeat(242)));
        assert_eq!(names[2].len(), 255);
    }

    #[test]
    fn many_files_of_one_name_are_no_burden() {
        let names = vec!["a"; 50_000];
        assert_eq!(distinct(&names)[49_999], "a (50000)");
    }

    #[test]
    fn no_two_paths_collide_and_distinct_ones_stay() {
        arbtest::arbtest(|u| {
            let part = |u: &mut arbitrary::Unstructured<'_>| {
                u.choose(&["a", "A", "a (2)", "b", "?", "*", "_"])
                    .map(|part| (*part).to_owned())
            };
            let mut paths: Vec<Vec<String>> = Vec::new();
            for _ in 0..u.int_in_range(1..=20)? {
                let mut path = vec![part(u)?];
                while path.len() < 4 && u.arbitrary()? {
                    path.push(part(u)?);
                }
                paths.push(path);
            }
            let distinct = distinct_paths(paths.iter().map(Vec::as_slice)).unwrap();
            assert_eq!(distinct.len(), paths.len());
            let folded = distinct.iter().map(|path| fold_case(&path.to_string()));
            let files: BTreeSet<String> = folded.collect();
            assert_eq!(files.len(), paths.len());
            for file in &files {
                let below = format!("{file}/");
                assert!(!files.iter().any(|other| other.starts_with(&below)));
            }
            let again = distinct_paths(distinct.iter().map(SafePath::parts)).unwrap();
            assert_eq!(again, distinct);
            Ok(())
        });
    }
}
