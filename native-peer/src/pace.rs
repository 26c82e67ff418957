//! How fast, how much and for how long a person wants to give.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;
use swarm_core::net::Rates;

/// Says how much is given and taken.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Pace {
    /// Give others at most so many bytes a second; K, M and G stand for 1,000, a million and a
    /// thousand million of them.
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    up: Option<NonZeroU64>,
    /// Take from others at most so many bytes a second.
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    down: Option<NonZeroU64>,
}

impl Pace {
    pub(crate) fn rates(self) -> Rates {
        Rates {
            up: self.up,
            down: self.down,
        }
    }
}

/// Says when there was enough of sharing.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Enough {
    /// Share until so many times the torrent's size was given, by this run.
    #[arg(long = "seed-ratio", value_name = "TIMES", value_parser = ratio)]
    ratio: Option<f64>,
    /// Share for so long after everything is here: 90s, 30m, 2h, 1day.
    #[arg(long = "seed-time", value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
}

impl Enough {
    /// Something was said.
    pub(crate) fn is_set(self) -> bool {
        self.ratio.is_some() || self.time.is_some()
    }

    /// Why it is enough, if it is: so many bytes were given of a torrent of this length, and for
    /// so long all of it was here.
    pub(crate) fn reached(self, given: u64, length: u64, shared: Duration) -> Option<String> {
        if let Some(ratio) = self.ratio
            && given as f64 >= ratio * length as f64
        {
            return Some(format!("{ratio} times its size was given"));
        }
        let time = self.time.filter(|time| shared >= *time)?;
        Some(format!(
            "it was shared for {}",
            humantime::format_duration(time)
        ))
    }
}

fn rate(text: &str) -> Result<NonZeroU64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let (number, unit) = match upper.as_bytes().last() {
        Some(b'K') => (&upper[..upper.len() - 1], 1e3),
        Some(b'M') => (&upper[..upper.len() - 1], 1e6),
        Some(b'G') => (&upper[..upper.len() - 1], 1e9),
        _ => (&upper[..], 1.0),
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = number.parse::<f64>().ok().filter(|_| plain);
    let bytes = number.map(|number| (number * unit) as u64);
    bytes.and_then(NonZeroU64::new).ok_or_else(|| {
        "it must be a number of bytes a second above 0, such as 500K or 2.5M".to_owned()
    })
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.trim().parse::<f64>().ok();
    let ratio = ratio.filter(|ratio| ratio.is_finite() && *ratio >= 0.0);
    ratio.ok_or_else(|| "it must be a number that is not below 0, such as 1.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units_and_are_never_nothing() {
        for (text, bytes) in [
            ("1", 1),
            ("500K", 500_000),
            ("2.5m", 2_500_000),
            (" 1G", 1_000_000_000),
        ] {
            assert_eq!(rate(text).map(NonZeroU64::get), Ok(bytes), "{text}");
        }
        for text in [
            "", "0", "K", "-1", "0.1", "1e3", "inf", "NaN", "1.2.3", "10KB", "ü",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whatever_is_reached_first_is_enough() {
        let hour = Duration::from_secs(3600);
        let both = Enough {
            ratio: Some(1.5),
            time: Some(hour),
        };
        assert_eq!(both.reached(1499, 1000, hour / 2), None);
        let by_size = both.reached(1500, 1000, hour / 2);
        assert_eq!(by_size.as_deref(), Some("1.5 times its size was given"));
        let by_time = both.reached(0, 1000, hour);
        assert_eq!(by_time.as_deref(), Some("it was shared for 1h"));
        assert_eq!(Enough::default().reached(u64::MAX, 1, hour), None);
    }
}
