//! To whom an address leads, once its name is looked up. Torrents and links come from anybody, and
//! so does what the servers say that they name: neither is to make us ask the services of somebody's
//! own network, or machine, for things.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use swarm_core::net::contact::may_tell;
use tokio::net::lookup_host;
use url::Url;

use super::authority;

/// Somebody on the Internet.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));

/// Where the host of this address is.
pub(crate) async fn look_up(url: &Url) -> io::Result<Vec<SocketAddr>> {
    let authority = authority(url);
    let authority = authority.ok_or_else(|| io::Error::other("the address has no host"))?;
    Ok(lookup_host(authority).await?.collect())
}

/// It is on this machine or in a network of ours.
pub(crate) fn is_local(address: SocketAddr) -> bool {
    !may_tell(STRANGER, address)
}

/// Those of them to which somebody may send us who is at `from`, if anybody did: who is further away
/// than they are may not.
pub(crate) fn followed(from: Option<IpAddr>, mut to: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if let Some(from) = from {
        to.retain(|address| may_tell(from, *address));
    }
    to
}
