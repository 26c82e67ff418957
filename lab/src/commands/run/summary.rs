//! How a run went, for people.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use swarm_lab::results::Summary;
use swarm_lab::scenario::RelayUse;
use swarm_lab::{Results, Simulation};

use crate::commands::units::{show_bytes, show_length};

/// Several lines.
pub(super) fn summary(simulation: &Simulation, results: &Results, took: Duration) -> String {
    let mut lines = Lines::default();
    let scenario = simulation.scenario();
    let total = f64::from(scenario.pieces) * f64::from(scenario.piece_length);
    lines.add(
        "torrent",
        format_args!(
            "{} in {} pieces of {}, seed {}",
            show_bytes(total),
            scenario.pieces,
            show_length(scenario.piece_length),
            scenario.seed
        ),
    );
    let ended = if simulation.is_over() {
        ""
    } else {
        ", interrupted"
    };
    lines.add("played", format_args!("{:.1} s{ended}", results.time));
    times(&mut lines, "contributors", &results.completion);
    times(&mut lines, "free-riders", &results.free_rider_completion);
    if let Some(least) = results.least_time {
        let last = results
            .completion
            .last
            .max(results.free_rider_completion.last);
        lines.add(
            "least time",
            format_args!("{least:.1} s, the last took {:.2} times that", last / least),
        );
    }
    for share in &results.fairness {
        let ratio = share
            .ratio
            .map_or(String::new(), |ratio| format!(", ratio {ratio:.2}"));
        lines.add(
            &format!("{} gave", share.role.name()),
            format_args!(
                "{}, took {}{ratio}",
                show_bytes(share.given as f64),
                show_bytes(share.taken as f64)
            ),
        );
    }
    lines.add(
        "upload used",
        format_args!("{:.1} %", results.utilisation * 100.0),
    );
    if scenario.relay != RelayUse::Only {
        lines.add(
            "direct links",
            format_args!("{}, {} of them broke", results.links, results.links_broken),
        );
        lines.add(
            "relayed",
            format_args!(
                "{}, {:.1} %",
                show_bytes(results.relayed as f64),
                results.relayed_share() * 100.0
            ),
        );
    }
    if let Some(index) = results.fairness_index {
        lines.add(
            "fairness",
            format_args!("{index:.3} (Jain's index, 1 is even)"),
        );
    }
    lines.add(
        "wasted",
        format_args!(
            "{} duplicate, {} corrupt, {} not asked for, {} given up",
            show_bytes(results.duplicate as f64),
            show_bytes(results.corrupt as f64),
            show_bytes(results.unrequested as f64),
            show_bytes(results.given_up as f64)
        ),
    );
    lines.add(
        "longest stall",
        format_args!("{:.1} s", results.longest_stall),
    );
    let seconds = took.as_secs_f64();
    lines.add(
        "simulation",
        format_args!(
            "{seconds:.2} s, {:.1} µs for each of {} blocks, {:.0} events a second",
            seconds * 1e6 / results.blocks.max(1) as f64,
            results.blocks,
            results.events as f64 / seconds
        ),
    );
    lines.add(
        "fingerprint",
        format_args!("{:016x}", simulation.fingerprint()),
    );
    if simulation.false_claims() > 0 {
        lines.add("false claims", simulation.false_claims());
    }
    lines.0
}

fn times(lines: &mut Lines, who: &str, times: &Summary) {
    if times.of > 0 {
        lines.add(
            who,
            format_args!("{} of {} complete", times.count, times.of),
        );
    }
    if times.count > 0 {
        lines.add(
            "  after",
            format_args!(
                "mean {:.1} s, p50 {:.1} s, p95 {:.1} s, last {:.1} s",
                times.mean, times.p50, times.p95, times.last
            ),
        );
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, what: &str, value: impl Display) {
        writeln!(self.0, "{what:<17} {value}").expect("memory takes all");
    }
}
