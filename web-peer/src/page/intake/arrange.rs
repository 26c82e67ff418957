//! What some files are called as one torrent, and what a text is.

use std::collections::BTreeSet;

use swarm_core::id::InfoHash;

/// The folder that files make together, and their paths below it. A single file has no
/// folder, a folder its own name, and a mixture one made up from its first name.
pub(crate) fn arrange(mut paths: Vec<Vec<String>>) -> (Option<String>, Vec<Vec<String>>) {
    if let [path] = &paths[..]
        && path.len() == 1
    {
        return (None, paths);
    }
    let tops: BTreeSet<&String> = paths.iter().filter_map(|path| path.first()).collect();
    let first = paths
        .first()
        .and_then(|path| path.first())
        .cloned()
        .unwrap_or_default();
    if tops.len() == 1 && paths.iter().all(|path| path.len() > 1) {
        for path in &mut paths {
            path.remove(0);
        }
        return (Some(first), paths);
    }
    let folder = format!("{first} and {} more", tops.len().max(2) - 1);
    make_distinct(&mut paths);
    (Some(folder), paths)
}

/// Numbers files that have the same path, as files of different folders may.
fn make_distinct(paths: &mut [Vec<String>]) {
    let mut taken = BTreeSet::new();
    for path in paths {
        let name = path.last().cloned().unwrap_or_default();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (&name[..], String::new()),
        };
        let mut number = 1;
        while !taken.insert(path.clone()) {
            number += 1;
            if let Some(last) = path.last_mut() {
                *last = format!("{stem} ({number}){extension}");
            }
        }
    }
}

/// By its name it is a `.torrent` file.
pub(crate) fn is_torrent_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".torrent")
}

/// It may well be meant as a link; whether it is one, the worker says.
pub(crate) fn looks_like_link(text: &str) -> bool {
    let text = text.trim();
    // Behind a page's address it may be the hash alone.
    let last = text.rsplit('#').next().unwrap_or(text);
    let text = text.to_ascii_lowercase();
    // Some programs escape everything behind the `#` when they pass a link on.
    last.parse::<InfoHash>().is_ok() || text.contains("magnet:?") || text.contains("magnet%3a%3f")
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn arranged(paths: &[&str]) -> (Option<String>, Vec<String>) {
        let split = |path: &&str| path.split('/').map(str::to_owned).collect();
        let (folder, paths) = arrange(paths.iter().map(split).collect());
        (folder, paths.iter().map(|path| path.join("/")).collect())
    }

    #[wasm_bindgen_test]
    fn one_file_is_itself() {
        assert_eq!(arranged(&["a.txt"]), (None, vec!["a.txt".to_owned()]));
    }

    #[wasm_bindgen_test]
    fn a_folder_keeps_its_name() {
        let (folder, paths) = arranged(&["trip/1.jpg", "trip/sub/2.jpg"]);
        assert_eq!(folder.as_deref(), Some("trip"));
        assert_eq!(paths, ["1.jpg", "sub/2.jpg"]);
        assert_eq!(arranged(&["trip/1.jpg"]).0.as_deref(), Some("trip"));
    }

    #[wasm_bindgen_test]
    fn a_mixture_gets_a_name() {
        let (folder, paths) = arranged(&["a.txt", "trip/1.jpg", "trip/2.jpg"]);
        assert_eq!(folder.as_deref(), Some("a.txt and 1 more"));
        assert_eq!(paths, ["a.txt", "trip/1.jpg", "trip/2.jpg"]);
    }

    #[wasm_bindgen_test]
    fn the_same_name_twice_is_numbered() {
        let (_, paths) = arranged(&["a.txt", "a.txt", "a (2).txt", ".env", ".env"]);
        assert_eq!(
            paths,
            ["a.txt", "a (2).txt", "a (2) (2).txt", ".env", ".env (2)"]
        );
    }

    #[wasm_bindgen_test]
    fn links_are_told_from_other_text() {
        assert!(looks_like_link(" magnet:?xt=urn:btih:2c6b\n"));
        assert!(looks_like_link(
            "https://example.org/#magnet:?xt=urn:btih:2c6b"
        ));
        for hash in [
            "2c6b6858d61da9543d4231a71db4b1c9264b0685",
            "FRVWQWGWDWUVIPKCGGTR3NFRZETEWBUF",
        ] {
            assert!(looks_like_link(hash));
            assert!(looks_like_link(&format!("https://example.org/#{hash}")));
        }
        assert!(looks_like_link("magnet%3A%3Fxt%3Durn%3Abtih%3A2c6b"));
        assert!(!looks_like_link("a shopping list"));
        assert!(is_torrent_file("Film.TORRENT") && !is_torrent_file("torrent"));
    }
}
