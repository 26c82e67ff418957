//! Files that are watched, heard, read and saved on the page, and what strangers' files can't do.
//!
//! Ignored by a plain `cargo test`, because they need the built page and programs:
//! `cargo xtask test tabs` builds those and runs these.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use swarm_tests::browser::Browser;
use swarm_tests::files::{digest, random};
use swarm_tests::media::{SOUND_RATE, hostile, sound};
use swarm_tests::prefix::Prefix;
use swarm_tests::server::Server;
use swarm_tests::slow_link::SlowLink;
use swarm_tests::tab::Tab;
use tempfile::TempDir;

const MIB: usize = 1 << 20;

/// Opens the rows of a torrent's files.
const OPEN_FILES: &str = "document.querySelector('[data-part=files]').open = true";

/// Whatever is playing goes on. Muted, because Firefox stops where there is no loudspeaker.
const PLAYS: &str = "const it = document.querySelector('[data-testid=playing]');
    if (it) it.muted = true;
    return it?.currentTime > 0.2";

/// What answers a request for a range: status, the range, the length, and the bytes or how many.
async fn range(tab: &Tab, method: &str, range: Option<&str>) -> Result<Value> {
    let headers = range.map_or(json!({}), |range| json!({ "Range": range }));
    let script = format!(
        r#"
        const done = arguments[arguments.length - 1];
        const address = document.querySelector("[data-testid=playing]").src;
        (async () => {{
            const answer = await fetch(address, {{ method: "{method}", headers: {headers} }});
            const bytes = await answer.arrayBuffer();
            const text = bytes.byteLength > 20 ? bytes.byteLength : new TextDecoder().decode(bytes);
            done([answer.status, answer.headers.get("content-range"),
                  answer.headers.get("content-length"), text]);
        }})().catch(error => done(String(error)));
        "#
    );
    tab.run_async(&script).await
}

/// The first torrent in this tab, played through a slow line: its sound begins, and goes on near
/// its end, while most of it is not there.
async fn plays_while_it_comes(browser: &Browser) -> Result<()> {
    let folder = TempDir::new()?;
    let seconds = 240;
    let file = sound(&folder.path().join("rising tone.wav"), seconds)?;
    let server = Server::start().await?;
    let link = SlowLink::to(server.address).await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&link.page()).await?;
    leecher.click("relay-only").await?;
    // Four times as fast as it is played.
    link.set_rate(4 * u64::from(SOUND_RATE));
    leecher.add_link(&torrent.share_link).await?;
    leecher.click("play").await?;
    leecher.until("sound", PLAYS).await?;
    let order = "return document.querySelector('[data-testid=order]').selectedIndex";
    assert_eq!(leecher.run(order).await?, 2, "in the order of playing");

    let near_end = seconds * 19 / 20;
    let seek = format!("document.querySelector('[data-testid=playing]').currentTime = {near_end}");
    leecher.run(&seek).await?;
    let goes_on = format!(
        "const it = document.querySelector('[data-testid=playing]');
         return !it.seeking && it.currentTime > {near_end}.2
             && document.querySelector('[data-testid=torrent]').dataset.progress"
    );
    let progress = leecher.until("sound from near the end", &goes_on).await?;
    let progress: f64 = progress.as_str().context("a progress")?.parse()?;
    assert!(progress < 0.7, "the middle came before the end: {progress}");

    leecher.click("close-player").await?;
    leecher
        .until(
            "the usual order",
            "return document.querySelector('[data-testid=order]').selectedIndex === 0",
        )
        .await?;
    link.set_rate(0);
    leecher.seeding().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn sound_plays_while_it_comes_and_from_where_somebody_seeks() -> Result<()> {
    let browser = Browser::start().await?;
    plays_while_it_comes(&browser).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_page_at_any_path_answers_for_ranges_as_a_server_does() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("ünï 'çødé'.txt");
    std::fs::write(&file, "0123456789".repeat(200_000))?;
    let server = Server::start().await?;
    let proxy = Prefix::to(server.address, "/share").await?;
    let browser = Browser::start().await?;
    let (tab, _) = browser.seed(&proxy.page(), &[&file]).await?;
    tab.click("play").await?;
    let text = tab.text_in_frame("playing").await?;
    assert!(text.starts_with("01234567890"), "{}", &text[..20]);

    let all = 2_000_000;
    let part = |first: u64, last: u64| format!("bytes {first}-{last}/{all}");
    for (asked, status, told, length, text) in [
        (None, 200, None, all, json!(all)),
        (
            Some("bytes=0-9"),
            206,
            Some(part(0, 9)),
            10,
            json!("0123456789"),
        ),
        (
            Some("bytes=1999995-"),
            206,
            Some(part(1_999_995, 1_999_999)),
            5,
            json!("56789"),
        ),
        (
            Some("bytes=-3"),
            206,
            Some(part(1_999_997, 1_999_999)),
            3,
            json!("789"),
        ),
        // Across what is read at once.
        (
            Some("bytes=1048574-1048577"),
            206,
            Some(part(1_048_574, 1_048_577)),
            4,
            json!("4567"),
        ),
        (
            Some("bytes=1999999-9999999"),
            206,
            Some(part(1_999_999, 1_999_999)),
            1,
            json!("9"),
        ),
        (
            Some("bytes=-9999999"),
            206,
            Some(part(0, 1_999_999)),
            all,
            json!(all),
        ),
        // Not understood, and so as if it were not there.
        (Some("bytes=5-2"), 200, None, all, json!(all)),
        (Some("bytes=0-1,4-5"), 200, None, all, json!(all)),
        (Some("lines=0-1"), 200, None, all, json!(all)),
    ] {
        let answer = range(&tab, "GET", asked).await?;
        assert_eq!(
            answer,
            json!([status, told, length.to_string(), text]),
            "{asked:?}"
        );
    }
    for asked in ["bytes=2000000-", "bytes=-0"] {
        let answer = range(&tab, "GET", Some(asked)).await?;
        assert_eq!(answer[0], 416, "{asked}");
        assert_eq!(answer[1], format!("bytes */{all}"), "{asked}");
    }
    let head = range(&tab, "HEAD", Some("bytes=0-9")).await?;
    assert_eq!(head, json!([206, part(0, 9), "10", ""]));
    assert_eq!(range(&tab, "POST", None).await?[0], 405);
    let outside = proxy.outside();
    assert!(
        outside.is_empty(),
        "asked for outside of the path: {outside:?}"
    );
    browser.quit().await
}

/// Where what is shown comes from.
const ADDRESS: &str = "const it = document.querySelector('[data-testid=playing]');
    return it.src ?? it.href";

/// What a browser is told about it: its type, whether it is in a sandbox, and not to guess.
const GUARDED: &str = r#"
    const done = arguments[arguments.length - 1];
    const it = document.querySelector("[data-testid=playing]");
    fetch(it.src ?? it.href).then(({ headers }) => {
        const policy = headers.get("content-security-policy");
        done([headers.get("content-type"), /^sandbox; default-src 'none';/.test(policy),
              headers.get("x-content-type-options")]);
    }).catch(error => done(String(error)));
"#;

/// Opens each of the hostile files, and looks whether any of them could do anything.
async fn nothing_of_strangers_runs(browser: &Browser) -> Result<()> {
    let folder = TempDir::new()?;
    let files = hostile(folder.path())?;
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let server = Server::start().await?;
    // Whatever a file of theirs asks for, it asks for outside of the page's path.
    let proxy = Prefix::to(server.address, "/share").await?;
    let (tab, _) = browser.seed(&proxy.page(), &paths).await?;
    tab.run(OPEN_FILES).await?;
    let mut shown = Vec::new();
    for index in 0..paths.len() {
        tab.until(
            "a row",
            &format!("return !!document.querySelectorAll('[data-testid=play-file]')[{index}]"),
        )
        .await?;
        tab.run(&format!(
            "document.querySelectorAll('[data-testid=play-file]')[{index}].click()"
        ))
        .await?;
        let name = tab
            .run("return document.querySelector('[data-part=playing-name]').textContent")
            .await?;
        let name = name.as_str().context("a name")?.to_owned();
        let view = tab
            .until(
                "something to see",
                "return document.querySelector('[data-testid=playing]')?.tagName",
            )
            .await?;
        match view.as_str() {
            Some("IMG") => {
                // In WebKit a drawing is as wide as its place.
                let drawn =
                    "return document.querySelector('[data-testid=playing]').naturalWidth > 0";
                tab.until("a drawing", drawn).await?;
            }
            // Its viewer is in no sandbox, and so in no tab of ours.
            Some("A") => {
                assert!(name.ends_with(".pdf"), "{name}");
                let link = "const link = document.querySelector('[data-testid=playing]');
                    return [link.target, link.rel]";
                assert_eq!(tab.run(link).await?, json!(["_blank", "noopener"]));
            }
            Some("IFRAME") => {
                let text = tab.text_in_frame("playing").await?;
                assert!(
                    text.contains("<script>") && text.contains("<p>the words"),
                    "{text}"
                );
            }
            other => panic!("{name} is shown by {other:?}"),
        }
        let (media, is_in_sandbox) = match name.ends_with(".pdf") {
            true => ("application/pdf", false),
            false => ("text/plain; charset=utf-8", true),
        };
        let guarded = tab.run_async(GUARDED).await?;
        assert_eq!(guarded, json!([media, is_in_sandbox, "nosniff"]), "{name}");
        if is_in_sandbox {
            // Nobody can be made to visit it, not even by who knows the address.
            let address = tab.run(ADDRESS).await?;
            let visitor = browser
                .open(address.as_str().context("an address")?)
                .await?;
            let read = visitor
                .run("return document.documentElement.textContent")
                .await?;
            assert!(!read.to_string().contains("the words"), "{name}: {read}");
            visitor.close().await?;
        }
        shown.push(name);
    }
    shown.sort();
    assert_eq!(shown[1..], ["drawing.svg", "manual.pdf", "note.txt"]);
    assert!(!shown[0].contains(['<', '>', '"', '\u{202e}']), "{shown:?}");

    let harm = "return [window.harmed ?? null, document.title, localStorage.harmed ?? null]";
    assert_eq!(tab.run(harm).await?, json!([null, "Tabswarm", null]));
    let outside = proxy.outside();
    assert!(outside.is_empty(), "a file asked for {outside:?}");
    assert_eq!(tab.alerts().await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn what_strangers_share_runs_nowhere() -> Result<()> {
    let browser = Browser::start().await?;
    nothing_of_strangers_runs(&browser).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_large_file_is_saved_under_its_own_name() -> Result<()> {
    let folder = TempDir::new()?;
    let name = "große Datei, 100% «日本語» (1)'s.bin";
    let file = random(&folder.path().join(name), 40 * MIB, 31)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher.seeding().await?;
    for (into, tab) in [("kept", &leecher), ("shared", &seeder)] {
        let saved = browser.save(tab, name, &folder.path().join(into)).await?;
        assert_eq!(saved, digest(&file)?, "{into}");
    }
    browser.quit().await
}

/// Whatever it is that the file goes to, saving it begins before it is there.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_save_of_what_does_not_come_can_be_stopped() -> Result<()> {
    let folder = TempDir::new()?;
    let browser = Browser::start().await?;
    // As a blob, and as a download that the service worker answers.
    for (name, length) in [("small.bin", 8 * MIB), ("large.bin", 40 * MIB)] {
        let file = random(&folder.path().join(name), length, 33)?;
        let server = Server::start().await?;
        let link = SlowLink::to(server.address).await?;
        let (_seeder, torrent) = browser.seed(&server.page(), &[&file]).await?;
        let leecher = browser.open(&link.page()).await?;
        leecher.click("relay-only").await?;
        link.set_rate(MIB as u64 / 8);
        leecher.add_link(&torrent.share_link).await?;
        let says = |word: &str| {
            format!(
                "const save = document.querySelector('[data-testid=save]');
                 return save?.textContent.startsWith('{word}')"
            )
        };
        let described = "return document.querySelector('[data-testid=save]')?.disabled === false";
        leecher.until("something to save", described).await?;
        leecher.click("save").await?;
        leecher.until("a save", &says("Saving ")).await?;
        leecher.click("cancel-save").await?;
        let ended = "return document.querySelector('[data-testid=save]').textContent === 'Save'";
        leecher.until("the end of it", ended).await?;

        leecher.click("save").await?;
        leecher.until("another save", &says("Saving ")).await?;
        link.set_rate(0);
        let into = folder.path().join("saved");
        let saved = browser.take_download(name, &into).await?;
        assert_eq!(digest(&saved)?, digest(&file)?, "{name}");
    }
    browser.quit().await
}

/// Browsers end a service worker whenever they want, and what it was told last is gone with it.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn what_asks_a_service_worker_that_ends_is_opened_all_the_same() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("note.txt");
    std::fs::write(&file, "the words of a note")?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (tab, _) = browser.seed(&server.page(), &[&file]).await?;
    tab.controlled().await?;
    tab.lose_a_question().await?;
    tab.click("play").await?;
    assert_eq!(tab.text_in_frame("playing").await?, "the words of a note");
    assert!(tab.questions().await? > 1);
    browser.quit().await
}

/// Browsers let requests past a service worker for many reasons, such as a reload by force.
#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_save_that_goes_past_the_service_worker_comes_all_the_same() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("past.bin"), 40 * MIB, 34)?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (tab, _) = browser.seed(&server.page(), &[&file]).await?;
    tab.controlled().await?;
    tab.bypass_service_worker().await?;
    let into = folder.path().join("saved");
    assert_eq!(browser.save(&tab, "past.bin", &into).await?, digest(&file)?);
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn several_large_files_are_saved_as_one_zip() -> Result<()> {
    let folder = TempDir::new()?;
    let files: Vec<PathBuf> = (0..3)
        .map(|n| random(&folder.path().join(format!("part {n}.bin")), 15 * MIB, n))
        .collect::<Result<_>>()?;
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &paths).await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher.seeding().await?;
    leecher.click("save").await?;
    let into = folder.path().join("saved");
    let archive = browser.take_download_like(".zip", &into).await?;
    let mut archive = zip::ZipArchive::new(std::fs::File::open(archive)?)?;
    for (index, file) in files.iter().enumerate() {
        let mut unpacked = Vec::new();
        std::io::copy(&mut archive.by_index(index)?, &mut unpacked)?;
        assert!(unpacked == std::fs::read(file)?, "{}", file.display());
    }
    browser.quit().await
}

/// Puts a folder of the browser's own in the place of the one that a person would choose.
const CHOOSE_FOLDER: &str = "window.showDirectoryPicker = () => navigator.storage.getDirectory();";

/// The files below a folder of that name, and how many bytes they have.
const LIST_FOLDER: &str = r#"
    const done = arguments[arguments.length - 1];
    (async () => {
        const root = await navigator.storage.getDirectory();
        const found = [];
        for await (const [name, folder] of root) {
            if (folder.kind !== "directory" || !name.startsWith("part 0")) continue;
            for await (const [file, handle] of folder) {
                found.push([name, file, (await handle.getFile()).size]);
            }
        }
        done(found.sort());
    })();
"#;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn several_files_are_saved_into_a_new_folder() -> Result<()> {
    let folder = TempDir::new()?;
    let files: Vec<PathBuf> = (0..2)
        .map(|n| {
            random(
                &folder.path().join(format!("part {n}.bin")),
                MIB + n as usize,
                n,
            )
        })
        .collect::<Result<_>>()?;
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let (_seeder, torrent) = browser.seed(&server.page(), &paths).await?;
    let leecher = browser.open(&torrent.share_link).await?;
    leecher.seeding().await?;
    leecher.run(CHOOSE_FOLDER).await?;
    let saved = "const note = [...document.querySelectorAll('[data-testid=notice]')]
        .find(note => note.textContent.endsWith('is saved.'));
        note?.remove();
        return !!note";
    for _ in 0..2 {
        leecher.click("save-folder").await?;
        leecher.until("a saved folder", saved).await?;
    }
    let name = "part 0.bin and 1 more";
    let again = format!("{name} (2)");
    let (one, two) = (MIB, MIB + 1);
    let expected = json!([
        [again, "part 0.bin", one],
        [again, "part 1.bin", two],
        [name, "part 0.bin", one],
        [name, "part 1.bin", two],
    ]);
    let found = || leecher.run_async(LIST_FOLDER);
    swarm_tests::wait::until("both folders", found, |found| *found == expected).await?;
    browser.quit().await
}

/// `cargo xtask test tabs` leaves out what is in here.
mod in_firefox {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test firefox"]
    async fn sound_plays_while_it_comes() -> Result<()> {
        let browser = Browser::firefox().await?;
        plays_while_it_comes(&browser).await?;
        browser.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test firefox"]
    async fn nothing_that_strangers_share_runs() -> Result<()> {
        let browser = Browser::firefox().await?;
        nothing_of_strangers_runs(&browser).await?;
        browser.quit().await
    }
}

/// As above.
mod in_webkit {
    use super::*;

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test webkit"]
    async fn sound_plays_while_it_comes() -> Result<()> {
        let browser = Browser::webkit().await?;
        plays_while_it_comes(&browser).await?;
        browser.quit().await
    }

    #[tokio::test]
    #[ignore = "needs a browser: cargo xtask test webkit"]
    async fn nothing_that_strangers_share_runs() -> Result<()> {
        let browser = Browser::webkit().await?;
        nothing_of_strangers_runs(&browser).await?;
        browser.quit().await
    }
}
