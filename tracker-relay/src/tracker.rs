//! The tracker for ordinary clients, over HTTP.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, header};
use swarm_core::hub::{TrackerQuestion, TrackerReply as Answer};
use swarm_core::wire::tracker::http::{
    AnnounceQuery, AnnounceResponse, ScrapeResponse, scraped_swarms,
};

use crate::context::Context;
use crate::counters::Answered;
use crate::reply::{Reply, set};

/// Where clients announce, by name and custom.
pub(crate) const ANNOUNCE: &str = "/announce";
/// Where they scrape, as BEP 48 derives it from that.
pub(crate) const SCRAPE: &str = "/scrape";

/// Answers a client at this address that announces. What is wrong is said in the body: many
/// clients look into no other answer than 200.
pub(crate) fn announce(context: &Context, from: IpAddr, query: &str) -> Reply {
    context.counters.answered(Answered::HttpTracker);
    let query = match AnnounceQuery::from_query(query) {
        Ok(query) => query,
        Err(error) => return body(AnnounceResponse::Failure(error.to_string()).encode(true)),
    };
    let question = TrackerQuestion::Announce {
        announce: query.announce,
        both_families: true,
    };
    let response = match context.switchboard.ask(from, question) {
        Answer::Announced(mut announced) => {
            if query.no_peer_id {
                announced
                    .peers
                    .iter_mut()
                    .for_each(|peer| peer.peer_id = None);
            }
            AnnounceResponse::Announced(announced)
        }
        Answer::Refused(reason) => AnnounceResponse::Failure(reason),
        Answer::Scraped(_) => unreachable!("an announce was asked about"),
    };
    body(response.encode(query.compact))
}

/// Answers a client that asks how swarms stand.
pub(crate) fn scrape(context: &Context, from: IpAddr, query: &str) -> Reply {
    context.counters.answered(Answered::HttpTracker);
    let failure = |reason: String| body(ScrapeResponse::Failure(reason).encode());
    let swarms = match scraped_swarms(query) {
        Ok(swarms) if swarms.is_empty() => {
            return failure("name the swarms: this tracker does not list all".to_owned());
        }
        Ok(swarms) => swarms,
        Err(error) => return failure(error.to_string()),
    };
    match context
        .switchboard
        .ask(from, TrackerQuestion::Scrape { swarms })
    {
        Answer::Scraped(scraped) => body(ScrapeResponse::Scraped(scraped).encode()),
        Answer::Refused(reason) => failure(reason),
        Answer::Announced(_) => unreachable!("a scrape was asked for"),
    }
}

fn body(bytes: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(bytes)));
    set(&mut reply, header::CONTENT_TYPE, "text/plain");
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}
