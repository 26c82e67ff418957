//! What is asked and answered in single datagrams.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swarm_core::hub::{ConnectionIds, Source, TrackerQuestion, TrackerReply};
use swarm_core::wire::stun;
use swarm_core::wire::tracker::udp::{Request, Response};
use tokio::net::UdpSocket;
use tracing::debug;

use crate::context::Context;
use crate::counters::{Answered, ServerLimit};

/// Longer ones are cut, and then not understood: none that is spoken here is longer.
const MAX_DATAGRAM: usize = 2048;

/// Sources that are counted in one second. Those beyond are not answered in it, so that
/// nobody with ever new addresses makes us hold more.
const MAX_SOURCES: usize = 1 << 16;

/// Tells clients their own addresses until the server shuts down.
pub(crate) async fn serve_stun(context: Arc<Context>, socket: UdpSocket) {
    let mut rates = Rates::new(context.config.max_stun_rate);
    let answer = |datagram: &[u8], from: SocketAddr| {
        // What is no question is not counted: no answer makes no work.
        let request = stun::Request::decode(datagram).ok()?;
        if !rates.allow(from.ip().into(), Instant::now()) {
            context.counters.count(ServerLimit::Stun);
            return None;
        }
        context.counters.answered(Answered::Stun);
        Some(request.answer(from).encode())
    };
    let forever = serve(&socket, answer);
    let _: Option<()> = context.shutdown.run_until_cancelled(forever).await;
}

/// The tracker of BEP 15, until the server shuts down.
pub(crate) async fn serve_tracker(context: Arc<Context>, socket: UdpSocket, secret: [u8; 32]) {
    let ids = ConnectionIds::new(secret);
    let mut rates = Rates::new(context.config.max_udp_connects);
    let answer = |datagram: &[u8], from: SocketAddr| {
        let request = Request::decode(datagram).ok()?;
        let response = track(&context, &ids, &mut rates, &request, from)?;
        context.counters.answered(Answered::UdpTracker);
        Some(response.encode())
    };
    let forever = serve(&socket, answer);
    let _: Option<()> = context.shutdown.run_until_cancelled(forever).await;
}

/// The answer to a client; none to one that does not prove that it gets what is sent to its
/// address, as anybody may ask in another's name.
fn track(
    context: &Context,
    ids: &ConnectionIds,
    rates: &mut Rates,
    request: &Request,
    from: SocketAddr,
) -> Option<Response> {
    let address = from.ip().to_canonical();
    let transaction = request.transaction();
    let now = context.switchboard.now();
    let error = |reason| Response::Error {
        transaction,
        reason,
    };
    match request {
        Request::Connect { .. } => {
            if !rates.allow(address.into(), Instant::now()) {
                context.counters.count(ServerLimit::UdpConnects);
                return None;
            }
            Some(Response::Connect {
                transaction,
                connection: ids.issue(now, address),
            })
        }
        Request::Announce {
            connection,
            announce,
            ..
        } => {
            if !ids.check(now, address, *connection) {
                return None;
            }
            let question = TrackerQuestion::Announce {
                announce: announce.clone(),
                both_families: false,
            };
            Some(match context.switchboard.ask(address, question) {
                TrackerReply::Announced(announced) => Response::Announce {
                    transaction,
                    interval: announced.interval,
                    incomplete: announced.incomplete.unwrap_or_default(),
                    complete: announced.complete.unwrap_or_default(),
                    peers: announced.peers.iter().map(|peer| peer.address).collect(),
                },
                TrackerReply::Refused(reason) => error(reason),
                TrackerReply::Scraped(_) => unreachable!("an announce was asked about"),
            })
        }
        Request::Scrape {
            connection, swarms, ..
        } => {
            if !ids.check(now, address, *connection) {
                return None;
            }
            let question = TrackerQuestion::Scrape {
                swarms: swarms.clone(),
            };
            Some(match context.switchboard.ask(address, question) {
                TrackerReply::Scraped(scraped) => {
                    let of = |swarm| scraped.get(swarm).copied().unwrap_or_default();
                    let counts = swarms.iter().map(of).collect();
                    Response::Scrape {
                        transaction,
                        counts,
                    }
                }
                TrackerReply::Refused(reason) => error(reason),
                TrackerReply::Announced(_) => unreachable!("a scrape was asked for"),
            })
        }
    }
}

/// Answers each datagram, or does not, for ever.
async fn serve(socket: &UdpSocket, mut answer: impl FnMut(&[u8], SocketAddr) -> Option<Vec<u8>>) {
    let mut buffer = [0; MAX_DATAGRAM];
    loop {
        // An error is about what we sent to somebody earlier, who is not there.
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                if let Some(reply) = answer(&buffer[..length], from)
                    && let Err(error) = socket.send_to(&reply, from).await
                {
                    debug!(%error, %from, "can't answer a datagram");
                }
            }
            Err(error) => {
                debug!(%error, "can't receive a datagram");
                tokio::task::yield_now().await;
            }
        }
    }
}

/// How many answers each source got in this second.
struct Rates {
    per_second: u32,
    since: Option<Instant>,
    answers: HashMap<Source, u32>,
}

impl Rates {
    fn new(per_second: u32) -> Self {
        Rates {
            per_second,
            since: None,
            answers: HashMap::new(),
        }
    }

    fn allow(&mut self, source: Source, now: Instant) -> bool {
        let over = |since: Instant| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(over) {
            self.since = Some(now);
            self.answers.clear();
        }
        if self.answers.len() >= MAX_SOURCES && !self.answers.contains_key(&source) {
            return false;
        }
        let answers = self.answers.entry(source).or_default();
        let allowed = *answers < self.per_second;
        *answers += u32::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_gets_so_many_answers_in_a_second() {
        let mut rates = Rates::new(2);
        let begin = Instant::now();
        let later = begin + Duration::from_secs(1);
        let [one, two] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(Source::V4);
        let allowed = [one, one, one, two].map(|source| rates.allow(source, begin));
        assert_eq!(allowed, [true, true, false, true]);
        assert!(rates.allow(one, later));
    }

    #[test]
    fn only_so_many_sources_are_counted() {
        let mut rates = Rates::new(1);
        let begin = Instant::now();
        let source = |number: usize| Source::V6((number as u64).to_be_bytes());
        for number in 0..MAX_SOURCES {
            assert!(rates.allow(source(number), begin));
        }
        assert!(!rates.allow(source(MAX_SOURCES), begin));
        assert!(rates.allow(source(MAX_SOURCES), begin + Duration::from_secs(1)));
    }
}
