//! Benchmarks of the whole: the relay, tabs, the page. Speeds depend on the machine;
//! where there is something to compare with, both run in the same minute and the ratio
//! is what counts.

pub mod delay;
pub mod direct;
pub mod far;
pub mod lab;
mod others;
pub mod picture;
pub mod play;
pub mod process;
pub mod relay;
pub mod report;
pub mod start;
pub mod tabs;
pub mod tcp;
pub mod trackers;

use serde_json::{Value, json};

/// One measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What to hold it against, in words.
    pub against: String,
}

impl Figure {
    /// A figure.
    pub fn new(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        against: impl Into<String>,
    ) -> Self {
        Figure {
            name: name.into(),
            value,
            unit,
            against: against.into(),
        }
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "unit": self.unit, "against": self.against })
    }

    /// For people.
    pub fn to_line(&self) -> String {
        format!(
            "{:<58} {:>10.2} {:<8} {}",
            self.name, self.value, self.unit, self.against
        )
    }
}

/// The middle one, by value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
