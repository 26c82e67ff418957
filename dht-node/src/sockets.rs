//! One port for UDP over IPv4 and over IPv6, with a socket for each: BEP 32 keeps the two
//! networks apart.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use swarm_core::dht::krpc::MAX_DATAGRAM;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// What is longer is cut, and then refused for its length.
const LONGEST: usize = MAX_DATAGRAM + 1;
/// Ports that are tried until one is free for both families, if any will do.
const ATTEMPTS: usize = 16;
/// After a datagram could not be received.
const PAUSE: Duration = Duration::from_millis(1);

/// See the module. At least one of the two is there.
#[derive(Debug)]
pub(crate) struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    buffers: [Vec<u8>; 2],
}

impl Sockets {
    /// Both families at a port, any that is free if it is 0; or the one that there is.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let mut attempts = if port == 0 { ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            let v4 = bind((Ipv4Addr::UNSPECIFIED, port).into());
            let same = match &v4 {
                Ok(v4) => v4.local_addr()?.port(),
                Err(_) => port,
            };
            match (v4, bind((Ipv6Addr::UNSPECIFIED, same).into())) {
                (Err(error), Err(_)) => return Err(error),
                (Err(error), Ok(_)) | (Ok(_), Err(error)) if in_use(&error) && attempts > 0 => {}
                // Somebody else is at this port over one of the two.
                (Err(error), Ok(_)) | (Ok(_), Err(error)) if in_use(&error) => return Err(error),
                (v4, v6) => return Ok(Self::new(v4.ok(), v6.ok())),
            }
        }
    }

    /// One address of one family, or `[::]`, which is both.
    pub(crate) fn open_at(address: SocketAddr) -> io::Result<Self> {
        match address.ip() {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Self::open(address.port()),
            IpAddr::V6(_) => Ok(Self::new(None, Some(bind(address)?))),
            IpAddr::V4(_) => Ok(Self::new(Some(bind(address)?), None)),
        }
    }

    fn new(v4: Option<UdpSocket>, v6: Option<UdpSocket>) -> Self {
        Sockets {
            v4,
            v6,
            buffers: [vec![0; LONGEST], vec![0; LONGEST]],
        }
    }

    /// There is IPv4.
    pub(crate) fn has_v4(&self) -> bool {
        self.v4.is_some()
    }

    /// There is IPv6.
    pub(crate) fn has_v6(&self) -> bool {
        self.v6.is_some()
    }

    /// Where we are to be found: IPv4 if there is any.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        let any = self.v4.as_ref().or(self.v6.as_ref());
        any.ok_or(io::ErrorKind::NotConnected)?.local_addr()
    }

    /// The next datagram, and whose it is. Dropping the future loses nothing.
    pub(crate) async fn receive(&mut self) -> (SocketAddr, &[u8]) {
        loop {
            let [four, six] = &mut self.buffers;
            let (which, received) = tokio::select! {
                received = receive(self.v4.as_ref(), four) => (0, received),
                received = receive(self.v6.as_ref(), six) => (1, received),
            };
            // An error is about what we sent to somebody earlier, who is not there. One that
            // lasts is not to keep us busy.
            let Ok((length, from)) = received else {
                sleep(PAUSE).await;
                continue;
            };
            return (from, &self.buffers[which][..length]);
        }
    }

    /// Sends a datagram, or loses it, as the network does.
    pub(crate) fn send(&self, to: SocketAddr, datagram: &[u8]) {
        let socket = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        if let Some(socket) = socket {
            // Tokio's would be lost while it does not know yet that there is room.
            let _ = SockRef::from(socket).send_to(datagram, &to.into());
        }
    }
}

async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

fn in_use(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}
