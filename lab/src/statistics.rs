//! Means of runs with different seeds, and how sure one can be of them.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean of independent runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval (Student's t); infinite for a single
    /// run.
    pub half_width: f64,
    /// How many runs there were.
    pub runs: usize,
}

impl Estimate {
    /// Of these figures, one for each run; none if there are none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        if figures.is_empty() {
            return None;
        }
        let runs = figures.len();
        let mean = figures.iter().sum::<f64>() / runs as f64;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        let freedom = runs as f64 - 1.0;
        let half_width = match StudentsT::new(0.0, 1.0, freedom) {
            Ok(t) => t.inverse_cdf(0.975) * (squares / freedom / runs as f64).sqrt(),
            Err(_) => f64::INFINITY,
        };
        Some(Estimate {
            mean,
            half_width,
            runs,
        })
    }

    /// Of the ratios of figures of runs that share their seeds. Pairing takes out what the
    /// seeds have in common. None unless there are as many of both, at least one.
    pub fn of_ratios(numerators: &[f64], denominators: &[f64]) -> Option<Self> {
        if numerators.len() != denominators.len() {
            return None;
        }
        let ratios: Vec<f64> = numerators
            .iter()
            .zip(denominators)
            .map(|(numerator, denominator)| numerator / denominator)
            .collect();
        Estimate::of(&ratios)
    }

    /// The interval.
    pub fn interval(&self) -> (f64, f64) {
        (self.mean - self.half_width, self.mean + self.half_width)
    }

    /// The interval does not contain this value.
    pub fn excludes(&self, value: f64) -> bool {
        let (low, high) = self.interval();
        value < low || value > high
    }
}

impl std::fmt::Display for Estimate {
    /// The mean, and half of the interval's width if there is one: `12.3 ± 0.4`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = match self.mean.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.mean)?;
        if self.half_width.is_finite() {
            write!(f, " ± {:.digits$}", self.half_width)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        // 10, 12, 14: standard error 2/√3, t(0.975, 2) = 4.3027.
        let estimate = Estimate::of(&[10.0, 12.0, 14.0]).unwrap();
        assert_eq!(estimate.mean, 12.0);
        assert!((estimate.half_width - 4.9683).abs() < 1e-3, "{estimate:?}");
        assert!(estimate.excludes(17.0) && !estimate.excludes(16.9));
        assert_eq!(estimate.to_string(), "12.0 ± 5.0");
    }

    #[test]
    fn a_single_run_promises_nothing() {
        let estimate = Estimate::of(&[3.0]).unwrap();
        assert!(!estimate.excludes(1e9));
        assert_eq!(estimate.to_string(), "3.00");
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn ratios_are_taken_seed_by_seed() {
        let estimate = Estimate::of_ratios(&[2.0, 20.0, 200.0], &[1.0, 10.0, 100.0]).unwrap();
        assert_eq!((estimate.mean, estimate.half_width), (2.0, 0.0));
        assert_eq!(Estimate::of_ratios(&[1.0], &[]), None);
    }
}
