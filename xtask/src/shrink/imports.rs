//! Short names for what a WebAssembly program imports (core specification, 5.5.5), in the program
//! and in its glue.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::module::{HEADER, Reader, number, string};

/// The number of the section that lists imports.
const IMPORTS: u8 = 2;

/// The program and its glue with short names. They are given in the order of the imports, so the
/// same input gives the same output.
pub(super) fn shorten(program: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = BTreeMap::new();
    let mut short = program.get(..HEADER).context("no WebAssembly")?.to_vec();
    let mut rest = Reader(&program[HEADER..]);
    while let Some((id, section)) = rest.section()? {
        short.push(id);
        match id {
            IMPORTS => string(&mut short, &imports(section, &mut names)?),
            _ => string(&mut short, section),
        }
    }
    Ok((short, rename(glue, &names)?))
}

/// A section of imports with short names, which are added to `names`.
fn imports<'a>(section: &'a [u8], names: &mut BTreeMap<&'a str, String>) -> Result<Vec<u8>> {
    let mut rest = Reader(section);
    let count = rest.number()?;
    let mut short = Vec::new();
    number(&mut short, count);
    for _ in 0..count {
        for _module_and_name in 0..2 {
            let name = std::str::from_utf8(rest.string()?)?;
            let next = names.len();
            let name = names.entry(name).or_insert_with(|| nth_name(next));
            string(&mut short, name.as_bytes());
        }
        let begin = rest.0;
        // Functions alone: it makes its memory and its tables by itself.
        ensure!(rest.byte()? == 0, "an import that is no function");
        rest.number()?;
        short.extend(&begin[..begin.len() - rest.0.len()]);
    }
    Ok(short)
}

/// `a`, `b`, …, `z`, `aa`, …
fn nth_name(mut number: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.insert(0, char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return name.into_iter().collect();
        }
        number -= 1;
    }
}

/// Puts short names for the long ones where they are the name of a property: such are in the
/// glue's object of imports, each on a line of its own.
fn rename(glue: &str, names: &BTreeMap<&str, String>) -> Result<String> {
    let mut renamed = String::new();
    let mut found = 0;
    for line in glue.split_inclusive('\n') {
        let property = line.trim_start().split_once(": ");
        let short = property.and_then(|(name, _)| names.get(name.trim_matches('"')));
        match (short, property) {
            (Some(short), Some((name, rest))) => {
                found += 1;
                let indent = &line[..line.len() - name.len() - 2 - rest.len()];
                renamed += &format!("{indent}\"{short}\": {rest}");
            }
            _ => renamed += line,
        }
    }
    ensure!(
        found == names.len(),
        "the glue has {found} of the {} names that the program imports",
        names.len()
    );
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a type, imports of it, and a section of its own.
    fn module(imports: &[(&str, &str)]) -> Vec<u8> {
        let mut section = Vec::new();
        number(&mut section, imports.len() as u32);
        for (module, name) in imports {
            string(&mut section, module.as_bytes());
            string(&mut section, name.as_bytes());
            section.extend([0, 0]);
        }
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        bytes.push(IMPORTS);
        string(&mut bytes, &section);
        bytes.extend(b"\0\x03\x01xy");
        bytes
    }

    const GLUE: &str = "\
function imports() {
    const import0 = {
        __wbg_now_0123456789abcdef: function() {
            return Date.now(); // not __wbg_now_0123456789abcdef: that
        },
        __wbindgen_cast_1: function(arg0) {},
    };
    return {
        \"./x_bg.js\": import0,
    };
}
";

    #[test]
    fn a_program_and_its_glue_get_the_same_short_names() {
        let long = module(&[
            ("./x_bg.js", "__wbg_now_0123456789abcdef"),
            ("./x_bg.js", "__wbindgen_cast_1"),
        ]);
        let (short, glue) = shorten(&long, GLUE).unwrap();
        assert_eq!(short, module(&[("a", "b"), ("a", "c")]));
        let expected = GLUE
            .replace("    __wbg_now_0123456789abcdef:", "    \"b\":")
            .replace("__wbindgen_cast_1:", "\"c\":")
            .replace("./x_bg.js", "a");
        assert_eq!(glue, expected);
    }

    #[test]
    fn a_program_that_its_glue_does_not_fit_is_refused() {
        assert!(shorten(&module(&[("./x_bg.js", "other")]), GLUE).is_err());
        assert!(shorten(&module(&[])[..9], GLUE).is_err());
        assert!(shorten(b"", GLUE).is_err());
    }

    #[test]
    fn names_are_short_and_not_twice() {
        let names: Vec<String> = (0..1000).map(nth_name).collect();
        assert_eq!(
            [&*names[0], &*names[25], &*names[26], &*names[27]],
            ["a", "z", "aa", "ab"]
        );
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
