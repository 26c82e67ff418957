//! Figures as they come, and what could not be measured.

use std::fmt::Display;

use anyhow::Result;

use super::Figure;

/// See the module. Whoever measures several things adds each as soon as it has it, and goes on
/// with the next where one fails.
#[derive(Debug)]
pub struct Report {
    /// Shows a figure to whoever waits for it.
    show: fn(&Figure),
    figures: Vec<Figure>,
    failures: usize,
}

impl Report {
    /// An empty one.
    pub fn new(show: fn(&Figure)) -> Self {
        Report {
            show,
            figures: Vec::new(),
            failures: 0,
        }
    }

    /// One figure.
    pub fn add(&mut self, figure: Figure) {
        (self.show)(&figure);
        self.figures.push(figure);
    }

    /// Several.
    pub fn add_all(&mut self, figures: Vec<Figure>) {
        figures.into_iter().for_each(|figure| self.add(figure));
    }

    /// Several, or why there are none.
    pub fn take(&mut self, what: impl Display, measured: Result<Vec<Figure>>) {
        match measured {
            Ok(figures) => self.add_all(figures),
            Err(error) => self.fail(what, &error),
        }
    }

    /// Something could not be measured: says so on standard error.
    pub fn fail(&mut self, what: impl Display, error: &anyhow::Error) {
        eprintln!("{what} failed: {error:#}");
        self.failures += 1;
    }

    /// All so far.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// How many things could not be measured.
    pub fn failures(&self) -> usize {
        self.failures
    }
}
