//! Joins a world to a real N2 transport: one association for each gNB.

use crate::error::RansimError;
use crate::world::{Arrival, GnbId, N2Wire};
use pakawaaz_n2::{Association, Endpoint, Event, Sender};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Associations that wait to be read.
const WAITING: usize = 16 * 1024;

struct Link {
    sender: Sender,
    association: Option<Association>,
}

/// One endpoint for each gNB of a world, in their order.
pub struct Links {
    links: Vec<Link>,
    events: mpsc::Receiver<(GnbId, Event)>,
    feed: mpsc::Sender<(GnbId, Event)>,
    arrived: VecDeque<Arrival>,
}

impl Default for Links {
    fn default() -> Self {
        let (feed, events) = mpsc::channel(WAITING);
        Self { links: Vec::new(), events, feed, arrived: VecDeque::new() }
    }
}

impl Links {
    /// Adds the endpoint of the next gNB. Needs a tokio runtime.
    pub fn add(&mut self, endpoint: Endpoint) {
        let gnb = GnbId(self.links.len() as u32);
        self.links.push(Link { sender: endpoint.sender(), association: None });
        self.listen(gnb, endpoint);
    }

    fn listen(&self, gnb: GnbId, mut endpoint: Endpoint) {
        let feed = self.feed.clone();
        tokio::spawn(async move {
            while let Some(event) = endpoint.next().await {
                if feed.send((gnb, event)).await.is_err() {
                    return;
                }
            }
        });
    }

    /// A gNB that has lost its core connects again, to the same core or another one, over the framed loopback transport.
    ///
    /// # Errors
    /// [`RansimError::Socket`]; [`RansimError::State`] when it still has a core, or is not there.
    pub async fn again_framed(&mut self, gnb: GnbId, core: std::net::SocketAddr) -> Result<(), RansimError> {
        let endpoint = pakawaaz_n2::framed::connect(core).await.map_err(|e| RansimError::Socket(e.to_string()))?;
        let link = self.links.get_mut(gnb.0 as usize).ok_or(RansimError::State("there is no such gNB"))?;
        if link.association.is_some() {
            return Err(RansimError::State("the gNB has a core"));
        }
        link.sender = endpoint.sender();
        self.listen(gnb, endpoint);
        Ok(())
    }

    /// Over the framed loopback transport to `core`.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    pub async fn add_framed(&mut self, core: std::net::SocketAddr) -> Result<(), RansimError> {
        let endpoint = pakawaaz_n2::framed::connect(core).await;
        self.add(endpoint.map_err(|e| RansimError::Socket(e.to_string()))?);
        Ok(())
    }

    /// Over the kernel's SCTP to `core`.
    ///
    /// # Errors
    /// [`RansimError::Socket`].
    #[cfg(target_os = "linux")]
    pub async fn add_sctp(&mut self, core: &[std::net::SocketAddr]) -> Result<(), RansimError> {
        let endpoint = pakawaaz_n2::sctp::connect(&[], core, pakawaaz_n2::sctp::Settings::default()).await;
        self.add(endpoint.map_err(|e| RansimError::Socket(e.to_string()))?);
        Ok(())
    }

    /// A gNB dies: its association breaks off, and [`Arrival::Down`] follows.
    pub fn lose(&mut self, gnb: GnbId) {
        let Some(link) = self.links.get(gnb.0 as usize) else { return };
        if let Some(association) = link.association {
            link.sender.abort(association);
        }
    }

    /// Waits until something has arrived for [`N2Wire::recv`].
    pub async fn wait(&mut self) {
        if self.arrived.is_empty()
            && let Some((gnb, event)) = self.events.recv().await
        {
            self.take(gnb, event);
        }
    }

    fn take(&mut self, gnb: GnbId, event: Event) {
        let Some(link) = self.links.get_mut(gnb.0 as usize) else { return };
        match event {
            Event::Up { association, streams, .. } => {
                link.association = Some(association);
                self.arrived.push_back(Arrival::Up { gnb, streams });
            }
            Event::Message { stream, bytes, .. } => self.arrived.push_back(Arrival::Message { gnb, stream, bytes }),
            Event::Down { .. } => {
                link.association = None;
                self.arrived.push_back(Arrival::Down { gnb });
            }
            Event::Foreign { .. } => {}
        }
    }
}

impl N2Wire for Links {
    fn send(&mut self, gnb: GnbId, stream: u16, bytes: Vec<u8>) {
        let Some(link) = self.links.get(gnb.0 as usize) else { return };
        if let Some(association) = link.association {
            // What cannot be sent is lost with its association, which is announced.
            let _ = link.sender.send(association, stream, bytes);
        }
    }
    fn recv(&mut self) -> Option<Arrival> {
        if self.arrived.is_empty()
            && let Ok((gnb, event)) = self.events.try_recv()
        {
            self.take(gnb, event);
        }
        self.arrived.pop_front()
    }
}
