//! `lab report`: the project's experiments, rerun and written down.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use swarm_lab::batch::{play_all, play_networks, seeds};
use swarm_lab::network::{NetworkResults, NetworkScenario};
use swarm_lab::scenario::AccessLink;
use swarm_lab::statistics::Estimate;
use swarm_lab::{Results, Scenario};

use super::output::Destination;

mod churn;
mod dht;
mod direct;
mod free_riders;
mod growth;
mod paths;
mod relay;
mod strategies;
mod survival;

/// Peers of the largest swarm.
const LARGEST: u32 = 5000;
/// What a section says that was not written in full.
const QUICK: &str = "Of `lab report --quick`: smaller, and with fewer seeds.";
/// Nodes of the largest network.
const LARGEST_NETWORK: u32 = 100_000;

/// What to rerun, and where to write it.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Only these sections; the others stay as they are.
    sections: Vec<Section>,
    /// Where experiments.md goes, and the folder experiments/ with the charts.
    #[arg(long, default_value = "docs", value_name = "FOLDER")]
    directory: PathBuf,
    /// Smaller swarms and fewer seeds: minutes instead of half an hour, and less to
    /// be learnt.
    #[arg(long)]
    quick: bool,
    /// The largest swarm. With 5000 peers, the largest that is known to fit, a run takes
    /// some ten minutes and as many gigabytes of memory.
    #[arg(long, default_value_t = LARGEST, value_name = "PEERS")]
    largest: u32,
    /// The largest network of the DHT. 100,000 nodes take five gigabytes of memory, as many
    /// times as there are threads.
    #[arg(long, default_value_t = LARGEST_NETWORK, value_name = "NODES")]
    largest_network: u32,
    /// How many runs at once; as many as there are cores if not given.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

impl Report {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let path = self.directory.join("experiments.md");
        let before = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.with_context(|| path.display().to_string())?,
        };
        let charts = self.directory.join("experiments");
        fs::create_dir_all(&charts).with_context(|| charts.display().to_string())?;
        let file = Destination::open(&path)?;
        let mut writer = Writer {
            charts,
            threads: self.threads,
            quick: self.quick,
            largest: self.largest,
            largest_network: self.largest_network,
            text: String::new(),
            cost: Cost::default(),
        };
        let mut page = self.introduction();
        for section in Section::value_variants() {
            let wanted = self.sections.is_empty() || self.sections.contains(section);
            if wanted {
                writer.heading(section.title());
                if self.quick {
                    writer.paragraph(QUICK);
                }
                section.write(&mut writer)?;
                page += &std::mem::take(&mut writer.text);
            } else {
                page += section_of(&before, section.title());
            }
        }
        writer.cost.tell();
        file.fill(page.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    fn introduction(&self) -> String {
        let quick = if self.quick { " --quick" } else { "" };
        let largest = match self.largest {
            LARGEST => String::new(),
            largest => format!(" --largest {largest}"),
        };
        format!(
            "# Experiments\n\n\
             Swarms of real engines and the real hub in virtual time, see *The lab* in \
             [CONTRIBUTING.md](../CONTRIBUTING.md). This page is written by \
             `lab report{quick}{largest}`, and the same program writes the same figures again: \
             nothing here was rounded to please.\n\n\
             Unless said otherwise a peer's line has {} kB/s up, four times that down, and 20 \
             to 25 ms to the relay; all peers arrive at once, and seed once they are complete. \
             `a ± b` is a mean and half of its 95 % confidence interval (Student's t) over the \
             seeds given.\n",
            link().up / 1000.0,
        )
    }
}

/// The experiments, in the order of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Sequential against rarest first
    Strategies,
    /// How completion grows with the number of peers
    Growth,
    /// Free-riders, with choking on and off
    FreeRiders,
    /// Peers that come and go
    Churn,
    /// A relay of limited capacity
    Relay,
    /// What direct links spare the relay, and what they cost in time
    Direct,
    /// The server dies at half time
    Survival,
    /// The DHT: how lookups grow with the network
    DhtGrowth,
    /// The DHT: dead nodes, and what each rule is worth
    DhtDead,
    /// The DHT: nodes that come and go
    DhtChurn,
    /// The DHT: what can go wrong
    DhtTrouble,
    /// The DHT: those who ask for more than they may
    DhtAbuse,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Section::Strategies => "Sequential against rarest first",
            Section::Growth => "How completion grows with the number of peers",
            Section::FreeRiders => "Free-riders, with choking on and off",
            Section::Churn => "Churn",
            Section::Relay => "A relay of limited capacity",
            Section::Direct => "What direct links spare the relay, and what they cost in time",
            Section::Survival => "When the server dies at half time",
            Section::DhtGrowth => "The DHT: how lookups grow with the network",
            Section::DhtDead => "The DHT: dead nodes, and what each rule is worth",
            Section::DhtChurn => "The DHT: nodes that come and go",
            Section::DhtTrouble => "The DHT: what can go wrong",
            Section::DhtAbuse => "The DHT: those who ask for more than they may",
        }
    }

    fn write(self, writer: &mut Writer) -> anyhow::Result<()> {
        match self {
            Section::Strategies => strategies::write(writer),
            Section::Growth => growth::write(writer),
            Section::FreeRiders => free_riders::write(writer),
            Section::Churn => churn::write(writer),
            Section::Relay => relay::write(writer),
            Section::Direct => {
                direct::write(writer)?;
                paths::write(writer)
            }
            Section::Survival => survival::write(writer),
            Section::DhtGrowth => dht::growth::write(writer),
            Section::DhtDead => dht::dead::write(writer),
            Section::DhtChurn => dht::churn::write(writer),
            Section::DhtTrouble => dht::trouble::write(writer),
            Section::DhtAbuse => dht::abuse::write(writer),
        }
    }
}

/// A section of a page as it is, up to the next one; nothing if it is not there.
fn section_of<'a>(page: &'a str, title: &str) -> &'a str {
    let Some(begin) = page.find(&format!("\n## {title}\n")) else {
        return "";
    };
    let rest = &page[begin..];
    let end = rest[1..].find("\n## ").map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

/// What the sections write with.
struct Writer {
    charts: PathBuf,
    threads: Option<NonZero<usize>>,
    quick: bool,
    largest: u32,
    largest_network: u32,
    text: String,
    cost: Cost,
}

/// What the runs took.
#[derive(Default)]
struct Cost {
    runs: usize,
    blocks: u64,
    events: u64,
    time: Duration,
}

/// What a variant is called, and how it is played.
type Variant<K> = (K, Scenario);

impl Writer {
    /// `small` in a quick report, else `full`.
    fn choose<T>(&self, small: T, full: T) -> T {
        if self.quick { small } else { full }
    }

    /// Plays every variant with so many seeds.
    fn play<K: Clone>(
        &mut self,
        what: &str,
        variants: &[Variant<K>],
        count: impl Fn(&Scenario) -> u64,
    ) -> anyhow::Result<Vec<(K, Vec<Results>)>> {
        let counts: Vec<u64> = variants.iter().map(|(_, s)| count(s)).collect();
        let runs: Vec<Scenario> = variants
            .iter()
            .zip(&counts)
            .flat_map(|((_, scenario), count)| seeds(scenario, *count))
            .collect();
        let bar = bar(what, runs.len())?;
        let began = Instant::now();
        let results = play_all(&runs, self.threads, &|_| bar.inc(1))?;
        bar.finish();
        self.cost.time += began.elapsed();
        self.cost.runs += results.len();
        self.cost.blocks += results.iter().map(|r| r.blocks).sum::<u64>();
        self.cost.events += results.iter().map(|r| r.events).sum::<u64>();
        let mut results = results.into_iter();
        Ok(variants
            .iter()
            .zip(counts)
            .map(|((key, _), count)| {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                (key.clone(), results.by_ref().take(count).collect())
            })
            .collect())
    }

    /// The same for networks, each with so many seeds.
    fn play_networks<K: Clone>(
        &mut self,
        what: &str,
        variants: &[(K, NetworkScenario)],
        count: impl Fn(&NetworkScenario) -> u64,
    ) -> anyhow::Result<Vec<(K, Vec<NetworkResults>)>> {
        let runs: Vec<NetworkScenario> = variants
            .iter()
            .flat_map(|(_, scenario)| {
                (0..count(scenario)).map(|more| NetworkScenario {
                    seed: scenario.seed + more,
                    ..scenario.clone()
                })
            })
            .collect();
        let bar = bar(what, runs.len())?;
        let results = play_networks(&runs, self.threads, &|_| bar.inc(1))?;
        bar.finish();
        let mut results = results.into_iter();
        let played = variants.iter().map(|(key, scenario)| {
            let count = usize::try_from(count(scenario)).unwrap_or(usize::MAX);
            (key.clone(), results.by_ref().take(count).collect())
        });
        Ok(played.collect())
    }

    fn heading(&mut self, text: &str) {
        self.text += &format!("\n## {text}\n");
    }

    fn paragraph(&mut self, text: &str) {
        self.text += &format!("\n{text}\n");
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        self.text.push('\n');
        let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        self.text += &line(&head);
        self.text += &line(&vec!["---".to_owned(); head.len()]);
        for row in rows {
            self.text += &line(row);
        }
    }

    fn chart(&mut self, name: &str, what: &str, svg: &str) -> anyhow::Result<()> {
        let path = self.charts.join(name).with_extension("svg");
        write(&path, svg)?;
        self.text += &format!("\n![{what}](experiments/{name}.svg)\n");
        Ok(())
    }
}

impl Cost {
    /// Not on the page, which is to be the same everywhere.
    #[expect(clippy::print_stderr, reason = "that is where news for people go")]
    fn tell(&self) {
        if self.runs == 0 {
            return;
        }
        let blocks = self.blocks.max(1) as f64;
        eprintln!(
            "{} runs in {:.0} s: {:.1} million blocks, {:.1} µs of real time and {:.1} events \
             for each",
            self.runs,
            self.time.as_secs_f64(),
            blocks / 1e6,
            self.time.as_secs_f64() * 1e6 / blocks,
            self.events as f64 / blocks,
        );
    }
}

fn bar(what: &str, runs: usize) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(runs as u64).with_message(what.to_owned());
    bar.set_style(ProgressStyle::with_template(
        "{msg:24} {wide_bar} {pos}/{len} runs, {elapsed}",
    )?);
    bar.enable_steady_tick(Duration::from_millis(250));
    Ok(bar)
}

/// The line of every peer: a quarter of a megabyte a second up.
fn link() -> AccessLink {
    AccessLink {
        up: 250e3,
        down: 1e6,
        ..AccessLink::default()
    }
}

/// 400 pieces of 64 KiB over these lines take as long as 400 of 256 KiB over lines four
/// times as fast, and a quarter of the work.
fn base() -> Scenario {
    Scenario {
        pieces: 400,
        piece_length: 64 << 10,
        seeder_link: link(),
        leecher_link: link(),
        ..Scenario::default()
    }
}

/// A figure of each run.
fn figures(results: &[Results], figure: impl Fn(&Results) -> f64) -> Vec<f64> {
    results.iter().map(figure).collect()
}

fn estimate(results: &[Results], figure: impl Fn(&Results) -> f64) -> Estimate {
    Estimate::of(&figures(results, figure)).expect("every variant is played once at least")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_with_its_heading_and_without_the_next() {
        let page = "# Page\n\nWords\n\n## One\n\n1\n\n## Two\n\n2\n";
        assert_eq!(section_of(page, "One"), "\n## One\n\n1\n");
        assert_eq!(section_of(page, "Two"), "\n## Two\n\n2\n");
        assert_eq!(section_of(page, "Three"), "");
    }
}
