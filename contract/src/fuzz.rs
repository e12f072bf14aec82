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

/// Any bytes as the JSON body of every request; a decoded body must encode and decode to itself.
pub fn request_body(data: &[u8]) {
    use crate::{admin::*, directory::*, files::*, identity::*, messaging::*};
    same::<ProposalRequest>(data);
    same::<ApproveRequest>(data);
    same::<SuspendRequest>(data);
    same::<CreateUnitRequest>(data);
    same::<CreatePostRequest>(data);
    same::<CreateOfficialRequest>(data);
    same::<CreateFileRequest>(data);
    same::<EnrolStartRequest>(data);
    same::<EnrolFinishRequest>(data);
    same::<LoginStartRequest>(data);
    same::<LoginPasswordRequest>(data);
    same::<LoginSimRequest>(data);
    same::<RefreshRequest>(data);
    same::<LogoutRequest>(data);
    same::<PasswordStartRequest>(data);
    same::<PasswordFinishRequest>(data);
    same::<CrossSignRequest>(data);
    same::<RevokeDeviceRequest>(data);
    same::<MlsCertificateRequest>(data);
    same::<PublishKeyPackagesRequest>(data);
    same::<CreateGroupRequest>(data);
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned>(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<T>(data) else { return };
    let text = serde_json::to_vec(&body).expect("what was decoded can be encoded");
    let again: T = serde_json::from_slice(&text).expect("what was encoded can be decoded");
    assert_eq!(serde_json::to_vec(&again).ok(), Some(text));
}
