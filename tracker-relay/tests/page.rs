//! The page over HTTP.
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

mod support;

use std::fs;

use support::{get, start};
use tracker_relay::{Config, Page};

const WASM: &str = "web-peer-0123456789abcdef_bg.wasm";

async fn server_with_page() -> (tempfile::TempDir, tracker_relay::Server) {
    server_that_lets_in(&[]).await
}

async fn server_that_lets_in(origins: &[&str]) -> (tempfile::TempDir, tracker_relay::Server) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("index.html", "<script type=\"module\">start()</script>");
    fs::create_dir(folder.path().join("lab")).unwrap();
    write(
        "lab/index.html",
        "<script type=\"module\">simulate()</script>",
    );
    write(WASM, "plain");
    write(&format!("{WASM}.br"), "brotli");
    write(&format!("{WASM}.gz"), "gzip");
    let page = Page::Folder(folder.path().to_owned());
    let server = start(Config {
        page,
        allowed_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        ..Config::default()
    })
    .await;
    (folder, server)
}

#[tokio::test]
async fn pages_that_are_let_in_may_load_the_engine_and_others_not() {
    let good = "Origin: https://good.example\r\n";
    let allows = "access-control-allow-origin: https://good.example\r\n";
    let engine = format!("/{WASM}");
    let (_folder, server) = server_that_lets_in(&["https://good.example"]).await;
    let answer = get(server.address(), &engine, good).await;
    assert!(answer.contains(allows), "{answer}");
    for other in ["", "Origin: https://bad.example\r\n", "Origin: null\r\n"] {
        let answer = get(server.address(), &engine, other).await;
        assert!(!answer.contains("access-control"), "{answer}");
        // A browser keeps it, and may need it for another page.
        assert!(answer.contains("vary: origin"), "{answer}");
    }
    let answer = get(server.address(), "/health", good).await;
    assert!(!answer.contains("access-control"), "{answer}");
    let (_folder, closed) = server_with_page().await;
    let answer = get(closed.address(), &engine, good).await;
    assert!(!answer.contains("access-control"), "{answer}");
}

#[tokio::test]
async fn the_index_is_revalidated_and_guarded() {
    let (_folder, server) = server_with_page().await;
    let answer = get(server.address(), "/", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for expected in [
        "content-type: text/html",
        "cache-control: no-cache",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "connect-src 'self' ws: wss: http: https:;",
        "vary: accept-encoding",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-embedder-policy: require-corp",
        "permissions-policy: ",
        "'sha256-",
        "start()",
    ] {
        assert!(answer.contains(expected), "no {expected} in {answer}");
    }
    let tag = answer
        .split("etag: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    let strong = tag.trim_start_matches("W/");
    for known in [tag, strong, "*", &format!("\"other\", {tag}")] {
        let header = format!("If-None-Match: {known}\r\n");
        let again = get(server.address(), "/index.html", &header).await;
        assert!(again.starts_with("HTTP/1.1 304"), "{again}");
        for repeated in ["vary: accept-encoding", "cache-control: no-cache", tag] {
            assert!(again.contains(repeated), "no {repeated} in {again}");
        }
    }
    let other = get(server.address(), "/", "If-None-Match: \"other\"\r\n").await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
}

#[tokio::test]
async fn hashed_files_are_kept_and_come_compressed_to_those_who_can() {
    let (_folder, server) = server_with_page().await;
    let path = format!("/{WASM}");
    let plain = get(server.address(), &path, "").await;
    assert!(
        plain.contains("application/wasm") && plain.contains("immutable"),
        "{plain}"
    );
    assert!(plain.ends_with("plain"), "{plain}");
    let brotli = get(server.address(), &path, "Accept-Encoding: gzip, br\r\n").await;
    assert!(
        brotli.contains("content-encoding: br") && brotli.ends_with("brotli"),
        "{brotli}"
    );
    assert!(brotli.contains("application/wasm"), "{brotli}");
    // What browsers offer to a page that is not from HTTPS nor from localhost.
    let gzip = get(
        server.address(),
        &path,
        "Accept-Encoding: gzip, deflate\r\n",
    )
    .await;
    assert!(
        gzip.contains("content-encoding: gzip") && gzip.ends_with("gzip"),
        "{gzip}"
    );
}

#[tokio::test]
async fn a_page_in_a_folder_is_guarded_like_the_first() {
    let (_folder, server) = server_with_page().await;
    let answer = get(server.address(), "/lab/", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for expected in [
        "content-type: text/html",
        "cache-control: no-cache",
        "'wasm-unsafe-eval'",
        "'sha256-",
        "simulate()",
        // It has no business with anybody.
        "connect-src 'self';",
        "cross-origin-embedder-policy: require-corp",
    ] {
        assert!(answer.contains(expected), "no {expected} in {answer}");
    }
    let without_slash = get(server.address(), "/lab", "").await;
    assert!(
        without_slash.starts_with("HTTP/1.1 308") && without_slash.contains("location: ./lab/\r\n"),
        "{without_slash}"
    );
    let with_query = get(server.address(), "/lab?seed=5", "").await;
    assert!(
        with_query.contains("location: ./lab/?seed=5\r\n"),
        "{with_query}"
    );
    let nothing = get(server.address(), "/lap", "").await;
    assert!(nothing.starts_with("HTTP/1.1 404"), "{nothing}");
}

#[tokio::test]
async fn nothing_outside_the_folder_is_served() {
    let (folder, server) = server_with_page().await;
    let secret = folder.path().parent().unwrap().join("tabswarm-test-secret");
    fs::write(&secret, "secret").unwrap();
    for path in [
        "/../tabswarm-test-secret",
        "/%2e%2e/tabswarm-test-secret",
        "/nothing",
    ] {
        let answer = get(server.address(), path, "").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    fs::remove_file(secret).unwrap();
}

#[tokio::test]
async fn a_missing_page_names_the_command_that_builds_it() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::Folder(folder.path().to_owned());
    let server = start(Config {
        page,
        ..Config::default()
    })
    .await;
    assert!(server.missing_page().unwrap().contains("cargo xtask build"));
    let answer = get(server.address(), "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("cargo xtask build"),
        "{answer}"
    );
    let health = get(server.address(), "/health", "").await;
    assert!(
        health.contains("\"status\":\"ok\"") && health.contains("\"page\":false"),
        "{health}"
    );
}
