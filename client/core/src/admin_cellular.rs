//! Administration of the cellular network. What comes back is the server's word: nothing here is signed by anybody.

use crate::http::{post, request};
use crate::transport::Method;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_contract::cellular::{
    CellularAlarmList, CellularAllowLists, CellularDetachRequest, CellularGnbList, CellularNetworkState,
    CellularOverloadRequest, CellularQuery, CellularSubscriber, CellularSubscriberList, CellularTrace,
    CellularTraceList, CellularTraceReadRequest, CellularTraceRequest, CellularTraceState, CellularUeList,
    SetCellularNetworkRequest,
};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The network in force.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and the usual ones of a request, here and below.
    pub async fn cellular_network(&self) -> Result<CellularNetworkState, ClientError> {
        self.get("/v1/admin/cellular/network").await
    }
    /// Changes the network, made from the version in the request.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.changed` when somebody was faster.
    pub async fn set_cellular_network(
        &self,
        request: &SetCellularNetworkRequest,
    ) -> Result<CellularNetworkState, ClientError> {
        let mut http = post("/v1/admin/cellular/network", request);
        http.method = Method::Put;
        crate::http::json(self.authorised(http).await?)
    }
    /// gNBs that are connected.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_gnbs(&self) -> Result<CellularGnbList, ClientError> {
        self.get("/v1/admin/cellular/gnbs").await
    }
    /// What phones may reach, as the user plane enforces it.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.off` and `cellular.standby` where no core runs.
    pub async fn cellular_allow_lists(&self) -> Result<CellularAllowLists, ClientError> {
        self.get("/v1/admin/cellular/allow-lists").await
    }
    /// Registered phones with their sessions.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_ues(&self, query: &CellularQuery) -> Result<CellularUeList, ClientError> {
        self.post("/v1/admin/cellular/ues/query", query).await
    }
    /// Cards with a profile of their own.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_subscribers(&self, query: &CellularQuery) -> Result<CellularSubscriberList, ClientError> {
        self.post("/v1/admin/cellular/subscribers/query", query).await
    }
    /// Says what a card may do; takes effect at once.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn set_cellular_subscriber(&self, subscriber: &CellularSubscriber) -> Result<(), ClientError> {
        let mut http = post("/v1/admin/cellular/subscribers", subscriber);
        http.method = Method::Put;
        self.authorised(http).await.map(drop)
    }
    /// Has a phone leave the network.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.not_found` when it is not registered.
    pub async fn cellular_detach(&self, request: &CellularDetachRequest) -> Result<(), ClientError> {
        self.post_empty("/v1/admin/cellular/detach", request).await
    }
    /// Has gNBs reduce signalling.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_overload(&self, request: &CellularOverloadRequest) -> Result<(), ClientError> {
        self.post_empty("/v1/admin/cellular/overload", request).await
    }
    /// Traces that go on, and those that can still be read.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_traces(&self) -> Result<CellularTraceList, ClientError> {
        self.get("/v1/admin/cellular/traces").await
    }
    /// Begins to write down one phone's procedures.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.too_many_traces`.
    pub async fn start_cellular_trace(
        &self,
        request: &CellularTraceRequest,
    ) -> Result<CellularTraceState, ClientError> {
        self.post("/v1/admin/cellular/traces/start", request).await
    }
    /// Ends that.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.not_found` when it does not go on.
    pub async fn stop_cellular_trace(&self, request: &CellularTraceRequest) -> Result<(), ClientError> {
        self.post_empty("/v1/admin/cellular/traces/stop", request).await
    }
    /// What was written down.
    ///
    /// # Errors
    /// As [`Client::cellular_network`]; `cellular.not_found` when there is no trace of this phone.
    pub async fn cellular_trace(&self, request: &CellularTraceReadRequest) -> Result<CellularTrace, ClientError> {
        self.post("/v1/admin/cellular/traces/read", request).await
    }
    /// Alarms: those that are not cleared, then the last that are.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn cellular_alarms(&self) -> Result<CellularAlarmList, ClientError> {
        self.get("/v1/admin/cellular/alarms").await
    }
    /// Clears an alarm: somebody has seen to it.
    ///
    /// # Errors
    /// As [`Client::cellular_network`].
    pub async fn clear_cellular_alarm(&self, alarm: &str) -> Result<(), ClientError> {
        let path = format!("/v1/admin/cellular/alarms/{}/clear", crate::http::query(alarm));
        self.authorised(request(Method::Post, &path)).await.map(drop)
    }
}
