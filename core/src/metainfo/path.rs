//! File paths that can't leave the download folder.
//!
//! What would lead elsewhere is left out, as libtorrent does it: separators of any platform,
//! and parts that are empty, `.` or `..` then (a file that has no name left is called `_`);
//! so are characters that nobody sees.
//! What honest people's folders contain, but some platform can't store or a person can't
//! read, is replaced, the same way everywhere: control characters (macOS has files called
//! `Icon\r`), characters that Windows forbids, its device names, dots and spaces at the end,
//! text-direction overrides that make `exe.txt` of `txt.exe`, parts that are too long.

use std::fmt;

/// A relative path whose parts are harmless on every platform: no `..`, no
/// separators, no drive letters, no control characters, no reserved names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafePath(Vec<String>);

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It has no parts.
    #[error("a file has no path")]
    Empty,
    /// It is longer than [`SafePath::MAX_LENGTH`] or has more than [`SafePath::MAX_PARTS`].
    #[error("a path of {parts} parts and {length} bytes is too long")]
    TooLong {
        /// How many parts.
        parts: usize,
        /// Bytes with separators.
        length: usize,
    },
}

impl SafePath {
    /// The most parts of a path.
    pub const MAX_PARTS: usize = 64;
    /// The longest path, in bytes of UTF-8 with separators; leaves the download folder half
    /// of what Linux allows.
    pub const MAX_LENGTH: usize = 2048;
    /// The longest part, in bytes of UTF-8: what Linux allows, and no more than Windows and
    /// macOS do.
    pub const MAX_PART: usize = 255;

    /// The path of these parts, each made harmless.
    pub fn new(parts: &[String]) -> Result<Self, PathError> {
        let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
        if parts.len() > Self::MAX_PARTS || length > Self::MAX_LENGTH {
            let parts = parts.len();
            return Err(PathError::TooLong { parts, length });
        }
        let (name, folders) = parts.split_last().ok_or(PathError::Empty)?;
        let name = harmless(name).unwrap_or_else(|| NAMELESS.to_owned());
        let folders = folders.iter().filter_map(|part| harmless(part));
        Ok(SafePath(folders.chain([name]).collect()))
    }

    /// The parts; at least one, none empty.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.last().expect("at least one part")
    }

    pub(super) fn set_file_name(&mut self, name: String) {
        *self.0.last_mut().expect("at least one part") = name;
    }
}

impl fmt::Display for SafePath {
    /// The parts with `/` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// What a file is called that has no name.
const NAMELESS: &str = "_";

/// The part of a path that becomes of this one; none if nothing does.
pub(super) fn harmless(part: &str) -> Option<String> {
    let mut part: String = part
        .chars()
        .filter(|c| !matches!(c, '/' | '\\') && !is_invisible(*c))
        .map(|c| if is_trouble(c) { '_' } else { c })
        .collect();
    if matches!(part.as_str(), "" | "." | "..") {
        return None;
    }
    if is_device(&part) {
        part.insert(0, '_');
    }
    if part.len() > SafePath::MAX_PART {
        let (stem, extension) = shorten(&part, 0);
        part = format!("{stem}{extension}");
    }
    // Windows drops these, so that two names become one.
    if part.ends_with(['.', ' ']) {
        part.pop();
        part.push('_');
    }
    Some(part)
}

/// The name's stem and extension, the stem cut so that together with `mark` bytes more they
/// make at most [`SafePath::MAX_PART`].
pub(super) fn shorten(name: &str, mark: usize) -> (&str, &str) {
    let (stem, extension) = split_extension(name);
    let room = SafePath::MAX_PART - mark - extension.len();
    (&stem[..stem.floor_char_boundary(room)], extension)
}

/// What is before a short extension, and the extension with its dot, if there is one.
fn split_extension(name: &str) -> (&str, &str) {
    const LONGEST: usize = 16;
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= LONGEST => name.split_at(dot),
        _ => (name, ""),
    }
}

/// A platform can't store it, or it makes a name look like another.
pub(super) fn is_trouble(c: char) -> bool {
    c.is_control()
        || is_deceptive(c)
        || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '/' | '\\')
}

/// Nobody sees it, but two names differ by it, or text turns around it: spaces of no width,
/// marks of direction. Not the joiners, without which emoji and Persian fall apart.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    )
}

/// It changes the direction of the text around it, breaks a line, or is not seen at all.
pub(super) fn is_deceptive(c: char) -> bool {
    is_invisible(c)
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Windows takes it for a device, whatever its extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => ["COM", "LPT"].iter().any(|port| {
            let number = stem.strip_prefix(port);
            number.is_some_and(|n| {
                let mut chars = n.chars();
                matches!(chars.next(), Some('0'..='9' | '¹' | '²' | '³')) && chars.next().is_none()
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(parts: &[&str]) -> Result<SafePath, PathError> {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        SafePath::new(&parts)
    }

    fn part(part: &str) -> String {
        path(&[part]).unwrap().file_name().to_owned()
    }

    #[test]
    fn what_leads_elsewhere_is_left_out() {
        for (parts, whole) in [
            (&[""][..], "_"),
            (&["a", "", "b"], "a/b"),
            (&["", "b"], "b"),
            (&["a", ""], "a/_"),
            (&["."], "_"),
            (&["a", ".", "b"], "a/b"),
            (&["a", "..", "b"], "a/b"),
            (&["..", "etc", "passwd"], "etc/passwd"),
            (&["a", ".."], "a/_"),
            (&["/", "b"], "b"),
            (&["./.", "\\", "b"], "b"),
            (&["/etc/passwd"], "etcpasswd"),
            (&["a/../../b"], "a....b"),
            (&["..\\b"], "..b"),
            (&["C:\\Windows"], "C_Windows"),
            (&["\\\\server\\share"], "servershare"),
            (&["a\0b"], "a_b"),
        ] {
            assert_eq!(path(parts).unwrap().to_string(), whole, "{parts:?}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for parts in [&[][..], &["a"; 65], &["a".repeat(2048).as_str()]] {
            assert!(path(parts).is_err(), "{parts:?}");
        }
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in [
            "a",
            ".bashrc",
            "archive.tar.gz",
            "Größe ½.txt",
            "дневник.txt",
            "日記.txt",
            "יומן.txt",
            "يوميات.txt",
            "👩‍👩‍👧.png",
            "...and more",
            " a",
            "console.log",
            "com10",
            "null",
            "~x",
            "-rf",
            "$HOME",
            "%2e%2e",
        ] {
            assert_eq!(part(name), name);
        }
        let nested = path(&["a", "b", "c.txt"]).unwrap();
        assert_eq!(nested.to_string(), "a/b/c.txt");
        assert_eq!(nested.parts().len(), 3);
    }

    #[test]
    fn awkward_names_are_made_harmless() {
        for (name, harmless) in [
            ("Icon\r", "Icon_"),
            ("a\nb\x1b[31m\x7f\u{85}", "a_b_[31m__"),
            ("C:", "C_"),
            ("file:stream", "file_stream"),
            ("what? <\"*|>", "what_ _____"),
            ("nul", "_nul"),
            ("NUL .txt", "_NUL .txt"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("lpt³", "_lpt³"),
            ("aux.", "_aux_"),
            ("dot.", "dot_"),
            ("space ", "space_"),
            ("...", ".._"),
            (". .", ". _"),
            ("invoice\u{202e}txt.exe", "invoice_txt.exe"),
            ("a\u{2067}b\u{2028}", "a_b_"),
            ("\u{feff}a\u{200f}\u{200e}b\u{61c}\u{200b}\u{2060}", "ab"),
        ] {
            assert_eq!(part(name), harmless);
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let long = part(&format!("{}.jpeg", "é".repeat(200)));
        assert_eq!(long.len(), 255);
        assert!(long.ends_with("é.jpeg"));
        assert_eq!(part(&"x".repeat(300)).len(), 255);
        assert_eq!(part(&format!("a.{}", "y".repeat(300))).len(), 255);
    }

    #[test]
    fn any_text_is_refused_or_becomes_a_harmless_path_that_stays_so() {
        arbtest::arbtest(|u| {
            let parts: Vec<String> = u.arbitrary()?;
            let Ok(path) = SafePath::new(&parts) else {
                return Ok(());
            };
            assert!((1..=parts.len()).contains(&path.parts().len()));
            for part in path.parts() {
                assert!(!part.is_empty() && part.len() <= SafePath::MAX_PART);
                assert!(!part.contains(is_trouble) && !part.ends_with(['.', ' ']));
                assert!(part != "." && part != ".." && !is_device(part));
            }
            assert_eq!(SafePath::new(path.parts()), Ok(path));
            Ok(())
        });
    }
}
