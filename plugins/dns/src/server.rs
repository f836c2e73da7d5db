//! The name servers of a plugin, by zone, and the connections to them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use janitor_plugin_api::dns::{Name, NameRef};
use janitor_plugin_api::{Error, Host};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connection::{Connection, Idle, Stream};
use crate::fault::{ConnectFault, Doing, Fault};
use crate::key::{Key, KeySettings};
use crate::settings::{NetworkSettings, ServerAddress, ServerHost};

const PORT: u16 = 53;

/// How long a connection is kept for the next request. Servers close idle ones after some seconds
/// themselves (RFC 7766, section 6.2.3), and a request on a closed connection costs a second try.
const KEPT_IDLE: Duration = Duration::from_secs(5);

/// All name servers that one plugin knows.
#[derive(Debug)]
pub(crate) struct Network {
    /// The servers of each zone that the settings name; the root is the rest of them.
    zones: BTreeMap<Name, Vec<Arc<Server>>>,
}

impl Network {
    /// The servers that `settings` name. Nothing is asked of them yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a key that cannot be read, or a zone whose name is none.
    pub(crate) fn new(settings: &NetworkSettings, host: &Host) -> Result<Self, Error> {
        let mut of_zones = BTreeMap::new();
        for (text, zone) in &settings.zones {
            let apex: Name = text
                .parse()
                .map_err(|e| Error::config(format!("cannot use `zones.\"{text}\"`"), e))?;
            if of_zones.insert(apex, (text, zone)).is_some() {
                let twice = "another entry of `zones` names the same zone in another spelling";
                return Err(Error::config(
                    format!("cannot use `zones.\"{text}\"`"),
                    twice,
                ));
            }
        }
        let mut keys = Keys::new(host);
        let root_key = keys.of(settings.tsig_key.as_ref(), "tsig_key")?;
        let mut pool = Pool::new(settings);
        let mut zones = BTreeMap::new();
        // What is not said about a zone is looked for above it, and a name comes after those above it.
        let mut said = BTreeMap::from([(Name::root(), (settings.servers.as_slice(), root_key))]);
        for (apex, (text, zone)) in &of_zones {
            let (servers, key) = closest(&said, apex.as_ref()).expect("the root is there");
            let setting = format!("zones.\"{text}\".tsig_key");
            let key = match zone.tsig_key() {
                Some(settings) => keys.of(Some(settings), &setting)?,
                None => key.clone(),
            };
            let servers = zone.servers().unwrap_or(servers);
            said.insert(apex.clone(), (servers, key));
        }
        for (apex, (servers, key)) in said {
            let servers = servers
                .iter()
                .map(|address| pool.server(address, key.as_ref()));
            zones.insert(apex, servers.collect());
        }
        Ok(Self { zones })
    }

    /// The servers of the zone at `apex`, in the order of the settings.
    ///
    /// # Errors
    ///
    /// [`Error::zone`] if the settings name none.
    pub(crate) fn servers(&self, apex: NameRef<'_>) -> Result<&[Arc<Server>], Error> {
        let servers = closest(&self.zones, apex).map_or(&[][..], Vec::as_slice);
        if servers.is_empty() {
            let cannot = format!("cannot ask anybody about `{apex}`");
            return Err(Error::zone(cannot, "no name server is configured for it")
                .hint("set `servers` in `[dns]`, or for this zone in `[dns.zones]`"));
        }
        Ok(servers)
    }

    /// Every server once, however many zones it is named for.
    pub(crate) fn all_servers(&self) -> Vec<&Arc<Server>> {
        let mut all: Vec<&Arc<Server>> = Vec::new();
        for server in self.zones.values().flatten() {
            if !all.iter().any(|other| Arc::ptr_eq(other, server)) {
                all.push(server);
            }
        }
        all
    }
}

/// What is said of `name`, or of the closest name above it.
fn closest<'a, T>(said: &'a BTreeMap<Name, T>, name: NameRef<'_>) -> Option<&'a T> {
    let above = std::iter::successors(Some(name), |name| name.parent());
    above
        .into_iter()
        .find_map(|name| said.get(&name.to_owned()))
}

/// Keys that are read once, however often they are named.
struct Keys<'a> {
    host: &'a Host,
}

impl<'a> Keys<'a> {
    fn new(host: &'a Host) -> Self {
        Self { host }
    }

    fn of(&mut self, settings: Option<&KeySettings>, setting: &str) -> Result<Option<Key>, Error> {
        settings
            .map(|settings| Key::load(settings, setting, self.host))
            .transpose()
    }
}

/// Servers that are put together once, and the permits that those of one address share.
struct Pool<'a> {
    settings: &'a NetworkSettings,
    permits: HashMap<(ServerHost, u16), Arc<Semaphore>>,
    servers: HashMap<(ServerHost, u16, Option<usize>), Arc<Server>>,
}

impl<'a> Pool<'a> {
    fn new(settings: &'a NetworkSettings) -> Self {
        Self {
            settings,
            permits: HashMap::new(),
            servers: HashMap::new(),
        }
    }

    fn server(&mut self, address: &ServerAddress, key: Option<&Key>) -> Arc<Server> {
        let (host, port) = (address.host.clone(), address.port.unwrap_or(PORT));
        let at_once = usize::from(self.settings.per_server);
        let permits = self
            .permits
            .entry((host.clone(), port))
            .or_insert_with(|| Arc::new(Semaphore::new(at_once)));
        let server = self
            .servers
            .entry((host.clone(), port, key.map(Key::number)))
            .or_insert_with(|| {
                let (permits, timeout) = (Arc::clone(permits), self.settings.timeout);
                Arc::new(Server::new(host, port, key.cloned(), timeout, permits))
            });
        Arc::clone(server)
    }
}

/// A name server as one set of settings talks to it: an address and a key.
pub(crate) struct Server {
    host: ServerHost,
    port: u16,
    shown: String,
    key: Option<Key>,
    timeout: Duration,
    permits: Arc<Semaphore>,
    /// Connections whose last exchange is over, the latest last.
    idle: Mutex<Vec<(Instant, Idle)>>,
}

impl Server {
    fn new(
        host: ServerHost,
        port: u16,
        key: Option<Key>,
        timeout: Duration,
        permits: Arc<Semaphore>,
    ) -> Self {
        Self {
            shown: format!("{host}:{port}"),
            host,
            port,
            key,
            timeout,
            permits,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// A server of a test.
    #[cfg(test)]
    pub(crate) fn at(address: SocketAddr, key: Option<Key>, timeout: Duration) -> Arc<Self> {
        let host = ServerHost::Address(address.ip());
        let permits = Arc::new(Semaphore::new(4));
        Arc::new(Self::new(host, address.port(), key, timeout, permits))
    }

    /// The server as messages name it, such as `192.0.2.1:53`.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// What has to stay the same for what was read from the server to be compared with what it serves
    /// later: its address and, because views may be chosen by it, the key.
    pub(crate) fn identity(&self) -> String {
        let key = self.key.as_ref().map(Key::name);
        format!("{} {}", self.shown, key.as_deref().unwrap_or("-"))
    }

    /// Whether requests are signed, and answers have to be.
    pub(crate) fn is_signed(&self) -> bool {
        self.key.is_some()
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// How long a wait for this server may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A connection to the server: one that is idle, or a new one to the first of its addresses that
    /// takes it.
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
        let idle = self.take_idle();
        let is_reused = idle.is_some();
        let idle = match idle {
            Some(idle) => idle,
            None => Idle::new(self.connect().await?),
        };
        Ok(Connection::new(Arc::clone(self), permit, idle, is_reused))
    }

    /// Connects anew.
    pub(crate) async fn connect(&self) -> Result<Stream, Fault> {
        let mut attempts = Vec::new();
        for address in self.addresses().await? {
            match timeout(self.timeout, self.connect_to(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(fault)) => attempts.push((address, fault)),
                Err(_) => attempts.push((address, ConnectFault::Timeout(self.timeout))),
            }
        }
        Err(Fault::Connect(attempts))
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<Stream, ConnectFault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    /// The addresses of the server, as the system knows and orders them.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
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
        Ok(addresses)
    }

    /// An idle connection that is still good as far as can be seen without sending anything.
    fn take_idle(&self) -> Option<Idle> {
        let mut all = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((since, idle)) = all.pop() {
            if since.elapsed() < KEPT_IDLE && idle.is_open() {
                return Some(idle);
            }
        }
        None
    }

    /// Takes a connection back whose exchange is over.
    pub(crate) fn keep(&self, idle: Idle) {
        let mut all = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((Instant::now(), idle));
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({} {:?})", self.shown, self.key)
    }
}
