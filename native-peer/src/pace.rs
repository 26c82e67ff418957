//! How fast, how much and for how long a person wants to give.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;
use swarm_core::engine::{Enough, Reached};
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
pub(crate) struct SeedLimits {
    /// Share until so many times the torrent's size was given, by this run.
    #[arg(long = "seed-ratio", value_name = "TIMES", value_parser = ratio)]
    ratio: Option<f64>,
    /// Share for so long after everything is here: 90s, 30m, 2h, 1day.
    #[arg(long = "seed-time", value_name = "TIME", value_parser = humantime::parse_duration)]
    time: Option<Duration>,
}

impl SeedLimits {
    pub(crate) fn enough(self) -> Enough {
        Enough {
            ratio: self.ratio,
            time: self.time,
        }
    }
}

/// What was reached, as it is told.
pub(crate) fn words(enough: Enough, reached: Reached) -> String {
    match reached {
        Reached::Ratio => format!("{} times its size was given", enough.ratio.unwrap_or(0.0)),
        Reached::Time => {
            let time = humantime::format_duration(enough.time.unwrap_or_default());
            format!("it was shared for {time}")
        }
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
    fn what_was_reached_is_told_as_it_was_set() {
        let both = Enough {
            ratio: Some(1.5),
            time: Some(Duration::from_secs(3600)),
        };
        let told = |reached| words(both, reached);
        assert_eq!(told(Reached::Ratio), "1.5 times its size was given");
        assert_eq!(told(Reached::Time), "it was shared for 1h");
    }
}
