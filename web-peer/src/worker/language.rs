//! Whether a tracker speaks our protocol.
//!
//! A browser says nothing of a connection that did not come about: a server that does not know
//! our subprotocol looks like one that is not there. So an address that never spoke to us is
//! asked once without the subprotocol. If that is taken, somebody is there, most likely a
//! WebTorrent tracker; unless ours was only just starting, for which it is asked once more.

use std::time::Duration;

/// When to ask a server again that speaks another language: operators change their programs,
/// but not often.
pub(super) const FOREIGN_AGAIN: Duration = Duration::from_mins(10);

/// For a person.
pub(super) const NOT_OURS: &str =
    "it answers, but not in Tabswarm’s own language; it may be a WebTorrent tracker";

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Nobody knows.
    Unknown,
    /// It is asked without our subprotocol.
    Asked,
    /// It answered that; now it is asked in our language once more.
    Doubted,
    /// It does not speak ours.
    Foreign,
    /// It has spoken to us, or is our own.
    Ours,
}

impl Language {
    /// No connection came about, or it was lost.
    pub(super) fn of_no_answer(self) -> Self {
        match self {
            Language::Unknown => Language::Asked,
            Language::Asked => Language::Unknown,
            Language::Doubted | Language::Foreign => Language::Foreign,
            Language::Ours => Language::Ours,
        }
    }
}
