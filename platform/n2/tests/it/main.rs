//! The conformance suite over every transport that this machine has; kernel SCTP runs it in a virtual machine.

use pakawaaz_n2::conformance::{self, Transport};
use pakawaaz_n2::{Endpoint, framed, memory};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;

struct Memory(Option<memory::Exchange>);
impl Transport for Memory {
    fn listen(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        let (endpoint, exchange) = memory::listen();
        self.0 = Some(exchange);
        Box::pin(async { endpoint })
    }
    fn connect(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        let gnb = self.0.as_ref().expect("listens").connect("a gNB");
        Box::pin(async { gnb })
    }
}

struct Framed(Option<SocketAddr>);
impl Transport for Framed {
    fn listen(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        Box::pin(async {
            let (endpoint, address) = framed::listen((Ipv4Addr::LOCALHOST, 0).into()).await.expect("listens");
            self.0 = Some(address);
            endpoint
        })
    }
    fn connect(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        let address = self.0.expect("listens");
        Box::pin(async move { framed::connect(address).await.expect("connects") })
    }
}

#[tokio::test]
async fn memory_conforms() {
    conformance::all(&mut Memory(None)).await;
}

#[tokio::test]
async fn framed_loopback_conforms() {
    conformance::all(&mut Framed(None)).await;
}

#[tokio::test]
async fn framed_n2_is_for_loopback_only() {
    let outside: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
    assert!(framed::listen(outside).await.is_err());
    assert!(framed::connect((Ipv4Addr::new(192, 0, 2, 1), 38412).into()).await.is_err());
}
