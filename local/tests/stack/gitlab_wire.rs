//! GitLab's wire: status codes, error bodies, scopes, pages.

use local::gitlab::TokenKind;
use serde_json::{Value, json};

use super::gitlab_access::{graphql, rest};

const DEVELOPER: Option<&str> = Some("glpat-local-developer");

#[tokio::test]
async fn bad_credentials() {
    let running = super::emulators().await;
    let unauthorized = json!({ "message": "401 Unauthorized" });
    for path in ["/api/v4/user", "/api/v4/personal_access_tokens/self", "/api/v4/projects/2", "/api/v4/version"] {
        assert_eq!(rest(&running, path, Some("wrong")).await, (401, unauthorized.clone()), "{path}");
    }
    for path in ["/api/v4/user", "/api/v4/personal_access_tokens/self", "/api/v4/version", "/api/v4/metadata"] {
        assert_eq!(rest(&running, path, None).await, (401, unauthorized.clone()), "{path}");
    }
    let invalid = json!({ "errors": [{ "message": "Invalid token" }] });
    assert_eq!(graphql(&running, Some("wrong"), "{ currentUser { id } }", json!({})).await, (401, invalid.clone()));

    let world = running.world.as_ref().unwrap();
    world.revoke_token("glpat-local-developer").unwrap();
    let (status, body) = rest(&running, "/api/v4/user", DEVELOPER).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_token")));
    assert_eq!(graphql(&running, DEVELOPER, "{ currentUser { id } }", json!({})).await, (401, invalid));
    assert_eq!(rest(&running, "/api/v4/user", Some("glpat-local-developer-ro")).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn scopes() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    world.add_token("developer", "user-only", &["read_user"], TokenKind::Personal).unwrap();
    world.add_token("developer", "repo-only", &["read_repository"], TokenKind::Personal).unwrap();
    world.add_token("developer", "oauth", &["api", "openid"], TokenKind::Oauth).unwrap();

    assert_eq!(rest(&running, "/api/v4/user", Some("user-only")).await.0, 200);
    for path in ["/api/v4/projects", "/api/v4/projects/1", "/api/v4/groups"] {
        let (status, body) = rest(&running, path, Some("user-only")).await;
        assert_eq!(
            (status, &body["error"], &body["scope"]),
            (403, &json!("insufficient_scope"), &json!("api read_api"))
        );
    }
    assert_eq!(rest(&running, "/api/v4/projects/1/repository/tree", Some("repo-only")).await.0, 200);
    assert_eq!(graphql(&running, Some("user-only"), "{ currentUser { id } }", json!({})).await.0, 401);

    for (token, scopes) in [
        ("glpat-local-developer", json!(["api"])),
        ("glpat-local-developer-ro", json!(["read_api"])),
        ("user-only", json!(["read_user"])),
    ] {
        let (_, own) = rest(&running, "/api/v4/personal_access_tokens/self", Some(token)).await;
        assert_eq!((&own["scopes"], &own["user_id"], &own["revoked"]), (&scopes, &json!(2), &json!(false)));
    }
    assert_eq!(rest(&running, "/api/v4/personal_access_tokens/self", Some("oauth")).await.0, 400);
    let info = |token: &str| {
        shared::http_client::client().get(format!("{}/oauth/token/info", running.gitlab_url)).bearer_auth(token)
    };
    let known: Value = info("oauth").send().await.unwrap().json().await.unwrap();
    assert_eq!((&known["scope"], &known["resource_owner_id"]), (&json!(["api", "openid"]), &json!(2)));
    for unknown in ["glpat-local-developer", "wrong"] {
        let answer = info(unknown).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401);
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], "invalid_token");
    }
    running.stop().await;
}

#[tokio::test]
async fn missing_things() {
    let running = super::emulators().await;
    for (path, status, body) in [
        ("/api/v4/projects/999", 404, json!({ "message": "404 Project Not Found" })),
        ("/api/v4/projects/lab%2Fsecret-model", 404, json!({ "message": "404 Project Not Found" })),
        ("/api/v4/groups/lab", 404, json!({ "message": "404 Group Not Found" })),
        ("/api/v4/projects/1/repository/tree?ref=other", 404, json!({ "message": "404 Tree Not Found" })),
        ("/api/v4/projects/1/repository/tree?path=other", 404, json!({ "message": "404 Tree Not Found" })),
        ("/api/v4/projects/1/repository/files/no.md?ref=main", 404, json!({ "message": "404 File Not Found" })),
        ("/api/v4/projects/1/repository/files/..%2FREADME.md/raw", 404, json!({ "message": "404 File Not Found" })),
        ("/api/v4/projects/1/repository/files/README.md?ref=x", 404, json!({ "message": "404 Commit Not Found" })),
        ("/api/v4/projects/1/repository/files/README.md", 400, json!({ "error": "ref is missing, ref is empty" })),
        ("/api/v4/nothing", 404, json!({ "error": "404 Not Found" })),
    ] {
        assert_eq!(rest(&running, path, DEVELOPER).await, (status, body), "{path}");
    }
    let answer =
        shared::http_client::client().delete(format!("{}/api/v4/user", running.gitlab_url)).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 405);
    running.stop().await;
}

#[tokio::test]
async fn rest_pages() {
    let running = super::emulators().await;
    let client = shared::http_client::client();
    for (style, expected) in [
        ("page=1&order_by=id&sort=asc", vec![1, 2, 3, 4]),
        ("order_by=id", vec![4, 3, 2, 1]),
        ("pagination=keyset&order_by=id&sort=asc", vec![1, 2, 3, 4]),
        ("pagination=keyset&order_by=id&sort=desc", vec![4, 3, 2, 1]),
    ] {
        let mut next = Some(format!("{}/api/v4/projects?membership=true&per_page=3&{style}", running.gitlab_url));
        let (mut ids, mut pages) = (Vec::new(), 0);
        while let Some(url) = next {
            let answer = client.get(url).header("private-token", "glpat-local-guest").send().await.unwrap();
            let links = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned()).unwrap_or_default();
            assert_eq!(answer.headers().contains_key("x-total"), !style.contains("keyset"));
            let found = links.split(", ").find(|link| link.ends_with("rel=\"next\""));
            next = found.map(|link| link[1..link.find('>').unwrap()].to_owned());
            let page: Vec<Value> = answer.json().await.unwrap();
            ids.extend(page.iter().map(|project| project["id"].as_u64().unwrap()));
            pages += 1;
        }
        assert_eq!((ids, pages), (expected, 2), "{style}");
    }
    for (filter, expected) in [
        ("visibility=public", vec![2, 3]),
        ("topic=sharinghub:aimodel", vec![1, 2]),
        ("topic=sharinghub:aimodel,flood", vec![1]),
        ("search=FLOOD", vec![1]),
        ("search=earth", vec![]),
        ("search=earth%2Ftools&search_namespaces=true", vec![4]),
        ("min_access_level=30", vec![]),
        ("owned=true", vec![]),
    ] {
        let (_, found) =
            rest(&running, &format!("/api/v4/projects?order_by=id&sort=asc&{filter}"), Some("glpat-local-guest")).await;
        let ids: Vec<u64> = found.as_array().unwrap().iter().map(|project| project["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, expected, "{filter}");
    }
    running.stop().await;
}

#[tokio::test]
async fn graphql_pages_hold_when_projects_come_and_go() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    for id in 100..350 {
        world.add_project(id, &format!("earth/p{id}"), local::gitlab::Visibility::Private).unwrap();
    }
    let query = "query($after: String) { projects(membership: true, first: 1000, after: $after, sort: \"id_asc\") \
        { count nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut after, mut ids) = (Value::Null, Vec::new());
    loop {
        let (_, answer) = graphql(&running, DEVELOPER, query, json!({ "after": after })).await;
        let page = &answer["data"]["projects"];
        let nodes = page["nodes"].as_array().unwrap();
        assert!(nodes.len() <= 100);
        ids.extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
        // The project at which the page ended goes: the next page still starts behind it.
        if ids.len() == 100 {
            world.delete_project("earth/p195").unwrap();
        }
    }
    let expected: Vec<String> = (1..=4).chain(100..350).map(|id| format!("gid://gitlab/Project/{id}")).collect();
    assert_eq!(ids, expected);
    running.stop().await;
}

#[tokio::test]
async fn graphql_queries() {
    let running = super::emulators().await;
    let (status, answer) = graphql(
        &running,
        DEVELOPER,
        "query($a: ID!, $ids: [ID!], $topics: [String!]) {
            me: currentUser { username }
            seen: project(fullPath: $a) { id name fullPath visibility createdAt archived topics }
            hidden: project(fullPath: \"lab/secret-model\") { id }
            byId: projects(ids: $ids) { nodes { fullPath maxAccessLevel { stringValue } } }
            byTopic: projects(membership: true, topics: $topics, sort: \"name_asc\") { nodes { fullPath } }
        }",
        json!({
            "a": "Earth/Flood-Model",
            "ids": ["gid://gitlab/Project/1", "gid://gitlab/Project/5", "gid://gitlab/Project/999"],
            "topics": ["sharinghub:aimodel"],
        }),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["data"],
        json!({
            "me": { "username": "developer" },
            "seen": {
                "id": "gid://gitlab/Project/1",
                "name": "flood-model",
                "fullPath": "earth/flood-model",
                "visibility": "private",
                "createdAt": "2025-02-03T09:12:44.000Z",
                "archived": false,
                "topics": ["sharinghub:aimodel", "flood", "sentinel-1"],
            },
            "hidden": null,
            "byId": { "nodes": [{ "fullPath": "earth/flood-model", "maxAccessLevel": { "stringValue": "DEVELOPER" } }] },
            "byTopic": { "nodes": [{ "fullPath": "earth/flood-model" }, { "fullPath": "earth/land-cover" }] },
        })
    );
    let (_, anonymous) =
        graphql(&running, None, "{ currentUser { id } projects(membership: true) { count } }", json!({})).await;
    assert_eq!(anonymous["data"], json!({ "currentUser": null, "projects": { "count": 0 } }));

    for wrong in [
        "{ project(fullPath: \"x\") { nothing } }",
        "{ project { id } }",
        "{ projects(ids: [\"1\"]) { count } }",
        "{ projects(after: \"x\") { count } }",
        "{ unclosed",
        "",
    ] {
        let (status, answer) = graphql(&running, DEVELOPER, wrong, json!({})).await;
        assert_eq!(status, 200, "{wrong}");
        assert!(answer["errors"][0]["message"].is_string(), "{wrong}: {answer}");
    }
    let long = format!("{{ currentUser {{ id }} }} {}", "#".repeat(10_000));
    assert_eq!(graphql(&running, DEVELOPER, &long, json!({})).await.0, 422);
    running.stop().await;
}
