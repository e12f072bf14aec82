//! Native edge of the client: TLS with exporter binding, WebSocket, profile folder and lock, SIM file.
