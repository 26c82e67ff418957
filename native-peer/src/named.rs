//! Peers that a person names: looked up now and again, since they may come later, or be
//! elsewhere by then.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How often they are looked up.
const AGAIN: Duration = Duration::from_secs(30);

/// See the module. Must be made within a Tokio runtime.
#[derive(Debug)]
pub(crate) struct NamedPeers(mpsc::Receiver<Result<Vec<SocketAddr>, String>>);

impl NamedPeers {
    /// These, each as `HOST:PORT`.
    pub(crate) fn new(names: Vec<String>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(look_up(names, sender));
        NamedPeers(receiver)
    }

    /// Where some of them are, or what is wrong; waits forever if there are none. Dropping the
    /// future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Vec<SocketAddr>, String> {
        match self.0.recv().await {
            Some(found) => found,
            None => std::future::pending().await,
        }
    }
}

/// Until nobody listens.
async fn look_up(names: Vec<String>, found: mpsc::Sender<Result<Vec<SocketAddr>, String>>) {
    while !names.is_empty() {
        for name in &names {
            let addresses = match lookup_host(name).await {
                Ok(addresses) => Ok(addresses.collect()),
                Err(error) => Err(format!("cannot find {name}: {error}")),
            };
            if found.send(addresses).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = found.closed() => return,
        }
    }
}
