//! Every file of the corpus, and everything that ever crashed, is replayed.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use swarm_fuzz_targets::TARGETS;

fn folder(kind: &str, target: &str) -> PathBuf {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let fuzz = fuzz.expect("the package is a folder of fuzz/");
    fuzz.join(kind).join(target)
}

/// The files of a folder, in order; none when there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a folder can be read").path())
        .collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

fn replay(kind: &str) {
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        for file in files(&folder(kind, name)) {
            let input = fs::read(&file).expect("a file can be read");
            if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "these inputs fail: {failed:#?}");
}

#[test]
fn nothing_in_the_corpus_fails() {
    replay("corpus");
}

#[test]
fn nothing_that_once_crashed_fails_again() {
    replay("crashes");
}

#[test]
fn every_target_has_a_corpus_and_every_folder_a_target() {
    for (name, _) in TARGETS {
        let found = files(&folder("corpus", name)).len();
        assert!(found > 0, "fuzz/corpus/{name} is missing or empty");
    }
    for kind in ["corpus", "crashes"] {
        for entry in fs::read_dir(folder(kind, "")).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let known = TARGETS.iter().any(|(target, _)| name == *target);
            assert!(
                known || entry.path().is_file(),
                "{kind}/{name:?} belongs to no target"
            );
        }
    }
}
