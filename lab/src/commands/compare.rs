//! `lab compare`.

use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use swarm_lab::batch::{play_all, seeds};
use swarm_lab::charts::line_chart;
use swarm_lab::{Results, Scenario};

use super::options::{Options, Strategy, Switch, Wrong, checked, read};
use super::output::{Destination, out};

mod curve;
mod figures;
mod files;
mod table;

use figures::Compared;

/// What to compare, and what to write.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A scenario, as TOML (*.toml) or JSON. Several, or one given several times, are
    /// variants of their own.
    #[arg(long, value_name = "FILE")]
    scenario: Vec<PathBuf>,
    /// A variant for each of these strategies.
    #[arg(long, value_delimiter = ',', value_name = "STRATEGY,…")]
    strategies: Vec<Strategy>,
    /// A variant for each: peers choose whom they unchoke, or everybody is unchoked.
    #[arg(long, value_delimiter = ',', value_name = "on,off")]
    choking: Vec<Switch>,
    /// How many runs of each variant. They share their seeds, the scenario's and the
    /// following.
    #[arg(long, default_value = "10")]
    seeds: NonZero<u32>,
    /// How many runs at once; as many as there are cores if not given.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Where to write estimates and every run's figures, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write a line for each run.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Where to draw the completion curves.
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// One of what is compared.
#[derive(Clone, Debug)]
struct Variant {
    name: String,
    scenario: Scenario,
}

impl Compare {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        if let Some(path) = &self.chart
            && path.extension().is_none_or(|extension| extension != "svg")
        {
            let path = path.display();
            bail!(Wrong(format!("{path}: charts are SVG, name it *.svg")));
        }
        let variants = self.variants()?;
        let json = Destination::named(self.json.as_ref())?;
        let csv = Destination::named(self.csv.as_ref())?;
        let chart = Destination::named(self.chart.as_ref())?;
        let runs = self.play(&variants)?;
        let compared = Compared::new(&variants, &runs);
        if let Some(file) = json {
            file.fill(&files::json(&compared, &variants)?)?;
        }
        if let Some(file) = csv {
            file.fill(files::csv(&compared).as_bytes())?;
        }
        if let Some(file) = chart {
            let series = curve::series(&variants, &runs);
            let title = format!("Completion, {} seeds each (band: all of them)", self.seeds);
            let svg = line_chart(&title, "time (s)", "share of leechers complete", &series)?;
            file.fill(svg.as_bytes())?;
        }
        out().write_all(table::table(&compared, &variants).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    fn variants(&self) -> anyhow::Result<Vec<Variant>> {
        let mut variants = Vec::new();
        for path in &self.scenario {
            let name = path.file_stem().unwrap_or(path.as_os_str());
            variants.push(Variant {
                name: name.to_string_lossy().into_owned(),
                scenario: read(path)?,
            });
        }
        let files = variants.len();
        if variants.is_empty() {
            variants.push(Variant {
                name: String::new(),
                scenario: Scenario::default(),
            });
        }
        let words = |variant: &Variant, word: &str, several: bool| match variant.name.as_str() {
            "" => word.to_owned(),
            name if several => format!("{name}, {word}"),
            name => name.to_owned(),
        };
        for variant in &mut variants {
            self.options.apply(&mut variant.scenario);
        }
        if files == 1 && self.strategies.len().max(self.choking.len()) > 1 {
            variants[0].name.clear();
        }
        variants = each(variants, &self.strategies, |variant, strategy| {
            variant.name = words(variant, &name(&strategy), self.strategies.len() > 1);
            variant.scenario.strategy = strategy.into();
        });
        variants = each(variants, &self.choking, |variant, switch| {
            let word = format!("choking {}", name(&switch));
            variant.name = words(variant, &word, self.choking.len() > 1);
            variant.scenario.choking = switch == Switch::On;
        });
        if variants.len() < 2 {
            bail!(Wrong(
                "two variants at least: --strategies sequential,rarest-first, --choking on,off, \
                 or several --scenario"
                    .to_owned()
            ));
        }
        for variant in &variants {
            let scenario = checked(variant.scenario.clone())?;
            if scenario.seed.checked_add(self.seeds.get().into()).is_none() {
                bail!(Wrong("the seed is too large to count on from".to_owned()));
            }
        }
        Ok(variants)
    }

    /// The runs of each variant, in the order of their seeds.
    fn play(&self, variants: &[Variant]) -> anyhow::Result<Vec<Vec<Results>>> {
        let count = self.seeds.get();
        let scenarios: Vec<Scenario> = variants
            .iter()
            .flat_map(|variant| seeds(&variant.scenario, count.into()))
            .collect();
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {eta} left");
        let bar =
            ProgressBar::new(scenarios.len() as u64).with_style(style.expect("a good template"));
        bar.tick();
        let results = play_all(&scenarios, self.threads, &|_| bar.inc(1))?;
        bar.finish_and_clear();
        Ok(results.chunks(count as usize).map(<[_]>::to_vec).collect())
    }
}

/// A copy of each variant for each value; all as they are without any.
fn each<T: Copy>(
    variants: Vec<Variant>,
    values: &[T],
    set: impl Fn(&mut Variant, T),
) -> Vec<Variant> {
    if values.is_empty() {
        return variants;
    }
    let with = |variant: &Variant, value: T| {
        let mut variant = variant.clone();
        set(&mut variant, value);
        variant
    };
    variants
        .iter()
        .flat_map(|variant| values.iter().map(move |value| (variant, *value)))
        .map(|(variant, value)| with(variant, value))
        .collect()
}

fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value().expect("no value is hidden");
    value.get_name().to_owned()
}
