//! GitLab's wire for what the catalog shows: stars, topics, refs, LFS, parts that are switched off.

use local::gitlab::{Feature, Visibility};
use serde_json::{Value, json};

use super::gitlab_access::{graphql, rest};

const MAINTAINER: Option<&str> = Some("glpat-local-maintainer");
const OUTSIDER: Option<&str> = Some("glpat-local-outsider");

#[tokio::test]
async fn stars_come_and_go() {
    let running = super::emulators().await;
    let client = shared::http_client::client();
    let post = async |path: &str, token: &str| {
        let url = format!("{}/api/v4/projects/{path}", running.gitlab_url);
        client.post(url).header("private-token", token).send().await.unwrap().status().as_u16()
    };
    let stars = async || rest(&running, "/api/v4/projects/2", None).await.1["star_count"].clone();
    assert_eq!(stars().await, 6, "five strangers and the guest");
    assert_eq!(post("2/star", "glpat-local-outsider").await, 201);
    assert_eq!(post("earth%2Fland-cover/star", "glpat-local-outsider").await, 304);
    assert_eq!(stars().await, 7);
    let (_, own) = rest(&running, "/api/v4/projects?starred=true", OUTSIDER).await;
    assert_eq!((own.as_array().unwrap().len(), &own[0]["id"]), (1, &json!(2)));
    assert_eq!(post("2/unstar", "glpat-local-outsider").await, 201);
    assert_eq!(post("2/unstar", "glpat-local-outsider").await, 304);
    assert_eq!(stars().await, 6);
    assert_eq!(post("1/star", "glpat-local-outsider").await, 404, "hidden");
    assert_eq!(post("2/star", "glpat-local-outsider-ro").await, 403, "a star is written");
    assert_eq!(post("2/star", "").await, 401);
    running.stop().await;
}

#[tokio::test]
async fn external_users_see_no_internal_projects() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    assert_eq!(rest(&running, "/api/v4/projects/4", OUTSIDER).await.0, 200);
    world.set_external("outsider", true).unwrap();
    assert_eq!(rest(&running, "/api/v4/projects/4", OUTSIDER).await.0, 404);
    assert_eq!(rest(&running, "/api/v4/user", OUTSIDER).await.1["external"], true);
    assert_eq!(rest(&running, "/api/v4/projects/3", OUTSIDER).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn topics_are_public_and_count_what_is_not_private() {
    let running = super::emulators().await;
    let (_, topics) = rest(&running, "/api/v4/topics?per_page=100", None).await;
    let count = |name: &str| {
        let found = topics.as_array().unwrap().iter().find(|topic| topic["name"] == name);
        found.map(|topic| topic["total_projects_count"].clone())
    };
    assert_eq!(count("sentinel-2"), Some(json!(2)));
    assert_eq!(count("sharinghub:aimodel"), Some(json!(1)));
    assert_eq!(count("flood"), Some(json!(0)));
    let (_, found) = rest(&running, "/api/v4/topics?search=VEGET", None).await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["name"]), (1, &json!("vegetation")));
    running.stop().await;
}

#[tokio::test]
async fn parts_of_a_project_can_be_for_members_or_for_nobody() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    let path = "earth/land-cover";
    let code = "/api/v4/projects/2/repository/tree";
    let packages = "/api/v4/projects/2/packages";
    let images = "/api/v4/projects/2/registry/repositories";
    let query = "query($p: ID!) { project(fullPath: $p) { userPermissions { downloadCode } repository { rootRef } } }";
    for (feature, everybody, member) in
        [(Feature::Enabled, 200, 200), (Feature::Private, 403, 200), (Feature::Disabled, 403, 403)]
    {
        world
            .edit_project(path, |project| {
                (project.repository, project.package_registry, project.container_registry) =
                    (feature, feature, feature);
            })
            .unwrap();
        for part in [code, packages, images] {
            assert_eq!(rest(&running, part, None).await.0, everybody, "{part} {feature:?}");
            assert_eq!(rest(&running, part, OUTSIDER).await.0, everybody, "{part} {feature:?}");
            assert_eq!(rest(&running, part, Some("glpat-local-guest")).await.0, member, "{part} {feature:?}");
        }
        let (_, shown) = rest(&running, "/api/v4/projects/2", MAINTAINER).await;
        assert_eq!(shown["repository_access_level"], feature.as_str());
        for (token, status) in [(None, everybody), (Some("glpat-local-guest"), member)] {
            let (_, answer) = graphql(&running, token, query, json!({ "p": path })).await;
            let project = &answer["data"]["project"];
            assert_eq!(project["userPermissions"]["downloadCode"], json!(status == 200), "{feature:?}");
            assert_eq!(project["repository"].is_null(), status != 200, "{feature:?}");
        }
    }
    assert_eq!(rest(&running, "/api/v4/projects/1/packages", Some("glpat-local-guest")).await.0, 403);
    running.stop().await;
}

#[tokio::test]
async fn refs_are_the_branch_the_tags_and_the_commit() {
    let running = super::emulators().await;
    let world = running.world.as_ref().unwrap();
    world.edit_project("earth/flood-model", |project| project.default_branch = "trunk/2".into()).unwrap();
    let (_, file) = rest(&running, "/api/v4/projects/1/repository/files/model.json?ref=trunk%2F2", MAINTAINER).await;
    let commit = file["commit_id"].as_str().unwrap();
    for (reference, status) in [
        ("HEAD", 200),
        ("refs%2Fheads%2Ftrunk%2F2", 200),
        ("v1.0.0", 200),
        ("refs%2Ftags%2Fv1.1.0", 200),
        (commit, 200),
        (&commit[..8], 200),
        ("main", 404),
        ("v3", 404),
        ("refs%2Fheads%2Fv1.0.0", 404),
        (&commit[..7], 404),
    ] {
        let path = format!("/api/v4/projects/1/repository/files/model.json?ref={reference}");
        assert_eq!(rest(&running, &path, MAINTAINER).await.0, status, "{reference}");
        let path = format!("/api/v4/projects/1/repository/tree?ref={reference}");
        assert_eq!(rest(&running, &path, MAINTAINER).await.0, status, "{reference}");
    }
    let bad = "/api/v4/projects/1/repository/tree?pagination=keyset&page_token=x";
    assert_eq!(rest(&running, bad, MAINTAINER).await.0, 400);

    world.add_project(70, "earth/empty", Visibility::Public).unwrap();
    let (_, empty) = rest(&running, "/api/v4/projects/70?license=true", MAINTAINER).await;
    assert_eq!(
        (&empty["empty_repo"], &empty["default_branch"], &empty["license"], &empty["license_url"]),
        (&json!(true), &Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(rest(&running, "/api/v4/projects/70/repository/tree", MAINTAINER).await.0, 404);
    running.stop().await;
}

#[tokio::test]
async fn graphql_tells_of_blobs_and_trees() {
    let running = super::emulators().await;
    let query = "query($path: ID!, $paths: [String!]!) { project(fullPath: $path) { repository { rootRef \
        blobs(paths: $paths) { nodes { path size rawSize lfsOid storedExternally rawTextBlob } } \
        tree(recursive: true) { lastCommit { shortId } blobs(first: 2) { nodes { path } pageInfo { hasNextPage endCursor } } } \
    } } }";
    let variables = json!({ "path": "earth/sentinel-patches", "paths": ["patches/composite.tif", "preview.png", "x"] });
    let (_, answer) = graphql(&running, None, query, variables).await;
    let repository = &answer["data"]["project"]["repository"];
    assert_eq!(repository["rootRef"], "main");
    let blobs = repository["blobs"]["nodes"].as_array().unwrap();
    assert_eq!(blobs.len(), 2);
    let pointer = blobs[0]["rawTextBlob"].as_str().unwrap();
    assert!(pointer.starts_with("version https://git-lfs.github.com/spec/v1\noid sha256:63c1"), "{pointer}");
    assert_eq!((&blobs[0]["size"], &blobs[0]["rawSize"]), (&json!("129"), &json!("7192")));
    assert_eq!((&blobs[0]["storedExternally"], &blobs[1]["storedExternally"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&blobs[1]["size"], &blobs[1]["rawSize"], &blobs[1]["lfsOid"]),
        (&json!("194"), &json!("194"), &Value::Null)
    );
    let tree = &repository["tree"]["blobs"];
    assert_eq!(tree["nodes"], json!([{ "path": "README.md" }, { "path": "patches/composite.tif" }]));
    assert_eq!(tree["pageInfo"]["hasNextPage"], true);

    let paths: Vec<String> = (0..80).map(|number| number.to_string()).collect();
    let costly = "query($p: [String!]!) { project(fullPath: \"earth/land-cover\") { repository { blobs(paths: $p) { \
        nodes { path size rawSize } } } } }";
    for (token, status) in [(MAINTAINER, 250), (None, 200)] {
        let (_, answer) = graphql(&running, token, costly, json!({ "p": paths })).await;
        let message = format!("Query has complexity of 255, which exceeds max complexity of {status}");
        assert_eq!((&answer["errors"][0]["message"], answer.get("data")), (&json!(message), None));
    }
    running.stop().await;
}

#[tokio::test]
async fn the_new_keys_of_a_projects_folder() {
    let folder = tempfile::tempdir().unwrap();
    let definition = "
accounts: [{ username: contractor, external: true, starred: [guild/own, earth/land-cover] }]
tokens: [{ token: work, account: contractor, scopes: [api] }]
groups: [{ path: guild, visibility: public }]
projects:
  - id: 77
    path: guild/own
    visibility: public
    stars: 4
    default_branch: trunk
    last_activity_at: 2025-08-09T10:11:12.000Z
    repository: private
    releases: [{ tag: v1, name: One, description: The first }]
    packages: [{ name: tool, type: pypi }]
    containers: [{ name: image, tags: [b, a] }]
";
    let write = |text: &str| std::fs::write(folder.path().join("gitlab.yaml"), text).unwrap();
    let args = ["local", "--only-emulators", "--memory", "--emulator-ports", "0,0,0", "--projects"];
    let args = [&args[..], &[folder.path().to_str().unwrap()]].concat();
    let start = async || {
        let args = <local::args::Args as clap::Parser>::parse_from(&args);
        local::start::start(&args, Default::default()).await
    };
    for (wrong, why) in [
        (definition.replace("guild/own,", "guild/nothing,"), "a star for the unknown project \"guild/nothing\""),
        (definition.replace("stars: 4", "star: 4"), "unknown field `star`"),
        (definition.replace("repository: private", "repository: hidden"), "unknown variant `hidden`"),
    ] {
        write(&wrong);
        let error = start().await.err().unwrap().to_string();
        assert!(error.contains(why), "{error}");
    }
    write(definition);
    let objects = folder.path().join("guild/own/.lfs/objects");
    std::fs::create_dir_all(&objects).unwrap();
    let sha256 = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";
    std::fs::write(objects.join(sha256), "12345").unwrap();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 5\n");
    std::fs::write(folder.path().join("guild/own/large.bin"), pointer).unwrap();
    let running = start().await.unwrap();

    let (_, shown) = rest(&running, "/api/v4/projects/77", MAINTAINER).await;
    assert_eq!((&shown["star_count"], &shown["default_branch"]), (&json!(5), &json!("trunk")));
    assert_eq!(shown["last_activity_at"], "2025-08-09T10:11:12.000Z");
    assert_eq!(rest(&running, "/api/v4/projects/77/repository/tree", Some("work")).await.0, 403);
    assert_eq!(rest(&running, "/api/v4/projects/4", Some("work")).await.0, 404);
    let (_, releases) = rest(&running, "/api/v4/projects/77/releases", Some("work")).await;
    assert_eq!((&releases[0]["description"], releases[0].get("tag_name")), (&json!("The first"), None));
    running.world.as_ref().unwrap().edit_project("guild/own", |p| p.repository = Feature::Enabled).unwrap();
    let (_, tree) = rest(&running, "/api/v4/projects/77/repository/tree?recursive=true", Some("work")).await;
    assert_eq!((tree.as_array().unwrap().len(), &tree[0]["path"]), (1, &json!("large.bin")));
    let query = "{ currentUser { starredProjects { count } } project(fullPath: \"guild/own\") { repository { \
        blobs(paths: [\"large.bin\"]) { nodes { rawSize lfsOid storedExternally } } } } }";
    let (_, answer) = graphql(&running, Some("work"), query, json!({})).await;
    assert_eq!(answer["data"]["currentUser"]["starredProjects"]["count"], 2);
    let blob = &answer["data"]["project"]["repository"]["blobs"]["nodes"][0];
    assert_eq!(*blob, json!({ "rawSize": "5", "lfsOid": sha256, "storedExternally": true }));
    let (_, tags) = rest(&running, "/api/v4/projects/77/registry/repositories/77001/tags", Some("work")).await;
    assert_eq!((&tags[0]["name"], &tags[1]["name"]), (&json!("a"), &json!("b")));
    running.stop().await;
}
