//! Whether a crate's modules depend on each other in one direction only.
//!
//! Read from the source as text: every `crate::name` of a file that is no test is an arrow
//! from the file's top module to the one that it names. That is coarse, and enough: the
//! point is that somebody who adds such an arrow hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Which module names which.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Fails with the modules of a circle, if `source` has one.
pub(super) fn check(source: &Path) -> Result<()> {
    let mut arrows = Arrows::new();
    collect(source, source, &mut arrows)?;
    if let Some(circle) = find(&arrows) {
        bail!(
            "modules of {} depend on each other in a circle: {}",
            source.display(),
            circle.join(" -> ")
        );
    }
    eprintln!("{} modules, and no circle.", arrows.len());
    Ok(())
}

/// Gathers the arrows of every file below `folder`.
fn collect(source: &Path, folder: &Path, arrows: &mut Arrows) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(source, &path, arrows)?;
            continue;
        }
        let below = path.strip_prefix(source)?.with_extension("");
        let mut parts = below.iter().map(|part| part.to_string_lossy().into_owned());
        let Some(module) = parts.next() else { continue };
        // Tests may look at the house from any side.
        let is_test = below
            .iter()
            .any(|part| part.to_string_lossy().contains("test"));
        if module == "lib" || is_test {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let named = arrows.entry(module.clone()).or_default();
        named.extend(
            names(&text)
                .filter(|name| *name != module)
                .map(str::to_owned),
        );
    }
    Ok(())
}

/// The top modules that a file's code names, its unit tests left out.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            let end = rest.find(|letter: char| letter != '_' && !letter.is_alphanumeric());
            &rest[..end.unwrap_or(rest.len())]
        })
}

/// A circle: its first module comes last once more.
fn find(arrows: &Arrows) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    arrows
        .keys()
        .find_map(|module| walk(arrows, module, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    arrows: &'a Arrows,
    module: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<String>> {
    if let Some(begin) = path.iter().position(|seen| *seen == module) {
        let circle = path[begin..].iter().chain([&module]);
        return Some(circle.map(|module| (*module).to_owned()).collect());
    }
    if done.contains(module) {
        return None;
    }
    path.push(module);
    let circle = arrows
        .get(module)
        .into_iter()
        .flatten()
        .find_map(|next| walk(arrows, next, path, done));
    path.pop();
    done.insert(module);
    circle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(list: &[(&str, &str)]) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, to) in list {
            let named = arrows.entry((*from).to_owned()).or_default();
            named.insert((*to).to_owned());
        }
        arrows
    }

    #[test]
    fn a_circle_is_found_and_told() {
        let straight = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")];
        assert_eq!(find(&arrows(&straight)), None);
        let mut bent = straight.to_vec();
        bent.push(("d", "b"));
        let circle = find(&arrows(&bent)).unwrap();
        assert_eq!(circle, ["b", "c", "d", "b"]);
    }

    #[test]
    fn names_are_those_of_code() {
        let text = "//! See [`crate::engine`].\nuse crate::wire::{self, peer};\nfn f(x: crate::id::PeerId) {}\n#[cfg(test)]\nmod tests {\n    use crate::hub::Hub;\n}\n";
        assert_eq!(names(text).collect::<Vec<_>>(), ["wire", "id"]);
    }
}
