//! The swarm in pages of other people: the example, and what the module promises
//! (`docs/embedding.md`), to a page of another origin.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::server::Server;
use swarm_tests::tab::Tab;
use swarm_tests::web_server::{Manner, WebServer};
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// What is in the example's list of a torrent that is all here: its link.
const LINK: &str = r#"
    const item = document.querySelector("li");
    return item?.textContent.includes("seeding") && item.querySelector("a").href;
"#;

/// Clicks the example's last button, which saves a file.
const SAVE: &str = r#"
    const button = document.querySelector("li button:last-of-type");
    button?.textContent.startsWith("Save") && button.click();
    return button?.textContent;
"#;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_example_shares_with_the_app_and_fetches_from_it() -> Result<()> {
    let folder = TempDir::new()?;
    let ours = random(&folder.path().join("ours.bin"), 3 * MIB + 7, 41)?;
    let theirs = random(&folder.path().join("theirs.bin"), 2 * MIB + 1, 42)?;
    let server = Server::start().await?;
    let example = format!("{}embed/", server.page());
    let browser = Browser::start().await?;

    let seeder = browser.open(&example).await?;
    seeder.share(&[&ours]).await?;
    let link = seeder.until("a link", LINK).await?;
    let (_, magnet) = link
        .as_str()
        .and_then(|link| link.split_once('#'))
        .context("a link")?;
    let app = browser.open(&format!("{}#{magnet}", server.page())).await?;
    app.seeding().await?;
    let saved = browser
        .save(&app, "ours.bin", &folder.path().join("app"))
        .await?;
    assert_eq!(saved, digest(&ours)?);

    let (_app, torrent) = browser.seed(&server.page(), &[&theirs]).await?;
    let leecher = browser.open(&example).await?;
    leecher.add_link(&torrent.share_link).await?;
    leecher.until("all of it", LINK).await?;
    assert_eq!(leecher.run(SAVE).await?, "Save theirs.bin");
    let saved = browser
        .take_download("theirs.bin", &folder.path().join("embed"))
        .await?;
    assert_eq!(digest(&saved)?, digest(&theirs)?);

    // Players ask a service worker for ranges, which a browser may end at any time.
    leecher.lose_a_question().await?;
    let module = format!("{example}tabswarm.js");
    let told = script(&leecher, &module, PLAY).await?;
    assert_eq!(told, json!([206, "audio/mpeg", true]));
    assert!(leecher.questions().await? > 1);
    browser.quit().await
}

/// Runs a script that may await things, with `swarm` for what it keeps from one to the next.
async fn script(tab: &Tab, module: &str, body: &str) -> Result<Value> {
    let script = format!(
        r#"
        const answer = arguments[arguments.length - 1];
        const noise = (length) => Uint8Array.from({{ length }}, (_, at) => (at * 31 + (at >> 8) * 17) % 251);
        const next = (target, type, is = () => true) => new Promise((resolve) => {{
            const listener = (event) => is(event.detail) && resolve(event.detail);
            target.addEventListener(type, listener);
        }});
        (async () => {{
            const {{ Tabswarm, TabswarmError }} = await import("{module}");
            const code = async (doing) => {{
                try {{ return ["nothing", await doing()]; }} catch (error) {{
                    return error instanceof TabswarmError ? error.code : error.name;
                }}
            }};
            {body}
        }})().then(answer, (error) => answer({{ failed: `${{error?.stack ?? error}}` }}));
        "#
    );
    let value = tab.run_async(&script).await?;
    anyhow::ensure!(value["failed"].is_null(), "{value}\n{body}");
    Ok(value)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_module_keeps_its_promises_to_a_page_of_another_origin() -> Result<()> {
    let folder = TempDir::new()?;
    std::fs::write(folder.path().join("page.html"), "<title>Mine</title>")?;
    let site = WebServer::start(folder.path(), Manner::Honest).await?;
    let origin = site.url();
    let options = [
        "--relay",
        "spare",
        "--allow-origin",
        origin.trim_end_matches('/'),
    ];
    let server = Server::start_with(&options).await?;
    let module = format!("{}embed/tabswarm.js", server.page());
    let browser = Browser::start().await?;
    let page = format!("{origin}page.html");
    let (seeder, leecher) = (browser.open(&page).await?, browser.open(&page).await?);

    let told = script(&seeder, &module, SEED).await?;
    let link = told["link"].as_str().context("a link")?;
    assert!(
        link.starts_with(&format!("{}#magnet:", server.page())),
        "{link}"
    );
    assert_eq!(
        told["files"],
        json!(["mine/a.bin", "mine/empty", "mine/sub/b.bin"])
    );
    assert_eq!(told["hashed"], true, "{told}");

    // Slowly, until they are linked directly.
    script(&leecher, &module, &FETCH.replace("LINK", link)).await?;
    script(&seeder, &module, "swarm.limit();").await?;
    let told = script(&leecher, &module, READ).await?;
    assert_eq!(told["right"], json!([true, true, true]), "{told}");
    assert_eq!(told["once"], json!([1, 1]), "{told}");
    assert_eq!(told["met"], true, "{told}");
    assert_eq!(told["last"], json!(["ready", "progress", "done"]), "{told}");
    assert_eq!(told["progress"], json!([1, 1, 1]), "{told}");

    let told = script(&leecher, &module, TROUBLE).await?;
    let expected = json!({
        "link": "bad-link",
        "torrent": "bad-torrent",
        "files": "bad-files",
        "range": "RangeError",
        "patience": "AbortError",
        "left": 1,
        "refused": "tracker-refused",
        "service": "no-service-worker",
        "removed": ["removed", "removed", "removed", 1],
    });
    assert_eq!(told, expected);

    let told = script(&leecher, &module, CLOSE).await?;
    let expected = json!({ "stream": "closed", "adding": "closed", "after": "closed", "kept": 1 });
    assert_eq!(told, expected);
    browser.quit().await
}

/// The page of `docs/embedding.md`, as somebody copies it to a site of their own.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn the_page_in_the_documentation_shares_and_fetches() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("ours.bin"), 2 * MIB + 5, 43)?;
    let site = WebServer::start(folder.path(), Manner::Honest).await?;
    let origin = site.url();
    let allowed = ["--allow-origin", origin.trim_end_matches('/')];
    let server = Server::start_with(&allowed).await?;
    let (_, page) = DOCUMENTATION.split_once("```html\n").context("a page")?;
    let (page, _) = page.split_once("```").context("its end")?;
    let page = page.replace("https://swarm.example/", &server.page());
    std::fs::write(folder.path().join("page.html"), page)?;
    let page = format!("{origin}page.html");
    let browser = Browser::start().await?;

    let seeder = browser.open(&page).await?;
    let name = r#"document.getElementById("files").dataset.testid = "file-input""#;
    seeder.run(name).await?;
    seeder.share(&[&file]).await?;
    let link = seeder.until("a link", SAID).await?;
    let leecher = browser.open(&page).await?;
    let fetch = format!(
        r#"document.getElementById("link").value = {link};
        document.getElementById("get").click();"#
    );
    leecher.run(&fetch).await?;
    leecher.until("a file", SAID).await?;
    leecher
        .run(r##"document.querySelector("#said a").click()"##)
        .await?;
    let into = folder.path().join("saved");
    let saved = browser.take_download("ours.bin", &into).await?;
    assert_eq!(digest(&saved)?, digest(&file)?);
    let whole = r#"return document.getElementById("bar").value === 1"#;
    leecher.until("a full bar", whole).await?;
    browser.quit().await
}

const DOCUMENTATION: &str = include_str!("../../docs/embedding.md");

/// Where the link leads that the documentation's page says first.
const SAID: &str = r##"return document.querySelector("#said a")?.href ?? null"##;

const PLAY: &str = r#"
    const swarm = new Tabswarm({ serviceWorker: "stream.js" });
    const torrent = await swarm.seed(new File([noise(300_000)], "song.mp3"));
    const url = await torrent.files[0].url();
    const answer = await fetch(url, { headers: { Range: "bytes=1000-200999" } });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const wanted = noise(300_000).subarray(1000, 201_000);
    const isRight = bytes.length === 200_000 && bytes.every((byte, at) => byte === wanted[at]);
    swarm.close();
    return [answer.status, answer.headers.get("Content-Type"), isRight];
"#;

const SEED: &str = r#"
    window.swarm = new Tabswarm();
    let hashed = false;
    swarm.addEventListener("hashing", ({ detail }) => (hashed ||= detail.name === "mine"));
    const file = (name, length) => new File([noise(length)], name);
    const files = [file("a.bin", 9_000_001), file("sub/b.bin", 700_000), file("empty", 0)];
    const torrent = await swarm.seed(files, { name: "mine" });
    swarm.limit({ up: 60_000 });
    await torrent.done;
    return { link: torrent.link, files: torrent.files.map((file) => file.path).sort(), hashed };
"#;

const FETCH: &str = r#"
    window.swarm = new Tabswarm();
    window.events = [];
    swarm.addEventListener("torrent", ({ detail: torrent }) => {
        for (const type of ["ready", "peer", "progress", "done"]) {
            torrent.addEventListener(type, () => events.push(type));
        }
    });
    const torrent = await swarm.add("LINK");
    // It comes from the seeder alone, and slowly, as long as there is no direct link.
    const isDirect = () => torrent.peers.some((peer) => peer.path === "direct");
    while (!isDirect()) await next(torrent, "progress");
    return torrent.progress;
"#;

const READ: &str = r#"
    const [torrent] = swarm.torrents;
    const file = (name) => torrent.files.find((file) => file.name === name);
    const collect = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());
    const same = (bytes, wanted) =>
        bytes.length === wanted.length && bytes.every((byte, at) => byte === wanted[at]);
    // While it comes: one that is cancelled, one from the middle on, and all of it.
    const reader = file("a.bin").stream().getReader();
    await reader.read();
    await reader.cancel();
    const part = collect(file("a.bin").stream({ start: 5_000_000, end: 5_100_000 }));
    const whole = collect(file("a.bin").stream());
    const right = [
        same(await part, noise(9_000_001).subarray(5_000_000, 5_100_000)),
        same(await whole, noise(9_000_001)),
    ];
    const blob = await file("b.bin").blob();
    right.push(same(await collect(blob), noise(700_000)) && (await file("empty").blob()).size === 0);
    await torrent.done;
    const once = ["ready", "done"].map((type) => events.filter((event) => event === type).length);
    const met = events.slice(0, events.indexOf("done")).includes("peer");
    const until_done = events.slice(0, events.indexOf("done") + 1);
    const last = [until_done.find((type) => type !== "peer" && type !== "progress")];
    last.push(...until_done.slice(-2));
    return { right, once, met, last, progress: torrent.files.map((file) => file.progress) };
"#;

const TROUBLE: &str = r#"
    const [torrent] = swarm.torrents;
    const [file] = torrent.files;
    const unknown = (digit) => "magnet:?xt=urn:btih:" + digit.repeat(40);
    const patience = new AbortController();
    const waiting = code(() => swarm.add(unknown("a"), { signal: patience.signal }));
    await next(swarm, "torrent");
    patience.abort();
    const told = {
        link: await code(() => swarm.add("what is no link")),
        torrent: await code(() => swarm.add(new Blob(["what is no torrent"]))),
        files: await code(() => swarm.seed([])),
        range: await code(() => file.stream({ start: 5, end: 4 })),
        patience: await waiting,
        left: swarm.torrents.length,
        service: await code(() => file.url()),
    };
    const coming = new Promise((resolve) => {
        const watch = ({ detail }) => next(detail, "warning").then(({ code }) => resolve([detail, code]));
        swarm.addEventListener("torrent", watch, { once: true });
    });
    const adding = code(() => swarm.add(unknown("b") + "&tr=udp%3A%2F%2Fexample.org%3A6969"));
    const [lonely, refused] = await coming;
    told.refused = refused;
    const gone = next(lonely, "removed");
    await lonely.remove();
    await gone;
    const codes = [await adding, await code(() => lonely.pause()), await code(() => lonely.ready)];
    told.removed = [...codes, swarm.torrents.length];
    return told;
"#;

const CLOSE: &str = r#"
    const [torrent] = swarm.torrents;
    const coming = next(swarm, "torrent");
    const adding = code(() => swarm.add("magnet:?xt=urn:btih:" + "c".repeat(40)));
    await (await coming).remove();
    const again = code(() => swarm.add("magnet:?xt=urn:btih:" + "d".repeat(40)));
    await next(swarm, "torrent");
    const reader = torrent.files.find((file) => file.name === "a.bin").stream().getReader();
    await reader.read();
    const slot = sessionStorage.getItem("tabswarm-embedded-slot");
    swarm.close();
    const told = { stream: await code(() => reader.read()), adding: await again };
    told.after = await code(() => swarm.add(torrent.link));
    await adding;
    // Its lock is free once the worker is gone, and what it kept is there for the next.
    await navigator.locks.request(`tabswarm-${slot}`, () => {});
    const next_one = new Tabswarm();
    await next_one.ready;
    told.kept = next_one.torrents.filter((torrent) => torrent.name === "mine").length;
    next_one.close();
    return told;
"#;
