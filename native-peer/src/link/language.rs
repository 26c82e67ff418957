//! Which protocol a tracker speaks: ours, or WebTorrent's. Asked for our subprotocol, trackers of
//! WebTorrent's kind refuse it, or take it and then say nothing, where ours speaks first.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Error as SocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::StatusCode;

/// Ours welcomes whoever comes within this time.
pub(super) const SPEAKS_WITHIN: Duration = Duration::from_secs(5);

/// What is known of a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// It never spoke to us.
    Unknown,
    /// It is one of ours.
    Ours,
    /// It does not speak ours, and is spoken to in WebTorrent's.
    WebTorrent,
}

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// In our protocol.
    Ours,
    /// In WebTorrent's.
    WebTorrent,
}

impl Language {
    pub(super) fn manner(self) -> Manner {
        match self {
            Language::Unknown | Language::Ours => Manner::Ours,
            Language::WebTorrent => Manner::WebTorrent,
        }
    }

    /// After a connection in which it spoke as it was expected to, or is found to be foreign.
    pub(super) fn after(self, spoke: bool, is_foreign: bool) -> Self {
        match self {
            Language::Unknown if spoke => Language::Ours,
            Language::Unknown if is_foreign => Language::WebTorrent,
            // Nobody was there, or it was another.
            Language::WebTorrent if !spoke => Language::Unknown,
            known => known,
        }
    }
}

/// Somebody is there, and knows nothing of our subprotocol.
pub(super) fn is_foreign(error: &SocketError) -> bool {
    match error {
        // Whoever is asked too often says nothing of its language.
        SocketError::Http(response) => {
            let status = response.status();
            status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS
        }
        SocketError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::http::Response;

    use super::*;

    #[test]
    fn who_is_asked_too_often_is_no_stranger() {
        let answers = |status: u16| {
            let response = Response::builder().status(status).body(None).unwrap();
            is_foreign(&SocketError::Http(Box::new(response)))
        };
        assert!(answers(400) && answers(404) && answers(426));
        assert!(!answers(429) && !answers(500) && !answers(503));
    }
}
