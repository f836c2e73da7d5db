//! Which servers a zone has, by the settings.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use janitor_plugin_api::dns::{Name, NameRef};
use janitor_plugin_api::{Error, Host};
use tokio::sync::Semaphore;

use super::Server;
use super::spare::Spare;
use crate::key::Key;
use crate::settings::{NetworkSettings, ServerAddress, ServerHost};
use crate::tls::Tls;

const PORT: u16 = 53;

/// The port of DNS over TLS (RFC 7858, section 3.1; RFC 9103, section 7.3).
const TLS_PORT: u16 = 853;

/// All name servers that one plugin knows.
#[derive(Debug)]
pub(crate) struct Network {
    /// The servers of each zone that the settings name; those of the root are for all others.
    zones: BTreeMap<Name, Vec<Arc<Server>>>,
}

impl Network {
    /// The servers that `settings` name. Nothing is asked of them yet.
    ///
    /// # Errors
    ///
    /// [`Error::config`] for a key or a certificate that cannot be used, or a zone whose name is none.
    pub(crate) fn new(settings: &NetworkSettings, host: &Host) -> Result<Self, Error> {
        Self::build(settings, |path| host.resolve(path))
    }

    fn build(
        settings: &NetworkSettings,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Self, Error> {
        let mut of_zones = BTreeMap::new();
        for (text, zone) in &settings.zones {
            let cannot = || format!("cannot use `zones.\"{text}\"`");
            let apex: Name = text.parse().map_err(|e| Error::config(cannot(), e))?;
            // A pattern, as other settings have them, which would stand for no zone at all here.
            if let Some(zone) = text.strip_prefix("*.") {
                let hint = format!("write `{zone}`: it stands for what is below it, too");
                return Err(Error::config(cannot(), "it is a pattern, not a zone").hint(hint));
            }
            if of_zones.insert(apex, (text, zone)).is_some() {
                let twice = "another entry of `zones` names the same zone in another spelling";
                return Err(Error::config(cannot(), twice));
            }
        }
        let load_key = |settings, setting: &str| Key::load(settings, setting, &resolve);
        let load_tls = |settings, setting: &str| Tls::new(settings, setting, &resolve);
        let root = Said {
            servers: &settings.servers,
            key: settings
                .tsig_key
                .as_ref()
                .map(|key| load_key(key, "tsig_key"))
                .transpose()?,
            tls: settings
                .tls
                .as_ref()
                .map(|tls| load_tls(tls, "tls"))
                .transpose()?,
        };
        let mut said = BTreeMap::from([(Name::root(), root)]);
        // In canonical order a name comes after those above it.
        for (apex, (text, zone)) in &of_zones {
            let mut own = closest(&said, apex.as_ref())
                .expect("the root is there")
                .clone();
            if let Some(servers) = zone.servers() {
                own.servers = servers;
            }
            if let Some(key) = zone.tsig_key() {
                own.key = Some(load_key(key, &format!("zones.\"{text}\".tsig_key"))?);
            }
            if let Some(tls) = zone.tls() {
                own.tls = Some(load_tls(tls, &format!("zones.\"{text}\".tls"))?);
            }
            said.insert(apex.clone(), own);
        }
        let mut pool = Pool::new(settings);
        let zones = said.into_iter().map(|(apex, said)| {
            let servers = said
                .servers
                .iter()
                .map(|address| pool.server(address, &said));
            (apex, servers.collect())
        });
        Ok(Self {
            zones: zones.collect(),
        })
    }

    /// The servers of a test, for every zone.
    #[cfg(test)]
    pub(crate) fn of(servers: Vec<Arc<Server>>) -> Self {
        let zones = BTreeMap::from([(Name::root(), servers)]);
        Self { zones }
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
}

/// What the settings say of one zone.
#[derive(Clone)]
struct Said<'a> {
    servers: &'a [ServerAddress],
    key: Option<Key>,
    tls: Option<Tls>,
}

/// What is said of `name`, or of the closest name above it.
fn closest<'a, T>(said: &'a BTreeMap<Name, T>, name: NameRef<'_>) -> Option<&'a T> {
    let mut names = std::iter::successors(Some(name), |name| name.parent());
    names.find_map(|name| said.get(&name.to_owned()))
}

/// Servers that are put together once each, and the permits that all of one address share.
struct Pool<'a> {
    settings: &'a NetworkSettings,
    permits: HashMap<(ServerHost, u16), Arc<Semaphore>>,
    servers: HashMap<(ServerHost, u16, Numbers), Arc<Server>>,
    spare: Arc<Spare>,
}

/// The numbers of a key and of a configuration of TLS.
type Numbers = (Option<usize>, Option<usize>);

impl<'a> Pool<'a> {
    fn new(settings: &'a NetworkSettings) -> Self {
        Self {
            settings,
            permits: HashMap::new(),
            servers: HashMap::new(),
            spare: Arc::default(),
        }
    }

    fn server(&mut self, address: &ServerAddress, said: &Said<'_>) -> Arc<Server> {
        let usual = if said.tls.is_some() { TLS_PORT } else { PORT };
        let (host, port) = (address.host.clone(), address.port.unwrap_or(usual));
        let at_once = usize::from(self.settings.per_server);
        let permits = self.permits.entry((host.clone(), port));
        let permits = permits.or_insert_with(|| Arc::new(Semaphore::new(at_once)));
        let (key, tls) = (said.key.clone(), said.tls.clone());
        let numbers = (key.as_ref().map(Key::number), tls.as_ref().map(Tls::number));
        let server = self.servers.entry((host.clone(), port, numbers));
        let server = server.or_insert_with(|| {
            let permits = Arc::clone(permits);
            Arc::new(Server::new(
                host,
                port,
                key,
                tls,
                self.settings.timeout,
                permits,
                Arc::clone(&self.spare),
            ))
        });
        Arc::clone(server)
    }
}

#[cfg(test)]
mod tests;
