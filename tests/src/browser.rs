//! A browser with tabs that nobody sees: Chromium, Firefox, or WebKit.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::manager::{BrowserKind, WebDriverManager};
use thirtyfour::prelude::*;
use tokio::process::Child;

use crate::files::digest;
use crate::homes::Home;
use crate::programs;
use crate::tab::{Tab, Torrent};
use crate::wait::{PATIENCE, until};
use crate::webkit::WebKit;

/// What people's other browser is called: by Debian, and by everybody else.
const FIREFOX: [&str; 2] = ["/usr/bin/firefox-esr", "/usr/bin/firefox"];

/// What a page says of what it saves, and what it alerts to.
const SAVING: &str = r#"
    const said = document.querySelectorAll("[data-testid=save], [data-testid=alert], iframe");
    return [...said].map((it) => it.src ?? it.textContent);"#;

/// How long a browser may take to end.
const GOODBYE: Duration = Duration::from_secs(30);

/// A browser with a profile of its own. Quit it at the end of a test.
#[derive(Debug)]
pub struct Browser {
    pub(crate) driver: WebDriver,
    downloads: TempDir,
    program: Program,
}

/// The program that drives it, which lives as long as it does.
#[derive(Debug)]
enum Program {
    Managed(#[expect(dead_code)] Arc<WebDriverManager>),
    WebKit(#[expect(dead_code)] Box<WebKit>),
    /// A driver that we started ourselves.
    Driver(#[expect(dead_code)] Child),
}

/// Arguments of a Chromium that nobody sees.
const UNSEEN: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
];

/// There may be no network but the machine's own, and nobody who resolves mDNS names.
const ON_ONE_MACHINE: [&str; 2] = [
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
];

impl Browser {
    /// Starts Chromium through chromedriver; both must be on the PATH.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same, with these arguments besides.
    pub async fn start_with(arguments: &[&str]) -> Result<Self> {
        let downloads = TempDir::new()?;
        let arguments = [&ON_ONE_MACHINE, arguments].concat();
        let caps = chromium(&arguments, downloads.path())?;
        let driver_path = programs::chromedriver()?;
        Self::launch(BrowserKind::Chrome, driver_path, caps, downloads).await
    }

    /// Starts Chromium as people have it, in one of the homes of `tests/clients/homes.sh`; the page's
    /// origin counts as secure there, as if it came by HTTPS.
    pub async fn at_home(home: Home, origin: &str) -> Result<Self> {
        let downloads = TempDir::new()?;
        let secure = format!("--unsafely-treat-insecure-origin-as-secure={origin}");
        let caps = chromium(&[&secure], downloads.path())?;
        let (address, child) = home.chromedriver().await?;
        let driver = WebDriver::new(&address, caps).await?;
        Self::over(driver, Program::Driver(child), downloads).await
    }

    /// Starts Firefox through geckodriver.
    pub async fn firefox() -> Result<Self> {
        Self::firefox_that(false).await
    }

    /// The same as people have it: its pages have no addresses to tell, but names of the local
    /// network (mDNS), which nobody may resolve.
    pub async fn firefox_that_hides_addresses() -> Result<Self> {
        Self::firefox_that(true).await
    }

    async fn firefox_that(hides_addresses: bool) -> Result<Self> {
        let downloads = TempDir::new()?;
        let mut caps = DesiredCapabilities::firefox();
        let found = FIREFOX.into_iter().find(|path| Path::new(path).exists());
        if let Some(firefox) = found {
            caps.set_firefox_binary(firefox)?;
        }
        for arg in ["-headless", "--width=1200", "--height=900"] {
            caps.add_arg(arg)?;
        }
        let mut prefs = FirefoxPreferences::new();
        // The folder that is named next, without a question.
        prefs.set("browser.download.folderList", 2)?;
        prefs.set("browser.download.dir", downloads.path())?;
        prefs.set("browser.download.useDownloadDir", true)?;
        prefs.set(
            "browser.download.always_ask_before_handling_new_types",
            false,
        )?;
        // As above: there may be no network, and nobody who resolves mDNS names.
        prefs.set("media.peerconnection.ice.loopback", true)?;
        let hide = "media.peerconnection.ice.obfuscate_host_addresses";
        prefs.set(hide, hides_addresses)?;
        caps.set_preferences(prefs)?;
        let driver_path = programs::geckodriver()?;
        Self::launch(BrowserKind::Firefox, driver_path, caps, downloads).await
    }

    /// Starts WebKit through WebKitWebDriver, on a screen of its own.
    pub async fn webkit() -> Result<Self> {
        let downloads = TempDir::new()?;
        let program = WebKit::start(downloads.path()).await?;
        let driver = WebDriver::new(&program.address, Capabilities::new()).await?;
        Self::over(driver, Program::WebKit(Box::new(program)), downloads).await
    }

    async fn launch(
        kind: BrowserKind,
        driver_path: PathBuf,
        caps: impl Into<Capabilities>,
        downloads: TempDir,
    ) -> Result<Self> {
        let manager = WebDriverManager::builder()
            .driver_binary(kind, driver_path)
            .offline()
            .build();
        let driver = manager.launch(caps).await?;
        Self::over(driver, Program::Managed(manager), downloads).await
    }

    async fn over(driver: WebDriver, program: Program, downloads: TempDir) -> Result<Self> {
        driver.set_script_timeout(PATIENCE).await?;
        Ok(Browser {
            driver,
            downloads,
            program,
        })
    }

    /// Opens an address in a new tab.
    pub async fn open(&self, address: &str) -> Result<Tab> {
        let window = match self.program {
            Program::Managed(_) | Program::Driver(_) => self.driver.new_tab().await?,
            // Its driver can't bring a tab to the front.
            Program::WebKit(_) => self.driver.new_window().await?,
        };
        let tab = Tab::new(self.driver.clone(), window);
        tab.goto(address).await?;
        Ok(tab)
    }

    /// Shares files in a new tab, and waits until they are seeded.
    pub async fn seed(&self, page: &str, files: &[&Path]) -> Result<(Tab, Torrent)> {
        let tab = self.open(page).await?;
        tab.share(files).await?;
        let torrent = tab.seeding().await?;
        assert!(
            torrent.share_link.contains(&torrent.info_hash),
            "{torrent:?}"
        );
        Ok((tab, torrent))
    }

    /// Saves the first torrent of a tab, of one file; its digest.
    pub async fn save(&self, tab: &Tab, name: &str, into: &Path) -> Result<[u8; 32]> {
        tab.click("save").await?;
        let saved = self.take_download(name, into).await;
        if saved.is_err() {
            // What the page says then.
            eprintln!("{:?}", tab.run(SAVING).await?);
        }
        digest(&saved?)
    }

    /// Saves the first torrent of a tab, which is this file; the digest of what was saved. For
    /// browsers that write to its place at once, so that only its length says when it is there.
    pub async fn save_like(&self, tab: &Tab, original: &Path, into: &Path) -> Result<[u8; 32]> {
        tab.click("save").await?;
        let name = original.file_name().context("a name")?.to_string_lossy();
        let (path, length) = (
            self.downloads.path().join(&*name),
            original.metadata()?.len(),
        );
        let is_there = || async { Ok(path.metadata().is_ok_and(|data| data.len() == length)) };
        until(&format!("all of {name}"), is_there, |there| *there).await?;
        digest(&self.take_download(&name, into).await?)
    }

    /// Waits until a download of this name is complete, and takes it out of the download
    /// folder, so that the next may have the same name.
    pub async fn take_download(&self, name: &str, into: &Path) -> Result<PathBuf> {
        let path = self.downloads.path().join(name);
        // Firefox keeps the place with an empty file, and writes to another beside it.
        let is_there = |names: &Vec<String>| {
            let busy = names.iter().any(|name| name.ends_with(".part"));
            !busy && path.metadata().is_ok_and(|data| data.len() > 0)
        };
        // What else is there says what became of it.
        let look = || async { self.downloaded() };
        until(&format!("the download of {name}"), look, is_there).await?;
        std::fs::create_dir_all(into)?;
        let target = into.join(name);
        if std::fs::rename(&path, &target).is_err() {
            std::fs::copy(&path, &target)?;
            std::fs::remove_file(&path)?;
        }
        Ok(target)
    }

    /// As [`Browser::take_download`], of the only download whose name has this ending.
    pub async fn take_download_like(&self, ending: &str, into: &Path) -> Result<PathBuf> {
        let find = || async {
            let names = self.downloaded()?;
            Ok(names.into_iter().find(|name| name.ends_with(ending)))
        };
        let what = format!("a download of *{ending}");
        let name = until(&what, find, Option::is_some).await?;
        self.take_download(&name.context("found")?, into).await
    }

    /// The names in the download folder.
    fn downloaded(&self) -> Result<Vec<String>> {
        std::fs::read_dir(self.downloads.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Lets the pages of this origin keep so many bytes; as many as usual if none. Chromium only.
    pub async fn set_quota(&self, origin: &str, bytes: Option<u64>) -> Result<()> {
        let mut params = json!({ "origin": origin });
        if let Some(bytes) = bytes {
            params["quotaSize"] = json!(bytes);
        }
        self.command("Storage.overrideQuotaForOrigin", params).await
    }

    /// Clears all that the pages of this origin keep, as a person may in the settings. Chromium
    /// only.
    pub async fn clear_storage(&self, origin: &str) -> Result<()> {
        let params = json!({ "origin": origin, "storageTypes": "all" });
        self.command("Storage.clearDataForOrigin", params).await
    }

    /// Has the tab in front look as on another screen or with other preferences: CSS pixels of its
    /// width and height and pixels of the screen for each, and media features by their values.
    /// Chromium only.
    pub async fn emulate(&self, screen: (u32, u32, f64), features: &[(&str, &str)]) -> Result<()> {
        let (width, height, ratio) = screen;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": ratio, "mobile": false,
        });
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        let features = features
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }));
        let features = json!({ "features": features.collect::<Vec<_>>() });
        self.command("Emulation.setEmulatedMedia", features).await
    }

    /// Has the tab in front compute so many times slower, as on a phone. Chromium only.
    pub async fn slow_down(&self, times: f64) -> Result<()> {
        let params = json!({ "rate": times });
        self.command("Emulation.setCPUThrottlingRate", params).await
    }

    /// The pages of this origin may do this without asking, as a person may say. Chromium only.
    pub async fn allow(&self, origin: &str, permission: &str) -> Result<()> {
        let params = json!({ "origin": origin, "permissions": [permission] });
        self.command("Browser.grantPermissions", params).await
    }

    async fn command(&self, name: &str, params: serde_json::Value) -> Result<()> {
        self.driver.cdp().send_raw(name, params).await?;
        Ok(())
    }

    /// Ends the browser.
    pub async fn quit(self) -> Result<()> {
        match tokio::time::timeout(GOODBYE, self.driver.clone().quit()).await {
            Ok(ended) => Ok(ended?),
            Err(_) => self.kill(),
        }
    }

    /// Firefox may ask a person, whom it does not have, whether it should really end, such as when it
    /// has just completed a download; then it never does, nor does whoever waits for its output.
    fn kill(&self) -> Result<()> {
        let process = self.driver.capabilities().get("moz:processID");
        let process = process.and_then(Value::as_u64);
        let process = process.context("the browser does not end, and says not what it is")?;
        eprintln!("the browser does not end by itself: it is killed");
        let killed = std::process::Command::new("kill")
            .args(["-KILL", &process.to_string()])
            .status()?;
        ensure!(killed.success(), "the browser can't be killed");
        Ok(())
    }

    /// Asks the driver to end it, outside of any runtime.
    fn end(&self) -> Result<()> {
        let (server, session) = (self.driver.server_url(), self.driver.session_id());
        let address = server.socket_addrs(|| None)?;
        let mut stream = TcpStream::connect(&address[..])?;
        stream.set_read_timeout(Some(GOODBYE))?;
        let request = format!(
            "DELETE /session/{session} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            address[0]
        );
        stream.write_all(request.as_bytes())?;
        // The answer comes when it has ended; the connection stays.
        stream.read_exact(&mut [0])?;
        Ok(())
    }
}

/// What Chromium is asked for, with these arguments besides.
fn chromium(arguments: &[&str], downloads: &Path) -> Result<ChromeCapabilities> {
    let mut caps = DesiredCapabilities::chrome();
    for argument in UNSEEN.iter().chain(arguments) {
        caps.add_arg(argument)?;
    }
    caps.add_experimental_option(
        "prefs",
        json!({
            "download.default_directory": downloads,
            "download.prompt_for_download": false,
            "profile.default_content_setting_values.automatic_downloads": 1,
        }),
    )?;
    Ok(caps)
}

impl Drop for Browser {
    /// A test has failed. The driver's own way would wait for answers that this test's runtime
    /// has to bring, which waits for it: the test would hang instead of failing.
    fn drop(&mut self) {
        if self.driver.clone().leak().is_ok()
            && self.end().is_err()
            && let Err(error) = self.kill()
        {
            eprintln!("the browser may still run: {error}");
        }
    }
}
