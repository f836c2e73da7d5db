//! Takes the desired state of zones from a name server: a hidden primary as source of truth.
//!
//! Zones are read as `dns.axfr` reads them and sent as they come, in any order. What a signer has made is
//! not desired: the zone may be signed elsewhere, with other keys. One that cannot be read is left out by
//! name. Where a catalog says which zones there are, nothing goes on without it.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use janitor_plugin_api::dns::{ActualZone, BuildError, DesiredZone, Name, NameRef, ZoneBuilder};
use janitor_plugin_api::{Authority, Error, Host, RrsetSender};
use tokio::sync::Mutex;

use crate::catalog;
use crate::reading::{Reader, with_reading};

with_reading! {
    /// The table of `dns.primary`.
    #[derive(Debug)]
    pub(crate) struct Settings {
        /// The zones that are read.
        #[setting(default, example = ["example.com"])]
        names: Vec<String>,

        /// A catalog zone (RFC 9432), whose members are read as well.
        #[setting(example = "catalog.example.com")]
        catalog: Option<String>,
    }
}

/// The authority `dns.primary`.
pub(crate) struct Primary {
    reader: Reader,
    names: BTreeSet<Name>,
    catalog: Option<Name>,
    host: Host,
}

impl Authority for Primary {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let reader = Reader::new(&settings.network(), &settings.reading(), &host)?;
        let names = zones(&settings.names)?;
        let catalog = settings.catalog.as_deref().map(|text| {
            let name = text.parse::<Name>();
            name.map_err(|e| Error::config(format!("cannot use `{text}` as `catalog`"), e))
        });
        let catalog = catalog.transpose()?;
        if names.is_empty() && catalog.is_none() {
            let nothing = "neither `names` nor `catalog` names a zone";
            return Err(Error::config("cannot desire anything", nothing));
        }
        for apex in names.iter().chain(&catalog) {
            if !reader.knows_servers_of(apex.as_ref()) {
                let cannot = format!("cannot read `{apex}`");
                return Err(Error::config(cannot, "no name server is configured for it")
                    .hint("set `servers` in `[dns]`, or for this zone in `[dns.zones]`"));
            }
        }
        Ok(Self {
            reader,
            names,
            catalog,
            host,
        })
    }

    async fn run(&mut self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.host.cancelled() => Err(Error::cancelled("not every zone was read")),
            ended = self.send_all(rrsets) => ended,
        }
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.reader.measure(&self.host);
        Ok(())
    }
}

impl Primary {
    async fn send_all(&self, rrsets: &mut RrsetSender) -> Result<(), Error> {
        let mut names = self.names.clone();
        if let Some(catalog) = &self.catalog {
            names.extend(self.members(catalog).await?);
        }
        // Each read sends its zone itself: while one waits for the host to take it, the others read on,
        // and no server grows tired of waiting for us.
        let rrsets = &Mutex::new(rrsets);
        let reads = names.iter().map(async |apex| {
            match self.read(apex.as_ref()).await {
                Ok(zone) => rrsets.lock().await.send(zone).await?,
                // Sent with the RRsets that could be read, it would have all others deleted.
                Err(reason) => self.host.leave_out(apex.as_ref(), &reason),
            }
            Ok(())
        });
        let reads = stream::iter(reads).buffer_unordered(self.reader.at_once());
        reads.try_for_each(async |()| Ok(())).await
    }

    /// The zones that the catalog has. Without it nobody knows which zones are missing.
    async fn members(&self, catalog: &Name) -> Result<BTreeSet<Name>, Error> {
        let cannot = || format!("cannot take zones from the catalog `{catalog}`");
        let served = self.reader.read(catalog.as_ref()).await;
        let served = served.map_err(|e| Error::retry(cannot(), e))?;
        catalog::members(&served).map_err(|e| Error::retry(cannot(), e))
    }

    async fn read(&self, apex: NameRef<'_>) -> Result<DesiredZone, Error> {
        let served = self.reader.read(apex).await?;
        desired(&served).map_err(|e| Error::zone("cannot desire what is served", e))
    }
}

/// The zones that `names` names.
fn zones(names: &[String]) -> Result<BTreeSet<Name>, Error> {
    let mut zones = BTreeSet::new();
    for text in names {
        let cannot = || format!("cannot use `{text}` of `names`");
        let name = text.parse::<Name>();
        let name = name.map_err(|e| Error::config(cannot(), e))?;
        if !zones.insert(name) {
            return Err(Error::config(cannot(), "the zone is there twice"));
        }
    }
    Ok(zones)
}

/// What of a served zone is desired elsewhere: all but what a signer makes.
fn desired(served: &ActualZone) -> Result<DesiredZone, BuildError> {
    let apex = served.apex();
    let mut zone = ZoneBuilder::new(apex.to_owned());
    for rrset in served.rrsets() {
        if !rrset.rtype().is_signer_made(rrset.owner() == apex) {
            zone.push_ref(rrset)?;
        }
    }
    zone.set_complete();
    zone.build_desired()
}
