//! The other end of the socket, one question at a time: `status`, and tests.

use anyhow::{Context as _, Result, bail, ensure};
use pakawaaz_sim_vault::frame::{Decoder, encode};
use pakawaaz_sim_vault::{Answer, Ask, FromVault, Report, ToVault};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection.
pub struct Client {
    stream: UnixStream,
    decoder: Decoder,
    software: bool,
    id: u64,
}

impl Client {
    /// Connects and greets.
    ///
    /// # Errors
    /// Nobody is there, or no vault of this version.
    pub fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).with_context(|| format!("connecting to {}", path.display()))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut client = Self { stream, decoder: Decoder::default(), software: true, id: 0 };
        match client.exchange(&ToVault::Hello)? {
            FromVault::Hello { software } => client.software = software,
            other => bail!("not a greeting: {other:?}"),
        }
        Ok(client)
    }

    /// Whether the vault's key could be copied out of it.
    pub fn is_software(&self) -> bool {
        self.software
    }

    /// One answer for each ask.
    ///
    /// # Errors
    /// The connection fails.
    pub fn ask(&mut self, asks: &[Ask]) -> Result<Vec<Answer>> {
        self.id += 1;
        let expected = self.id;
        match self.exchange(&ToVault::Ask { id: expected, asks: asks.to_vec() })? {
            FromVault::Answers { id, answers } => {
                ensure!(id == expected && answers.len() == asks.len(), "answers to something else");
                Ok(answers)
            }
            other => bail!("no answers: {other:?}"),
        }
    }

    /// How much the vault was used.
    ///
    /// # Errors
    /// The connection fails.
    pub fn report(&mut self) -> Result<Report> {
        self.id += 1;
        match self.exchange(&ToVault::Report { id: self.id })? {
            FromVault::Report { id, report } if id == self.id => Ok(report),
            other => bail!("no report: {other:?}"),
        }
    }

    fn exchange(&mut self, said: &ToVault) -> Result<FromVault> {
        let mut out = Vec::new();
        encode(said, &mut out)?;
        self.stream.write_all(&out)?;
        let mut bytes = [0; 16 * 1024];
        loop {
            if let Some(answer) = self.decoder.take()? {
                return Ok(answer);
            }
            let length = self.stream.read(&mut bytes)?;
            ensure!(length > 0, "the vault closed the connection");
            self.decoder.feed(&bytes[..length]);
        }
    }
}
