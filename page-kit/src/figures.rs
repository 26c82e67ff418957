//! Figures as a person reads them in their language: the browser knows how (`Intl`).

use wasm_bindgen::prelude::wasm_bindgen;

use crate::format::{floored_percent, scaled};
use crate::say;

pub use crate::format::fraction;

mod script {
    use super::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn figure(value: f64, unit: &str, digits: u32) -> String;
        #[wasm_bindgen(js_namespace = words)]
        pub(super) fn both(first: &str, second: &str) -> String;
    }
}

/// As `Intl` names them.
const UNITS: [&str; 6] = [
    "byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte",
];

fn figure(value: u64, unit: &str) -> String {
    script::figure(value as f64, unit, 0)
}

/// "512 bytes", "98.4 kB", "1.3 GB": decimal units, as browsers and shops count.
pub fn bytes(count: u64) -> String {
    sized(count, "")
}

/// "3.4 MB/s"
pub fn rate(bytes_a_second: u64) -> String {
    // Bytes have no short form.
    match bytes_a_second {
        0 => script::figure(0.0, "kilobyte-per-second", 0),
        some => sized(some.max(100), "-per-second"),
    }
}

fn sized(count: u64, per: &str) -> String {
    let (tenths, digits, unit) = scaled(count);
    let (tenths, digits, unit) = match unit {
        0 if !per.is_empty() => (tenths / 1000, 1, 1),
        _ => (tenths, digits, unit),
    };
    script::figure(
        tenths as f64 / 10.0,
        &format!("{}{per}", UNITS[unit]),
        digits,
    )
}

/// "53%", and "100%" only for the whole.
pub fn percent(fraction: f64) -> String {
    figure(u64::from(floored_percent(fraction)), "percent")
}

/// "12 sec", "3 min 20 sec", "2 hr 5 min", "4 days"
pub fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let minute = |minutes| figure(minutes, "minute");
    match seconds {
        0..60 => figure(seconds, "second"),
        60..600 => script::both(&minute(minutes), &figure(seconds % 60, "second")),
        600..3600 => minute(minutes),
        3600..86_400 => script::both(&figure(hours, "hour"), &minute(minutes % 60)),
        86_400..2_592_000 => figure(days, "day"),
        _ => say!("more than a month"),
    }
}
