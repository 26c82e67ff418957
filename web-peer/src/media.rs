//! What of a stranger's files a page may open, by the endings of their names.
//!
//! A list of what is harmless, rather than of what is not: what it does not name is saved and
//! never opened. Nothing in it is a page: markup is text to read. An SVG is an image, and text
//! anywhere else (`assets/stream.js`).

/// The types of files, and the endings that have them.
const TYPES: [(&str, &str); 21] = [
    ("video/mp4", "mp4 m4v mov"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
    ("video/ogg", "ogv"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a m4b"),
    ("audio/aac", "aac"),
    ("audio/ogg", "ogg oga opus"),
    ("audio/wav", "wav"),
    ("audio/flac", "flac"),
    ("audio/webm", "weba"),
    ("image/jpeg", "jpg jpeg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/avif", "avif"),
    ("image/bmp", "bmp"),
    ("image/svg+xml", "svg"),
    ("image/x-icon", "ico"),
    (PDF, "pdf"),
    (
        TEXT,
        "txt text md nfo log srt vtt csv tsv json toml yaml yml xml html htm xhtml css js rs py c h",
    ),
];

/// The browsers' own viewers show it.
const PDF: &str = "application/pdf";

/// To read; what it says is shown as it stands.
const TEXT: &str = "text/plain; charset=utf-8";

/// What nobody opens.
pub(crate) const OTHER: &str = "application/octet-stream";

/// How a page shows a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Video,
    Audio,
    Image,
    /// In a sandbox.
    Text,
    /// In a tab of its own: browsers' viewers work in no sandbox.
    Pdf,
}

/// The type of a file of this name, as it is said to browsers.
pub(crate) fn type_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is = |endings: &str| {
        let mut endings = endings.split(' ');
        endings.any(|it| it.eq_ignore_ascii_case(ending))
    };
    let found = TYPES.iter().find(|(_, endings)| is(endings));
    found.map_or(OTHER, |(name, _)| name)
}

/// How a file of this name is shown; none if it is not.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    let media = type_of(name);
    Some(match media.split('/').next()? {
        "video" => Kind::Video,
        "audio" => Kind::Audio,
        "image" => Kind::Image,
        "text" => Kind::Text,
        _ if media == PDF => Kind::Pdf,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn the_ending_alone_decides() {
        for (name, media, kind) in [
            ("a film.MP4", "video/mp4", Some(Kind::Video)),
            ("x.tar.wav", "audio/wav", Some(Kind::Audio)),
            ("drawing.svg", "image/svg+xml", Some(Kind::Image)),
            ("page.html", TEXT, Some(Kind::Text)),
            ("page.xhtml", TEXT, Some(Kind::Text)),
            ("manual.pdf", PDF, Some(Kind::Pdf)),
            ("program.exe", OTHER, None),
            ("mp4", OTHER, None),
            ("page.html\u{fffd}", OTHER, None),
            (".", OTHER, None),
            ("two words.mp4 m4v", OTHER, None),
            ("", OTHER, None),
        ] {
            assert_eq!((type_of(name), kind_of(name)), (media, kind), "{name}");
        }
    }

    #[wasm_bindgen_test]
    fn no_type_is_that_of_a_page() {
        for (media, _) in TYPES {
            let is_page = ["html", "javascript", "/xml"]
                .iter()
                .any(|it| media.contains(it));
            assert!(!is_page, "{media}");
        }
    }
}
