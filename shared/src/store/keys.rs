//! Every key of the table; nothing else writes one.

/// Partition of what a token may do; `hash` is its HMAC in hex, never the token.
pub(crate) fn token(hash: &str) -> String {
    format!("TOKEN#{hash}")
}
