//! A headless Chromium with tabs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::manager::{BrowserKind, WebDriverManager};
use thirtyfour::prelude::*;

use crate::programs;
use crate::tab::Tab;
use crate::wait::{PATIENCE, until};

/// A browser with a profile of its own. Quit it at the end of a test.
#[derive(Debug)]
pub struct Browser {
    pub(crate) driver: WebDriver,
    downloads: TempDir,
    _manager: Arc<WebDriverManager>,
}

impl Browser {
    /// Starts Chromium through chromedriver; both must be on the PATH.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same, with these arguments besides.
    pub async fn start_with(arguments: &[&str]) -> Result<Self> {
        let downloads = TempDir::new()?;
        let mut caps = DesiredCapabilities::chrome();
        for arg in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,900",
            // There may be no network but the machine's own, and nobody who resolves mDNS names.
            "--allow-loopback-in-peer-connection",
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ]
        .into_iter()
        .chain(arguments.iter().copied())
        {
            caps.add_arg(arg)?;
        }
        caps.add_experimental_option(
            "prefs",
            json!({
                "download.default_directory": downloads.path(),
                "download.prompt_for_download": false,
                "profile.default_content_setting_values.automatic_downloads": 1,
            }),
        )?;
        let driver_path = programs::chromedriver()?;
        let manager = WebDriverManager::builder()
            .driver_binary(BrowserKind::Chrome, driver_path)
            .offline()
            .build();
        let driver = manager.launch(caps).await?;
        driver.set_script_timeout(PATIENCE).await?;
        Ok(Browser {
            driver,
            downloads,
            _manager: manager,
        })
    }

    /// Opens an address in a new tab.
    pub async fn open(&self, address: &str) -> Result<Tab> {
        let window = self.driver.new_tab().await?;
        let tab = Tab::new(self.driver.clone(), window);
        tab.goto(address).await?;
        Ok(tab)
    }

    /// Waits until a download of this name is complete, and takes it out of the download
    /// folder, so that the next may have the same name.
    pub async fn take_download(&self, name: &str, into: &Path) -> Result<PathBuf> {
        let path = self.downloads.path().join(name);
        let is_there = || async { Ok(path.exists()) };
        until(&format!("the download of {name}"), is_there, |there| *there).await?;
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
            let names = std::fs::read_dir(self.downloads.path())?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<Vec<_>>>()?;
            Ok(names.into_iter().find(|name| name.ends_with(ending)))
        };
        let what = format!("a download of *{ending}");
        let name = until(&what, find, Option::is_some).await?;
        self.take_download(&name.context("found")?, into).await
    }

    /// Lets the pages of this origin keep so many bytes; as many as usual if none.
    pub async fn set_quota(&self, origin: &str, bytes: Option<u64>) -> Result<()> {
        let mut params = json!({ "origin": origin });
        if let Some(bytes) = bytes {
            params["quotaSize"] = json!(bytes);
        }
        self.command("Storage.overrideQuotaForOrigin", params).await
    }

    /// Clears all that the pages of this origin keep, as a person may in the settings.
    pub async fn clear_storage(&self, origin: &str) -> Result<()> {
        let params = json!({ "origin": origin, "storageTypes": "all" });
        self.command("Storage.clearDataForOrigin", params).await
    }

    async fn command(&self, name: &str, params: serde_json::Value) -> Result<()> {
        self.driver.cdp().send_raw(name, params).await?;
        Ok(())
    }

    /// Ends the browser.
    pub async fn quit(self) -> Result<()> {
        self.driver.quit().await?;
        Ok(())
    }
}
