//! The built page: files from this binary or from a folder.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;

use self::file::File;
use self::folder::Folder;
use crate::client::items;
use crate::config::Page;
use crate::reply::{Reply, set, text};

mod encoding;
mod file;
mod folder;

/// Written by `build.rs`; empty in debug builds.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = "index.html";

/// Where the files of the page are.
#[derive(Debug)]
pub(crate) enum Assets {
    BuiltIn(HashMap<&'static str, Arc<File>>),
    Folder(Folder),
    Missing,
}

impl Assets {
    pub(crate) fn open(page: &Page) -> Self {
        match page {
            Page::Folder(folder) => Assets::Folder(Folder::new(folder.clone())),
            Page::BuiltIn if !BUILT_IN.is_empty() => {
                let files = BUILT_IN.iter();
                let files = files.map(|&(name, content)| (name, File::of(content.into())));
                Assets::BuiltIn(files.collect())
            }
            // A shipped binary must not look into the folder of whoever built it.
            Page::BuiltIn if cfg!(debug_assertions) => {
                let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
                Assets::Folder(Folder::new(dist))
            }
            Page::BuiltIn => Assets::Missing,
        }
    }

    /// Why there is no page, in words.
    pub(crate) fn missing(&self) -> Option<String> {
        match self {
            Assets::BuiltIn(_) => None,
            Assets::Folder(folder) if folder.path().join(INDEX).is_file() => None,
            Assets::Folder(folder) => Some(format!(
                "there is no page in {}: `cargo xtask build` builds it",
                folder.path().display()
            )),
            Assets::Missing => Some(
                "this tracker-relay was built without the page: `cargo xtask build` builds both"
                    .to_owned(),
            ),
        }
    }

    /// Answers a request for `uri`.
    pub(crate) async fn respond(&self, uri: &Uri, request: &HeaderMap) -> Reply {
        let Some(name) = file_name(uri.path()) else {
            return text(StatusCode::NOT_FOUND, "there is nothing here");
        };
        let Some(file) = self.load(&name).await else {
            return self.without_content(&name, uri.query()).await;
        };
        let mut reply = if is_hashed(&name) {
            let mut reply = self.encoded(&name, &file, request).await;
            set(
                &mut reply,
                header::CACHE_CONTROL,
                "public, max-age=31536000, immutable",
            );
            reply
        } else {
            self.revalidated(&name, &file, request).await
        };
        set(&mut reply, header::CONTENT_TYPE, content_type(&name));
        set(&mut reply, header::VARY, "accept-encoding");
        reply
    }

    /// There is no such file: it may be a page's folder, whose links start behind a slash.
    async fn without_content(&self, name: &str, query: Option<&str>) -> Reply {
        if let Some(reason) = self.missing() {
            return text(StatusCode::SERVICE_UNAVAILABLE, &reason);
        }
        let folder = name.rsplit('/').next().unwrap_or(name);
        // Relative, so that it holds behind a proxy that adds to the path, too.
        let location = match query {
            Some(query) => format!("./{folder}/?{query}"),
            None => format!("./{folder}/"),
        };
        match HeaderValue::try_from(location) {
            Ok(location) if self.load(&format!("{name}/{INDEX}")).await.is_some() => {
                let mut reply = text(StatusCode::PERMANENT_REDIRECT, "it is a folder");
                reply.headers_mut().insert(header::LOCATION, location);
                reply
            }
            _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }

    /// A file whose name stays the same when it changes: the browser asks each time.
    async fn revalidated(&self, name: &str, file: &Arc<File>, request: &HeaderMap) -> Reply {
        let labels = file.labels(name);
        let mut reply = if is_known(request, &labels.tag) {
            let mut reply = Response::new(Full::default());
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            reply
        } else {
            self.encoded(name, file, request).await
        };
        // Weak, because it stands for every encoding of the content.
        let tag = HeaderValue::try_from(format!("W/{}", labels.tag));
        let tag = tag.expect("hexadecimal digits are a header value");
        reply.headers_mut().insert(header::ETAG, tag);
        set(&mut reply, header::CACHE_CONTROL, "no-cache");
        if let Some(policy) = &labels.policy {
            let policy = HeaderValue::try_from(policy).expect("the policy is ASCII");
            reply
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        reply
    }

    /// The file, or a compressed sibling of it that the build left and the client takes.
    async fn encoded(&self, name: &str, file: &Arc<File>, request: &HeaderMap) -> Reply {
        for encoding in encoding::acceptable(request) {
            if let Some(compressed) = self.load(&format!("{name}{}", encoding.suffix)).await {
                let mut reply = Response::new(Full::new(compressed.bytes()));
                set(&mut reply, header::CONTENT_ENCODING, encoding.name);
                return reply;
            }
        }
        Response::new(Full::new(file.bytes()))
    }

    async fn load(&self, name: &str) -> Option<Arc<File>> {
        match self {
            Assets::BuiltIn(files) => files.get(name).cloned(),
            Assets::Folder(folder) => folder.load(name).await,
            Assets::Missing => None,
        }
    }
}

/// The client has what `tag` stands for (RFC 9110 §13.1.2), which it may have as a weak tag.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    items(request, header::IF_NONE_MATCH)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}

/// The file that a path names, with `/` between its parts; none if it could lead out of
/// the page's folder.
fn file_name(path: &str) -> Option<String> {
    let path = percent_decode_str(path.strip_prefix('/')?)
        .decode_utf8()
        .ok()?;
    let path = match path.is_empty() || path.ends_with('/') {
        true => path + INDEX,
        false => path,
    };
    let harmless = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0'])
    };
    path.split('/').all(harmless).then(|| path.into_owned())
}

/// Trunk puts a hash of the content into the names of what it builds.
fn is_hashed(name: &str) -> bool {
    const HASH: usize = 16;
    let mut words = name
        .rsplit('/')
        .next()
        .unwrap_or(name)
        .split(['-', '.', '_']);
    words.any(|word| word.len() >= HASH && word.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_page() {
        assert_eq!(file_name("/").as_deref(), Some(INDEX));
        assert_eq!(file_name("/a/b%20c.js").as_deref(), Some("a/b c.js"));
        assert_eq!(file_name("/lab/").as_deref(), Some("lab/index.html"));
        for path in [
            "",
            "/..",
            "/a/../../b",
            "/%2e%2e/b",
            "//",
            "//etc/passwd",
            "/a//b",
            "/.git",
            "/c:/x",
            "/a%5cb",
            "/%00",
        ] {
            assert_eq!(file_name(path), None, "{path}");
        }
    }

    #[test]
    fn names_with_a_hash_are_kept_for_ever() {
        assert!(is_hashed("web-peer-0a1b2c3d4e5f6071_bg.wasm"));
        assert!(is_hashed("snippets/style-0a1b2c3d4e5f6071.css"));
        assert!(!is_hashed("index.html"));
        assert!(!is_hashed("defaced-cafe.js"));
    }

    #[test]
    fn what_the_client_has_is_known_in_every_form() {
        let known = |value| {
            let headers = [(header::IF_NONE_MATCH, HeaderValue::from_static(value))];
            is_known(&HeaderMap::from_iter(headers), "\"1a\"")
        };
        for value in ["\"1a\"", "W/\"1a\"", "*", "\"x\", W/\"1a\"", "\"x\",\"1a\""] {
            assert!(known(value), "{value}");
        }
        for value in ["1a", "\"1\"", "w/\"1a\"", "\"1a", ""] {
            assert!(!known(value), "{value}");
        }
    }
}
