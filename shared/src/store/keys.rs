//! Every key of the table; nothing else writes one.

/// Partition of what a token may do; `hash` is its HMAC in hex, never the token.
pub(crate) fn token(hash: &str) -> String {
    format!("TOKEN#{hash}")
}

/// Who a token is.
pub(crate) const TOKEN_IDENTITY: &str = "ACL";
/// The projects that a token's owner is a member of.
pub(crate) const TOKEN_MEMBERS: &str = "MEMBERS";

/// What a token may do in a project.
pub(crate) fn token_project(id: crate::model::ProjectId) -> String {
    format!("P#{id}")
}

/// What a token may do in the project at a path.
pub(crate) fn token_path(path: &str) -> String {
    format!("PATH#{}", path.replace('%', "%25").replace('#', "%23"))
}
