//! Every language has every text of the page, and no other.
//!
//! A text's key is the English one. `page` has those of the markup, and those that the page says
//! with `say!` or `key!`; `sentences` what the worker tells a person (`notice`), and what else the
//! worker or the core says: that may have words, but then in every language.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

/// Where words are looked for: the page and its worker, and whose sentences they pass on.
const SAID_IN: [&str; 4] = ["web-peer/src", "page-kit/src", "picture/src", "core/src"];

/// The plural forms of the languages (CLDR's cardinals). Spanish has a third for whole millions,
/// which are no numbers of peers: `other` stands in.
const PLURALS: [(&str, &[&str]); 4] = [
    ("ar", &["zero", "one", "two", "few", "many", "other"]),
    ("de", &["one", "other"]),
    ("es", &["one", "other"]),
    ("zh-Hans", &["other"]),
];

/// Forms that say their number by themselves.
const OWN_NUMBER: [&str; 3] = ["zero", "one", "two"];

/// The words of one language, by the English ones.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    page: Map<String, Value>,
    sentences: Map<String, Value>,
}

/// What is said in English.
#[derive(Default)]
struct Said {
    /// By the page.
    page: BTreeSet<String>,
    /// By the worker, to a person.
    notices: BTreeSet<String>,
    /// Every other text of the programs.
    others: BTreeSet<String>,
}

/// Compares the languages with the sources.
pub(super) fn check(root: &Path) -> Result<()> {
    let markup = fs::read_to_string(root.join("index.html")).context("reading index.html")?;
    let mut said = Said {
        page: sources::of_markup(&markup),
        ..Said::default()
    };
    for folder in SAID_IN {
        sources::of_folder(&root.join(folder), &mut said)?;
    }
    let mut languages = BTreeMap::new();
    for language in sources::languages(&markup) {
        let path = root.join(format!("web-peer/words/{language}.json"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let words: Words = serde_json::from_str(&text).with_context(|| language.clone())?;
        languages.insert(language, words);
    }
    let files = fs::read_dir(root.join("web-peer/words"))?.count();
    ensure!(files == languages.len(), "a language can't be chosen");
    let wrong = complaints(&said, &languages);
    if !wrong.is_empty() {
        bail!("web-peer/words:\n{wrong}");
    }
    eprintln!(
        "{} texts in {files} languages.",
        said.page.len() + said.notices.len()
    );
    Ok(())
}

fn complaints(said: &Said, languages: &BTreeMap<String, Words>) -> String {
    let mut wrong = String::new();
    let sentences = languages.values().flat_map(|words| words.sentences.keys());
    let somewhere: BTreeSet<&String> = sentences.collect();
    for (language, Words { page, sentences }) in languages {
        let mut complain = |key: &str, what: &str| {
            let _ = writeln!(wrong, "  {language}: {what}: {key:?}");
        };
        for (needed, words) in [(&said.page, page), (&said.notices, sentences)] {
            for key in needed.iter().filter(|key| !words.contains_key(*key)) {
                complain(key, "has no words for");
            }
        }
        let is_sentence = |key: &String| said.notices.contains(key) || said.others.contains(key);
        for key in page.keys().filter(|key| !said.page.contains(*key)) {
            complain(key, "the page does not say");
        }
        for key in sentences.keys().filter(|key| !is_sentence(key)) {
            complain(key, "nobody says");
        }
        let lacking = somewhere.iter().filter(|key| said.others.contains(**key));
        for key in lacking.filter(|key| !sentences.contains_key(**key)) {
            complain(key, "other languages have words for");
        }
        for (key, text) in page.iter().chain(sentences) {
            if let Err(what) = check_text(language, key, text) {
                complain(key, &what);
            }
        }
    }
    wrong
}

/// The forms are the language's, and have in them what the English ones have.
fn check_text(language: &str, key: &str, text: &Value) -> Result<(), String> {
    let expected = blanks(key);
    let is_counted = key.contains("{s}");
    let forms = PLURALS.iter().find(|(name, _)| *name == language);
    let (_, forms) = forms.ok_or("it is not said which plural forms it has")?;
    let texts = match text {
        Value::String(text) if !is_counted || *forms == ["other"] => vec![("other", &text[..])],
        Value::Object(texts) if is_counted => {
            let mut found = Vec::new();
            for form in *forms {
                let text = texts.get(*form).and_then(Value::as_str);
                found.push((*form, text.ok_or(format!("has no form {form:?}"))?));
            }
            if found.len() != texts.len() {
                return Err("has a form too many".to_owned());
            }
            found
        }
        _ => return Err("needs plural forms if there is an {s}, and else none".to_owned()),
    };
    for (form, text) in texts {
        if text.trim().is_empty() {
            return Err("is empty".to_owned());
        }
        let mut has = blanks(text);
        if OWN_NUMBER.contains(&form) && !has.iter().any(|blank| blank == "n") {
            has.extend(expected.iter().filter(|blank| *blank == "n").cloned());
            has.sort();
        }
        if has != expected {
            return Err(format!("has other things in its middle ({form})"));
        }
    }
    Ok(())
}

/// What is filled in, sorted.
fn blanks(text: &str) -> Vec<String> {
    let parts = text.split('{').skip(1);
    let names = parts.filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned()));
    let mut names: Vec<String> = names.filter(|name| name != "s").collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(page: &Value, sentences: &Value) -> String {
        let said = Said {
            page: BTreeSet::from(["Open".to_owned(), "{n} peer{s}".to_owned()]),
            notices: BTreeSet::from(["It is gone: {0}".to_owned()]),
            ..Said::default()
        };
        let words = json!({ "page": page, "sentences": sentences });
        let words: Words = serde_json::from_value(words).unwrap();
        complaints(&said, &BTreeMap::from([("de".to_owned(), words)]))
    }

    #[test]
    fn a_language_has_every_text_and_no_other() {
        let peers = json!({ "one": "ein Peer", "other": "{n} Peers" });
        let all = json!({ "Open": "Öffnen", "{n} peer{s}": peers });
        let gone = json!({ "It is gone: {0}": "Es ist weg: {0}" });
        assert_eq!(wrong(&all, &gone), "");
        let lacks = wrong(&json!({ "{n} peer{s}": peers }), &json!({}));
        assert!(lacks.contains("has no words for: \"Open\""), "{lacks}");
        assert!(lacks.contains("has no words for: \"It is gone"), "{lacks}");
        let more = json!({ "Open": "Öffnen", "{n} peer{s}": peers, "Shut": "Schließen" });
        assert!(wrong(&more, &gone).contains("the page does not say: \"Shut\""));
        let old = json!({ "It is gone: {0}": "Es ist weg: {0}", "It was": "Es war" });
        assert!(wrong(&all, &old).contains("nobody says: \"It was\""));
    }

    #[test]
    fn forms_and_what_is_filled_in_fit() {
        let with = |peers: &Value| {
            let page = json!({ "Open": "Öffnen", "{n} peer{s}": peers });
            wrong(&page, &json!({ "It is gone: {0}": "Es ist weg: {0}" }))
        };
        assert!(with(&json!("{n} Peers")).contains("needs plural forms"));
        assert!(with(&json!({ "other": "{n} Peers" })).contains("has no form \"one\""));
        let few = json!({ "one": "ein Peer", "few": "{n} Peers", "other": "{n} Peers" });
        assert!(with(&few).contains("a form too many"));
        let nameless = json!({ "one": "ein Peer", "other": "Peers" });
        assert!(with(&nameless).contains("in its middle (other)"));
        let other = json!({ "one": "ein {peer}", "other": "{n} Peers" });
        assert!(with(&other).contains("in its middle (one)"));
    }

    #[test]
    fn a_sentence_that_need_not_have_words_has_them_in_every_language_or_none() {
        let said = Said {
            others: BTreeSet::from(["it is gone".to_owned()]),
            ..Said::default()
        };
        let words = |sentences: &Value| {
            let words = json!({ "page": {}, "sentences": sentences });
            serde_json::from_value::<Words>(words).unwrap()
        };
        let languages = BTreeMap::from([
            (
                "de".to_owned(),
                words(&json!({ "it is gone": "es ist weg" })),
            ),
            ("es".to_owned(), words(&json!({}))),
        ]);
        let wrong = complaints(&said, &languages);
        assert!(
            wrong.contains("es: other languages have words for"),
            "{wrong}"
        );
    }
}
