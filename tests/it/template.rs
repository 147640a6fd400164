//! `template.yaml` against the code: folders, routes, settings, rights, table.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeySchemaElement;
use serde_yaml_ng::Value;
use shared::route::Route;

use crate::house::{read, root};
use crate::hub::Hub;

/// The functions by folder, with the paths that clients ask them for.
fn functions() -> [(&'static str, Vec<String>); 8] {
    let below = |prefix: &str, routes: Vec<Route>| -> Vec<String> {
        let whole = routes.iter().map(|route| format!("{prefix}{}", route.path));
        whole.map(|path| if path == "/" { path } else { example(path.trim_end_matches('/')) }).collect()
    };
    let projects = ["earth/flood-model", "earth/tools/ndvi", "a/b/c/d/tracking"];
    let in_project = |project| below(&format!("/mlflow/{project}/tracking"), mlflow_project::routes());
    [
        ("api-docs", below("", api_docs::routes())),
        ("catalog-sync", below("", catalog_sync::routes())),
        ("file-download", below("", file_download::routes())),
        ("stac-catalog", below("", stac_catalog::routes())),
        ("mlflow-tracking", below("/mlflow", mlflow_tracking::routes())),
        ("mlflow-registry", below("/mlflow", mlflow_registry::routes())),
        ("mlflow-artifacts", below("/mlflow", mlflow_artifacts::routes())),
        ("mlflow-project", projects.into_iter().flat_map(in_project).collect()),
    ]
}

/// A path that a pattern of axum's matches.
fn example(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(name) if name.starts_with('*') => "some/deep/file.txt",
        Some(_) => "m-1",
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The template, tags left out: `!Ref Table` reads as `Table`.
fn template() -> Value {
    fn plain(value: Value) -> Value {
        match value {
            Value::Tagged(tagged) => plain(tagged.value),
            Value::Sequence(items) => Value::Sequence(items.into_iter().map(plain).collect()),
            Value::Mapping(map) => {
                Value::Mapping(map.into_iter().map(|(name, value)| (plain(name), plain(value))).collect())
            }
            other => other,
        }
    }
    plain(serde_yaml_ng::from_str(&read("template.yaml")).unwrap())
}

fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().iter();
    resources
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource.clone()))
        .collect()
}

fn deployed() -> BTreeMap<String, Value> {
    resources("AWS::Serverless::Function")
}

fn pascal_case(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.as_str().unwrap_or_else(|| panic!("{other:?} is not a text")).to_owned()],
    }
}

#[test]
fn every_folder_is_a_function() {
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed: BTreeSet<String> = functions().iter().map(|(folder, _)| (*folder).to_owned()).collect();
    assert_eq!(folders, listed, "this test must list all functions");
    let deployed = deployed();
    let expected: BTreeSet<String> = folders.iter().map(|folder| pascal_case(folder)).collect();
    assert_eq!(deployed.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for folder in folders {
        let function = &deployed[&pascal_case(&folder)];
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{folder}").as_str());
        assert_eq!(function["Properties"]["FunctionName"], format!("${{AWS::StackName}}-{folder}").as_str());
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda");
        assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], folder.as_str());
    }
}

/// A route of the gateway: its path's segments and the function behind it.
struct GatewayRoute {
    segments: Vec<String>,
    function: String,
}

impl GatewayRoute {
    fn is_greedy(&self) -> bool {
        self.segments.last().is_some_and(|last| last.ends_with("+}"))
    }

    fn matches(&self, path: &[&str]) -> bool {
        let fixed = self.segments.len() - usize::from(self.is_greedy());
        let enough = if self.is_greedy() { path.len() > fixed } else { path.len() == fixed };
        enough && self.segments[..fixed].iter().zip(path).all(|(own, asked)| own.starts_with('{') || own == asked)
    }

    /// Segment by segment: text before a variable before a greedy one.
    fn rank(&self) -> Vec<u8> {
        let rank = |segment: &String| match segment.as_str() {
            greedy if greedy.ends_with("+}") => 2,
            variable if variable.starts_with('{') => 1,
            _ => 0,
        };
        self.segments.iter().map(rank).collect()
    }
}

fn gateway_routes() -> Vec<GatewayRoute> {
    let mut routes = Vec::new();
    for (function, resource) in deployed() {
        for (name, event) in resource["Properties"]["Events"].as_mapping().unwrap() {
            if event["Type"] != "HttpApi" {
                assert_eq!(function, "CatalogSync", "{name:?}");
                continue;
            }
            assert_eq!(event["Properties"]["ApiId"], "HttpApi", "{function} {name:?}");
            // Preflight requests too are answered by the functions.
            assert_eq!(event["Properties"]["Method"], "ANY", "{function} {name:?}");
            let path = event["Properties"]["Path"].as_str().unwrap();
            let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
            let greedy = segments.iter().position(|segment| segment.ends_with("+}"));
            assert!(greedy.is_none_or(|at| at + 1 == segments.len()), "{path}: greedy only at the end");
            routes.push(GatewayRoute { segments, function: function.clone() });
        }
    }
    routes
}

/// The function that the gateway chooses. Its documentation puts full matches before greedy ones and says
/// no more than "most specific"; where that could be read in two ways, this fails.
fn choose<'a>(routes: &'a [GatewayRoute], path: &str) -> Option<&'a str> {
    let asked: Vec<&str> = path.split('/').skip(1).collect();
    let matching = || routes.iter().filter(|route| route.matches(&asked));
    let full_first = matching().min_by_key(|route| (route.is_greedy(), route.rank()))?;
    let by_segment = matching().min_by_key(|route| route.rank())?;
    assert_eq!(full_first.function, by_segment.function, "{path} is ambiguous");
    Some(&full_first.function)
}

#[test]
fn every_route_reaches_its_function_and_no_other() {
    let gateway = gateway_routes();
    for (folder, paths) in functions() {
        for path in paths {
            assert_eq!(choose(&gateway, &path), Some(pascal_case(folder).as_str()), "{path}");
        }
    }
    assert_eq!(choose(&gateway, "/elsewhere"), None);
}

/// Settings of the catalog's synchronisation alone.
const SYNC_SECRETS: [&str; 2] = ["PERIGEE_SYNC_TOKEN", "PERIGEE_WEBHOOK_SECRET"];

#[test]
fn functions_get_the_settings_that_the_code_reads() {
    let code = read("shared/src/config.rs");
    let known: BTreeSet<&str> = code.split('"').filter(|text| text.starts_with("PERIGEE_")).collect();
    let known: BTreeSet<&str> = known.into_iter().filter(|text| !text.contains(' ')).collect();
    let template = template();
    let variables = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let mut given: BTreeSet<&str> = variables.keys().map(|name| name.as_str().unwrap()).collect();
    let deployed = deployed();
    for (function, resource) in &deployed {
        let own = resource["Properties"]["Environment"]["Variables"].as_mapping();
        let own: BTreeSet<&str> = own.into_iter().flatten().map(|(name, _)| name.as_str().unwrap()).collect();
        // What opens GitLab to the catalog is nobody else's.
        let expected = if function == "CatalogSync" { SYNC_SECRETS.into() } else { BTreeSet::new() };
        assert_eq!(own, expected, "{function}");
    }
    given.extend(SYNC_SECRETS);
    assert_eq!(given, known);
}

#[test]
fn rights_name_each_action_and_resource() {
    let policies = resources("AWS::IAM::ManagedPolicy");
    for (function, resource) in deployed() {
        for policy in texts(&resource["Properties"]["Policies"]) {
            assert!(policies.contains_key(&policy), "{function}: {policy} is not a policy of this template");
        }
    }
    for (name, policy) in &policies {
        for statement in policy["Properties"]["PolicyDocument"]["Statement"].as_sequence().unwrap() {
            assert_eq!(statement["Effect"], "Allow", "{name}");
            for action in texts(&statement["Action"]) {
                assert!(!action.contains('*'), "{name}: {action}");
                assert!(!action.contains("Scan"), "{name}: {action}");
            }
            for resource in texts(&statement["Resource"]) {
                let ours = resource.contains("Table.Arn") || resource.contains("Bucket.Arn");
                let whole = resource == "*" || resource.ends_with(":*");
                assert!(ours && !whole, "{name}: {resource}");
            }
        }
    }
    // Tracking never touches files of runs.
    assert_eq!(texts(&deployed()["MlflowTracking"]["Properties"]["Policies"]), ["TablePolicy", "TextsPolicy"]);
}

#[test]
fn what_holds_data_survives_the_stack() {
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket"] {
        for (name, resource) in resources(kind) {
            assert_eq!(resource["DeletionPolicy"], "Retain", "{name}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
        }
    }
    assert_eq!(resources("AWS::DynamoDB::Table").len(), 1);
    assert_eq!(resources("AWS::S3::Bucket").len(), 1);
}

#[test]
fn uploads_that_nobody_ends_are_ended() {
    let rules = &resources("AWS::S3::Bucket")["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let rules = rules.as_sequence().unwrap();
    // For every key, a day after they began; their URLs have ended by then.
    let ends = |rule: &Value| rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1;
    assert!(rules.iter().any(|rule| ends(rule) && rule["Status"] == "Enabled" && rule["Prefix"].is_null()));
    let artifacts = &resources("AWS::IAM::ManagedPolicy")["ArtifactsPolicy"]["Properties"]["PolicyDocument"];
    let actions = texts(&artifacts["Statement"][0]["Action"]);
    for action in ["AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject"] {
        assert!(actions.contains(&format!("s3:{action}")), "{action}");
    }
}

#[test]
fn cors_is_left_to_the_functions() {
    for (name, api) in resources("AWS::Serverless::HttpApi") {
        assert!(api["Properties"]["CorsConfiguration"].is_null(), "{name}: it would override the functions' headers");
        assert_eq!(api["Properties"]["StageName"], "$default", "{name}: another stage would prefix every path");
    }
}

#[tokio::test]
async fn the_table_is_the_one_that_the_store_makes() {
    fn made_keys(schema: &[KeySchemaElement]) -> Vec<(String, String)> {
        schema.iter().map(|key| (key.attribute_name().to_owned(), key.key_type().as_str().to_owned())).collect()
    }
    fn written_keys(schema: &Value) -> Vec<(String, String)> {
        let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        schema.as_sequence().unwrap().iter().map(|key| (text(key, "AttributeName"), text(key, "KeyType"))).collect()
    }
    let hub = Hub::start().await;
    let client = aws_sdk_dynamodb::Client::new(&hub.backends.dynamodb.sdk_config().await);
    let table = &hub.state.config.table;
    let made = client.describe_table().table_name(table).send().await.unwrap().table.unwrap();
    let written = &resources("AWS::DynamoDB::Table")["Table"]["Properties"];
    assert_eq!(made_keys(made.key_schema()), written_keys(&written["KeySchema"]));
    let indexes = written["GlobalSecondaryIndexes"].as_sequence().unwrap();
    assert_eq!((made.global_secondary_indexes().len(), indexes.len()), (1, 1));
    let (made, written) = (&made.global_secondary_indexes()[0], &indexes[0]);
    assert_eq!(made.index_name(), written["IndexName"].as_str());
    assert_eq!(made_keys(made.key_schema()), written_keys(&written["KeySchema"]));
    let projected = made.projection().and_then(|projection| projection.projection_type()).unwrap();
    assert_eq!(written["Projection"]["ProjectionType"], projected.as_str());
    let live = client.describe_time_to_live().table_name(table).send().await.unwrap();
    let attribute = live.time_to_live_description().and_then(|live| live.attribute_name()).unwrap().to_owned();
    let written = &resources("AWS::DynamoDB::Table")["Table"]["Properties"]["TimeToLiveSpecification"];
    assert_eq!(written["AttributeName"], attribute.as_str());
}
