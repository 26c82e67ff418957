//! The machine's addresses, with sockets for each: ICE is told from where a datagram leaves, and
//! at which address one came.
//!
//! Many connections share a socket. Datagrams of DTLS don't say of which connection they are: it
//! is known by the two addresses, and two that are linked twice, or anew while the other end has
//! not noticed yet, must not have the same two. So there are several *banks*, of a socket for
//! each address, and connections take them by turns.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// Banks. Two links of the same two ends have the same two of them once in 256 times; and a second
/// one is rare.
pub(crate) const BANKS: usize = 16;
/// The most addresses: each is a candidate of every connection, and is checked with each of the
/// other end's. A machine has one or two, and a few more with containers.
const MAX_ADDRESSES: usize = 8;
/// What a socket keeps that was not read yet, if the system allows that: a window of SCTP.
const BUFFER: usize = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    list: Vec<Socket>,
    /// Whose turn it is: nobody waits for one that never falls silent.
    turn: usize,
}

#[derive(Debug)]
struct Socket {
    bank: usize,
    address: SocketAddr,
    socket: UdpSocket,
}

/// A datagram that came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) from: SocketAddr,
    pub(crate) at: SocketAddr,
    pub(crate) length: usize,
}

impl Sockets {
    /// Follows what has changed on this machine, a laptop gets about, and opens a bank. Must be
    /// called within a Tokio runtime.
    pub(crate) fn refresh(&mut self, bank: usize) {
        let now = addresses();
        // Where the system does not tell, what there was is as good as anything.
        if now.is_empty() {
            return;
        }
        self.list.retain(|it| now.contains(&it.address.ip()));
        for ip in now {
            let mut list = self.list.iter();
            let known = list.any(|it| it.bank == bank && it.address.ip() == ip);
            if !known && let Ok(socket) = Socket::open(bank, ip) {
                self.list.push(socket);
            }
        }
    }

    /// Where a bank is.
    pub(crate) fn addresses(&self, bank: usize) -> impl Iterator<Item = SocketAddr> {
        let list = self.list.iter().filter(move |it| it.bank == bank);
        list.map(|it| it.address)
    }

    /// One of them is there.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.list.iter().any(|it| it.address == address)
    }

    /// The next datagram, into `buffer`.
    pub(crate) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Arrival> {
        for _ in 0..self.list.len() {
            self.turn = (self.turn + 1) % self.list.len();
            let Socket {
                address, socket, ..
            } = &self.list[self.turn];
            loop {
                let mut read = ReadBuf::new(buffer);
                match socket.poll_recv_from(context, &mut read) {
                    Poll::Ready(Ok(from)) => {
                        return Poll::Ready(Arrival {
                            from,
                            at: *address,
                            length: read.filled().len(),
                        });
                    }
                    // Of something that was sent before: nobody is there, or no way leads there.
                    Poll::Ready(Err(_)) => {}
                    Poll::Pending => break,
                }
            }
        }
        Poll::Pending
    }

    /// Sends a datagram. False if there is no room for it now; one that can't be sent at all is
    /// lost, as any may be.
    pub(crate) fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> bool {
        let socket = self.list.iter().find(|it| it.address == from);
        let sent = socket.map(|it| it.socket.try_send_to(bytes, to));
        !matches!(sent, Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether one of ours has room again, or is gone.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>, from: SocketAddr) -> Poll<()> {
        let socket = self.list.iter().find(|it| it.address == from);
        match socket {
            Some(it) => it.socket.poll_send_ready(context).map(|_| ()),
            None => Poll::Ready(()),
        }
    }
}

impl Socket {
    fn open(bank: usize, ip: IpAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        // What the system does not allow we do without.
        let _ = SockRef::from(&socket).set_recv_buffer_size(BUFFER);
        let socket = UdpSocket::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok(Socket {
            bank,
            address,
            socket,
        })
    }
}

/// Those at which others may reach this machine. Its own to itself, only where it has no others
/// (RFC 8445 §5.1.1.1), which is as good as no network but for who is on it.
fn addresses() -> Vec<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let mut of_link: Vec<IpAddr> = all.iter().map(if_addrs::Interface::ip).collect();
    of_link.retain(|ip| is_reached(*ip));
    of_link.sort_unstable();
    of_link.dedup();
    if of_link.iter().any(|ip| !ip.is_loopback()) {
        of_link.retain(|ip| !ip.is_loopback());
    }
    of_link.truncate(MAX_ADDRESSES);
    of_link
}

/// Addresses of a link alone are to nobody without the link's name.
fn is_reached(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}
