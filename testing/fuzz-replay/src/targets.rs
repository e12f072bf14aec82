//! Every fuzz entry of the workspace. Written by `cargo xtask fuzz`; do not edit.

use crate::Target;

/// All entries, sorted by name.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target { name: "aka-algorithm", run: pakawaaz_aka::fuzz::algorithm },
    Target { name: "aka-autn", run: pakawaaz_aka::fuzz::autn },
    Target { name: "aka-auts", run: pakawaaz_aka::fuzz::auts },
    Target { name: "aka-text", run: pakawaaz_aka::fuzz::text },
    Target { name: "aka-usim", run: pakawaaz_aka::fuzz::usim },
    Target { name: "client-http_answer", run: pakawaaz_client::fuzz::http_answer },
    Target { name: "client-server_frames", run: pakawaaz_client::fuzz::server_frames },
    Target { name: "client-stored_rows", run: pakawaaz_client::fuzz::stored_rows },
    Target { name: "contract-client_frame", run: pakawaaz_contract::fuzz::client_frame },
    Target { name: "contract-request_body", run: pakawaaz_contract::fuzz::request_body },
    Target { name: "contract-server_frame", run: pakawaaz_contract::fuzz::server_frame },
    Target { name: "conversation-content", run: pakawaaz_conversation::fuzz::content },
    Target { name: "conversation-credential", run: pakawaaz_conversation::fuzz::credential },
    Target { name: "conversation-rejection", run: pakawaaz_conversation::fuzz::rejection },
    Target { name: "conversation-settings", run: pakawaaz_conversation::fuzz::settings },
    Target { name: "directory-search_query", run: pakawaaz_directory::fuzz::search_query },
    Target { name: "file-stream-sealed_chunk", run: pakawaaz_file_stream::fuzz::sealed_chunk },
    Target { name: "files-access_header", run: pakawaaz_files::fuzz::access_header },
    Target { name: "files-blob_name", run: pakawaaz_files::fuzz::blob_name },
    Target { name: "identity-refresh_token", run: pakawaaz_identity::fuzz::refresh_token },
    Target { name: "identity-sim_csv", run: pakawaaz_identity::fuzz::sim_csv },
    Target { name: "login-dpop", run: pakawaaz_login::fuzz::dpop },
    Target { name: "login-opaque", run: pakawaaz_login::fuzz::opaque },
    Target { name: "login-sealed_state", run: pakawaaz_login::fuzz::sealed_state },
    Target { name: "login-token", run: pakawaaz_login::fuzz::token },
    Target { name: "messaging-application_header", run: pakawaaz_messaging::fuzz::application_header },
    Target { name: "messaging-commit", run: pakawaaz_messaging::fuzz::commit },
    Target { name: "messaging-group_info", run: pakawaaz_messaging::fuzz::group_info },
    Target { name: "messaging-key_package", run: pakawaaz_messaging::fuzz::key_package },
    Target { name: "messaging-ratchet_tree", run: pakawaaz_messaging::fuzz::ratchet_tree },
    Target { name: "messaging-welcome", run: pakawaaz_messaging::fuzz::welcome },
    Target { name: "trust-certificate", run: pakawaaz_trust::fuzz::certificate },
    Target { name: "trust-statement", run: pakawaaz_trust::fuzz::statement },
    Target { name: "trust-voucher", run: pakawaaz_trust::fuzz::voucher },
];
