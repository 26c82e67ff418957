//! The page in a person's language: words, plurals, figures, and direction.
//!
//! Ignored by a plain `cargo test`: see CONTRIBUTING.md.

use anyhow::Result;
use serde_json::json;
use swarm_tests::browser::Browser;
use swarm_tests::files::random;
use swarm_tests::server::Server;
use swarm_tests::tab::Tab;
use tempfile::TempDir;

/// Waits until a part of the first torrent says this; `part` is a selector.
async fn says(tab: &Tab, part: &str, words: &str) -> Result<()> {
    // Spaces that don't break are spaces.
    let script = format!(
        "const part = document.querySelector('article {part}');
         return part?.textContent.replace(/\\s/g, ' ').includes({words:?});"
    );
    tab.until(&format!("{part}: {words}"), &script).await?;
    Ok(())
}

/// Whether what people read of the page has these words in it.
async fn shows(tab: &Tab, words: &str) -> Result<bool> {
    let script = format!("return document.body.innerText.includes({words:?});");
    Ok(tab.run(&script).await? == true)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_german_browser_gets_german_words_plurals_and_figures() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(&folder.path().join("Film.bin"), 1_500_000, 1)?;
    let server = Server::start().await?;
    let browser = Browser::start_with(&["--accept-lang=de-DE,de,en"]).await?;

    let (tab, torrent) = browser.seed(&server.page(), &[&file]).await?;
    assert_eq!(
        tab.run("return document.documentElement.lang").await?,
        "de-DE"
    );
    says(&tab, "[data-part=size]", "1,5 MB").await?;
    says(&tab, ".words", "Jetzt den Link senden").await?;
    says(&tab, "[data-part=caption]", " Teilen").await?;

    browser.open(&torrent.share_link).await?.seeding().await?;
    says(&tab, "[data-part=peers] summary", "1 Peer").await?;
    browser.open(&torrent.share_link).await?.seeding().await?;
    says(&tab, "[data-part=peers] summary", "2 Peers").await?;

    // What the worker says is English, and recognised.
    tab.add_link("magnet:?no").await?;
    let alert = tab
        .until(
            "an alert",
            "return document.querySelector('.alert p')?.textContent",
        )
        .await?;
    let alert = alert.as_str().unwrap_or_default();
    assert!(
        alert.starts_with("Dieser Link lässt sich nicht öffnen: "),
        "{alert}"
    );
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_chosen_language_is_kept_and_english_asks_for_no_words() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser.open(&server.page()).await?;
    let is_chosen = |language: &str| {
        format!("return document.querySelector('#language')?.value === {language:?}")
    };
    tab.until("the page", &is_chosen("en")).await?;
    let fetched = "return performance.getEntriesByType('resource')
        .some(fetched => fetched.name.includes('words/'))";
    assert_eq!(tab.run(fetched).await?, false);

    tab.run(
        "const choice = document.querySelector('#language');
         choice.value = 'es';
         choice.dispatchEvent(new Event('change', { bubbles: true }));",
    )
    .await?;
    tab.until("Spanish", &is_chosen("es")).await?;
    assert!(shows(&tab, "Elegir archivos").await?);
    tab.reload().await?;
    tab.until("Spanish again", &is_chosen("es")).await?;
    assert!(shows(&tab, "Elegir archivos").await?);

    // An address may ask for another one, and nothing is kept of that.
    tab.goto(&format!("{}?lang=zh-CN", server.page())).await?;
    tab.until("Chinese", &is_chosen("zh-Hans")).await?;
    assert!(shows(&tab, "选择文件").await?);
    tab.goto(&format!("{}?lang=xx", server.page())).await?;
    tab.until("Spanish, once more", &is_chosen("es")).await?;
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn from_right_to_left_the_page_fits_a_phone() -> Result<()> {
    let folder = TempDir::new()?;
    let file = random(
        &folder.path().join("A rather long name of a film (1).mkv"),
        100_000,
        1,
    )?;
    let server = Server::start().await?;
    let browser = Browser::start_with(&["--window-size=500,844"]).await?;
    let page = format!("{}?lang=ar", server.page());
    let (tab, torrent) = browser.seed(&page, &[&file]).await?;
    let link = torrent.share_link.replace('#', "?lang=ar#");
    browser.open(&link).await?.seeding().await?;
    // It is counted as Arabic counts.
    says(&tab, "[data-part=peers] summary", "نظير واحد").await?;

    let seen = tab
        .run(
            "// No window is as narrow as a phone: as much of it is seen as a phone shows.
             document.body.style.zoom = innerWidth / 360;
             const logo = document.querySelector('.logo').getBoundingClientRect();
             return {
                 direction: document.documentElement.dir,
                 is_narrow: matchMedia('(max-width: 40rem)').matches,
                 begins_on_the_right: logo.left > innerWidth / 2,
                 scrolls: document.documentElement.scrollWidth > innerWidth,
             };",
        )
        .await?;
    let expected = json!({
        "direction": "rtl",
        "is_narrow": true,
        "begins_on_the_right": true,
        "scrolls": false,
    });
    assert_eq!(seen, expected);
    browser.quit().await
}
