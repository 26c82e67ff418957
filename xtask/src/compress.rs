//! Compressed files beside a page's assets, and what the page weighs.
//!
//! Browsers take brotli over HTTPS and from localhost, and gzip from everywhere. Zopfli writes
//! the gzip: what it takes seconds for once, every tab in a LAN saves (a twentieth).

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

/// What the compressed files' names end in.
const BROTLI: &str = "br";
const GZIP: &str = "gz";

/// What the files of a page weigh.
pub(crate) struct Weight(Vec<Asset>);

struct Asset {
    /// Below the page's folder.
    name: String,
    /// Bytes.
    plain: u64,
    /// Bytes as they travel with brotli, where that helps.
    brotli: u64,
    /// The same with gzip.
    gzip: u64,
}

/// Writes `NAME.br` and `NAME.gz` for each compressible file below `folder` that gets smaller
/// by it.
pub(crate) fn write_compressed(folder: &Path) -> Result<Weight> {
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
            } else if extension != Some(BROTLI) && extension != Some(GZIP) {
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
    let length = plain.len() as u64;
    let (mut brotli, mut gzip) = (length, length);
    if compressible {
        let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, QUALITY, WINDOW_BITS);
        writer.write_all(&plain)?;
        brotli = keep_if_smaller(path, BROTLI, length, &writer.into_inner())?;
        let mut zipped = Vec::new();
        zopfli::compress(
            zopfli::Options::default(),
            zopfli::Format::Gzip,
            plain.as_slice(),
            &mut zipped,
        )?;
        gzip = keep_if_smaller(path, GZIP, length, &zipped)?;
    }
    Ok(Asset {
        name,
        plain: length,
        brotli,
        gzip,
    })
}

/// Bytes as they travel.
fn keep_if_smaller(path: &Path, extension: &str, plain: u64, compressed: &[u8]) -> Result<u64> {
    let length = compressed.len() as u64;
    if length >= plain {
        return Ok(plain);
    }
    let mut target = path.as_os_str().to_owned();
    target.push(".");
    target.push(extension);
    fs::write(target, compressed)?;
    Ok(length)
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|asset| asset.name.len());
        let width = names.max().unwrap_or(0).max("all files".len());
        let (file, plain, brotli, gzip) = ("file", "plain", "brotli", "gzip");
        writeln!(f, "  {file:width$}  {plain:>9}  {brotli:>9}  {gzip:>9}")?;
        let mut all = [0, 0, 0];
        for asset in &self.0 {
            let sizes = [asset.plain, asset.brotli, asset.gzip];
            let [plain, brotli, gzip] = sizes;
            let name = &asset.name;
            writeln!(f, "  {name:width$}  {plain:>9}  {brotli:>9}  {gzip:>9}")?;
            for (sum, size) in all.iter_mut().zip(sizes) {
                *sum += size;
            }
        }
        let [plain, brotli, gzip] = all;
        write!(
            f,
            "  {:width$}  {plain:>9}  {brotli:>9}  {gzip:>9}",
            "all files"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_gets_smaller_has_compressed_files_beside_it() {
        let folder = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("img")).unwrap();
        let page = "<p>piece</p>".repeat(1000);
        fs::write(path("index.html"), &page).unwrap();
        fs::write(path("tiny.js"), "0").unwrap();
        fs::write(path("img/icon.png"), &page).unwrap();

        let first = write_compressed(folder.path()).unwrap().to_string();
        let mut unpacked = Vec::new();
        let packed = fs::read(path("index.html.br")).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut unpacked).unwrap();
        assert_eq!(unpacked, page.as_bytes());
        let mut unpacked = String::new();
        let zipped = fs::read(path("index.html.gz")).unwrap();
        flate2::read::GzDecoder::new(zipped.as_slice())
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, page);
        for extension in ["br", "gz"] {
            let beside = |name: &str| path(&format!("{name}.{extension}")).exists();
            assert!(!beside("tiny.js"), "it would be larger");
            assert!(!beside("img/icon.png"), "images are compressed already");
        }

        let second = write_compressed(folder.path()).unwrap().to_string();
        assert_eq!(first, second, "compressed files are no assets of their own");
        let all = first.lines().last().unwrap();
        assert!(
            all.contains("all files") && all.contains("24001"),
            "{first}"
        );
        assert!(
            all.ends_with(&(zipped.len() + 1 + page.len()).to_string()),
            "{first}"
        );
        assert!(
            all.contains(&(packed.len() + 1 + page.len()).to_string()),
            "{first}"
        );
    }
}
