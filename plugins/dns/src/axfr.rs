//! Reads the served zones from name servers.

use janitor_plugin_api::dns::{ActualZone, NameRef};
use janitor_plugin_api::{ActualReader, Error, Host};

use crate::reading::{Reader, with_reading};

with_reading! {
    /// The table of `dns.axfr`.
    #[derive(Debug)]
    pub(crate) struct Settings {}
}

/// The reconciler `dns.axfr`.
pub(crate) struct Axfr {
    reader: Reader,
    host: Host,
}

impl ActualReader for Axfr {
    type Config = Settings;

    fn new(settings: Settings, host: Host) -> Result<Self, Error> {
        let reader = Reader::new(&settings.network(), &settings.reading(), &host)?;
        Ok(Self { reader, host })
    }

    async fn read(&self, apex: NameRef<'_>) -> Result<ActualZone, Error> {
        self.reader.read(apex).await
    }

    fn at_once(&self) -> usize {
        self.reader.at_once()
    }

    async fn cleanup(&mut self) -> Result<(), Error> {
        self.reader.measure(&self.host);
        Ok(())
    }
}
