//! Who sees what in the stand-in, asked over REST and GraphQL alike.

use local::gitlab::{Role, Visibility, World};
use local::start::Running;
use serde_json::{Value, json};

const PROJECTS: [&str; 5] =
    ["earth/flood-model", "earth/land-cover", "earth/sentinel-patches", "earth/tools/ndvi", "lab/secret-model"];

pub async fn rest(running: &Running, path: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = shared::http_client::client().get(format!("{}{path}", running.gitlab_url));
    if let Some(token) = token {
        request = request.header("private-token", token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub async fn graphql(running: &Running, token: Option<&str>, query: &str, variables: Value) -> (u16, Value) {
    let mut request = shared::http_client::client().post(format!("{}/api/graphql", running.gitlab_url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What one caller may do in one project: `-` hidden, else letters of read, download, push, admin; and the role.
async fn access(running: &Running, token: Option<&str>, path: &str) -> String {
    let query = "query($path: ID!) { project(fullPath: $path) { \
        userPermissions { readProject downloadCode pushCode adminProject } maxAccessLevel { integerValue } } }";
    let (status, answer) = graphql(running, token, query, json!({ "path": path })).await;
    assert_eq!((status, answer.get("errors")), (200, None), "{answer}");
    let project = &answer["data"]["project"];
    let (rest_status, _) = rest(running, &format!("/api/v4/projects/{}", path.replace('/', "%2F")), token).await;
    assert_eq!(rest_status == 200, !project.is_null(), "REST and GraphQL differ on {path}");
    if project.is_null() {
        return "-".to_owned();
    }
    let letters = [("readProject", 'r'), ("downloadCode", 'd'), ("pushCode", 'p'), ("adminProject", 'a')];
    let letters: String =
        letters.iter().filter(|(name, _)| project["userPermissions"][name] == true).map(|(_, letter)| letter).collect();
    format!("{letters}{}", project["maxAccessLevel"]["integerValue"])
}

#[tokio::test]
async fn demo_world_matrix() {
    let running = super::emulators().await;
    let expected: [(Option<&str>, [&str; 5]); 6] = [
        (None, ["-", "rd0", "rd0", "-", "-"]),
        (Some("maintainer"), ["rdpa40", "rdpa40", "rdpa40", "rdpa40", "-"]),
        (Some("developer"), ["rdp30", "rdp30", "rdp30", "rdp30", "-"]),
        (Some("reporter"), ["rd20", "rd20", "rd20", "rd20", "-"]),
        (Some("guest"), ["r10", "rd10", "rd10", "rd10", "-"]),
        (Some("outsider"), ["-", "rd0", "rd0", "rd0", "rdpa50"]),
    ];
    for (account, rows) in expected {
        for suffix in ["", "-ro"] {
            let token = account.map(|account| format!("glpat-local-{account}{suffix}"));
            for (path, row) in PROJECTS.iter().zip(rows) {
                assert_eq!(access(&running, token.as_deref(), path).await, row, "{token:?} {path}");
            }
        }
    }
    for (id, path) in (1..).zip(PROJECTS) {
        let (_, by_id) = rest(&running, &format!("/api/v4/projects/{id}"), Some("glpat-local-maintainer")).await;
        if path != "lab/secret-model" {
            assert_eq!(by_id["path_with_namespace"], path);
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn code_needs_reporter_in_private_projects() {
    let running = super::emulators().await;
    for (account, id, expected) in [
        ("guest", 1, 403),
        ("reporter", 1, 200),
        ("guest", 2, 200),
        ("outsider", 2, 200),
        ("outsider", 4, 200),
        ("outsider", 1, 404),
        ("maintainer", 5, 404),
    ] {
        let token = format!("glpat-local-{account}");
        for path in ["tree", "files/README.md?ref=main"] {
            let path = format!("/api/v4/projects/{id}/repository/{path}");
            assert_eq!(rest(&running, &path, Some(&token)).await.0, expected, "{account} {path}");
        }
    }
    running.stop().await;
}

fn world(running: &Running) -> &World {
    running.world.as_ref().unwrap()
}

#[tokio::test]
async fn changes_show_at_once() {
    let running = super::emulators().await;
    let (developer, outsider) = (Some("glpat-local-developer"), Some("glpat-local-outsider"));
    let flood = "earth/flood-model";

    world(&running).set_role("developer", "earth", Some(Role::Reporter)).unwrap();
    assert_eq!(access(&running, developer, flood).await, "rd20");
    world(&running).set_role("developer", flood, Some(Role::Maintainer)).unwrap();
    assert_eq!(access(&running, developer, flood).await, "rdpa40");
    world(&running).set_archived(flood, true).unwrap();
    assert_eq!(access(&running, developer, flood).await, "rda40");
    world(&running).set_archived(flood, false).unwrap();
    world(&running).set_role("developer", flood, None).unwrap();
    world(&running).set_role("developer", "earth", None).unwrap();
    assert_eq!(access(&running, developer, flood).await, "-");

    world(&running).set_visibility(flood, Visibility::Internal).unwrap();
    assert_eq!(access(&running, outsider, flood).await, "rd0");
    assert_eq!(access(&running, None, flood).await, "-");
    world(&running).set_admin("outsider", true).unwrap();
    assert_eq!(access(&running, outsider, "earth/land-cover").await, "rdpa0");
    world(&running).set_admin("outsider", false).unwrap();

    world(&running).rename_project("lab/secret-model", "lab/open-model").unwrap();
    assert_eq!(access(&running, outsider, "lab/secret-model").await, "-");
    let (_, renamed) = rest(&running, "/api/v4/projects/5", outsider).await;
    assert_eq!(renamed["path_with_namespace"], "lab/open-model");
    assert_eq!(rest(&running, "/api/v4/projects/5/repository/tree", outsider).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn invited_groups_and_own_projects_folder() {
    let folder = tempfile::tempdir().unwrap();
    let definition = "
accounts: [{ username: visitor }]
tokens: [{ token: visit, account: visitor, scopes: [read_api] }]
groups: [{ path: guild }, { path: guild/inner }]
memberships:
  - { account: visitor, in: guild, role: maintainer }
  - { account: reporter, in: guild/inner/own, role: owner }
projects:
  - { id: 77, path: guild/inner/own, createdAt: 2024-05-06T07:08:09.000Z }
shares: [{ group: guild/inner, with: earth/tools, role: developer }, { group: guild, with: lab, role: guest }]
";
    std::fs::write(folder.path().join("gitlab.yaml"), definition).unwrap();
    std::fs::create_dir_all(folder.path().join("guild/inner/own/data")).unwrap();
    std::fs::write(folder.path().join("guild/inner/own/data/a b.csv"), "x\n1\n").unwrap();
    let args = ["local", "--only-emulators", "--memory", "--emulator-ports", "0,0,0", "--projects"];
    let args = [&args[..], &[folder.path().to_str().unwrap()]].concat();
    let args = <local::args::Args as clap::Parser>::parse_from(args);
    let running = local::start::start(&args, Default::default()).await.unwrap();

    assert_eq!(access(&running, Some("visit"), "guild/inner/own").await, "rdpa40");
    assert_eq!(access(&running, Some("visit"), "earth/tools/ndvi").await, "rdp30");
    assert_eq!(access(&running, Some("visit"), "lab/secret-model").await, "r10");
    assert_eq!(access(&running, Some("visit"), "earth/flood-model").await, "-");
    assert_eq!(access(&running, Some("glpat-local-reporter"), "guild/inner/own").await, "rdpa50");
    let (_, shown) = rest(&running, "/api/v4/projects/4", Some("visit")).await;
    assert_eq!(shown["permissions"], json!({ "project_access": null, "group_access": null }), "as GitLab's REST");
    let (_, file) =
        rest(&running, "/api/v4/projects/77/repository/files/data%2Fa%20b.csv?ref=main", Some("visit")).await;
    assert_eq!((&file["file_path"], &file["content"]), (&json!("data/a b.csv"), &json!("eAoxCg==")));
    running.stop().await;
}
