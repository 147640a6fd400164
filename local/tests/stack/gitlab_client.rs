//! The hub's GitLab client against the stand-in: what the catalog reads.

use local::gitlab::{CATALOG_TOKEN, Fault, Feature, Visibility, World};
use local::start::Running;
use shared::error::Error;
use shared::gitlab::{ContainerRepository, GitLab, License, Package, ProjectFacts, Release, RepositoryFile, Token};
use shared::model::{ProjectId, Visibility as Seen};

const FLOOD: &str = "earth/flood-model";

async fn start() -> (Running, World, GitLab, Token) {
    let running = super::emulators().await;
    let world = running.world.clone().unwrap();
    let gitlab = GitLab::new(&running.gitlab_url).unwrap();
    (running, world, gitlab, Token::parse(CATALOG_TOKEN).unwrap())
}

async fn facts(gitlab: &GitLab, token: &Token, id: u64) -> ProjectFacts {
    gitlab.project_facts(token, ProjectId(id)).await.unwrap().unwrap()
}

/// All projects of a topic, page by page, and the number of pages that had any.
async fn all_of(gitlab: &GitLab, token: &Token, topic: &str) -> (Vec<ProjectFacts>, usize) {
    let (mut all, mut pages) = (Vec::<ProjectFacts>::new(), 0);
    loop {
        let page = gitlab.projects_of_topic(token, topic, all.last().map(|last| last.id)).await.unwrap();
        if page.is_empty() {
            return (all, pages);
        }
        all.extend(page);
        pages += 1;
    }
}

#[tokio::test]
async fn facts_of_a_demo_project() {
    let (running, _, gitlab, token) = start().await;
    let flood = facts(&gitlab, &token, 1).await;
    assert_eq!((flood.path.as_str(), flood.full_name.as_str()), (FLOOD, "Earth / flood-model"));
    assert_eq!((flood.visibility, flood.code_visibility, flood.archived), (Seen::Private, Seen::Private, false));
    assert_eq!(flood.topics, ["sharinghub:aimodel", "flood", "sentinel-1"]);
    assert_eq!((flood.stars, flood.default_branch.as_deref()), (3, Some("main")), "two strangers and the maintainer");
    assert_eq!(flood.created_at, "2025-02-03T09:12:44.000Z");
    assert_eq!(flood.last_activity_at, "2025-06-11T07:45:02.000Z");
    assert_eq!(flood.web_url, format!("{}/{FLOOD}", running.gitlab_url));

    let repository = flood.repository.unwrap();
    assert_eq!(repository.warnings, Vec::<String>::new());
    assert!(repository.readme.unwrap().starts_with("---\ntitle: Flood model\n"));
    let paths: Vec<&str> = repository.files.iter().map(|file| file.path.as_str()).collect();
    let expected = ["LICENSE", "README.md", "data/backscatter.csv", "model.json", "preview.png", "src/train.py"];
    assert_eq!(paths, expected);
    let license = License {
        key: "apache-2.0".into(),
        name: "Apache License 2.0".into(),
        url: Some(format!("{}/-/blob/main/LICENSE", flood.web_url)),
    };
    assert_eq!(repository.license, Some(license));
    let description = "Fitted anew with the samples of July 2021.".to_owned();
    assert_eq!(repository.release, Some(Release { tag: "v1.1.0".into(), name: "Summer floods".into(), description }));
    let package = Package {
        name: "flood-model".into(),
        kind: "pypi".into(),
        web_url: format!("{}/-/packages/1001", flood.web_url),
    };
    assert_eq!(repository.packages, [package], "each name once, the newest");
    let container = ContainerRepository {
        id: 1001,
        name: "predict".into(),
        location: format!("registry.example.com/{FLOOD}/predict"),
        tags: ["latest", "v1.1.0", "v1.0.0"].map(str::to_owned).into(),
    };
    assert_eq!(repository.containers, [container]);

    assert_eq!(gitlab.project_facts(&token, ProjectId(999)).await, Ok(None));
    let outsider = Token::parse("glpat-local-outsider").unwrap();
    assert_eq!(gitlab.project_facts(&outsider, ProjectId(1)).await, Ok(None), "hidden is not there");
    running.stop().await;
}

#[tokio::test]
async fn files_in_lfs_have_the_size_and_checksum_of_their_content() {
    let (running, _, gitlab, token) = start().await;
    let paths = ["patches/composite.tif", "patches/test.csv", "no such file"].map(str::to_owned);
    let files = gitlab.file_details(&token, "earth/sentinel-patches", "main", &paths).await.unwrap();
    let sha256 = "63c1c2a2a418b031214fe2e8e957a923c85d074547db5141519dca8fe5969e73".to_owned();
    assert_eq!(
        files,
        [
            RepositoryFile { path: "patches/composite.tif".into(), size: Some(7_192), sha256: Some(sha256) },
            RepositoryFile { path: "patches/test.csv".into(), size: Some(635), sha256: None },
        ]
    );
    let listed = facts(&gitlab, &token, 3).await.repository.unwrap().files;
    assert!(listed.iter().all(|file| !file.path.contains(".lfs")), "{listed:?}");
    let empty = Vec::<RepositoryFile>::new();
    for (project, reference) in [("earth/sentinel-patches", "no-such-branch"), ("earth/nothing", "main")] {
        assert_eq!(gitlab.file_details(&token, project, reference, &paths).await.unwrap(), empty);
    }
    let guest = Token::parse("glpat-local-guest").unwrap();
    assert_eq!(gitlab.file_details(&guest, FLOOD, "main", &["README.md".into()]).await.unwrap(), empty);
    running.stop().await;
}

#[tokio::test]
async fn projects_and_files_are_paged_to_their_end() {
    let (running, world, gitlab, token) = start().await;
    let topics = &["sharinghub:aimodel", "many"];
    for id in 1_000..1_235 {
        let path = format!("earth/many-{id}");
        world.add_project(id, &path, Visibility::Public).unwrap();
        world.set_topics(&path, topics).unwrap();
    }
    world.set_archived("earth/many-1100", true).unwrap();
    let (all, pages) = all_of(&gitlab, &token, "many").await;
    assert_eq!(all.iter().map(|project| project.id.0).collect::<Vec<_>>(), (1_000..1_235).collect::<Vec<_>>());
    assert_eq!((pages, all.iter().filter(|project| project.archived).count()), (3, 1));
    assert!(all.iter().all(|project| project.repository.is_none() && project.topics == *topics));
    let (models, _) = all_of(&gitlab, &token, "sharinghub:aimodel").await;
    assert_eq!(models.iter().map(|project| project.id.0).take(3).collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(models.len(), 238);
    assert_eq!(all_of(&gitlab, &token, "many&visibility=private").await.0, [], "a topic is no part of a query");

    let names: Vec<String> = (0..333).map(|number| format!("data/part {}/{number:03} & ü#?.csv", number % 7)).collect();
    world.put_files("earth/many-1000", names.iter().map(|name| (name.clone(), name.clone().into_bytes()))).unwrap();
    let repository = facts(&gitlab, &token, 1_000).await.repository.unwrap();
    let listed: Vec<String> = repository.files.into_iter().map(|file| file.path).collect();
    let mut sorted = names;
    sorted.sort();
    assert_eq!(listed, sorted);

    world.reset_calls();
    let details = gitlab.file_details(&token, "earth/many-1000", "main", &listed).await.unwrap();
    assert_eq!(details.len(), 333);
    assert!(details.iter().all(|file| file.size == Some(file.path.len() as u64)));
    assert_eq!(world.calls()["POST /api/graphql"], 7, "50 at once");
    running.stop().await;
}

#[tokio::test]
async fn batches_shrink_to_what_gitlab_lets_a_query_cost() {
    let (running, world, gitlab, token) = start().await;
    let files = (0..40).map(|number| (format!("{number}.csv"), vec![b'x'; number]));
    world.put_files("earth/land-cover", files).unwrap();
    let paths: Vec<String> = (0..40).map(|number| format!("{number}.csv")).collect();
    world.limit_complexity(Some(60));
    let details = gitlab.file_details(&token, "earth/land-cover", "main", &paths).await.unwrap();
    assert_eq!(details.len(), 40);
    assert!(details.iter().all(|file| file.size.is_some()));
    world.limit_complexity(Some(1));
    let refused = gitlab.file_details(&token, "earth/land-cover", "main", &paths).await.unwrap_err();
    assert!(matches!(&refused, Error::Unavailable(why) if why.contains("exceeds max complexity of 1")), "{refused:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_broken_part_is_a_warning_and_an_outage_is_not() {
    let (running, world, gitlab, token) = start().await;
    let whole = facts(&gitlab, &token, 1).await.repository.unwrap();
    let status = |code| Fault::Status { code, retry_after: None };
    for (call, words) in [
        ("GET /api/v4/projects/{id}/repository/tree", "the list of files could not be read: GitLab answered 500"),
        ("GET /api/v4/projects/{id}/repository/files/{path}/raw", "the README could not be read: GitLab answered 500"),
        ("GET /api/v4/projects/{id}/releases", "the releases could not be read: GitLab answered 500"),
        ("GET /api/v4/projects/{id}/packages", "the packages could not be read: GitLab answered 500"),
        (
            "GET /api/v4/projects/{id}/registry/repositories",
            "the container images could not be read: GitLab answered 500",
        ),
    ] {
        world.fail_call(call, status(500));
        let partial = facts(&gitlab, &token, 1).await.repository.unwrap();
        assert_eq!(partial.warnings, [words]);
        assert_eq!(partial.license, whole.license);
        world.heal();

        world.fail_call(call, status(403));
        let refused = facts(&gitlab, &token, 1).await.repository.unwrap();
        assert_eq!(refused.warnings.len(), usize::from(call.contains("/repository/")), "{call}");
        world.heal();

        for outage in [status(503), Fault::Drop] {
            world.fail_call(call, outage);
            let error = gitlab.project_facts(&token, ProjectId(1)).await.unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{call}: {error:?}");
            world.heal();
        }
    }
    world.fail_call("GET /api/v4/projects/{id}", status(500));
    assert!(matches!(gitlab.project_facts(&token, ProjectId(1)).await, Err(Error::Unavailable(_))));
    world.heal();
    world.fail_call("GET /api/v4/projects", status(500));
    assert!(matches!(gitlab.projects_of_topic(&token, "x", None).await, Err(Error::Unavailable(_))));
    world.heal();

    world.put_file(FLOOD, "README.md", vec![b'x'; (4 << 20) + 1]).unwrap();
    let large = facts(&gitlab, &token, 1).await.repository.unwrap();
    assert_eq!(
        (large.readme, large.warnings),
        (None, vec!["the README could not be read: it is too large".to_owned()])
    );
    world.put_file(FLOOD, "README.md", b"# L\xe4nder".to_vec()).unwrap();
    let latin = facts(&gitlab, &token, 1).await.repository.unwrap();
    assert_eq!(latin.readme.as_deref(), Some("# L\u{fffd}nder"));
    running.stop().await;
}

#[tokio::test]
async fn nobody_is_shown_more_than_gitlab_shows() {
    let (running, world, gitlab, token) = start().await;
    let (path, id) = ("earth/tools/ndvi", 4);
    assert_eq!(facts(&gitlab, &token, id).await.code_visibility, Seen::Internal);
    world.edit_project(path, |project| project.container_registry = Feature::Private).unwrap();
    let shown = facts(&gitlab, &token, id).await.repository.unwrap();
    assert_eq!(shown.containers, [], "who may read the code need not see the images");
    world.edit_project(path, |project| project.repository = Feature::Private).unwrap();
    let members = facts(&gitlab, &token, id).await;
    assert_eq!((members.visibility, members.code_visibility), (Seen::Internal, Seen::Private));
    assert_eq!(members.repository.unwrap().containers.len(), 2, "members see both");
    world.edit_project(path, |project| project.repository = Feature::Disabled).unwrap();
    let disabled = facts(&gitlab, &token, id).await;
    assert_eq!(disabled.code_visibility, Seen::Private);
    let around = disabled.repository.unwrap();
    assert_eq!((around.files, around.readme, around.license), (Vec::new(), None, None));
    assert_eq!((around.containers.len(), around.warnings), (2, Vec::new()));

    // A token that sees the project but not its code is the operator's mistake.
    let guest = Token::parse("glpat-local-guest").unwrap();
    let warnings = facts(&gitlab, &guest, 1).await.repository.unwrap().warnings;
    assert_eq!(warnings, ["the list of files could not be read: GitLab refuses it"]);
    running.stop().await;
}

#[tokio::test]
async fn a_project_without_anything_has_no_repository() {
    let (running, world, gitlab, token) = start().await;
    world.add_project(50, "earth/empty", Visibility::Public).unwrap();
    let empty = facts(&gitlab, &token, 50).await;
    assert_eq!((empty.repository, empty.default_branch), (None, None));
    world
        .edit_project("earth/empty", |project| {
            project.package_registry = Feature::Disabled;
            project.container_registry = Feature::Disabled;
        })
        .unwrap();
    assert_eq!(facts(&gitlab, &token, 50).await.repository, None);

    world.edit_project("earth/empty", |project| project.default_branch = "trunk/2025".into()).unwrap();
    world.put_file("earth/empty", "readme.md", "# In small letters").unwrap();
    let filled = facts(&gitlab, &token, 50).await;
    assert_eq!(filled.default_branch.as_deref(), Some("trunk/2025"));
    assert_eq!(filled.repository.unwrap().readme.as_deref(), Some("# In small letters"));

    world.rename_project("earth/empty", "earth/tools/full").unwrap();
    assert_eq!(facts(&gitlab, &token, 50).await.path, "earth/tools/full");
    world.delete_project("earth/tools/full").unwrap();
    assert_eq!(gitlab.project_facts(&token, ProjectId(50)).await, Ok(None));
    running.stop().await;
}

#[tokio::test]
async fn stars_beyond_one_page() {
    let (running, world, gitlab, _) = start().await;
    let guest = Token::parse("glpat-local-guest").unwrap();
    assert_eq!(gitlab.starred(&guest).await.unwrap(), [ProjectId(2)].into());
    for id in 2_000..2_120 {
        world.add_project(id, &format!("earth/star-{id}"), Visibility::Internal).unwrap();
        let url = format!("{}/api/v4/projects/{id}/star", running.gitlab_url);
        let answer = shared::http_client::client().post(url).bearer_auth("glpat-local-guest").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
    }
    assert_eq!(gitlab.starred(&guest).await.unwrap().len(), 121);
    world.set_visibility("earth/star-2000", Visibility::Private).unwrap();
    world.set_role("guest", "earth", None).unwrap();
    assert_eq!(gitlab.starred(&guest).await.unwrap().len(), 120, "hidden ones are not told");
    world.revoke_token("glpat-local-guest").unwrap();
    assert!(matches!(gitlab.starred(&guest).await, Err(Error::Unauthenticated(_))));
    running.stop().await;
}

/// S3: paths and ids used to be written into queries.
#[tokio::test]
async fn s3_text_that_looks_like_graphql_stays_data() {
    let (running, world, gitlab, token) = start().await;
    let hostile = [
        "lab/secret-model\") { id } project(fullPath: \"earth/land-cover",
        "\"}) { currentUser { username } } #",
        "earth/land-cover\\\", ref: \\\"main",
        "${path}",
        "README.md\"]) { nodes { rawBlob } } x: blobs(paths: [\"README.md",
        "../../../api/v4/user?private_token=x",
        "a\nb",
    ];
    for text in hostile {
        assert_eq!(gitlab.project_by_path(Some(&token), text).await, Ok(None), "{text}");
        let paths = [text.to_owned()];
        assert_eq!(gitlab.file_details(&token, text, "main", &paths).await, Ok(Vec::new()), "{text}");
        assert_eq!(gitlab.file_details(&token, "earth/land-cover", text, &paths).await, Ok(Vec::new()), "{text}");
        assert_eq!(gitlab.file_details(&token, "earth/land-cover", "main", &paths).await, Ok(Vec::new()), "{text}");
        assert_eq!(gitlab.projects_of_topic(&token, text, None).await, Ok(Vec::new()), "{text}");
    }
    // A file may really have such a name.
    for text in hostile.into_iter().filter(|text| !text.starts_with("..")) {
        world.put_file("earth/land-cover", text, "12345").unwrap();
        let files = gitlab.file_details(&token, "earth/land-cover", "main", &[text.to_owned()]).await.unwrap();
        assert_eq!(files, [RepositoryFile { path: text.into(), size: Some(5), sha256: None }]);
    }
    let allowed: Vec<String> = world.calls().into_keys().collect();
    assert_eq!(allowed, ["GET /api/v4/projects", "POST /api/graphql"]);
    running.stop().await;
}

#[tokio::test]
async fn a_token_that_is_no_good_fails_the_whole() {
    let (running, world, gitlab, _) = start().await;
    let wrong = Token::parse("glpat-wrong").unwrap();
    assert!(matches!(gitlab.projects_of_topic(&wrong, "x", None).await, Err(Error::Unauthenticated(_))));
    assert!(matches!(gitlab.project_facts(&wrong, ProjectId(2)).await, Err(Error::Unauthenticated(_))));
    world.add_token("developer", "user-only", &["read_user"], local::gitlab::TokenKind::Personal).unwrap();
    let narrow = Token::parse("user-only").unwrap();
    assert!(matches!(gitlab.projects_of_topic(&narrow, "x", None).await, Err(Error::Forbidden(_))));
    assert!(matches!(gitlab.project_facts(&narrow, ProjectId(2)).await, Err(Error::Forbidden(_))));
    running.stop().await;
}
