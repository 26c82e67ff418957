//! What reaches beyond the page, and the limits that people set: a code to scan, the icon, what an
//! installed page can do, and what a tab does not do because somebody said so.
//!
//! Ignored by a plain `cargo test`, as the other tests in tabs are: `cargo xtask test tabs`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::server::Server;
use swarm_tests::tab::Tab;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Waits until these parts of the line about limits are shown, and no others.
async fn held(tab: &Tab, parts: &[&str]) -> Result<()> {
    let script = format!(
        r#"const line = document.getElementById("held");
        const shown = [...line.querySelectorAll("span")].filter(part => !part.hidden && !line.hidden);
        return shown.map(part => part.dataset.part).join() === "{}";"#,
        parts.join(",")
    );
    tab.until(&format!("limits that hold back {parts:?}"), &script)
        .await?;
    Ok(())
}

/// What the only QR code in a picture says.
fn scan(picture: &Path) -> Result<String> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(picture)?)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("a picture that fits")?];
    let frame = reader.next_frame(&mut pixels)?;
    let (width, height) = (frame.width as usize, frame.height as usize);
    let depth = frame.line_size / width;
    let grey = |x: usize, y: usize| pixels[y * frame.line_size + x * depth + 1];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    let [grid] = &grids[..] else {
        anyhow::bail!("{} codes are in the picture", grids.len());
    };
    Ok(grid.decode()?.1)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_code_says_the_share_link_and_gives_the_keyboard_back() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("wave, from above.bin"), MIB, 81)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (tab, torrent) = browser.seed(&server.page(), &[&file]).await?;
    tab.click("qr").await?;
    let drawn = r#"return document.getElementById("qr-dialog").dataset.link"#;
    let link = tab.until("a code", drawn).await?;
    assert_eq!(link, torrent.share_link.as_str());
    let picture = folder.path().join("code.png");
    tab.screenshot(&picture).await?;
    assert_eq!(scan(&picture)?, torrent.share_link);
    tab.click("qr-close").await?;
    let focused = r#"return document.activeElement?.dataset.testid === "qr""#;
    tab.until("the focus where it was", focused).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn limits_are_told_and_kept_and_end_sharing() -> Result<()> {
    const ASKS: &str = r#"
        const leaving = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(leaving);
        return leaving.defaultPrevented;"#;
    const ICON: &str =
        r#"document.querySelector("link[rel=icon]").href.startsWith("data:image/svg+xml")"#;
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("slowly.bin"), 8 * MIB, 82)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    seeder
        .until(
            "a tab that may go",
            &format!("return !(() => {{{ASKS}}})()"),
        )
        .await?;
    seeder.fill("limit-up", "50").await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher
        .torrent_that("begun", |torrent| torrent.progress > 0.0)
        .await?;
    let drawn = format!("return {ICON}");
    leecher
        .until("an icon that shows how far it is", &drawn)
        .await?;
    held(&leecher, &[]).await?;
    held(&seeder, &["up"]).await?;
    seeder.until("a tab that others need", ASKS).await?;

    seeder.reload().await?;
    held(&seeder, &["up"]).await?;
    let kept = r#"return document.getElementById("limit-up").value === "50""#;
    assert_eq!(seeder.run(kept).await?, true);
    // The other end's own limit, and its number of peers.
    seeder.fill("limit-up", "").await?;
    leecher.fill("limit-down", "50").await?;
    held(&leecher, &["down"]).await?;
    held(&seeder, &[]).await?;
    leecher.fill("limit-peers", "1").await?;
    held(&leecher, &["down", "peers"]).await?;

    // Enough of sharing.
    seeder.fill("limit-ratio", "0.5").await?;
    leecher.fill("limit-down", "").await?;
    seeder
        .torrent_that("shared enough", |torrent| torrent.state == "paused")
        .await?;
    let words = r#"return document.querySelector("[data-part=words].words").textContent.includes("your limit")"#;
    seeder.until("words that say why", words).await?;
    seeder.reload().await?;
    seeder
        .torrent_that("still paused", |torrent| torrent.state == "paused")
        .await?;
    seeder.until("words that still say why", words).await?;
    // As much again.
    seeder.click("pause").await?;
    let done = leecher.seeding().await?;
    assert!(done.downloaded <= 9 * MIB as u64, "{done:?}");
    let plain = format!("return !{ICON}");
    leecher.until("the icon as it was", &plain).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_page_that_was_there_once_starts_without_a_network() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("kept.bin"), MIB, 83)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (tab, _) = browser.seed(&server.page(), &[&file]).await?;
    let manifest = r#"
        const [done] = arguments;
        (async () => {
            const answer = await fetch(document.querySelector("link[rel=manifest]").href);
            const { icons } = await answer.json();
            const sizes = await Promise.all(icons.map(async ({ src }) => {
                const icon = new Image();
                icon.src = src;
                await icon.decode();
                return icon.naturalWidth;
            }));
            return [answer.headers.get("content-type"), ...sizes.slice(1)];
        })().then(done, error => done(String(error)));"#;
    let expected = serde_json::json!(["application/manifest+json", 512, 512]);
    assert_eq!(tab.run_async(manifest).await?, expected);
    let kept = r#"
        const [done] = arguments;
        caches.match(location.origin + "/").then(page => done(Boolean(page)));"#;
    let is_kept = || tab.run_async(kept);
    swarm_tests::wait::until("a page that is kept", is_kept, |kept| *kept == true).await?;
    server.kill().await?;
    tab.reload().await?;
    tab.seeding().await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn what_is_shared_to_an_installed_page_is_taken() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    tab.controlled().await?;
    // As the system does it: a form is posted, and the page that it leads to is shown.
    let post = r#"
        const [done] = arguments;
        const form = new FormData();
        form.append("files", new File(["shared from another app"], "note.txt"));
        fetch("share", { method: "POST", body: form }).then(({ url }) => done(url), error => done(String(error)));"#;
    let next = tab.run_async(post).await?;
    let next = next.as_str().context("an address")?.to_owned();
    assert!(next.contains("?shared"), "{next}");
    tab.goto(&next).await?;
    let torrent = tab.seeding().await?;
    assert!(torrent.share_link.contains("note.txt"), "{torrent:?}");
    assert_eq!(tab.run("return location.search").await?, "");
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn somebody_who_wants_to_is_told_what_is_complete() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("soon.bin"), 4 * MIB, 84)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    browser.allow(&server.page(), "notifications").await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    seeder.fill("limit-up", "20").await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher.controlled().await?;
    leecher.click("device").await?;
    leecher.click("tell").await?;
    leecher
        .torrent_that("begun", |torrent| torrent.progress > 0.0)
        .await?;
    leecher.lose_a_question().await?;
    leecher.run(TELL_OTHER_TABS).await?;
    // The seeder's tab is in front from here on, and sees what all tabs tell.
    seeder
        .until("the other tab out of sight", "return localStorage.hidden")
        .await?;
    seeder.fill("limit-up", "").await?;
    seeder
        .until("what was told", "return localStorage.told !== undefined")
        .await?;
    // Asked for once it is shown and no sooner: Chromium forgets what it is about to show when
    // somebody asks for what is shown.
    let told = r#"
        const [done] = arguments;
        navigator.serviceWorker.ready
            .then(registration => registration.getNotifications())
            .then(told => done(told.map(({ title, body }) => `${title}: ${body}`)));"#;
    assert_eq!(
        seeder.run_async(told).await?,
        json!(["soon.bin: It is complete."])
    );
    browser.quit().await
}

/// Keeps where other tabs see it that nobody sees this one any more, and that it told something.
const TELL_OTHER_TABS: &str = r#"
    document.addEventListener("visibilitychange", () => (localStorage.hidden = "yes"), { once: true });
    new MutationObserver(() => (localStorage.told = "yes"))
        .observe(document.body, { subtree: true, attributeFilter: ["data-told"] });
"#;

/// Holds the page's program back until a person has opened a link, dropped a file and chosen one.
const EARLY: &str = r#"
    const { promise: done, resolve } = Promise.withResolvers();
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = (...all) => done.then(() => instantiate(...all));
    const found = (id) => document.querySelector(`[data-testid="${id}"]`);
    const carrying = (name) => {
        const data = new DataTransfer();
        data.items.add(new File([name], name));
        return data;
    };
    new MutationObserver((_, watch) => {
        if (!found("link-add")?.disabled && found("link-add")) {
            watch.disconnect();
            window.wasEarly = !!document.getElementById("starting");
            found("link-input").value = "c".repeat(40);
            found("link-add").click();
            const how = { dataTransfer: carrying("dropped.txt"), bubbles: true, cancelable: true };
            window.wasTaken = !document.body.dispatchEvent(new DragEvent("drop", how));
            found("file-input").files = carrying("chosen.txt").files;
            resolve();
        }
    }).observe(document, { subtree: true, childList: true, attributes: true });
"#;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn what_is_done_before_the_program_is_there_is_not_lost() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open("about:blank").await?;
    tab.run_first(EARLY).await?;
    tab.goto(&server.page()).await?;
    let are_there = "const cards = [...document.querySelectorAll('[data-testid=torrent]')];
        return cards.map((it) => it.dataset.state).sort().join() === 'metadata,seeding,seeding'
            && cards.map((it) => it.querySelector('[data-part=name]').textContent)";
    let names = tab.until("the link and both files", are_there).await?;
    for name in ["dropped.txt", "chosen.txt"] {
        let names = names.as_array().context("names")?;
        assert!(names.iter().any(|it| it == name), "{names:?}");
    }
    assert_eq!(
        tab.run("return [window.wasEarly, window.wasTaken]").await?,
        json!([true, true])
    );
    assert_eq!(tab.alerts().await?, Vec::<String>::new());
    browser.quit().await
}
