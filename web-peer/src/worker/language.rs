//! Which protocol a tracker speaks: ours, WebTorrent's, or none that we know.
//!
//! A browser says nothing of a connection that did not come about: a server that does not know
//! our subprotocol looks like one that is not there. So an address that never spoke to us is
//! asked once without the subprotocol. If that is taken, somebody is there, most likely a
//! WebTorrent tracker; unless ours was only just starting, for which it is asked once more. Other
//! servers take any subprotocol, and then say nothing, where ours speaks first.

use std::time::Duration;

/// Ours welcomes whoever comes, and WebTorrent's trackers answer an announce, within this time.
pub(super) const SPEAKS_WITHIN: Duration = Duration::from_secs(5);

/// When to ask a server again that speaks another language: operators change their programs,
/// but not often.
pub(super) const FOREIGN_AGAIN: Duration = Duration::from_mins(10);

/// For a person.
pub(super) const FOREIGN: &str = "it answers, but in no language that is known here";

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Nobody knows.
    Unknown,
    /// It is asked without our subprotocol.
    Asked,
    /// It answered that; now it is asked in our language once more.
    Doubted,
    /// It does not speak ours, and is spoken to in WebTorrent's.
    WebTorrent,
    /// It does not answer in that either.
    Foreign,
    /// It has spoken to us, or is our own.
    Ours,
}

impl Language {
    /// No connection came about, or it was lost.
    pub(super) fn of_no_answer(self) -> Self {
        match self {
            Language::Unknown => Language::Asked,
            Language::Asked | Language::WebTorrent | Language::Foreign => Language::Unknown,
            Language::Doubted => Language::WebTorrent,
            Language::Ours => Language::Ours,
        }
    }

    /// Our subprotocol is asked for.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Language::Unknown | Language::Doubted | Language::Ours)
    }
}
