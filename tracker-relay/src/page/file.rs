//! A file of the page, and what goes with it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::INDEX;

/// See the module.
#[derive(Debug)]
pub(crate) struct File {
    content: Cow<'static, [u8]>,
    labels: OnceLock<Labels>,
}

/// What goes with a file whose name stays the same when it changes.
#[derive(Debug)]
pub(super) struct Labels {
    /// Stands for its content.
    pub(super) tag: String,
    /// What it may do, if it is a page.
    pub(super) policy: Option<String>,
}

impl File {
    pub(super) fn of(content: Cow<'static, [u8]>) -> Arc<Self> {
        let labels = OnceLock::new();
        Arc::new(File { content, labels })
    }

    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    /// Its content, for as long as which the file is held.
    pub(super) fn bytes(self: &Arc<Self>) -> Bytes {
        Bytes::from_owner(Shared(self.clone()))
    }

    /// Made once, as that takes many times as long as all else about a request.
    pub(super) fn labels(&self, name: &str) -> &Labels {
        self.labels.get_or_init(|| Labels {
            tag: format!(
                "\"{}\"",
                &HEXLOWER.encode(&Sha256::digest(&self.content))[..32]
            ),
            policy: is_page(name).then(|| content_security_policy(name, &self.content)),
        })
    }
}

struct Shared(Arc<File>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0.content
    }
}

/// It is a page, and needs a policy, rather than a part of one.
fn is_page(name: &str) -> bool {
    name.ends_with(".html")
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
    fn inline_scripts_are_allowed_by_their_hash() {
        let html = b"<script src=\"/x.js\"></script><script type=\"module\">alert(1)</script>";
        let policy = content_security_policy(INDEX, html);
        assert_eq!(policy.matches("'sha256-").count(), 1);
        assert!(policy.contains(&BASE64.encode(&Sha256::digest("alert(1)"))));
    }
}
