//! Figures as a person reads them in English; in other languages the browser knows how (`figures`).
//! Integers throughout: formatting floats would add kilobytes to the page.

/// "512 bytes", "98.4 kB", "1.3 GB": decimal units, as browsers and shops count.
pub fn bytes(count: u64) -> String {
    let (tenths, digits, unit) = scaled(count);
    let whole = tenths / 10;
    match (unit, whole) {
        (0, 1) => "1 byte".to_owned(),
        (0, _) => format!("{whole} bytes"),
        _ => {
            let name = ["kB", "MB", "GB", "TB", "PB"][unit - 1];
            match digits {
                0 => format!("{whole} {name}"),
                _ => format!("{whole}.{} {name}", tenths % 10),
            }
        }
    }
}

/// A number of bytes in the unit in which it is read: tenths of it, how many digits are written
/// behind the point (none or one), and which power of 1000 the unit is, up to 5. Three figures,
/// rounded.
pub fn scaled(count: u64) -> (u64, u32, usize) {
    if count < 1000 {
        return (count * 10, 0, 0);
    }
    let (mut unit, mut power) = (1000_u64, 1);
    // Rounded to three figures, 999.5 kB is 1.0 MB.
    while power < 5 && count >= unit.saturating_mul(1000) - unit / 2 {
        unit *= 1000;
        power += 1;
    }
    let rounded = |unit: u64| count / unit + u64::from(count % unit >= unit / 2);
    match rounded(unit / 10) {
        tenths @ 0..1000 => (tenths, 1, power),
        _ => (rounded(unit) * 10, 0, power),
    }
}

/// "3.4 MB/s"
pub fn rate(bytes_a_second: u64) -> String {
    bytes(bytes_a_second) + "/s"
}

/// "53%", and "100%" only for the whole.
pub fn percent(fraction: f64) -> String {
    format!("{}%", floored_percent(fraction))
}

/// 53, and 100 only for the whole.
pub fn floored_percent(fraction: f64) -> u32 {
    ten_thousandths(fraction) / 100
}

/// "0.5312", and "1" only for the whole.
pub fn fraction(fraction: f64) -> String {
    match ten_thousandths(fraction) {
        10_000 => "1".to_owned(),
        part => format!("0.{part:04}"),
    }
}

/// "53.12%", for a style sheet.
pub fn css_percent(fraction: f64) -> String {
    let part = ten_thousandths(fraction);
    format!("{}.{:02}%", part / 100, part % 100)
}

/// Rounded down, so that nothing looks complete that is not.
fn ten_thousandths(fraction: f64) -> u32 {
    // The cast saturates, and makes 0 of NaN.
    (fraction.clamp(0.0, 1.0) * 10_000.0) as u32
}

/// "12 s", "3 min 20 s", "2 h 5 min", "4 days"
pub fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => format!("{minutes} min {} s", seconds % 60),
        600..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        86_400..172_800 => "a day".to_owned(),
        172_800..2_592_000 => format!("{days} days"),
        _ => "more than a month".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_figures() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (98_400, "98.4 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (999_950, "1.0 MB"),
            (104_857_600, "105 MB"),
            (1_300_000_000, "1.3 GB"),
            (u64::MAX, "18447 PB"),
        ];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn only_the_whole_is_complete() {
        assert_eq!(percent(0.999_99), "99%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(fraction(0.999_99), "0.9999");
        assert_eq!(fraction(1.0), "1");
        assert_eq!(fraction(0.0), "0.0000");
        assert_eq!(css_percent(0.5312), "53.12%");
        assert_eq!(percent(f64::NAN), "0%");
    }

    #[test]
    fn durations_get_coarser() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(200), "3 min 20 s");
        assert_eq!(duration(7500), "2 h 5 min");
        assert_eq!(duration(345_600), "4 days");
    }
}
