//! `lab run`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use swarm_lab::{Scenario, Simulation};

use super::interrupt::{self, Interrupt};
use super::options::{Options, Strategy, Switch, checked, read};
use super::output::{Destination, out};

mod csv;
mod summary;

/// Events between two looks at Ctrl-C and the progress line.
const SLICE: usize = 20_000;

/// What to play, and what to write.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A scenario, as TOML (*.toml) or JSON; what it leaves out has its default. The other
    /// options override it.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Print the scenario as TOML, to start from, and play nothing.
    #[arg(long)]
    print_scenario: bool,
    /// How pieces are chosen.
    #[arg(long)]
    strategy: Option<Strategy>,
    /// Peers choose whom they unchoke; without, everybody is unchoked at all times.
    #[arg(long)]
    choking: Option<Switch>,
    /// Where to write the results, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write a line for each peer.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Where to write everything that happens, a line each.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

impl Run {
    pub(crate) fn execute(&self) -> anyhow::Result<ExitCode> {
        let scenario = self.scenario()?;
        if self.print_scenario {
            out().write_all(toml::to_string(&scenario)?.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = Destination::named(self.json.as_ref())?;
        let csv = Destination::named(self.csv.as_ref())?;
        let log = self.log()?;
        let interrupt = Interrupt::listen()?;
        let mut simulation = Simulation::new(scenario)?;
        if let Some(log) = &log {
            write_down(&mut simulation, log);
        }
        let began = Instant::now();
        play(&mut simulation, &interrupt);
        let took = began.elapsed();
        if let Some(log) = log {
            let mut log = log.lock().expect("nothing panics with the log held");
            log.finish().context("cannot write the log")?;
        }
        let results = simulation.results();
        if let Some(file) = json {
            file.fill(&serde_json::to_vec_pretty(&results)?)?;
        }
        if let Some(file) = csv {
            file.fill(csv::peers(&results).as_bytes())?;
        }
        let summary = summary::summary(&simulation, &results, took);
        out().write_all(summary.as_bytes())?;
        Ok(if simulation.is_over() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(interrupt::EXIT_CODE)
        })
    }

    fn scenario(&self) -> anyhow::Result<Scenario> {
        let mut scenario = match &self.scenario {
            Some(path) => read(path)?,
            None => Scenario::default(),
        };
        if let Some(strategy) = self.strategy {
            scenario.strategy = strategy.into();
        }
        if let Some(switch) = self.choking {
            scenario.choking = switch == Switch::On;
        }
        self.options.apply(&mut scenario);
        Ok(checked(scenario)?)
    }

    fn log(&self) -> anyhow::Result<Option<Arc<Mutex<LogFile>>>> {
        let Some(path) = &self.log else {
            return Ok(None);
        };
        let writer = Destination::open(path)?.writer()?;
        Ok(Some(Arc::new(Mutex::new(LogFile {
            file: BufWriter::new(Box::new(writer)),
            failed: None,
        }))))
    }
}

/// Writes a line of everything that happens.
fn write_down(simulation: &mut Simulation, log: &Arc<Mutex<LogFile>>) {
    let log = Arc::clone(log);
    simulation.log_to(move |line| {
        let mut log = log.lock().expect("nothing panics with the log held");
        log.write(line);
    });
}

/// Remembers the first error: whoever writes a line can't do anything about it.
struct LogFile {
    file: BufWriter<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
}

impl LogFile {
    fn write(&mut self, line: &swarm_lab::simulation::LogLine) {
        if self.failed.is_none() {
            self.failed = writeln!(self.file, "{line}").err();
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.file.flush(),
        }
    }
}

/// To its end, or until Ctrl-C.
fn play(simulation: &mut Simulation, interrupt: &Interrupt) {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} complete, {msg}");
    let scenario = simulation.scenario();
    let leechers =
        scenario.leechers - (scenario.liars * f64::from(scenario.leechers)).round() as u32;
    let bar = ProgressBar::new(leechers.into()).with_style(style.expect("a good template"));
    let began = Instant::now();
    let mut shown = began;
    let mut events = 0;
    while !simulation.is_over() && !interrupt.is_pressed() {
        events += simulation.play(Duration::MAX, SLICE);
        if !bar.is_hidden() && shown.elapsed() > Duration::from_millis(100) {
            shown = Instant::now();
            let (now, took) = (
                simulation.now().as_secs_f64(),
                began.elapsed().as_secs_f64(),
            );
            bar.set_position(simulation.completed_leechers() as u64);
            bar.set_message(format!(
                "{now:.1} s of virtual time, {:.0} times as fast as real, {:.0} events/s",
                now / took,
                events as f64 / took,
            ));
        }
    }
    bar.finish_and_clear();
}
