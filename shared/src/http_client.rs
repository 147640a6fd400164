//! HTTP clients of all but AWS. TLS is rustls with ring, as in `aws.rs` (docs/adr/0011-small-packages.md).

/// A builder of clients.
pub fn builder() -> reqwest::ClientBuilder {
    // Refused when the process has a provider already, which is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// A client without settings.
///
/// # Panics
/// If the machine has no roots of trust.
pub fn client() -> reqwest::Client {
    builder().build().expect("the machine has roots of trust")
}
