//! How a network did, for people.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use swarm_lab::network::{Network, NetworkResults, Quantiles, Start};

use crate::commands::units::show_bytes;

/// Several lines.
pub(super) fn summary(
    network: &Network,
    results: &NetworkResults,
    took: Duration,
    memory: Option<f64>,
) -> String {
    let mut lines = Lines::default();
    let scenario = network.scenario();
    lines.add(
        "nodes",
        format_args!(
            "{} there, {} of them joined, seed {}",
            results.nodes, results.joined, scenario.seed
        ),
    );
    let ended = match network.is_over() {
        true => "",
        false => ", interrupted",
    };
    lines.add("played", format_args!("{:.1} s{ended}", results.time));
    if scenario.start != Start::Ready || scenario.churn.is_some() {
        lines.add("join took", times(&results.joins));
    }
    let stored = Quantiles::of(results.announces.iter().map(|it| it.stored as f64));
    lines.add(
        "announces",
        format_args!(
            "{}, taken by {:.1} nodes on average, {:.1} queries",
            results.announces.len(),
            stored.mean,
            Quantiles::of(results.announces.iter().map(|it| it.queries as f64)).mean,
        ),
    );
    lines.add("  in trouble", times(&results.announced()));
    lines.add(
        "lookups",
        format_args!(
            "{} ended, {} did not, {} left",
            results.lookups.len(),
            results.unended,
            results.abandoned
        ),
    );
    lines.add("  found", format_args!("{:.2} %", 100.0 * results.found()));
    lines.add("  first peer", times(&results.first()));
    lines.add("  done", times(&results.done()));
    lines.add(
        "  queries",
        numbers(&results.quantiles(|lookup| lookup.queries as f64)),
    );
    lines.add(
        "  hops",
        numbers(&results.quantiles(|lookup| f64::from(lookup.hops))),
    );
    let first = results.lookups.iter().filter_map(|it| it.hops_to_first);
    lines.add(
        "  to the first",
        numbers(&Quantiles::of(first.map(f64::from))),
    );
    lines.add(
        "  reached",
        format_args!("{:.1} % of the 8 closest nodes", 100.0 * results.recall()),
    );
    let wrong: usize = results.lookups.iter().map(|lookup| lookup.wrong).sum();
    if wrong > 0 {
        lines.add("  wrong peers", wrong);
    }
    lines.add(
        "idle",
        format_args!(
            "{} out, {} in, {:.2} queries a second",
            show_bytes(results.idle_sent),
            show_bytes(results.idle_received),
            results.idle_queries
        ),
    );
    lines.add(
        "table",
        format_args!(
            "{:.1} contacts in {:.1} buckets, {:.1} % of them there",
            results.table.contacts,
            results.table.buckets,
            100.0 * results.table.alive
        ),
    );
    let abuse = results.abuse;
    if abuse.asked > 0 {
        lines.add(
            "abuse",
            format_args!(
                "{} queries, {} answered, {} of them stored something",
                abuse.asked, abuse.answered, abuse.stored
            ),
        );
    }
    if let Some(memory) = memory {
        lines.add("memory", format_args!("{} a node", show_bytes(memory)));
    }
    let seconds = took.as_secs_f64();
    lines.add(
        "simulation",
        format_args!(
            "{seconds:.2} s, {} datagrams, {:.0} events a second",
            results.datagrams,
            results.events as f64 / seconds
        ),
    );
    lines.add(
        "fingerprint",
        format_args!("{:016x}", network.fingerprint()),
    );
    lines.0
}

fn times(times: &Quantiles) -> String {
    let show = |time: f64| match time {
        0.0..10.0 => format!("{:.0} ms", time * 1000.0),
        _ => format!("{time:.1} s"),
    };
    match times.count {
        0 => "–".to_owned(),
        _ => format!(
            "mean {}, p50 {}, p90 {}, p99 {}, longest {}",
            show(times.mean),
            show(times.p50),
            show(times.p90),
            show(times.p99),
            show(times.max)
        ),
    }
}

fn numbers(numbers: &Quantiles) -> String {
    match numbers.count {
        0 => "–".to_owned(),
        _ => format!(
            "mean {:.2}, p50 {:.0}, p90 {:.0}, p99 {:.0}, most {:.0}",
            numbers.mean, numbers.p50, numbers.p90, numbers.p99, numbers.max
        ),
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, what: &str, value: impl Display) {
        writeln!(self.0, "{what:<15} {value}").expect("memory takes all");
    }
}
