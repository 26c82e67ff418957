//! What pages of other people embed the swarm with: a module, and what belongs to it, in
//! `dist/embed`. Its engine is the main page's own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use xshell::cmd;

use crate::workspace::Workspace;

/// Its sources.
const SOURCES: &str = "web-peer/embed";

/// The module, which is made one with those that it imports.
const MODULE: &str = "tabswarm.js";

/// What is beside it: its types, and the example.
const BESIDE: [&str; 3] = ["tabswarm.d.ts", "index.html", "example.js"];

/// The engine's glue and its program, as [`SOURCES`] and the page's markup name them.
const ENGINE: [(&str, &str); 2] = [
    ("../engine.js", "data-glue"),
    ("../engine_bg.wasm", "data-program"),
];

/// The service worker, and the line in it that is about the installed page alone.
const SERVICE_WORKER: &str = "web-peer/assets/stream.js";
const APP: &str = "// What an installed page needs besides.\nimportScripts(\"app.js\");\n";

/// Writes it beside the main page, which is in `dist`; without esbuild as it is written.
pub(crate) fn write(workspace: &Workspace, dist: &Path, has_esbuild: bool) -> Result<()> {
    let (sources, folder) = (workspace.root.join(SOURCES), dist.join("embed"));
    fs::create_dir_all(&folder)?;
    for name in BESIDE {
        fs::copy(sources.join(name), folder.join(name))
            .with_context(|| format!("copying {name}"))?;
    }
    let stream = fs::read_to_string(workspace.root.join(SERVICE_WORKER))?;
    ensure!(stream.contains(APP), "{SERVICE_WORKER} imports nothing");
    fs::write(folder.join("stream.js"), stream.replace(APP, ""))?;

    let markup = fs::read_to_string(dist.join("index.html")).context("reading the markup")?;
    for name in modules(workspace, &sources, &folder, has_esbuild)? {
        let path = folder.join(name);
        let mut text = fs::read_to_string(&path)?;
        for (source, attribute) in ENGINE {
            let built = engine(&markup, attribute)?;
            text = text.replace(source, &format!("../{built}"));
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// Puts the scripts into the folder; their names.
fn modules(
    workspace: &Workspace,
    sources: &Path,
    folder: &Path,
    has_esbuild: bool,
) -> Result<Vec<String>> {
    if has_esbuild {
        let (module, out) = (sources.join(MODULE), folder.join(MODULE));
        let options = ["--bundle", "--minify", "--format=esm", "--log-level=error"];
        let sh = &workspace.sh;
        cmd!(sh, "esbuild {module} {options...} --outfile={out}")
            .quiet()
            .run()?;
        return Ok(vec![MODULE.to_owned()]);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(sources)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".js") {
            fs::copy(sources.join(&name), folder.join(&name))?;
            names.push(name);
        }
    }
    Ok(names)
}

/// What the page's markup says of the engine.
fn engine<'a>(markup: &'a str, attribute: &str) -> Result<&'a str> {
    let (_, rest) = markup
        .split_once("id=\"worker\"")
        .context("the markup names no worker")?;
    let (_, rest) = rest
        .split_once(&format!("{attribute}=\""))
        .with_context(|| format!("the worker has no {attribute}"))?;
    let (name, _) = rest.split_once('"').context("a value without an end")?;
    Ok(name)
}
