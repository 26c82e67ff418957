//! One announce by UDP (BEP 15): connection ids, retransmission, transaction ids. Whoever has a
//! socket to the tracker sends what this says, tells it what comes, and when its time is over.

use std::time::Duration;

use super::announcer::AnnounceError;
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::tracker::Announce;
use crate::wire::tracker::http::{Announced, Peer};
use crate::wire::tracker::udp::{Request, Response, UdpError};

/// For so long a client may use a connection id (BEP 15).
const CONNECTED: Duration = Duration::from_secs(60);
/// An answer is waited for this long at first, and twice as long each time (BEP 15: 15·2ⁿ).
const PATIENCE: Duration = Duration::from_secs(15);
/// Times that a datagram is sent: BEP 15 has nine, which take two hours. After three, 105
/// seconds, the tracker is as good as gone: others may be there, and it is tried again later.
const TRIES: u32 = 3;

/// See the module.
#[derive(Debug)]
pub struct Exchange {
    announce: Announce,
    path: Vec<u8>,
    /// Peers in the answer have addresses of this kind.
    ipv6: bool,
    rng: Rng,
    /// What the tracker gave us, and until when it is good.
    connection: Option<(u64, Time)>,
    /// Datagrams that were sent and not answered, one like the other.
    tries: u32,
    transaction: u32,
    /// When the next one is to be sent.
    due: Time,
}

impl Exchange {
    /// An announce to a tracker at an IPv6 address, or (not `ipv6`) an IPv4 one. `path` is the
    /// path and query of its URL (BEP 41). `seed` comes from the host's system: whoever guesses
    /// a transaction id can answer in the tracker's place.
    pub fn new(now: Time, announce: Announce, path: &str, ipv6: bool, seed: u64) -> Self {
        let path = if path == "/" { "" } else { path };
        Exchange {
            announce,
            path: path.as_bytes().to_vec(),
            ipv6,
            rng: Rng::new(seed),
            connection: None,
            tries: 0,
            transaction: 0,
            due: now,
        }
    }

    /// When to ask [`Exchange::poll_transmit`].
    pub fn poll_timeout(&self) -> Time {
        self.due
    }

    /// The datagram to send now, if it is time to; or that it was all in vain.
    pub fn poll_transmit(&mut self, now: Time) -> Result<Option<Vec<u8>>, AnnounceError> {
        if now < self.due {
            return Ok(None);
        }
        if self.tries >= TRIES {
            return Err(AnnounceError::Silent);
        }
        self.due = now + PATIENCE * (1 << self.tries);
        self.tries += 1;
        self.connection = self.connection.filter(|(_, until)| *until > now);
        let transaction = u32::try_from(self.rng.next_u64() >> 32).unwrap_or_default();
        self.transaction = transaction;
        let request = match self.connection {
            None => Request::Connect { transaction },
            Some((connection, _)) => Request::Announce {
                connection,
                transaction,
                announce: self.announce.clone(),
                path: self.path.clone(),
            },
        };
        Ok(Some(request.encode()))
    }

    /// A datagram came. Returns the tracker's answer, if this was it; after a connection id,
    /// [`Exchange::poll_transmit`] has more to send. What is for somebody else is ignored.
    pub fn receive(
        &mut self,
        now: Time,
        datagram: &[u8],
    ) -> Result<Option<Announced>, AnnounceError> {
        if self.tries == 0 || transaction_of(datagram) != Some(self.transaction) {
            return Ok(None);
        }
        match (Response::decode(datagram, self.ipv6)?, self.connection) {
            (Response::Connect { connection, .. }, None) => {
                self.connection = Some((connection, now + CONNECTED));
                (self.tries, self.due) = (0, now);
                Ok(None)
            }
            (
                Response::Announce {
                    interval,
                    incomplete,
                    complete,
                    peers,
                    ..
                },
                Some(_),
            ) => {
                let peers = peers.into_iter().map(|address| Peer {
                    address,
                    peer_id: None,
                });
                Ok(Some(Announced {
                    interval,
                    complete: Some(complete),
                    incomplete: Some(incomplete),
                    peers: peers.collect(),
                    ..Announced::default()
                }))
            }
            (Response::Error { reason, .. }, _) => Err(AnnounceError::Refused(reason)),
            // An answer to something that was not asked.
            (response, _) => Err(UdpError::Action(action_of(&response)).into()),
        }
    }
}

/// Where every response has its transaction.
fn transaction_of(datagram: &[u8]) -> Option<u32> {
    let bytes = datagram.get(4..8)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn action_of(response: &Response) -> u32 {
    match response {
        Response::Connect { .. } => 0,
        Response::Announce { .. } => 1,
        Response::Scrape { .. } => 2,
        Response::Error { .. } => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{InfoHash, PeerId};
    use crate::wire::tracker::Event;

    fn announce() -> Announce {
        Announce {
            info_hash: InfoHash([1; 20]),
            peer_id: PeerId([2; 20]),
            port: 6881,
            uploaded: 0,
            downloaded: 0,
            left: Some(5),
            event: Event::Started,
            numwant: Some(50),
            key: Some(7),
        }
    }

    fn exchange() -> Exchange {
        Exchange::new(at(0), announce(), "/announce?x=1", false, 42)
    }

    fn at(seconds: u64) -> Time {
        Time::from_epoch(Duration::from_secs(seconds))
    }

    fn sent(exchange: &mut Exchange, now: Time) -> Request {
        let datagram = exchange.poll_transmit(now).unwrap().expect("it is time to");
        Request::decode(&datagram).unwrap()
    }

    fn connect(exchange: &mut Exchange, now: Time) {
        let transaction = sent(exchange, now).transaction();
        let connected = Response::Connect {
            transaction,
            connection: 99,
        };
        assert_eq!(exchange.receive(now, &connected.encode()), Ok(None));
    }

    #[test]
    fn it_connects_and_announces() {
        let mut exchange = exchange();
        connect(&mut exchange, at(0));
        let request = sent(&mut exchange, at(0));
        let Request::Announce {
            connection,
            transaction,
            announce: said,
            path,
        } = request
        else {
            panic!("{request:?}")
        };
        assert_eq!((connection, said), (99, announce()));
        assert_eq!(path, b"/announce?x=1");
        let peer = "9.9.9.9:6881".parse().unwrap();
        let response = Response::Announce {
            transaction,
            interval: 1800,
            incomplete: 2,
            complete: 3,
            peers: vec![peer],
        };
        let announced = exchange
            .receive(at(1), &response.encode())
            .unwrap()
            .unwrap();
        assert_eq!(announced.peers[0].address, peer);
        assert_eq!((announced.complete, announced.interval), (Some(3), 1800));
    }

    #[test]
    fn it_asks_three_times_and_gives_up() {
        let mut exchange = exchange();
        for time in [0, 15, 45] {
            assert_eq!(exchange.poll_timeout(), at(time));
            let request = sent(&mut exchange, at(time));
            assert!(matches!(request, Request::Connect { .. }));
            assert_eq!(exchange.poll_transmit(at(time)), Ok(None));
        }
        assert_eq!(exchange.poll_timeout(), at(105));
        let end = exchange.poll_transmit(at(105));
        assert_eq!(end, Err(AnnounceError::Silent));
    }

    #[test]
    fn a_connection_id_is_used_for_a_minute() {
        let mut exchange = exchange();
        connect(&mut exchange, at(0));
        for time in [0, 15, 45] {
            let request = sent(&mut exchange, at(time));
            assert!(matches!(request, Request::Announce { .. }));
        }
        let mut exchange = self::exchange();
        connect(&mut exchange, at(0));
        assert!(matches!(
            sent(&mut exchange, at(60)),
            Request::Connect { .. }
        ));
    }

    #[test]
    fn answers_to_others_are_ignored_and_wrong_ones_named() {
        let mut exchange = exchange();
        assert_eq!(
            exchange.receive(at(0), &[0; 16]),
            Ok(None),
            "nothing was asked"
        );
        let transaction = sent(&mut exchange, at(0)).transaction();
        let error = |transaction| {
            let reason = "torrent not registered".to_owned();
            Response::Error {
                transaction,
                reason,
            }
            .encode()
        };
        let other = error(transaction.wrapping_add(1));
        assert_eq!(exchange.receive(at(0), &other), Ok(None));
        let mut short = [0; 16];
        short[4..8].copy_from_slice(&transaction.to_be_bytes());
        for length in 8..16 {
            let wrong = exchange.receive(at(0), &short[..length]);
            assert_eq!(wrong, Err(UdpError::Length(length).into()));
        }
        let early = Response::Announce {
            transaction,
            interval: 1,
            incomplete: 0,
            complete: 0,
            peers: Vec::new(),
        };
        let early = exchange.receive(at(0), &early.encode());
        assert_eq!(early, Err(UdpError::Action(1).into()));
        let refused = exchange.receive(at(0), &error(transaction));
        let refused = refused.unwrap_err().to_string();
        assert_eq!(refused, "it says: torrent not registered");
    }

    #[test]
    fn any_datagram_is_taken() {
        arbtest::arbtest(|u| {
            let mut exchange = exchange();
            let mut now = at(0);
            for _ in 0..u.int_in_range(0..=8)? {
                now += Duration::from_secs(u.int_in_range(0..=60)?);
                let _ = exchange.poll_transmit(now);
                let mut datagram: Vec<u8> = u.arbitrary()?;
                if u.arbitrary()? && datagram.len() >= 8 {
                    datagram[4..8].copy_from_slice(&exchange.transaction.to_be_bytes());
                }
                let _ = exchange.receive(now, &datagram);
            }
            Ok(())
        });
    }
}
