//! What is compared, for programs.

use std::fmt::Write as _;

use serde::Serialize;
use swarm_lab::Scenario;

use super::Variant;
use super::figures::{Compared, Known};

/// One variant in the JSON file.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    known: &'a Known,
    scenario: &'a Scenario,
}

/// A list of variants.
pub(super) fn json(compared: &Compared, variants: &[Variant]) -> serde_json::Result<Vec<u8>> {
    let entry = |(known, variant): (&'_ Known, &'_ Variant)| {
        serde_json::to_value(Entry {
            known,
            scenario: &variant.scenario,
        })
    };
    let entries = compared.0.iter().zip(variants).map(entry);
    let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
    serde_json::to_vec_pretty(&entries)
}

/// A line for each run.
pub(super) fn csv(compared: &Compared) -> String {
    let mut text = "variant,seed,complete_share,mean_completion_s,last_completion_s,\
        upload_used_share,waste_share,fairness_index,longest_stall_s\n"
        .to_owned();
    let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for known in &compared.0 {
        // A name may contain commas, and a file's name may contain anything.
        let name = known.name.replace('"', "\"\"");
        for run in &known.runs {
            writeln!(
                text,
                "\"{name}\",{},{},{},{},{},{},{},{}",
                run.seed,
                run.complete,
                optional(run.mean_completion),
                optional(run.last_completion),
                run.utilisation,
                optional(run.waste),
                optional(run.fairness),
                run.longest_stall,
            )
            .expect("memory takes all");
        }
    }
    text
}
