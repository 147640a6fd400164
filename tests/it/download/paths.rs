//! Paths that tempt, odd names, and where a project ends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use local::gitlab::Visibility;

use super::*;
use crate::house::read;

#[tokio::test]
async fn hostile_paths_are_refused_before_gitlab_is_asked() {
    let hub = Hub::start().await;
    assert_eq!(got(&hub, &format!("{FLOOD}/repository/README.md")).await.status, StatusCode::OK);
    let long = "x".repeat(2_000);
    hub.world.reset_calls();
    for (path, named) in [
        ("earth/flood-model/repository/..%2F..%2FREADME.md", "path"),
        ("earth/flood-model/repository/%2e%2e/README.md", "path"),
        ("earth/flood-model/repository/a/%2e/b", "path"),
        ("earth/flood-model/repository//README.md", "path"),
        ("earth/flood-model/repository/a%5Cb", "path"),
        ("earth/flood-model/repository/a%00b", "path"),
        ("earth/flood-model/repository/a%0d%0ab", "path"),
        ("earth%2F..%2Fflood-model/repository/README.md", "path"),
        ("earth/flood-model/repository", "path"),
        ("earth/flood-model/repository?path=", "path"),
        ("earth/flood-model/repository?path=/etc/passwd", "path"),
        ("earth/flood-model/repository?path=..%2Fx", "path"),
        ("earth/flood-model/repository?path=a%5Cb", "path"),
        ("earth/flood-model/repository?path=a%0Ab", "path"),
        ("earth/flood-model/repository?path=a&path=b", "path"),
        ("earth/flood-model/repository/README.md?path=a", "path"),
        (&format!("earth/flood-model/repository/{long}"), "path"),
        ("earth/flood-model/repository/README.md?ref=..%2F..%2Fx", "ref"),
        ("earth/flood-model/repository/README.md?ref=a%0Ab", "ref"),
        ("earth/flood-model/repository/README.md?ref=--upload-pack", "ref"),
        ("earth/flood-model/repository/README.md?ref=main%5E%7B/x%7D", "ref"),
        ("earth/flood-model/repository/README.md?ref=a&ref=b", "ref"),
        ("earth/flood-model/archive.exe", "archive.<format>"),
    ] {
        let answer = got(&hub, path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(detail(&answer).contains(named), "{path}: {}", detail(&answer));
    }
    for path in ["earth/flood-model", "earth/flood-model/README.md", "flood-model/repository/README.md", "a%ff/b"] {
        let status = got(&hub, path).await.status.as_u16();
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    assert_eq!(hub.world.call_count(), 0);
}

#[tokio::test]
async fn odd_names_are_found() {
    let hub = Hub::start().await;
    let names = [
        "a b.txt",
        "50%.csv",
        "a#b.txt",
        "a?b=c.txt",
        "größe/模型.json",
        "x/repository/y",
        "%2e%2e",
        "a+b",
        "'\"&;=.txt",
    ];
    for name in names {
        hub.world.put_file(FLOOD, name, name).unwrap();
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for url in [
            format!("{FLOOD}/repository/{encoded}"),
            format!("{FLOOD}/repository/{}", encoded.replace("%2F", "/")),
            format!("{FLOOD}/repository?path={encoded}"),
        ] {
            let answer = got(&hub, &url).await;
            assert_eq!((answer.status, &answer.bytes[..]), (StatusCode::OK, name.as_bytes()), "{url}");
        }
    }
}

#[tokio::test]
async fn a_project_may_be_called_repository() {
    let hub = Hub::start().await;
    for (id, path) in [(50, "earth/repository"), (51, "earth/tools/repository")] {
        hub.world.add_project(id, path, Visibility::Public).unwrap();
        hub.world.put_file(path, "f.txt", path).unwrap();
        hub.world.put_file(path, "repository/f.txt", "deep").unwrap();
        hub.world.put_file(path, "archive.zip", "a file").unwrap();
        for (url, expected) in [("f.txt", path), ("repository/f.txt", "deep"), ("archive.zip", "a file")] {
            let answer = got(&hub, &format!("{path}/repository/{url}")).await;
            assert_eq!((answer.status, &answer.bytes[..]), (StatusCode::OK, expected.as_bytes()), "{path} {url}");
        }
        assert_eq!(got(&hub, &format!("{path}/archive.zip")).await.status, StatusCode::FOUND);
    }
    // One question to GitLab if the path is plain, and a bounded number if somebody plays with it.
    let many = format!("a/b{}/f", "/repository".repeat(30));
    hub.world.reset_calls();
    assert_eq!(got(&hub, &many).await.status, StatusCode::NOT_FOUND);
    assert_eq!(hub.world.calls().get("POST /api/graphql"), Some(&4));
}

/// The way through API Gateway, which hands the path over decoded.
#[tokio::test]
async fn odd_names_pass_the_gateway() {
    let hub = Hub::start().await;
    let router = file_download::router(&hub.state);
    let ask = async |path: &str, query: &str| -> ApiGatewayV2httpResponse {
        let event = json!({
            "version": "2.0", "routeKey": "ANY /api/download/{proxy+}", "rawPath": path, "rawQueryString": query,
            "headers": {"x-gitlab-token": DEVELOPER, "host": "hub.example.com"},
            "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "test"}, "requestId": "r-1", "stage": "$default"},
            "isBase64Encoded": false,
        });
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        shared::lambda::answer(router.clone(), event, "lambda").await
    };
    for name in ["a b.txt", "50%.csv", "a#b.txt", "a?b=c.txt", "größe.txt", "%2Fx"] {
        hub.world.put_file(FLOOD, name, [name.as_bytes(), &[0xff]].concat()).unwrap();
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for (path, query) in [
            (format!("/api/download/{FLOOD}/repository/{name}"), "ref=main".to_owned()),
            (format!("/api/download/{FLOOD}/repository"), format!("path={encoded}&ref=main")),
        ] {
            let answer = serde_json::to_value(ask(&path, &query).await).unwrap();
            assert_eq!(answer["statusCode"], 200, "{path}: {answer}");
            let bytes = BASE64.decode(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(bytes.strip_suffix(&[0xff]), Some(name.as_bytes()), "{path}");
        }
    }
    let recorded: ApiGatewayV2httpRequest = serde_json::from_str(&read("events/download.json")).unwrap();
    let answer = serde_json::to_value(shared::lambda::answer(router.clone(), recorded, "lambda").await).unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert!(answer["body"].as_str().unwrap().contains(','), "a table: {answer}");
    let refused = serde_json::to_value(ask("/api/download/earth/flood-model/repository/../x", "").await).unwrap();
    let body: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
    assert_eq!((&refused["statusCode"], &body["status_code"]), (&json!(400), &json!(400)));
}
