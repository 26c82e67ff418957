//! Those who call us.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::places::Places;
use super::{Reporter, plain, talk};

/// Calls that wait to be accepted.
const WAITING: i32 = 128;
/// After the system could not accept one, as when it has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(500);

/// Listens for IPv4 and IPv6 at once, or for IPv4 alone where there is nothing else.
pub(super) struct Listener(TcpListener);

impl Listener {
    pub(super) fn bind(port: u16) -> io::Result<Self> {
        let both = bind((Ipv6Addr::UNSPECIFIED, port).into());
        let listener = match both {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                bind((Ipv4Addr::UNSPECIFIED, port).into())
            }
            result => result,
        };
        Ok(Listener(TcpListener::from_std(listener?.into())?))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Until nobody listens to the reports any more.
    pub(super) async fn accept_all(self, reporter: Reporter, places: Places) {
        loop {
            let accepted = tokio::select! {
                accepted = self.0.accept() => accepted,
                () = reporter.reports.closed() => return,
            };
            let Ok((stream, remote)) = accepted else {
                sleep(PAUSE).await;
                continue;
            };
            if let Some(place) = places.take(plain(remote).ip()) {
                tokio::spawn(talk(stream, None, reporter.clone(), Some(place)));
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // The port of a program that has just ended is free. On Windows this would say that it may
    // be shared with one that has not.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
