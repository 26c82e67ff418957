//! Embeds the built page in release builds: writes a table of its files.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    // Debug builds read the page from disk, so that building it again is enough.
    if std::env::var("PROFILE")? == "release" {
        let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../dist");
        println!("cargo:rerun-if-changed={}", dist.display());
        let files = files_below(&dist).unwrap_or_default();
        if files.is_empty() {
            println!(
                "cargo:warning=there is no built page in dist/: this tracker-relay will not serve \
                 one. `cargo xtask build` builds the page and then this."
            );
        }
        let mut named = Vec::new();
        for file in files {
            let name: Vec<_> = file
                .strip_prefix(&dist)?
                .iter()
                .map(|part| part.to_string_lossy())
                .collect();
            named.push((name.join("/"), file.canonicalize()?));
        }
        // Found by binary search; paths have another order than their names.
        named.sort();
        for (name, file) in named {
            writeln!(table, "    ({name:?}, include_bytes!({file:?})),")?;
        }
    }
    table.push_str("]\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("page.rs"), table)?;
    Ok(())
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // What Trunk is in the middle of writing stands in folders that begin with a dot.
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'))
        {
            continue;
        }
        if path.is_dir() {
            files.append(&mut files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
