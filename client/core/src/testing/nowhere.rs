//! A server that nobody reaches.

use crate::transport::{Connection, EventSocket, HttpRequest, HttpResponse, Transport, TransportError};

/// Every request fails as it does without a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Connection for Nowhere {
    fn channel_binding(&self) -> Option<[u8; 32]> {
        None
    }
    async fn send(&mut self, _: HttpRequest) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Unreachable)
    }
}

impl EventSocket for Nowhere {
    async fn send(&mut self, _: Vec<u8>) -> Result<(), TransportError> {
        Err(TransportError::Unreachable)
    }
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        Err(TransportError::Unreachable)
    }
}

impl Transport for Nowhere {
    type Connection = Nowhere;
    type Socket = Nowhere;
    fn origin(&self) -> String {
        "http://nowhere.localhost:1".into()
    }
    async fn http(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Unreachable)
    }
    async fn open(&self) -> Result<Nowhere, TransportError> {
        Err(TransportError::Unreachable)
    }
    async fn connect_events(&self) -> Result<Nowhere, TransportError> {
        Err(TransportError::Unreachable)
    }
}
