//! Whether anybody is kept out of a page: axe's verdict, and what a page is like on a phone and in
//! other colours. In Chromium.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::tab::Tab;

/// Where axe is; set by `cargo xtask test`.
const AXE: &str = "TABSWARM_AXE";

/// If it is set, a picture of each state goes into this folder, for people to look at.
const PICTURES: &str = "TABSWARM_PICTURES";

/// What is wrong, in words. All of axe's rules, and the size of what is to be hit (WCAG 2.5.8).
/// With forced colours axe reads those that the page asked for, which nobody sees.
const JUDGE: &str = r#"
    const done = arguments[arguments.length - 1];
    const isForced = matchMedia("(forced-colors: active)").matches;
    const rules = { "target-size": { enabled: true }, "color-contrast": { enabled: !isForced } };
    const options = { resultTypes: ["violations"], rules };
    axe.run(document, options).then(({ violations }) => done(violations.flatMap(
        ({ id, help, nodes }) => nodes.map(({ target, html, failureSummary }) =>
            `${id}: ${help}\n  ${target.join(" ")}\n  ${html}\n  ${failureSummary}`))),
        error => done([String(error)]));
"#;

/// What is wider than the page, which nobody should have to scroll sideways.
const TOO_WIDE: &str = r#"
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const isTooWide = it => it.getBoundingClientRect().right > width + 1;
    const all = [...document.body.querySelectorAll("*")];
    return all.filter(it => isTooWide(it) && !isTooWide(it.parentElement))
        .map(it => `wider than the page: ${it.outerHTML.slice(0, 200)}`);
"#;

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
struct Look {
    name: &'static str,
    /// The width of a phone; as it is, if none. CSS pixels.
    phone: Option<u32>,
    /// The size of text that a person has chosen in the browser, in CSS pixels.
    text: u32,
    is_dark: bool,
    has_forced_colors: bool,
}

/// Every width with every choice of colours at least once, and text of twice the usual size (WCAG
/// 1.4.4). Phones are seldom narrower.
const LOOKS: [Look; 4] = [
    Look {
        name: "light",
        phone: None,
        text: 16,
        is_dark: false,
        has_forced_colors: false,
    },
    Look {
        name: "phone, dark",
        phone: Some(360),
        text: 16,
        is_dark: true,
        has_forced_colors: false,
    },
    Look {
        name: "phone, large text",
        phone: Some(360),
        text: 32,
        is_dark: false,
        has_forced_colors: false,
    },
    Look {
        name: "forced colours",
        phone: None,
        text: 16,
        is_dark: true,
        has_forced_colors: true,
    },
];

impl Tab {
    /// Fails unless nothing is wrong with the page as it is, however it is looked at.
    pub async fn is_for_all(&self, state: &str) -> Result<()> {
        let has_axe = self.run("return typeof axe === 'object'").await?;
        if has_axe != true {
            let path = std::env::var_os(AXE)
                .with_context(|| format!("{AXE} is not set: run this with cargo xtask test"))?;
            self.run(&std::fs::read_to_string(path)?).await?;
        }
        let mut wrong = Vec::new();
        for look in LOOKS {
            self.look(look).await?;
            // What fades in has faded in: axe sees colours as they are just then.
            self.run(
                "for (const it of document.getAnimations())
                     if (it.effect.getComputedTiming().endTime !== Infinity) it.finish();",
            )
            .await?;
            for script in [self.run(TOO_WIDE).await?, self.run_async(JUDGE).await?] {
                let found = script.as_array().context("a list")?.iter();
                wrong.extend(
                    found.map(|text| format!("{}: {}", look.name, text.as_str().unwrap_or("?"))),
                );
            }
            if let Some(folder) = std::env::var_os(PICTURES) {
                self.take_picture(&Path::new(&folder).join(format!("{state}, {}.png", look.name)))
                    .await?;
            }
        }
        self.look(LOOKS[0]).await?;
        anyhow::ensure!(wrong.is_empty(), "{state}:\n{}", wrong.join("\n"));
        Ok(())
    }

    async fn look(&self, look: Look) -> Result<()> {
        let scheme = if look.is_dark { "dark" } else { "light" };
        let forced = if look.has_forced_colors { "active" } else { "" };
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "forced-colors", "value": forced },
        ] });
        self.command("Emulation.setEmulatedMedia", media).await?;
        let sizes = json!({ "fontSizes": { "standard": look.text } });
        self.command("Page.setFontSizes", sizes).await?;
        match look.phone {
            Some(width) => self.resize(width, 740, true).await?,
            None => {
                self.command("Emulation.clearDeviceMetricsOverride", json!({}))
                    .await?;
                let touch = json!({ "enabled": false });
                self.command("Emulation.setTouchEmulationEnabled", touch)
                    .await?;
            }
        }
        Ok(())
    }

    async fn resize(&self, width: u32, height: u32, mobile: bool) -> Result<()> {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile,
        });
        self.command("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        let touch = json!({ "enabled": mobile });
        self.command("Emulation.setTouchEmulationEnabled", touch)
            .await
    }

    /// A picture of the whole page.
    async fn take_picture(&self, path: &Path) -> Result<()> {
        // Chromium paints a forced background until the page has another one.
        self.run_async(
            "const done = arguments[arguments.length - 1];
             const { style } = document.documentElement;
             style.background = 'none';
             requestAnimationFrame(() => requestAnimationFrame(() => {
                 style.background = '';
                 requestAnimationFrame(() => done(true));
             }));",
        )
        .await?;
        let size = "return [innerWidth, document.documentElement.scrollHeight]";
        let size = self.run(size).await?;
        let number = |index: usize| -> Result<u32> {
            let number = size[index].as_u64().context("a number")?;
            Ok(u32::try_from(number)?)
        };
        let (width, height) = (number(0)?, number(1)?);
        self.resize(width, height, width < 600).await?;
        self.screenshot(path).await
    }
}
