//! Which names the hub answers to while it listens on loopback. A page whose name is made to lead here (DNS rebinding)
//! would be of the hub's own origin to the browser, and the demo tokens are known to everybody.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;
use shared::Error;
use shared::dialect::Dialect;
use url::Url;

/// Refuses requests to another host than this machine by its own names, or the one of the hub's public URL.
pub async fn check(State(public_url): State<Arc<str>>, request: Request, next: Next) -> Response {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let host = request.uri().authority().cloned().or(named);
    if host.is_some_and(|host| is_ours(host.host(), &public_url)) {
        return next.run(request).await;
    }
    let refusal = Error::Forbidden(
        "this hub listens on loopback and answers to localhost, 127.0.0.1, [::1] and the host of PERIGEE_PUBLIC_URL, \
         not to another name in the Host header"
            .into(),
    );
    Dialect::of(request.uri().path()).render(&refusal, "")
}

fn is_ours(host: &str, public_url: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let public = Url::parse(public_url).ok();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.is_loopback())
        || public.and_then(|url| Some(url.host_str()?.eq_ignore_ascii_case(host))).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_and_the_public_one_are_ours() {
        let public = "https://Hub.example.test/sub";
        for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]", "hub.example.test"] {
            assert!(is_ours(host, public), "{host}");
        }
        for host in [
            "evil.test",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "0.0.0.0",
            "10.0.0.1",
            "[::2]",
            "",
            "example.test",
        ] {
            assert!(!is_ours(host, public), "{host}");
        }
        assert!(!is_ours("evil.test", "nonsense"));
    }
}
