//! Brotli files beside a page's assets, and what the page weighs.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Extensions of files that aren't compressed already.
const COMPRESSIBLE: [&str; 10] = [
    "css",
    "html",
    "ico",
    "js",
    "json",
    "mjs",
    "svg",
    "txt",
    "wasm",
    "webmanifest",
];

/// Brotli's best, and the largest window that browsers take.
const QUALITY: u32 = 11;
const WINDOW_BITS: u32 = 22;

/// What the files of a page weigh.
pub(crate) struct Weight(Vec<Asset>);

struct Asset {
    /// Below the page's folder.
    name: String,
    /// Bytes.
    plain: u64,
    /// Bytes as they travel: with brotli, where that helps.
    travelling: u64,
}

/// Writes `NAME.br` for each compressible file below `folder` that gets smaller by it.
pub(crate) fn write_brotli(folder: &Path) -> Result<Weight> {
    let mut assets = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let entries =
            fs::read_dir(&current).with_context(|| format!("reading {}", current.display()))?;
        for entry in entries {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if extension != Some("br") {
                let compressible = extension.is_some_and(|it| COMPRESSIBLE.contains(&it));
                let name = path.strip_prefix(folder)?.display().to_string();
                assets.push(compress(&path, name, compressible)?);
            }
        }
    }
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Weight(assets))
}

fn compress(path: &Path, name: String, compressible: bool) -> Result<Asset> {
    let plain = fs::read(path)?;
    let mut asset = Asset {
        name,
        plain: plain.len() as u64,
        travelling: plain.len() as u64,
    };
    if compressible {
        let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, QUALITY, WINDOW_BITS);
        writer.write_all(&plain)?;
        let compressed = writer.into_inner();
        if compressed.len() < plain.len() {
            asset.travelling = compressed.len() as u64;
            let mut target = path.as_os_str().to_owned();
            target.push(".br");
            fs::write(target, compressed)?;
        }
    }
    Ok(asset)
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .0
            .iter()
            .map(|asset| asset.name.len())
            .max()
            .unwrap_or(0);
        let width = width.max("all files".len());
        writeln!(f, "  {:width$}  {:>9}  {:>9}", "file", "plain", "brotli")?;
        for Asset {
            name,
            plain,
            travelling,
        } in &self.0
        {
            writeln!(f, "  {name:width$}  {plain:>9}  {travelling:>9}")?;
        }
        let plain: u64 = self.0.iter().map(|asset| asset.plain).sum();
        let travelling: u64 = self.0.iter().map(|asset| asset.travelling).sum();
        write!(f, "  {:width$}  {plain:>9}  {travelling:>9}", "all files")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_smaller_has_a_brotli_file_beside_it() {
        let folder = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("img")).unwrap();
        let page = "<p>piece</p>".repeat(1000);
        fs::write(path("index.html"), &page).unwrap();
        fs::write(path("tiny.js"), "0").unwrap();
        fs::write(path("img/icon.png"), &page).unwrap();

        let first = write_brotli(folder.path()).unwrap().to_string();
        let mut unpacked = Vec::new();
        let packed = fs::read(path("index.html.br")).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut unpacked).unwrap();
        assert_eq!(unpacked, page.as_bytes());
        assert!(!path("tiny.js.br").exists(), "it would be larger");
        assert!(
            !path("img/icon.png.br").exists(),
            "images are compressed already"
        );

        let second = write_brotli(folder.path()).unwrap().to_string();
        assert_eq!(first, second, "brotli files are no assets of their own");
        let all = first.lines().last().unwrap();
        assert!(
            all.contains("all files") && all.contains("24001"),
            "{first}"
        );
        assert!(
            all.ends_with(&(packed.len() + 1 + page.len()).to_string()),
            "{first}"
        );
    }
}
