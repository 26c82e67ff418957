//! The lab in a real browser, against the same simulator as a native program.
//!
//! Ignored by a plain `cargo test`, as the other tests in tabs are: `cargo xtask test tabs`
//! builds the page and runs them.

use anyhow::{Context, Result};
use lab_page::settings::Settings;
use serde_json::Value;
use swarm_lab::{Results, Simulation};
use swarm_tests::browser::Browser;
use swarm_tests::server::Server;
use swarm_tests::tab::Tab;
use swarm_tests::wait::until;

/// Small, but with dice for everything: arrivals, stays, free-riders, links.
const EXPERIMENT: &str = "preset=churn&peers=12&pieces=24&piece-size=64&up=400&seeder-up=400\
                          &arrivals=240&mean-stay=40&seeder-leaves=0&free-riders=25&seed=7";

/// Every figure that the page shows, with both columns.
const FIGURES: &str = r#"
    const lab = document.querySelector('[data-testid="lab"]');
    const rows = [...document.querySelectorAll('[data-testid="figures"] [data-figure]')];
    const cell = (row, part) => row.querySelector(`[data-part=${part}]`).dataset.value;
    return {
        state: lab?.dataset.state,
        pictures: Number(lab?.dataset.pictures ?? 0),
        figures: Object.fromEntries(rows.map(
            row => [row.dataset.figure, [cell(row, "a"), cell(row, "b")]])),
        said: document.querySelector('[data-testid="summary"]')?.textContent,
    };
"#;

fn simulate(settings: &Settings) -> Result<Vec<Results>> {
    let mut all = Vec::new();
    for scenario in settings.scenarios() {
        let mut simulation = Simulation::new(scenario)?;
        while !simulation.is_over() {
            simulation.play(std::time::Duration::MAX, 100_000);
        }
        all.push(simulation.results());
    }
    Ok(all)
}

/// What the page should show, by the keys that it uses.
fn expected(results: &Results) -> Vec<(&'static str, f64)> {
    let (completion, free_riders) = (&results.completion, &results.free_rider_completion);
    vec![
        ("complete", completion.count.into()),
        ("mean", completion.mean),
        ("last", completion.last),
        ("free-rider-complete", free_riders.count.into()),
        ("free-rider-mean", free_riders.mean),
        ("utilisation", results.utilisation),
        ("wasted", (results.duplicate + results.corrupt) as f64),
        ("events", results.events as f64),
    ]
}

async fn over(tab: &Tab) -> Result<Value> {
    let ask = || tab.run(FIGURES);
    until("both runs to end", ask, |shown| shown["state"] == "over").await
}

fn shown(page: &Value, key: &str, column: usize) -> Result<f64> {
    let value = page["figures"][key][column].as_str();
    let value = value.with_context(|| format!("the page shows {key}: {page:#}"))?;
    Ok(value.parse()?)
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_run_in_the_page_is_the_run_of_the_native_simulator() -> Result<()> {
    let native = simulate(&Settings::from_fragment(EXPERIMENT))?;
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let tab = browser
        .open(&format!("{}lab/#{EXPERIMENT}", server.page()))
        .await?;
    as_fast_as_it_can(&tab).await?;
    let page = over(&tab).await?;

    assert_eq!(native.len(), 2);
    for (column, results) in native.iter().enumerate() {
        assert!(results.completion.count > 0, "{results:?}");
        for (key, value) in expected(results) {
            assert_eq!(
                shown(&page, key, column)?,
                value,
                "{key}, {column}: {page:#}"
            );
        }
    }
    assert!(page["pictures"].as_u64() > Some(0), "{page:#}");
    // The verdict, not what was said on the way.
    let said = page["said"].as_str().unwrap_or_default();
    assert!(
        said.contains("complete, the others") || said.contains("on average"),
        "{said}"
    );
    assert!(
        said.contains("A, rarest first: ") && said.contains("B, sequential: "),
        "{said}"
    );
    browser.quit().await
}

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_paused_lab_stands_still_and_a_link_holds_the_experiment() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let lab = format!("{}lab", server.page());
    let tab = browser.open(&format!("{lab}#preset=liars&peers=9")).await?;
    let ask = || tab.run(FIGURES);
    let has_begun = |page: &Value| shown(page, "time", 0).is_ok_and(|time| time > 0.0);
    until("the first virtual second", ask, has_begun).await?;
    tab.click("play").await?;
    // What is drawn after the pause was asked for stays.
    let until_same = "const all = document.body.innerText; const done = arguments[0];
        requestAnimationFrame(() => requestAnimationFrame(() => done(document.body.innerText === all)));";
    let asking = || tab.run_async(until_same);
    until("a picture that stays", asking, |same| same == true).await?;

    tab.run(
        "const peers = document.querySelector('[name=peers]'); peers.value = 11;
         peers.dispatchEvent(new Event('change', { bubbles: true }));",
    )
    .await?;
    let address = tab.run("return location.href").await?;
    let address = address.as_str().unwrap_or_default();
    let (_, fragment) = address
        .split_once('#')
        .context("an experiment in the link")?;
    let settings = Settings::from_fragment(fragment);
    assert_eq!((settings.preset, settings.number("peers")), ("liars", 11));
    browser.quit().await
}

/// What a network's half of the page shows.
const NETWORK: &str = r#"
    const net = document.querySelector('[data-testid="net"]');
    const rows = id => [...document.querySelectorAll(`[data-testid=${id}] tbody tr`)];
    const text = id => document.querySelector(`[data-testid=${id}]`)?.textContent ?? "";
    return {
        state: net?.dataset.state,
        joined: Number(net?.dataset.joined ?? 0),
        said: text("walk-words"),
        asked: rows("walk").map(row => row.innerText),
        entries: rows("buckets").map(row => Number(row.querySelector("[data-part=good]").textContent)),
    };
"#;

#[tokio::test]
#[ignore = "needs a browser: cargo xtask test tabs"]
async fn a_network_in_which_everybody_is_alone_finds_nothing_until_it_is_mended() -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let address = format!("{}lab/#dht=alone&nodes=32&seed=3", server.page());
    let tab = browser.open(&address).await?;
    as_fast("net-speed", &tab).await?;
    let ask = || tab.run(NETWORK);
    let says =
        |page: &Value, words: &str| page["said"].as_str().is_some_and(|it| it.contains(words));
    tab.run("document.querySelector('[data-testid=net-key]').value = 'a song'")
        .await?;
    tab.click("net-announce").await?;
    let alone = until("an announce that fails", ask, |page| {
        page["state"] == "failed"
    })
    .await?;
    assert!(says(&alone, "no node of the DHT is known"), "{alone:#}");
    assert_eq!(
        (&alone["joined"], &alone["asked"]),
        (&0.into(), &Value::Array(vec![]))
    );

    tab.click("net-introduce").await?;
    until("everybody to join", ask, |page| page["joined"] == 33).await?;
    tab.click("net-announce").await?;
    until("an announce", ask, |page| says(page, "announced key")).await?;
    tab.click("net-look").await?;
    let found = until("who has it", ask, |page| says(page, "found who has key")).await?;
    assert_eq!(found["state"], "found");
    let asked = found["asked"].as_array().context("rows")?;
    assert!(asked.len() >= 8, "{found:#}");
    let entries = found["entries"].as_array().context("rows")?;
    let known: u64 = entries.iter().filter_map(Value::as_u64).sum();
    assert!(known >= 8, "{found:#}");

    // The other half of the page takes its place, and the way back leads to this network.
    tab.click("mode-swarm").await?;
    let swarm =
        "return document.querySelector('#net').hidden && !document.querySelector('#swarm').hidden";
    tab.until("swarms", swarm).await?;
    let back = "return document.querySelector('[data-testid=mode-network]').hash";
    assert_eq!(tab.run(back).await?, "#dht=alone&nodes=32&seed=3");
    browser.quit().await
}

async fn as_fast_as_it_can(tab: &Tab) -> Result<()> {
    as_fast("speed", tab).await
}

/// Chooses the highest speed.
async fn as_fast(choice: &str, tab: &Tab) -> Result<()> {
    // The page is there before its program.
    let choose = format!(
        "const speed = document.querySelector('[data-testid={choice}]');
         if (speed === null) return false;
         speed.value = 'max';
         speed.dispatchEvent(new Event('change', {{ bubbles: true }}));
         return true;"
    );
    tab.until("a choice of speeds", &choose).await?;
    Ok(())
}
