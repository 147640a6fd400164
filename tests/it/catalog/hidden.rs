//! What a caller does not see might as well not be there: after all of it has been deleted in GitLab, every answer
//! is the same, byte for byte, header for header, and costs the same calls.

use http::Method;
use serde_json::{Value, json};

use super::matrix::{CALLERS, EXTERNAL, by_code, by_project, matrix, path};
use super::*;
use crate::hub::{GUEST, OUTSIDER};

/// What can be told of an answer.
#[derive(Debug, PartialEq)]
struct Seen {
    call: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    gitlab_calls: u64,
}

async fn look(hub: &Hub, token: &str, method: Method, target: &str, body: Option<Value>) -> Seen {
    // Nothing is remembered of the caller.
    hub.clock.advance(120_000);
    let before = hub.world.call_count();
    let call = format!("'{token}' {method} {target} {body:?}");
    let answer = hub.call(token, method, target, body).await;
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    Seen {
        call,
        status: answer.status.as_u16(),
        headers,
        body: String::from_utf8_lossy(&answer.bytes).into_owned(),
        gitlab_calls: hub.world.call_count() - before,
    }
}

/// Every kind of question, and the pages behind it.
async fn look_around(hub: &Hub, token: &str) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut targets: Vec<String> = ["", "/", "/conformance", "/children", "/queryables", "/sortables", "/collections"]
        .map(|path| format!("/api/stac{path}"))
        .into();
    for parameters in by_code().into_iter().chain(by_project()) {
        let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
        targets.push(format!("/api/stac/search?{query}"));
        targets.push(format!("/api/stac/collections/aimodel/items?{query}&limit=2"));
    }
    for name in ["open", "members", "off", "inside", "core", "closed", "sealed", "unknown"] {
        for id in [path(name), path(name).replace('/', "%2F"), path(name).to_uppercase()] {
            targets.push(format!("/api/stac/collections/aimodel/items/{id}"));
        }
        targets.push(format!("/api/stac/collections/dataset/items/{}", path(name)));
        targets.push(format!("/api/stac/search?ids={}&fields=id,properties.title", path(name)));
    }
    for order in ["title", "-title", "created", "-datetime", "start_datetime", "-id"] {
        targets.push(format!("/api/stac/search?sortby={order}&limit=3&q=%5Blion%5D"));
    }
    for mode in ["reference", "preview"] {
        targets.push(format!("/api/stac/search?mode={mode}&limit=100"));
    }
    while let Some(target) = targets.pop() {
        for method in [Method::GET, Method::HEAD] {
            let seen = look(hub, token, method.clone(), &target, None).await;
            if method == Method::GET
                && let Ok(page) = serde_json::from_str::<Value>(&seen.body)
                && page["type"] == "FeatureCollection"
                && let Some(next) = links(&page, "next").first()
            {
                targets.push(next["href"].as_str().unwrap().strip_prefix("http://127.0.0.1").unwrap().to_owned());
            }
            all.push(seen);
        }
    }
    for body in [
        json!({"limit": 2}),
        json!({"q": ["zebra"]}),
        json!({"filter": {"op": "isNull", "args": [{"property": "mission"}]}}),
    ] {
        all.push(look(hub, token, Method::POST, "/api/stac/search", Some(body)).await);
    }
    all
}

/// Takes away what this caller does not see: the projects, or what is in their repositories.
fn take_away(hub: &Hub, hidden: &[&str], without_code: &[&str]) {
    for path in hidden {
        hub.world.delete_project(path).unwrap();
    }
    for path in without_code {
        for file in ["README.md", "panda.onnx", "model.json", "LICENSE"] {
            hub.world.remove_file(path, file).unwrap();
        }
        hub.world
            .edit_project(path, |project| {
                project.releases.clear();
                project.packages.clear();
                project.containers.clear();
                "2025-05-05T00:00:00.000Z".clone_into(&mut project.last_activity_at);
            })
            .unwrap();
    }
}

#[tokio::test]
async fn what_is_hidden_leaves_no_trace() {
    let [open_members, off, inside, core, closed, sealed] =
        ["members", "off", "inside", "core", "closed", "sealed"].map(path);
    let demo = ["earth/flood-model", "lab/secret-model"];
    let internal = [inside.as_str(), &core, "earth/tools/ndvi"];
    let private = [closed.as_str(), &sealed, demo[0], demo[1]];
    let outside = [open_members.as_str(), &off];
    for (token, hidden, without_code) in [
        (NOBODY, [&internal[..], &private].concat(), outside.to_vec()),
        (EXTERNAL, [&internal[..], &private].concat(), outside.to_vec()),
        (OUTSIDER, private[..3].to_vec(), [&outside[..], &[core.as_str()]].concat()),
        (GUEST, vec![demo[1]], vec![off.as_str(), &closed, &sealed]),
    ] {
        assert!(CALLERS.contains(&token));
        let hub = matrix().await;
        // The demo project of the outsider's own is theirs to see; the guest's has what files it has.
        hub.world.edit_project("earth/flood-model", |project| project.topics.clear()).unwrap();
        everything(&hub).await;
        let before = look_around(&hub, token).await;
        take_away(&hub, &hidden, &without_code);
        everything(&hub).await;
        let after = look_around(&hub, token).await;
        assert_eq!(before.len(), after.len());
        let found = before.iter().filter(|seen| seen.status == 200).count();
        assert!(found > 50, "{found} of {} answers tell something", before.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after);
        }
    }
}

#[tokio::test]
async fn hidden_and_unknown_items_answer_alike() {
    let hub = matrix().await;
    let (hidden, unknown) = (path("closed"), path("clozed"));
    for token in [NOBODY, OUTSIDER, EXTERNAL] {
        for method in [Method::GET, Method::HEAD] {
            let mut answers = Vec::new();
            for id in [&hidden, &unknown] {
                let target = format!("/api/stac/collections/aimodel/items/{id}");
                let mut seen = look(&hub, token, method.clone(), &target, None).await;
                (seen.call, seen.body) = (String::new(), seen.body.replace("clozed", "closed"));
                assert_eq!((seen.status, seen.gitlab_calls > 0), (404, true));
                answers.push(seen);
            }
            assert_eq!(answers[0], answers[1], "'{token}' {method}");
        }
    }
}

#[tokio::test]
async fn an_etag_of_another_caller_tells_nothing() {
    let hub = matrix().await;
    let target = format!("/api/stac/collections/aimodel/items/{}", path("closed"));
    let tag = get(&hub, REPORTER, &target).await.headers["etag"].clone();
    for (token, status) in [(REPORTER, 304), (GUEST, 200), (OUTSIDER, 404), (NOBODY, 404), (BAD, 401)] {
        let mut request = Request::builder().uri(&target).header("if-none-match", &tag);
        if !token.is_empty() {
            request = request.header("x-gitlab-token", token);
        }
        let answer = hub.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "'{token}'");
        let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(status > 400 || vary.join(",").contains("x-gitlab-token"), "{vary:?}");
    }
}
