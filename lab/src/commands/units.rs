//! Sizes, rates and times as people write and read them.

/// Decimal and binary multiples of a byte, the longer names first.
const SIZES: [(&str, f64); 10] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("B", 1.0),
];
const TIMES: [(&str, f64); 6] = [
    ("ms", 1e-3),
    ("us", 1e-6),
    ("min", 60.0),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// `1500`, `16KiB`, `1.5 MB`: bytes.
pub(crate) fn bytes(text: &str) -> Result<f64, String> {
    with_unit(text, &SIZES).ok_or_else(|| format!("`{text}` is no size like 256KiB, 1.5MB or 4096"))
}

/// `1MB`, `1MB/s`: bytes a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let size = text.strip_suffix("/s").unwrap_or(text);
    with_unit(size, &SIZES).ok_or_else(|| format!("`{text}` is no rate like 1MB, 512KiB/s or 1000"))
}

/// `20ms`, `1.5h`, `30`: seconds.
pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    with_unit(text, &TIMES).ok_or_else(|| format!("`{text}` is no time like 20ms, 30s, 5min or 2h"))
}

/// A whole number of bytes.
pub(crate) fn whole_bytes(text: &str) -> Result<u64, String> {
    let size = bytes(text)?;
    // Above, not every whole number has a place in an f64.
    if size.fract() == 0.0 && size <= 9e15 {
        Ok(size as u64)
    } else {
        Err(format!("`{text}` is no whole number of bytes"))
    }
}

/// Bytes of a piece.
pub(crate) fn piece_length(text: &str) -> Result<u32, String> {
    let size = whole_bytes(text)?;
    u32::try_from(size).map_err(|_| format!("`{text}` is too long for a piece"))
}

fn with_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let with = |(unit, factor): &(&str, f64)| Some((text.strip_suffix(unit)?, *factor));
    let (number, factor) = units.iter().find_map(with).unwrap_or((text, 1.0));
    let number: f64 = number.trim_end().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

/// For people: `1.5 MB`.
pub(crate) fn show_bytes(bytes: f64) -> String {
    let (factor, unit) = match bytes {
        b if b >= 1e9 => (1e9, "GB"),
        b if b >= 1e6 => (1e6, "MB"),
        b if b >= 1e3 => (1e3, "kB"),
        _ => return format!("{bytes:.0} B"),
    };
    format!("{:.1} {unit}", bytes / factor)
}

/// A piece's length, which is a binary multiple as a rule: `256 KiB`.
pub(crate) fn show_length(bytes: u32) -> String {
    match bytes {
        b if b % (1 << 20) == 0 => format!("{} MiB", b >> 20),
        b if b % (1 << 10) == 0 => format!("{} KiB", b >> 10),
        b => format!("{b} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        assert_eq!(bytes("256KiB"), Ok(262_144.0));
        assert_eq!(bytes("1.5 MB"), Ok(1_500_000.0));
        assert_eq!(bytes("7"), Ok(7.0));
        assert_eq!(rate("4MB/s"), Ok(4e6));
        assert_eq!(seconds("20ms"), Ok(0.02));
        assert_eq!(seconds("5min"), Ok(300.0));
        assert_eq!(seconds("2h"), Ok(7200.0));
        assert_eq!(seconds("90"), Ok(90.0));
    }

    #[test]
    fn what_makes_no_sense_is_not() {
        for text in ["", "MB", "1XB", "-1MB", "nan", "inf", "1 2"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(seconds("3 weeks").is_err());
        assert!(whole_bytes("0.5").is_err());
        assert!(piece_length("8GiB").is_err());
    }

    #[test]
    fn figures_are_shown_with_their_units() {
        assert_eq!(show_bytes(1_234_567.0), "1.2 MB");
        assert_eq!(show_bytes(12.0), "12 B");
        assert_eq!(show_length(262_144), "256 KiB");
        assert_eq!(show_length(1 << 22), "4 MiB");
    }
}
