//! By UDP: a socket for each question. What to send when is the core's to say.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use swarm_core::find::Exchange;
use swarm_core::find::announcer::{AnnounceError, Answer, Reply};
use swarm_core::net::contact::is_dialable;
use swarm_core::time::Time;
use swarm_core::wire::tracker::Announce;
use tokio::net::UdpSocket;
use tokio::time::{sleep_until, timeout};
use url::Url;

use super::reach::look_up;
use super::unreachable;
use crate::announce::http::PATIENCE;

/// The longest answer: all that a datagram can hold.
const LONGEST: usize = 64 << 10;

pub(super) async fn announce(url: &Url, announce: Announce) -> Answer {
    let addresses = timeout(PATIENCE, look_up(url)).await;
    let addresses = addresses.map_err(|_| AnnounceError::Silent)?;
    let mut addresses = addresses.map_err(|error| unreachable(&error))?.into_iter();
    // What many or nobody listens at is no tracker.
    let address = addresses.find(|address| is_dialable(*address));
    let address = address.ok_or(AnnounceError::Address)?;
    let socket = connect(address)
        .await
        .map_err(|error| unreachable(&error))?;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let seed = getrandom::u64().map_err(|error| AnnounceError::Unreachable(error.to_string()))?;
    let exchange = Exchange::new(Time::ZERO, announce, &path, address.is_ipv6(), seed);
    talk(&socket, exchange, address.ip()).await
}

/// Only what comes from there is heard.
async fn connect(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    Ok(socket)
}

async fn talk(socket: &UdpSocket, mut exchange: Exchange, from: IpAddr) -> Answer {
    let began = Instant::now();
    let now = || Time::from_epoch(began.elapsed());
    let mut buffer = vec![0; LONGEST];
    loop {
        while let Some(datagram) = exchange.poll_transmit(now())? {
            let sent = socket.send(&datagram).await;
            sent.map_err(|error| unreachable(&error))?;
        }
        let due = began + exchange.poll_timeout().since_epoch();
        let received = tokio::select! {
            received = socket.recv(&mut buffer) => received,
            () = sleep_until(due.into()) => continue,
        };
        let length = received.map_err(|error| unreachable(&error))?;
        if let Some(announced) = exchange.receive(now(), &buffer[..length])? {
            return Ok(Reply { from, announced });
        }
    }
}
