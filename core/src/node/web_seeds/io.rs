//! What is asked of web seeds by HTTP, what comes of it, and what may be wrong with one.

use std::time::Duration;

use bytes::Bytes;

use crate::id::InfoHash;
use crate::metainfo::Unfit;

/// A range of a file that is to be had by HTTP: `GET` with `Range: bytes=first-last`, and no
/// other header that a browser would ask about before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// By which the answer is known. No two of a node have the same.
    pub number: u32,
    /// The address of the file.
    pub url: String,
    /// Its first byte that is wanted.
    pub first: u64,
    /// Bytes; never zero.
    pub length: u64,
}

impl Fetch {
    /// What the header `Range` says (RFC 9110, section 14.2).
    pub fn range(&self) -> String {
        format!("bytes={}-{}", self.first, self.first + self.length - 1)
    }
}

/// Something about web seeds for the host to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebOutput {
    /// Fetch this, and pass on what comes of it ([`Input::Web`](crate::node::Input::Web)).
    Fetch(Fetch),
    /// Nothing more of the fetch of this number is of interest.
    Drop(u32),
    /// A web seed does not do what it should; said when it is new.
    Trouble {
        /// The torrent.
        info_hash: InfoHash,
        /// Its address.
        url: String,
        /// What is wrong.
        trouble: SeedTrouble,
    },
}

/// What comes of a [`Fetch`]. It begins with an answer, if there is one, and ends with
/// [`WebInput::End`] or [`WebInput::Failed`], after which its number is not said again.
#[derive(Clone, Debug)]
pub enum WebInput<C = Bytes> {
    /// The head of the answer, after redirections.
    Answered(Answer),
    /// The next bytes of its body.
    Received(C),
    /// The body is here.
    End,
    /// There is no answer, or no more of it, for this reason.
    Failed(String),
}

/// The head of an answer, as far as it is of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status.
    pub status: u16,
    /// The length of the body, if that is known.
    pub length: Option<u64>,
    /// The first byte of the range that comes, if that is known (`Content-Range`; a page is told
    /// only by servers that say it may be).
    pub first: Option<u64>,
}

impl Answer {
    /// Where a range begins, by the words of `Content-Range` (RFC 9110, section 14.4).
    pub fn first_of(content_range: &str) -> Option<u64> {
        let range = content_range.trim().strip_prefix("bytes ")?;
        range.split('-').next()?.trim().parse().ok()
    }

    /// Whether it is what a range of a file of so many bytes asks for.
    pub(super) fn check(&self, fetch: &Fetch, file: u64) -> Result<(), SeedTrouble> {
        let is_whole = fetch.first == 0 && fetch.length == file;
        match self.status {
            206 if self.first.is_some_and(|first| first != fetch.first) => {
                return Err(SeedTrouble::OtherRange);
            }
            206 => {}
            200 if is_whole => {}
            200 => return Err(SeedTrouble::NoRanges),
            status => return Err(SeedTrouble::Status(status)),
        }
        match self.length {
            Some(length) if length != fetch.length => Err(SeedTrouble::OtherLength),
            _ => Ok(()),
        }
    }
}

/// What is wrong with a web seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedTrouble {
    /// It can't be asked.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// There is no answer, or no more of it.
    #[error("{0}")]
    Unreachable(String),
    /// It ends before all of it is there.
    #[error("it breaks off in the middle")]
    BrokenOff,
    /// Nothing came for [`WebSeedConfig::patience`](crate::engine::config::WebSeedConfig).
    #[error("it sends nothing")]
    Silent,
    /// It refuses, by a status of HTTP.
    #[error("it answers with status {0}")]
    Status(u16),
    /// It sends whole files only.
    #[error("it knows no ranges: it sends whole files only")]
    NoRanges,
    /// It sends another range than it was asked for.
    #[error("it sends another part of the file than it was asked for")]
    OtherRange,
    /// It sends more or less than it was asked for.
    #[error("what it sends is not as long as it should be: its file is another one")]
    OtherLength,
    /// It brought what it was asked for so slowly that it is given up for a while.
    #[error("it is too slow")]
    Slow,
    /// A piece of it has the wrong hash. It is not asked again.
    #[error("it sent corrupt data and is not asked any more")]
    Corrupt,
}

impl SeedTrouble {
    /// It won't be over soon.
    pub(super) fn lasts(&self) -> bool {
        matches!(
            self,
            SeedTrouble::Unfit(_)
                | SeedTrouble::NoRanges
                | SeedTrouble::OtherRange
                | SeedTrouble::OtherLength
        )
    }
}

/// A web seed as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSeedView {
    /// Its address.
    pub url: String,
    /// It has a place among the peers.
    pub up: bool,
    /// What is wrong with it, if something is.
    pub trouble: Option<SeedTrouble>,
    /// How long it is left alone; none if it is not asked again.
    pub rest: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(first: u64, length: u64) -> Fetch {
        Fetch {
            number: 0,
            url: String::new(),
            first,
            length,
        }
    }

    #[test]
    fn a_range_is_said_with_its_last_byte() {
        assert_eq!(fetch(0, 1).range(), "bytes=0-0");
        assert_eq!(
            fetch(1 << 40, 16384).range(),
            "bytes=1099511627776-1099511644159"
        );
    }

    #[test]
    fn only_what_was_asked_for_is_taken() {
        let answer = |status, length, first| Answer {
            status,
            length,
            first,
        };
        for (answer, expected) in [
            (answer(206, Some(50), Some(10)), Ok(())),
            (answer(206, None, None), Ok(())),
            (answer(206, Some(49), None), Err(SeedTrouble::OtherLength)),
            (answer(206, Some(50), Some(0)), Err(SeedTrouble::OtherRange)),
            (answer(200, Some(100), None), Err(SeedTrouble::NoRanges)),
            (answer(200, None, None), Err(SeedTrouble::NoRanges)),
            (answer(404, None, None), Err(SeedTrouble::Status(404))),
            (answer(416, None, None), Err(SeedTrouble::Status(416))),
        ] {
            assert_eq!(answer.check(&fetch(10, 50), 100), expected, "{answer:?}");
        }
        let whole = answer(200, Some(100), None);
        assert_eq!(whole.check(&fetch(0, 100), 100), Ok(()));
        let longer = answer(200, Some(101), None);
        assert_eq!(
            longer.check(&fetch(0, 100), 100),
            Err(SeedTrouble::OtherLength)
        );
    }

    #[test]
    fn the_beginning_of_a_range_is_read() {
        for (words, first) in [
            ("bytes 0-99/100", Some(0)),
            ("bytes 5-9/*", Some(5)),
            (" bytes 18446744073709551615-9/*", Some(u64::MAX)),
            ("bytes 18446744073709551616-9/*", None),
            ("bytes */100", None),
            ("items 0-1/2", None),
            ("", None),
        ] {
            assert_eq!(Answer::first_of(words), first, "{words}");
        }
        arbtest::arbtest(|u| {
            let words: String = u.arbitrary()?;
            let _ = Answer::first_of(&words);
            let first: u64 = u.arbitrary()?;
            let words = format!("bytes {first}-{words}");
            assert_eq!(Answer::first_of(&words), Some(first));
            Ok(())
        });
    }
}
