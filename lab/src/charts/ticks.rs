//! What axes span, and how their figures are written.

use std::ops::Range;

/// All of these with a little room above; from zero on if `zero`. Never empty.
pub(super) fn range(values: &[f64], zero: bool) -> Range<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return 0.0..1.0;
    }
    let low = if zero { low.min(0.0) } else { low };
    let room = ((high - low) * 0.03).max(high.abs() * 1e-6);
    let room = if room > 0.0 { room } else { 1.0 };
    let below = if low == 0.0 { 0.0 } else { room };
    low - below..high + room
}

/// All of these (which are above zero) with room on a logarithmic axis.
pub(super) fn decades(values: &[f64]) -> Range<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        1.0..10.0
    } else {
        low / 1.3..high * 1.3
    }
}

/// `1000`, `0.25`, `2.5M`: no more digits than are needed.
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    // What was too small for its digits is zero without a sign.
    let text = if text == "-0" { "0" } else { text };
    format!("{text}{unit}")
}

/// [`short`] for a logarithmic axis: ones, twos and fives, or they would overlap.
pub(super) fn sparse(value: f64) -> String {
    let digit = value / 10_f64.powf(value.log10().floor());
    if [1.0, 2.0, 5.0, 10.0]
        .iter()
        .any(|d| (digit - d).abs() < 0.01)
    {
        short(value)
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_they_need() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (0.30000000000000004, "0.3"),
            (20.0, "20"),
            (1500.0, "1500"),
            (25_000.0, "25k"),
            (2_500_000.0, "2.5M"),
            (-0.0000001, "0"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn a_logarithmic_axis_has_few_figures() {
        for (value, text) in [
            (10.0, "10"),
            (50.0, "50"),
            (90.0, ""),
            (1000.0, "1000"),
            (0.2, "0.2"),
        ] {
            assert_eq!(sparse(value), text);
        }
    }

    #[test]
    fn an_axis_is_never_empty() {
        assert_eq!(range(&[], true), 0.0..1.0);
        for values in [&[0.0][..], &[5.0], &[-2.0], &[1.0, 2.0]] {
            for zero in [false, true] {
                let range = range(values, zero);
                assert!(range.start < range.end, "{values:?} {range:?}");
                assert!(values.iter().all(|value| range.contains(value)));
            }
        }
        assert!(decades(&[5.0, 5000.0]).contains(&5.0));
    }
}
