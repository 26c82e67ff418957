//! Makes what Trunk wrote smaller still: scripts and styles are minified, what the program
//! imports from its glue gets short names, and what is alike in it is put side by side.
//!
//! wasm-bindgen calls every import by its name and a hash, sixteen digits that no compression
//! takes out of either file. Trunk's own minifier does not understand the glue.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha384};
use xshell::cmd;

use crate::workspace::Workspace;

mod imports;
mod module;
mod streams;

/// What a page's program is called after its name and hash, and its glue.
const PROGRAM: &str = "_bg.wasm";
const GLUE: &str = ".js";

/// Scripts that the page's markup does not name: the service worker's.
const SERVICE_WORKER: [&str; 2] = ["stream.js", "app.js"];

/// How a script begins that stands in the page's markup.
const SCRIPT: &str = "reach-";

/// What Trunk puts into the markup of the main page: nothing is to be waited for before it is shown,
/// and can be used.
const INLINED: [&str; 6] = [
    "web-peer/style/base.css",
    "web-peer/style/page.css",
    "web-peer/style/torrent.css",
    "web-peer/style/reach.css",
    "web-peer/assets/words.js",
    "web-peer/assets/early.js",
];

/// Shrinks the files in the folder of one page; without esbuild only the names of imports.
pub(crate) fn page(workspace: &Workspace, folder: &Path, has_esbuild: bool) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let path = folder.join("index.html");
    let mut markup = fs::read_to_string(&path).context("reading the page's markup")?;

    for name in names.iter().filter(|name| name.ends_with(PROGRAM)) {
        let glue = name.replace(PROGRAM, GLUE);
        let program = fs::read(folder.join(name))?;
        let text = fs::read_to_string(folder.join(&glue)).context("reading the glue")?;
        let (short, text) = imports::shorten(&program, &text)?;
        let text = unpacking(&text)?;
        put(folder, &mut markup, name, &streams::pack(&short)?)?;
        put_minified(workspace, folder, &mut markup, &glue, text, has_esbuild)?;
    }
    let is_script = |name: &&String| name.starts_with(SCRIPT) || name.ends_with(".css");
    for name in names.iter().filter(is_script) {
        let text = fs::read_to_string(folder.join(name))?;
        put_minified(workspace, folder, &mut markup, name, text, has_esbuild)?;
    }
    // What keeps its name, because browsers come back to it.
    for name in names
        .iter()
        .filter(|name| SERVICE_WORKER.contains(&&name[..]))
    {
        let text = fs::read_to_string(folder.join(name))?;
        let text = minified(workspace, name, text, has_esbuild)?;
        fs::write(folder.join(name), text)?;
    }
    for name in INLINED {
        let text =
            fs::read_to_string(workspace.root.join(name)).context("reading what is inline")?;
        if markup.contains(&text) {
            let short = minified(workspace, name, text.clone(), has_esbuild)?;
            markup = markup.replace(&text, short.trim_end());
        }
    }
    fs::write(path, markup).context("writing the page's markup")?;
    Ok(())
}

/// The glue of a program that [`streams::pack`] took apart: what was fetched it puts together.
fn unpacking(glue: &str) -> Result<String> {
    const STREAM: &str = "if (typeof WebAssembly.instantiateStreaming === 'function') {";
    ensure!(glue.matches(STREAM).count() == 1, "the glue loads nothing");
    // What is behind it is never reached then, and esbuild takes it out.
    let unpack = "return await WebAssembly.instantiate(await unpack(module), imports);";
    Ok(glue.replace(STREAM, &format!("{unpack}\n{STREAM}")) + streams::UNPACK)
}

fn put_minified(
    workspace: &Workspace,
    folder: &Path,
    markup: &mut String,
    name: &str,
    text: String,
    has_esbuild: bool,
) -> Result<()> {
    let text = minified(workspace, name, text, has_esbuild)?;
    put(folder, markup, name, text.as_bytes())
}

fn minified(workspace: &Workspace, name: &str, text: String, has_esbuild: bool) -> Result<String> {
    if !has_esbuild {
        return Ok(text);
    }
    let loader = if name.ends_with(GLUE) { "js" } else { "css" };
    let esbuild = cmd!(
        workspace.sh,
        "esbuild --minify --loader={loader} --log-level=warning"
    );
    let text = esbuild.quiet().stdin(text).read();
    text.with_context(|| format!("minifying {name}"))
}

/// Puts other contents in the place of a file. It has a new name then, because browsers keep
/// what they got under the old one for ever; the markup names both, and what it has to be.
fn put(folder: &Path, markup: &mut String, name: &str, contents: &[u8]) -> Result<()> {
    let old = fs::read(folder.join(name))?;
    let integrity = |bytes: &[u8]| format!("sha384-{}", BASE64.encode(&Sha384::digest(bytes)));
    let end = name.find(['.', '_']).context("a name without an end")?;
    let (stem, end) = name.split_at(end);
    // Trunk gives a worker's program none.
    let stem = stem.rsplit_once('-').map_or(stem, |(stem, _hash)| stem);
    let hash = &HEXLOWER.encode(&Sha384::digest(contents))[..16];
    let new = format!("{stem}-{hash}{end}");
    ensure!(markup.contains(name), "the page does not use {name}");
    fs::remove_file(folder.join(name))?;
    fs::write(folder.join(&new), contents)?;
    *markup = markup
        .replace(name, &new)
        .replace(&integrity(&old), &integrity(contents));
    Ok(())
}
