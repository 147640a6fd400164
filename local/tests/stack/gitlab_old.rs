//! The hub's GitLab client against answers that the stand-in does not give: an older GitLab behind a proxy whose links
//! lead elsewhere, and answers that are not as expected.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{Uri, header};
use serde_json::{Value, json};
use shared::gitlab::{GitLab, Token};
use shared::model::{ProjectId, Visibility};

/// Pages of the tree that were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

async fn serve(router: Router) -> GitLab {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    GitLab::new(&url).unwrap()
}

fn json_answer(value: &Value) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

fn project() -> Value {
    json!({
        "id": 1, "name": "P", "path_with_namespace": "g/p", "web_url": "https://gitlab.example.com/base/g/p",
        "visibility": "public", "default_branch": "main", "repository_access_level": "enabled",
        "created_at": "2025-01-01T00:00:00.000+02:00",
    })
}

#[tokio::test]
async fn an_older_gitlab_pages_by_number_and_knows_fewer_orders() {
    // Nobody listens there: a link that were followed to its host would fail.
    let tree = async |State(asked): State<Asked>, uri: Uri| {
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = query.into_owned().collect();
        let page = query.get("page").map_or(1, |page| page.parse::<usize>().unwrap());
        asked.lock().unwrap().push(format!("{page} {}", query["recursive"]));
        let link = "<http://127.0.0.1:1/elsewhere?page=1>; rel=\"first\"".to_owned();
        let next = format!("{link}, <http://127.0.0.1:1/elsewhere?recursive=true&page={}>; rel=\"next\"", page + 1);
        let entries = json!([{ "type": "tree", "path": "d" }, { "type": "blob", "path": format!("d/{page}") },
            { "type": "commit", "path": "submodule" }]);
        ([(header::LINK, if page < 3 { next } else { link })], entries.to_string())
    };
    let packages = json!([
        { "name": "a", "package_type": "npm", "status": "default", "_links": { "web_path": "/base/g/p/-/packages/3" } },
        { "name": "broken", "package_type": "npm", "status": "error", "_links": { "web_path": "/x" } },
        { "name": "a", "package_type": "npm", "status": "default", "_links": { "web_path": "/base/g/p/-/packages/1" } },
        { "name": "plain", "package_type": "generic" },
    ]);
    let images = json!([
        { "id": 7, "name": "old", "location": "r/g/p/old", "created_at": "2025-01-01T00:00:00Z", "status": null },
        { "id": 8, "name": "", "location": "r/g/p", "created_at": "2025-02-01T00:00:00Z" },
        { "id": 9, "name": "gone", "location": "r/g/p/gone", "created_at": null, "status": "delete_scheduled" },
    ]);
    let releases = json!([
        { "tag_name": "v3", "name": "Later", "upcoming_release": true },
        { "tag_name": "v2", "name": null, "description": null },
        { "tag_name": "v1", "name": "First" },
    ]);
    let errors = json!({ "errors": [{ "message": "Argument 'sort' on Field 'tags' has an invalid value" }] });
    let asked = Asked::default();
    let base = "/api/v4/projects/1";
    let fixed = |value: Value| get(async move || json_answer(&value));
    let router = Router::new()
        .route(base, fixed(project()))
        .route(&format!("{base}/repository/tree"), get(tree))
        .route(&format!("{base}/releases"), fixed(releases))
        .route(&format!("{base}/packages"), fixed(packages))
        .route(&format!("{base}/registry/repositories"), fixed(images))
        .route(
            &format!("{base}/registry/repositories/{{id}}/tags"),
            fixed(json!([{ "name": "1.0" }, { "name": "2.0" }])),
        )
        .route("/api/graphql", post(async move || json_answer(&errors)))
        .with_state(asked.clone());
    let gitlab = serve(router).await;
    let token = Token::parse("t").unwrap();
    let facts = gitlab.project_facts(&token, ProjectId(1)).await.unwrap().unwrap();
    assert_eq!((facts.full_name.as_str(), facts.visibility), ("P", Visibility::Public));
    assert_eq!(facts.last_activity_at, facts.created_at);
    let repository = facts.repository.unwrap();
    assert_eq!(repository.warnings, Vec::<String>::new());
    let files: Vec<&str> = repository.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["d/1", "d/2", "d/3"]);
    assert_eq!(*asked.lock().unwrap(), ["1 true", "2 true", "3 true"]);
    let release = repository.release.unwrap();
    assert_eq!((release.tag.as_str(), release.name.as_str(), release.description.as_str()), ("v2", "v2", ""));
    let packages: Vec<_> = repository.packages.iter().map(|p| (p.name.as_str(), p.web_url.as_str())).collect();
    let expected = [
        ("a", "https://gitlab.example.com/base/g/p/-/packages/3"),
        ("plain", "https://gitlab.example.com/base/g/p/-/packages"),
    ];
    assert_eq!(packages, expected);
    let images: Vec<_> = repository.containers.iter().map(|image| (image.id, image.tags.len())).collect();
    assert_eq!(images, [(8, 2), (7, 2)], "newest first, with the tags that REST lists");
}

#[tokio::test]
async fn strange_answers_end_as_warnings() {
    let router = Router::new()
        .route("/api/v4/projects/1", get(async || json_answer(&project())))
        .route("/api/v4/projects/1/repository/tree", get(async || "<html>sign in</html>"))
        .route("/api/v4/projects/1/releases", get(async || json_answer(&json!({ "message": "no list" }))))
        // A list that never ends is not followed for ever.
        .route("/api/v4/projects/1/packages", get(async || ([(header::LINK, "</x?page=2>; rel=\"next\"")], "[]")));
    let gitlab = serve(router).await;
    let facts = gitlab.project_facts(&Token::parse("t").unwrap(), ProjectId(1)).await.unwrap().unwrap();
    let unexpected = |what: &str| format!("{what} could not be read: GitLab's answer is not as expected");
    assert_eq!(facts.repository.unwrap().warnings, [unexpected("the list of files"), unexpected("the releases")]);
}
