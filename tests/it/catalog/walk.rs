//! Every route of the catalog and of its synchronisation, with every kind of caller.
//! A route without a path in [`target`] fails the walk: new routes must be added there.

use http::{Method, StatusCode, header};
use serde_json::json;
use shared::route::{BROWSE, Route, Rule};

use super::*;
use crate::hub::{DEVELOPER, GUEST, OUTSIDER, READ_ONLY};

/// A request to a route that finds something, and one that finds nothing, if there can be none.
fn target(route: &Route) -> (String, Option<String>) {
    let path = route.path.as_str();
    let fill = |collection: &str, item: &str| path.replace("{collection}", collection).replace("{*item}", item);
    match path {
        "/api/stac"
        | "/api/stac/"
        | "/api/stac/conformance"
        | "/api/stac/children"
        | "/api/stac/queryables"
        | "/api/stac/sortables"
        | "/api/stac/collections"
        | "/api/stac/search"
        | "/api/webhooks/gitlab" => (path.to_owned(), None),
        "/api/stac/collections/{collection}/items/{*item}" => {
            (fill("aimodel", "earth/flood-model"), Some(fill("aimodel", "earth/unknown")))
        }
        _ if path.starts_with("/api/stac/collections/{collection}") => {
            (fill("ai-model", ""), Some(fill("nothing", "")))
        }
        _ => panic!("{} {path} has no request here: add one", route.method),
    }
}

fn routes() -> Vec<Route> {
    let routes: Vec<Route> = stac_catalog::routes().into_iter().chain(catalog_sync::routes()).collect();
    assert!(routes.len() > 15, "{} routes", routes.len());
    routes
}

async fn ask(hub: &Hub, token: &str, method: &Method, path: &str) -> Answer {
    let body = (method == Method::POST).then(|| json!({}));
    let answer = hub.call(token, method.clone(), path, body).await;
    let text = String::from_utf8_lossy(&answer.bytes);
    assert!(!text.contains("glpat-"), "S1: {method} {path} for '{token}'");
    assert_eq!(answer.headers["access-control-allow-origin"], "*", "{method} {path}");
    if *method == Method::HEAD {
        assert!(answer.bytes.is_empty(), "{path}");
    } else if !answer.status.is_success() {
        let body = answer.json();
        assert_eq!(body["status_code"], answer.status.as_u16(), "{method} {path}: {text}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{method} {path}: {text}");
    }
    answer
}

fn methods(route: &Route) -> Vec<Method> {
    match route.method == Method::GET {
        true => vec![Method::GET, Method::HEAD],
        false => vec![route.method.clone()],
    }
}

#[tokio::test]
async fn every_route_answers_each_caller_as_its_rule_says() {
    let hub = configured(&synced().await, |config| config.webhook_secret = Some("hook".into())).await;
    let closed = configured(&hub, |config| config.anonymous = false).await;
    for route in routes() {
        let (path, missing) = target(&route);
        let is_item = route.path.ends_with("{*item}");
        for method in methods(&route) {
            for (token, sees_private) in
                [(NOBODY, false), (OUTSIDER, false), (GUEST, true), (DEVELOPER, true), (READ_ONLY, true)]
            {
                let call = format!("'{token}' {method} {path}");
                let expected = match route.rule {
                    Rule::Webhook => 401,
                    BROWSE if is_item && !sees_private => 404,
                    BROWSE | Rule::Anyone => 200,
                    rule => panic!("{call}: what is {rule:?}?"),
                };
                let answer = ask(&hub, token, &method, &path).await;
                assert_eq!(answer.status, expected, "{call}: {}", String::from_utf8_lossy(&answer.bytes));
                if let Some(missing) = &missing {
                    assert_eq!(ask(&hub, token, &method, missing).await.status, 404, "'{token}' {method} {missing}");
                }
            }
            let call = format!("{method} {path}");
            let expected = if route.rule == Rule::Anyone { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(ask(&hub, BAD, &method, &path).await.status, expected, "{call}");
            let answer = ask(&closed, NOBODY, &method, &path).await;
            assert_eq!(answer.status, expected, "{call}");
            if route.rule == BROWSE {
                assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"perigee\"", "{call}");
                let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
                assert!(method == Method::HEAD || detail.contains("missing token"), "{call}: {detail}");
                let status = ask(&closed, DEVELOPER, &method, &path).await.status;
                assert_eq!(status, StatusCode::OK, "{call}");
            }
        }
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_in_the_same_words() {
    let hub = synced().await;
    for route in routes() {
        let (path, _) = target(&route);
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(ask(&hub, DEVELOPER, &method, &path).await.status, 405, "{method} {path}");
        }
    }
    for path in ["/api/stac/nothing", "/api/stac/collections/", "/api/stac/collections/aimodel/nothing", "/api/nothing"]
    {
        assert_eq!(ask(&hub, DEVELOPER, &Method::GET, path).await.status, 404, "{path}");
    }
}

/// Each way in which SharingHub's and GitLab's clients send a token.
#[tokio::test]
async fn a_token_is_heard_in_each_of_its_headers() {
    let hub = synced().await;
    let path = "/api/stac/collections/aimodel/items/earth/flood-model";
    for (name, value, status) in [
        ("x-gitlab-token", DEVELOPER.to_owned(), 200),
        ("private-token", DEVELOPER.to_owned(), 200),
        ("authorization", format!("Bearer {DEVELOPER}"), 200),
        ("authorization", format!("bearer {DEVELOPER}"), 200),
        ("x-gitlab-token", BAD.to_owned(), 401),
        ("private-token", BAD.to_owned(), 401),
        ("authorization", "Bearer".to_owned(), 401),
        ("authorization", "Bearer a b".to_owned(), 401),
        ("cookie", format!("token={DEVELOPER}"), 404),
    ] {
        let request = Request::builder().uri(path).header(name, &value).body(Body::empty()).unwrap();
        assert_eq!(hub.send(request).await.status, status, "{name}: {value}");
    }
}

/// S4, S5, S6, S11: sign-in, proxy and store are not served, whoever asks: nothing is redirected, set or passed on.
#[tokio::test]
async fn what_sharinghub_has_and_this_hub_has_not_is_501() {
    let hub = synced().await;
    hub.world.reset_calls();
    for route in api_docs::routes().iter().filter(|route| !route.implemented) {
        let path = route.path.split_once('{').map_or(route.path.clone(), |(before, _)| format!("{before}login/x"));
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
            for token in [NOBODY, DEVELOPER] {
                let call = format!("'{token}' {method} {path}");
                let answer = ask(&hub, token, &method, &format!("{path}?redirect_uri=https://example.org")).await;
                assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED, "{call}");
                assert!(
                    !answer.headers.contains_key("location") && !answer.headers.contains_key("set-cookie"),
                    "{call}"
                );
                if method != Method::HEAD {
                    let words = format!("{path} is an endpoint of SharingHub that this hub does not serve yet");
                    assert!(answer.json()["detail"].as_str().unwrap().starts_with(&words), "{call}");
                }
            }
        }
    }
    assert_eq!(hub.world.call_count(), 0, "GitLab was asked");
}
