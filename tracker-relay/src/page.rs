//! The built page: files from this binary or from a folder.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use self::folder::Folder;
use crate::client::items;
use crate::config::Page;
use crate::reply::{Reply, set, text};

mod encoding;
mod folder;

/// Written by `build.rs`; empty in debug builds.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = "index.html";

/// Where the files of the page are.
#[derive(Debug)]
pub(crate) enum Assets {
    /// With the labels of those that have any.
    BuiltIn(HashMap<&'static str, Labels>),
    Folder(Folder),
    Missing,
}

/// What goes with a file whose name stays the same when it changes.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    /// Stands for its content.
    tag: String,
    /// What it may do, if it is a page.
    policy: Option<String>,
}

impl Assets {
    pub(crate) fn open(page: &Page) -> Self {
        match page {
            Page::Folder(folder) => Assets::Folder(Folder::new(folder.clone())),
            Page::BuiltIn if !BUILT_IN.is_empty() => {
                // Once, as making them takes many times as long as all else about a request.
                let files = BUILT_IN.iter().filter(|(name, _)| !is_hashed(name));
                let labelled = files.map(|&(name, content)| (name, Labels::of(name, content)));
                Assets::BuiltIn(labelled.collect())
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
        let Some(content) = self.load(&name).await else {
            return self.without_content(&name, uri.query()).await;
        };
        let mut reply = if is_hashed(&name) {
            let mut reply = self.encoded(&name, content, request).await;
            set(
                &mut reply,
                header::CACHE_CONTROL,
                "public, max-age=31536000, immutable",
            );
            reply
        } else {
            self.revalidated(&name, content, request).await
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
    async fn revalidated(&self, name: &str, content: Bytes, request: &HeaderMap) -> Reply {
        let known = match self {
            Assets::BuiltIn(labelled) => labelled.get(name).cloned(),
            _ => None,
        };
        let Labels { tag, policy } = known.unwrap_or_else(|| Labels::of(name, &content));
        let mut reply = if is_known(request, &tag) {
            let mut reply = Response::new(Full::default());
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            reply
        } else {
            self.encoded(name, content, request).await
        };
        // Weak, because it stands for every encoding of the content.
        let tag = HeaderValue::try_from(format!("W/{tag}"));
        let tag = tag.expect("hexadecimal digits are a header value");
        reply.headers_mut().insert(header::ETAG, tag);
        set(&mut reply, header::CACHE_CONTROL, "no-cache");
        if let Some(policy) = policy {
            let policy = HeaderValue::try_from(policy).expect("the policy is ASCII");
            reply
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        reply
    }

    /// The file, or a compressed sibling of it that the build left and the client takes.
    async fn encoded(&self, name: &str, content: Bytes, request: &HeaderMap) -> Reply {
        for encoding in encoding::acceptable(request) {
            if let Some(compressed) = self.load(&format!("{name}{}", encoding.suffix)).await {
                let mut reply = Response::new(Full::new(compressed));
                set(&mut reply, header::CONTENT_ENCODING, encoding.name);
                return reply;
            }
        }
        Response::new(Full::new(content))
    }

    async fn load(&self, name: &str) -> Option<Bytes> {
        match self {
            Assets::BuiltIn(_) => {
                let index = BUILT_IN.binary_search_by_key(&name, |&(n, _)| n).ok()?;
                Some(Bytes::from_static(BUILT_IN[index].1))
            }
            Assets::Folder(folder) => folder.load(name).await,
            Assets::Missing => None,
        }
    }
}

impl Labels {
    fn of(name: &str, content: &[u8]) -> Self {
        Labels {
            tag: format!("\"{}\"", &HEXLOWER.encode(&Sha256::digest(content))[..32]),
            policy: is_page(name).then(|| content_security_policy(name, content)),
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

/// It is a page, and needs a policy, rather than a part of one.
fn is_page(name: &str) -> bool {
    name.ends_with(".html")
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

/// What a page may do. Its inline scripts (Trunk's starts the module) are allowed by their
/// hashes; the worker is a module made of a Blob. The first page may connect to any tracker
/// and web seed that a torrent names (those without encryption only where it came without
/// itself: browsers see to that), the others to nobody else.
fn content_security_policy(name: &str, html: &[u8]) -> String {
    let hashes: String = inline_scripts(&String::from_utf8_lossy(html))
        .map(|script| format!(" 'sha256-{}'", BASE64.encode(&Sha256::digest(script))))
        .collect();
    let others = match name {
        INDEX => " ws: wss: http: https:",
        _ => "",
    };
    let directives: [Cow<'static, str>; 11] = [
        "default-src 'self'".into(),
        format!("script-src 'self' blob: 'wasm-unsafe-eval'{hashes}").into(),
        "worker-src 'self' blob:".into(),
        format!("connect-src 'self'{others}").into(),
        "style-src 'self' 'unsafe-inline'".into(),
        "img-src 'self' blob: data:".into(),
        "media-src 'self' blob:".into(),
        "object-src 'none'".into(),
        "base-uri 'none'".into(),
        "form-action 'none'".into(),
        "frame-ancestors 'none'".into(),
    ];
    directives.join("; ")
}

/// The text of each script element that has no `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=")).then_some(script)
    })
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
    fn inline_scripts_are_allowed_by_their_hash() {
        let html = b"<script src=\"/x.js\"></script><script type=\"module\">alert(1)</script>";
        let policy = content_security_policy(INDEX, html);
        assert_eq!(policy.matches("'sha256-").count(), 1);
        assert!(policy.contains(&BASE64.encode(&Sha256::digest("alert(1)"))));
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
