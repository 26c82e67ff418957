//! A tab with the page in it, as a person, or the page's contract, sees it.

use std::future::Future;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::session::scriptret::ScriptRet;
use thirtyfour::{WindowHandle, error::WebDriverResult};

use crate::wait::until;

/// One tab of a browser.
#[derive(Clone, Debug)]
pub struct Tab {
    driver: WebDriver,
    window: WindowHandle,
}

/// One torrent of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Torrent {
    /// Empty while files are being hashed.
    pub info_hash: String,
    /// `hashing`, `metadata`, `downloading`, `seeding`, `paused` or `error`.
    pub state: String,
    /// 0 to 1, of verified bytes.
    pub progress: f64,
    /// Payload bytes received since the page was loaded.
    pub downloaded: u64,
    /// Payload bytes sent since the page was loaded.
    pub uploaded: u64,
    /// How often the other peers together hold every piece.
    pub copies: u64,
    /// Where its share link leads.
    pub share_link: String,
    /// Its peers.
    pub peers: Vec<Peer>,
}

impl Torrent {
    /// It has peers, and all of them are linked directly.
    pub fn is_direct(&self) -> bool {
        !self.peers.is_empty() && self.peers.iter().all(|peer| peer.path == "direct")
    }
}

/// One peer of a torrent.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// `relay` or `direct`.
    pub path: String,
    /// Payload bytes received from it.
    pub down: u64,
    /// Payload bytes sent to it.
    pub up: u64,
}

/// It does not show yet how everything is now: it has only just begun to load, or is out of sight.
const IS_OLD: &str = r#"!document.documentElement || document.readyState === "loading"
    || document.hidden || document.body?.ariaBusy === "true""#;

/// What a script returns instead of running in such a page.
const OLD: &str = "the page is not up to date";

const SNAPSHOT: &str = r#"
    const found = (root, id) => [...root.querySelectorAll(`[data-testid="${id}"]`)];
    return found(document, "torrent").map(torrent => ({
        info_hash: torrent.dataset.infoHash ?? "",
        state: torrent.dataset.state,
        progress: torrent.dataset.progress,
        downloaded: torrent.dataset.downloaded,
        uploaded: torrent.dataset.uploaded,
        copies: torrent.dataset.copies,
        share_link: found(torrent, "share-link")[0]?.href ?? "",
        peers: found(torrent, "peer").map(peer => peer.dataset.path + " " + peer.dataset.down + " " + peer.dataset.up),
    }));
"#;

/// The next question to the service worker is lost, and how many there are is counted.
const LOSE_A_QUESTION: &str = r#"
    const { postMessage } = ServiceWorker.prototype;
    window.questions = 0;
    ServiceWorker.prototype.postMessage = function (message, ports = []) {
        window.questions += ports.length;
        if (ports.length === 0 || window.questions > 1) postMessage.call(this, message, ports);
    };
"#;

impl Tab {
    pub(crate) fn new(driver: WebDriver, window: WindowHandle) -> Self {
        Tab { driver, window }
    }

    /// Brings the tab to the front, and waits until the page has shown how everything is now.
    async fn focus(&self) -> Result<()> {
        self.run("").await?;
        Ok(())
    }

    /// Loads an address.
    pub async fn goto(&self, address: &str) -> Result<()> {
        self.focus().await?;
        self.driver.goto(address).await?;
        Ok(())
    }

    /// Loads the page again, as a person with the reload button does.
    pub async fn reload(&self) -> Result<()> {
        self.focus().await?;
        self.driver.refresh().await?;
        Ok(())
    }

    /// Closes the tab.
    pub async fn close(self) -> Result<()> {
        self.focus().await?;
        self.driver.close_window().await?;
        Ok(())
    }

    async fn find(&self, test_id: &str) -> Result<WebElement> {
        self.focus().await?;
        let selector = format!("[data-testid=\"{test_id}\"]");
        until(
            &format!("an element {test_id}"),
            || async {
                Ok(self
                    .driver
                    .find_all(By::Css(&selector))
                    .await?
                    .into_iter()
                    .next())
            },
            Option::is_some,
        )
        .await?
        .context("found")
    }

    /// Gives files to the file picker.
    pub async fn share(&self, files: &[&Path]) -> Result<()> {
        let paths: Vec<_> = files.iter().map(|path| path.to_string_lossy()).collect();
        self.find("file-input")
            .await?
            .send_keys(paths.join("\n"))
            .await?;
        Ok(())
    }

    /// Pastes a link and adds it.
    pub async fn add_link(&self, link: &str) -> Result<()> {
        self.find("link-input").await?.send_keys(link).await?;
        self.click("link-add").await
    }

    /// Clicks the first element of this id, as soon as it can be seen.
    pub async fn click(&self, test_id: &str) -> Result<()> {
        let element = self.find(test_id).await?;
        let is_shown = || async { Ok(element.is_displayed().await?) };
        until(&format!("{test_id} in sight"), is_shown, |shown| *shown).await?;
        element.click().await?;
        Ok(())
    }

    /// Removes the first torrent, something of which is here: it is asked about.
    pub async fn remove(&self) -> Result<()> {
        self.click("remove").await?;
        self.click("remove-now").await
    }

    /// Types into a field of this id, and leaves it.
    pub async fn fill(&self, test_id: &str, value: &str) -> Result<()> {
        let script = format!(
            r#"const field = document.querySelector('[data-testid="{test_id}"]');
            field.value = "{value}";
            field.dispatchEvent(new Event("change", {{ bubbles: true }}));"#
        );
        self.run(&script).await?;
        Ok(())
    }

    /// The text of every alert on the page.
    pub async fn alerts(&self) -> Result<Vec<String>> {
        self.focus().await?;
        let mut texts = Vec::new();
        for alert in self
            .driver
            .find_all(By::Css("[data-testid=\"alert\"]"))
            .await?
        {
            texts.push(alert.text().await?);
        }
        Ok(texts)
    }

    /// Every torrent on the page.
    pub async fn torrents(&self) -> Result<Vec<Torrent>> {
        self.focus().await?;
        let found: Vec<Value> = self.driver.execute(SNAPSHOT, Vec::new()).await?.convert()?;
        found.iter().map(torrent).collect()
    }

    /// Waits until the page's only torrent is as wanted.
    pub async fn torrent_that(&self, what: &str, is: impl Fn(&Torrent) -> bool) -> Result<Torrent> {
        let what = format!("a torrent that is {what}");
        let found = until(
            &what,
            || async {
                let alerts = self.alerts().await?;
                Ok((
                    self.torrents()
                        .await?
                        .into_iter()
                        .next()
                        .unwrap_or_default(),
                    alerts,
                ))
            },
            |(torrent, _)| is(torrent),
        );
        Ok(found.await?.0)
    }

    /// Waits until the page's only torrent is complete.
    pub async fn seeding(&self) -> Result<Torrent> {
        self.torrent_that("seeding", |torrent| torrent.state == "seeding")
            .await
    }

    /// Runs a script in the page, once that is up to date, and returns what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        let script = format!("if ({IS_OLD}) return `{OLD}`;\n{script}");
        self.up_to_date(|| self.driver.execute(&*script, Vec::new()))
            .await
    }

    /// Runs a script that calls its last argument with its result, later.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        let script = format!("if ({IS_OLD}) return [...arguments].at(-1)(`{OLD}`);\n{script}");
        self.up_to_date(|| self.driver.execute_async(&*script, Vec::new()))
            .await
    }

    /// Brings the tab to the front and runs a script, again as long as the page is not up to date. The
    /// script looks itself: the page may load again between one script and the next.
    async fn up_to_date<F>(&self, run: impl Fn() -> F) -> Result<Value>
    where
        F: Future<Output = WebDriverResult<ScriptRet>>,
    {
        let ask = || async {
            // Again, because a tab that was opened before may come to the front late.
            self.driver.switch_to_window(self.window.clone()).await?;
            Ok(run().await?.json().clone())
        };
        until("a page that is up to date", ask, |value| *value != *OLD).await
    }

    /// Tells the browser something through its developers' tools. Chromium only.
    pub(crate) async fn command(&self, name: &str, params: Value) -> Result<()> {
        self.focus().await?;
        self.driver.cdp().send_raw(name, params).await?;
        Ok(())
    }

    /// Runs a script in every page that this tab loads from now on, before any of the page's own.
    /// Chromium only.
    pub async fn run_first(&self, script: &str) -> Result<()> {
        let source = json!({ "source": script });
        self.command("Page.addScriptToEvaluateOnNewDocument", source)
            .await
    }

    /// Waits until the page's service worker has taken it over.
    pub async fn controlled(&self) -> Result<()> {
        let taken = "return Boolean(navigator.serviceWorker.controller)";
        self.until("a service worker", taken).await?;
        Ok(())
    }

    /// Has all that the page requests from now on go to the server, past the page's service worker.
    /// Chromium only.
    pub async fn bypass_service_worker(&self) -> Result<()> {
        self.command("Network.enable", json!({})).await?;
        let bypass = json!({ "bypass": true });
        self.command("Network.setBypassServiceWorker", bypass).await
    }

    /// Loses the next question to the page's service worker, as if the browser had ended it with that.
    pub async fn lose_a_question(&self) -> Result<()> {
        self.run(LOSE_A_QUESTION).await?;
        Ok(())
    }

    /// How often the service worker was asked since a question was lost.
    pub async fn questions(&self) -> Result<u64> {
        let asked = self.run("return window.questions").await?;
        asked.as_u64().context("no question was lost")
    }

    /// Waits until a script returns something that is true, and returns it.
    pub async fn until(&self, what: &str, script: &str) -> Result<Value> {
        let is_so = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        until(what, || self.run(script), is_so).await
    }

    /// Waits until the first frame of this id shows some text, as a person reads it.
    pub async fn text_in_frame(&self, test_id: &str) -> Result<String> {
        let frame = self.find(test_id).await?;
        let read = || async {
            // It may just be about to show something else: then there is nothing to read yet.
            let text = async {
                frame.clone().enter_frame().await?;
                self.driver.find(By::Tag("body")).await?.text().await
            };
            let text = text.await.unwrap_or_default();
            self.driver.enter_default_frame().await?;
            Ok(text)
        };
        until("text in a frame", read, |text| !text.is_empty()).await
    }

    /// A picture of what a person sees.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        self.focus().await?;
        self.driver.screenshot(path).await?;
        Ok(())
    }
}

fn torrent(value: &Value) -> Result<Torrent> {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let peer = |text: &str| -> Option<Peer> {
        let mut parts = text.split(' ');
        Some(Peer {
            path: parts.next()?.to_owned(),
            down: parts.next()?.parse().ok()?,
            up: parts.next()?.parse().ok()?,
        })
    };
    let peers = value["peers"].as_array().context("a list of peers")?;
    Ok(Torrent {
        info_hash: text("info_hash"),
        state: text("state"),
        progress: text("progress").parse().unwrap_or(0.0),
        downloaded: text("downloaded").parse().unwrap_or(0),
        uploaded: text("uploaded").parse().unwrap_or(0),
        copies: text("copies").parse().unwrap_or(0),
        share_link: text("share_link"),
        peers: peers
            .iter()
            .filter_map(|value| peer(value.as_str()?))
            .collect(),
    })
}
