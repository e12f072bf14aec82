//! Entry points of the fuzz workspace.

/// Any bytes as a client frame; a decoded frame must encode and decode to itself.
pub fn client_frame(data: &[u8]) {
    if let Ok(frame) = crate::frames::ClientFrame::decode(data) {
        assert_eq!(crate::frames::ClientFrame::decode(&frame.encode()).ok(), Some(frame));
    }
}

/// Any bytes as a server frame.
pub fn server_frame(data: &[u8]) {
    if let Ok(frame) = crate::frames::ServerFrame::decode(data) {
        assert_eq!(crate::frames::ServerFrame::decode(&frame.encode()).ok(), Some(frame));
    }
}
