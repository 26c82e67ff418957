//! The English texts, found in markup and in Rust.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Said;

/// Attributes that people read, or hear.
const ATTRIBUTES: [&str; 4] = ["alt", "aria-label", "placeholder", "title"];

/// Elements whose text is no text of the page, or stays as it is.
const SILENT: [&str; 3] = ["script", "style", "title"];

/// What stands before a text that the page says, without spaces.
const SAYS: [&str; 2] = ["say!(", "key!("];

/// What stands before a text that the worker tells a person.
const NOTICES: [&str; 4] = [
    ".notice(true,",
    ".notice(false,",
    ".notice(true,format!(",
    ".notice(false,format!(",
];

/// The texts of a page: between tags, and in some attributes; not in elements that say
/// `translate="no"`.
pub(super) fn of_markup(markup: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (tag, text) in tags(markup) {
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        for attribute in ATTRIBUTES {
            keys.extend(attribute_of(tag, attribute).map(normal));
        }
        if !SILENT.contains(&name) && attribute_of(tag, "translate") != Some("no") {
            keys.insert(normal(text));
        }
    }
    keys.retain(|key| key.contains(char::is_alphabetic));
    keys
}

/// The languages that can be chosen, without English.
pub(super) fn languages(markup: &str) -> Vec<String> {
    let options = tags(markup).filter(|(tag, _)| tag.starts_with("option "));
    let languages = options.filter_map(|(tag, _)| attribute_of(tag, "lang"));
    let others = languages.filter(|language| *language != "en");
    others.map(str::to_owned).collect()
}

/// Each tag, without its brackets, and the text that follows it. Comments are neither, nor is
/// what stands there for those who can't have words because they have no scripts.
fn tags(markup: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = markup;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('<')?;
            let unseen = match after {
                _ if after.starts_with("!--") => Some("-->"),
                _ if after.starts_with("noscript") => Some("</noscript>"),
                _ => None,
            };
            if let Some(end) = unseen {
                rest = after.split_once(end)?.1;
                continue;
            }
            let (tag, after) = after.split_once('>')?;
            let end = after.find('<').unwrap_or(after.len());
            rest = &after[end..];
            return Some((tag, &after[..end]));
        }
    })
}

fn attribute_of<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0)
}

/// As the page looks for it: a space is a space.
fn normal(text: &str) -> String {
    let text = text.replace("&nbsp;", " ").replace("&amp;", "&");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Adds what the programs of a folder say.
pub(super) fn of_folder(folder: &Path, said: &mut Said) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            of_folder(&path, said)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            of_program(&fs::read_to_string(&path)?, said);
        }
    }
    Ok(())
}

fn of_program(source: &str, said: &mut Said) {
    let mut before = String::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            rest = &rest[rest.find("\"'").unwrap_or_default() + 2..];
        } else if let Some((literal, after)) = literal(rest) {
            let follows = |what: &[&str]| what.iter().any(|what| before.ends_with(what));
            match () {
                () if follows(&SAYS) => said.page.insert(literal),
                () if follows(&NOTICES) => said.notices.insert(literal),
                () => said.others.insert(literal),
            };
            before.clear();
            rest = after;
        } else {
            if !next.is_whitespace() {
                before.push(next);
            }
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// A text that begins here, as the program has it, and what follows.
fn literal(source: &str) -> Option<(String, &str)> {
    if let Some(raw) = source.strip_prefix("r#\"") {
        return raw
            .split_once("\"#")
            .map(|(text, after)| (text.to_owned(), after));
    }
    let mut text = String::new();
    let mut chars = source.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((text, chars.as_str())),
            '\\' => match chars.next()? {
                '\n' => chars = chars.as_str().trim_start().chars(),
                'n' => text.push('\n'),
                // Others are in no text that people read.
                escaped => text.push(escaped),
            },
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_markup_are_found() {
        let markup = r##"<!-- <p>no</p> --><noscript><p>no</p></noscript><title>Page</title>
            <p title="A hint">Some <b>words</b> of
               it, 2&nbsp;GiB · <code translate="no">lab</code>: more</p>
            <input placeholder="Type"><script>let no = 1;</script><p> · </p>
            <option value="de" lang="de" translate="no">Deutsch</option>"##;
        let found = of_markup(markup);
        let expected = [
            ": more",
            "A hint",
            "Some",
            "Type",
            "of it, 2 GiB ·",
            "words",
        ];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(languages(markup), ["de"]);
    }

    #[test]
    fn texts_of_programs_are_found() {
        let source = r##"
            // say!("no")
            say!("Open");
            say!(
                "{n} peer{s} \
                 here", n = 1,
            );
            let quote = '"';
            self.notice(true, format!("“{name}” failed"));
            #[error("it is gone")]
        "##;
        let mut said = Said::default();
        of_program(source, &mut said);
        let found = |keys: BTreeSet<String>| keys.into_iter().collect::<Vec<_>>();
        assert_eq!(found(said.page), ["Open", "{n} peer{s} here"]);
        assert_eq!(found(said.notices), ["“{name}” failed"]);
        assert_eq!(found(said.others), ["it is gone"]);
    }
}
