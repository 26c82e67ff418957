//! The same bytes through a data channel between two pages that do nothing else with them: what is
//! left to gain.

use anyhow::{Context, Result};

use super::alone::{REST, Run};
use crate::browser::Browser;
use crate::server::Server;

/// What the pages do.
const PAGE: &str = include_str!("bare.js");
/// Bytes of a message, which are those of a block between our tabs.
const MESSAGE: usize = 64 << 10;
/// Bytes in the sender's buffer.
const UNDER_WAY: usize = 1 << 20;

pub(super) async fn run() -> Result<Run> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    // Any page will do that is no page of ours.
    let page = format!("{}health", server.page());
    let sender = browser.open(&page).await?;
    let receiver = browser.open(&page).await?;
    for tab in [&sender, &receiver] {
        tab.run(PAGE).await?;
    }
    let bytes = REST.1;
    receiver.run(&format!("receive({bytes});")).await?;
    let linked = "dial().then(arguments[arguments.length - 1]);";
    sender.run_async(linked).await?;
    let before = Run::cpu();
    let send = format!("return send({bytes}, {MESSAGE}, {UNDER_WAY});");
    let begin = sender.run(&send).await?.as_f64().context("a time")?;
    let received = "received.then(arguments[arguments.length - 1]);";
    let end = receiver.run_async(received).await?;
    let run = Run::since(before, end.as_f64().context("a time")? - begin);
    browser.quit().await?;
    drop(server);
    Ok(run)
}
