//! Variants side by side, for people.

use std::fmt::Write as _;

use swarm_lab::statistics::Estimate;

use super::Variant;
use super::figures::{Compared, Known};
use crate::commands::units::{show_bytes, show_length};

/// The table, and what it means in words.
pub(super) fn table(compared: &Compared, variants: &[Variant]) -> String {
    let first = &variants[0].scenario;
    let runs = compared.0[0].runs.len();
    let total = f64::from(first.pieces) * f64::from(first.piece_length);
    let mut text = format!(
        "{runs} runs each, {} leechers, {} in {} pieces of {}; mean ± half of the 95 % interval\n\n",
        first.leechers,
        show_bytes(total),
        first.pieces,
        show_length(first.piece_length),
    );
    let mut rows = vec![vec![
        String::new(),
        "complete %".to_owned(),
        "mean s".to_owned(),
        "last s".to_owned(),
        "upload used %".to_owned(),
        "waste %".to_owned(),
        "fairness".to_owned(),
        "longest stall s".to_owned(),
    ]];
    rows.extend(compared.0.iter().map(row));
    aligned(&mut text, &rows);
    for known in &compared.0[1..] {
        text.push('\n');
        let against = &compared.0[0].name;
        for (what, ratio) in [("mean", known.mean_ratio), ("last", known.last_ratio)] {
            let meaning = ratio.map_or("neither has a figure to compare".to_owned(), in_words);
            writeln!(text, "{} against {against}, {what}: {meaning}", known.name)
                .expect("memory takes all");
        }
    }
    text
}

fn row(known: &Known) -> Vec<String> {
    let show = |estimate: Option<Estimate>| estimate.map_or("-".to_owned(), |e| e.to_string());
    let percent = |estimate: Option<Estimate>| {
        show(estimate.map(|estimate| Estimate {
            mean: estimate.mean * 100.0,
            half_width: estimate.half_width * 100.0,
            ..estimate
        }))
    };
    vec![
        known.name.clone(),
        percent(known.complete),
        show(known.mean_completion),
        show(known.last_completion),
        percent(known.utilisation),
        percent(known.waste),
        show(known.fairness),
        show(known.longest_stall),
    ]
}

/// A ratio of times.
fn in_words(ratio: Estimate) -> String {
    let Estimate { mean, runs, .. } = ratio;
    if !ratio.half_width.is_finite() {
        return format!("{mean:.3} times as long in a single run: nothing is sure");
    }
    let (low, high) = ratio.interval();
    let verdict = match (ratio.excludes(1.0), mean < 1.0) {
        (true, true) => "excludes 1: faster",
        (true, false) => "excludes 1: slower",
        (false, _) => "contains 1: no difference is shown",
    };
    format!("{mean:.3} times as long, interval {low:.3} to {high:.3} over {runs} pairs {verdict}")
}

/// Names to the left, figures to the right.
fn aligned(text: &mut String, rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "   {cell:>width$}"),
            }
            .expect("memory takes all");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_the_interval_says() {
        let words = |mean, half_width| {
            in_words(Estimate {
                mean,
                half_width,
                runs: 10,
            })
        };
        assert!(words(0.8, 0.1).ends_with("excludes 1: faster"));
        assert!(words(1.2, 0.1).ends_with("excludes 1: slower"));
        assert!(words(0.9, 0.2).ends_with("no difference is shown"));
        assert!(words(0.9, f64::INFINITY).ends_with("nothing is sure"));
    }
}
