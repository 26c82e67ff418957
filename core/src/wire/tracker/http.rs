//! HTTP trackers: a GET whose query asks (BEP 3, 48), and a bencoded dictionary that answers
//! (BEP 7, 23, 24, 31).
//!
//! The side that sends a request takes the query from [`AnnounceQuery::to_query`] or
//! [`scrape_query`], puts it behind `?` or `&` in the tracker's URL, and reads the body with
//! [`AnnounceResponse::decode`] or [`ScrapeResponse::decode`]. The tracker does the reverse.

mod query;
mod response;
#[cfg(test)]
mod tests;

pub use query::{AnnounceQuery, QueryError, scrape_query, scrape_url, scraped_swarms};
pub use response::{AnnounceResponse, Announced, Peer, ResponseError, ScrapeResponse};
pub(super) use response::{compact_addresses, compact_bytes};
