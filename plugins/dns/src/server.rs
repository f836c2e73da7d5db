//! A name server, and the connections to it.

mod network;
mod spare;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::{timeout, timeout_at};

use crate::connection::{Connection, Idle, Stream};
use crate::fault::{ConnectFault, Doing, Fault};
use crate::key::Key;
use crate::settings::ServerHost;
use crate::tls::{Tls, TlsFault};

use self::spare::Spare;

pub(crate) use self::network::Network;

/// A name server as one set of settings talks to it: an address, a key, and TLS or not.
pub(crate) struct Server {
    host: ServerHost,
    port: u16,
    shown: String,
    key: Option<Key>,
    tls: Option<Tls>,
    timeout: Duration,
    permits: Arc<Semaphore>,
    spare: Arc<Spare>,
    /// The address that was connected to last, if the server has several.
    preferred: Mutex<Option<SocketAddr>>,
    /// What a test has the name of the server stand for.
    #[cfg(test)]
    resolved: Mutex<Option<SocketAddr>>,
}

impl Server {
    fn new(
        host: ServerHost,
        port: u16,
        key: Option<Key>,
        tls: Option<Tls>,
        timeout: Duration,
        permits: Arc<Semaphore>,
        spare: Arc<Spare>,
    ) -> Self {
        let suffix = if tls.is_some() { " (TLS)" } else { "" };
        Self {
            shown: format!("{host}:{port}{suffix}"),
            host,
            port,
            key,
            tls,
            timeout,
            permits,
            spare,
            preferred: Mutex::new(None),
            #[cfg(test)]
            resolved: Mutex::new(None),
        }
    }

    /// A server of a test.
    #[cfg(test)]
    pub(crate) fn at(address: SocketAddr, key: Option<Key>, timeout: Duration) -> Arc<Self> {
        let host = ServerHost::Address(address.ip());
        let permits = Arc::new(Semaphore::new(4));
        let (port, spare) = (address.port(), Arc::default());
        Arc::new(Self::new(host, port, key, None, timeout, permits, spare))
    }

    /// Has the name of the server stand for `address` from now on.
    #[cfg(test)]
    pub(crate) fn resolves_to(&self, address: SocketAddr) {
        *self.resolved.lock().unwrap() = Some(address);
    }

    /// The server as messages name it, such as `192.0.2.1:53`.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// What has to stay the same for what was read from `address` to be compared with what is served later:
    /// the server, which of its addresses it was, because a name may stand for several servers, and the key,
    /// because views may be chosen by it.
    pub(crate) fn identity(&self, address: SocketAddr) -> String {
        let key = self.key.as_ref().map(Key::name);
        let key = key.as_deref().unwrap_or("-");
        format!("{} {} {key}", self.shown, address.ip())
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// How long a wait for this server may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A connection to the server: one that is idle, or a new one to one of its addresses.
    ///
    /// Waits while `per_server` connections are in use. That wait has no limit of its own; whoever has a
    /// deadline for the whole drops the future, which is safe at any time.
    ///
    /// # Errors
    ///
    /// [`Fault::Resolve`], [`Fault::Connect`] with what came of each address, or [`Fault::Timeout`].
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Connection, Fault> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .expect("the permits are never closed");
        let idle = self.spare.take(self);
        let is_reused = idle.is_some();
        let idle = match idle {
            Some(idle) => idle,
            None => {
                self.spare.make_room(self);
                self.connect().await?
            }
        };
        Ok(Connection::new(Arc::clone(self), permit, idle, is_reused))
    }

    /// Connects anew.
    pub(crate) async fn connect(&self) -> Result<Idle, Fault> {
        let addresses = self.addresses().await?;
        self.connect_to_one(addresses).await
    }

    /// Connects to the first of `addresses` that takes it. The one that did so the last time comes first:
    /// where IPv6 leads nowhere, that costs `timeout` once, not with every connection.
    async fn connect_to_one(&self, mut addresses: Vec<SocketAddr>) -> Result<Idle, Fault> {
        let preferred = *self.preferred();
        if let Some(at) = addresses.iter().position(|one| Some(*one) == preferred) {
            addresses[..=at].rotate_right(1);
        }
        let mut attempts = Vec::new();
        for address in addresses {
            match self.connect_to(address).await {
                Ok(stream) => {
                    *self.preferred() = Some(address);
                    return Ok(Idle::new(stream, address));
                }
                Err(fault) => attempts.push((address, fault)),
            }
        }
        Err(Fault::Connect(attempts))
    }

    fn preferred(&self) -> MutexGuard<'_, Option<SocketAddr>> {
        self.preferred
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<Stream, ConnectFault> {
        let deadline = tokio::time::Instant::now() + self.timeout;
        let connected = timeout_at(deadline, TcpStream::connect(address)).await;
        let stream = connected.or(Err(ConnectFault::Timeout(self.timeout)))??;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Stream::Tcp(stream));
        };
        let agreed = timeout_at(deadline, tls.connect(stream, &self.host)).await;
        let stream = agreed.or(Err(ConnectFault::Tls(TlsFault::Silence(self.timeout))))??;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// The addresses of the server, as the system knows and orders them.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
        #[cfg(test)]
        if let Some(address) = *self.resolved.lock().unwrap() {
            return Ok(vec![address]);
        }
        let name = match &self.host {
            ServerHost::Address(address) => return Ok(vec![SocketAddr::new(*address, self.port)]),
            ServerHost::Name(name) => name,
        };
        let found = timeout(self.timeout, lookup_host((name.as_str(), self.port))).await;
        let (doing, limit) = (Doing::Resolving, self.timeout);
        let found = found.or(Err(Fault::Timeout { doing, limit }))?;
        let mut addresses = Vec::new();
        for address in found.map_err(|error| Fault::Resolve {
            host: name.clone(),
            error,
        })? {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            let error = io::Error::new(io::ErrorKind::NotFound, "it has none");
            let host = name.clone();
            return Err(Fault::Resolve { host, error });
        }
        Ok(addresses)
    }

    /// Takes a connection back whose exchange is over.
    pub(crate) fn keep(&self, idle: Idle) {
        self.spare.keep(self, idle);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({} {:?})", self.shown, self.key)
    }
}

#[cfg(test)]
mod tests;
