//! Targets for what ordinary clients, trackers and STUN servers say.

use swarm_core::wire::lsd::LsdMessage;
use swarm_core::wire::stun;
use swarm_core::wire::tracker::http::{
    AnnounceQuery, AnnounceResponse, ScrapeResponse, scrape_query, scrape_url, scraped_swarms,
};
use swarm_core::wire::tracker::udp;
use swarm_core::wire::webtorrent::MessageLimits;
use webtorrent_json::{decode_client, decode_server, encode_client, encode_server};

/// A datagram is read or refused, answered shortly, and survives being written.
pub fn stun(input: &[u8]) {
    if let Ok(request) = stun::Request::decode(input) {
        let answer = request.answer(([192, 0, 2, 1], 1).into());
        let bytes = answer.encode();
        assert!(
            bytes.len() <= 48,
            "an answer is hardly longer than a question"
        );
        assert_eq!(stun::Response::decode(&bytes), Ok(answer));
    }
    if let Ok(response) = stun::Response::decode(input) {
        assert_eq!(stun::Response::decode(&response.encode()), Ok(response));
    }
}

/// Queries and answers are read or refused, and survive being written.
pub fn http_tracker(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(query) = AnnounceQuery::from_query(text) {
            assert_eq!(AnnounceQuery::from_query(&query.to_query()), Ok(query));
        }
        if let Ok(swarms) = scraped_swarms(text) {
            assert_eq!(scraped_swarms(&scrape_query(&swarms)), Ok(swarms));
        }
        scrape_url(text);
    }
    if let Ok(response) = AnnounceResponse::decode(input) {
        let again = AnnounceResponse::decode(&response.encode(false));
        assert_eq!(again, Ok(response));
    }
    if let Ok(response) = ScrapeResponse::decode(input) {
        assert_eq!(ScrapeResponse::decode(&response.encode()), Ok(response));
    }
}

/// Datagrams are read or refused, and survive being written.
pub fn udp_tracker(input: &[u8]) {
    if let Ok(request) = udp::Request::decode(input) {
        assert_eq!(udp::Request::decode(&request.encode()), Ok(request));
    }
    for ipv6 in [false, true] {
        if let Ok(response) = udp::Response::decode(input, ipv6) {
            assert_eq!(
                udp::Response::decode(&response.encode(), ipv6),
                Ok(response)
            );
        }
    }
}

/// A text is read or refused, and survives being written.
pub fn webtorrent(input: &[u8]) {
    let limits = MessageLimits::default();
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    // Written anew it may be longer than what is read.
    let wide = MessageLimits {
        message: usize::MAX,
        ..limits
    };
    if let Ok(message) = decode_client(text, &limits) {
        assert_eq!(decode_client(&encode_client(&message), &wide), Ok(message));
    }
    if let Ok(message) = decode_server(text, &limits) {
        assert_eq!(decode_server(&encode_server(&message), &wide), Ok(message));
    }
}

/// What a local network says is read or refused, and what was read is written again.
pub fn lsd(input: &[u8]) {
    if let Ok(message) = LsdMessage::decode(input) {
        assert_eq!(LsdMessage::decode(&message.encode()), Ok(message));
    }
}
