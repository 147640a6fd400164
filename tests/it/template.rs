//! `template.yaml` against the code: folders, routes, settings, rights, table.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeySchemaElement;
use serde_yaml_ng::Value;
use shared::route::Route;

use crate::house::{read, root};
use crate::hub::Hub;

/// The functions by folder.
pub const FOLDERS: [&str; 8] = [
    "api-docs",
    "catalog-sync",
    "file-download",
    "stac-catalog",
    "mlflow-tracking",
    "mlflow-registry",
    "mlflow-artifacts",
    "mlflow-project",
];

/// With the paths that clients ask them for.
fn functions() -> [(&'static str, Vec<String>); 8] {
    let below = |prefix: &str, routes: Vec<Route>| -> Vec<String> {
        // Nested, a `/` is the prefix itself.
        let path = |route: &Route| match (prefix, route.path.as_str()) {
            ("", path) => example(path),
            (_, "/") => example(prefix),
            (_, path) => example(&format!("{prefix}{path}")),
        };
        routes.iter().map(path).collect()
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

pub fn pascal_case(name: &str) -> String {
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
    assert_eq!(FOLDERS.map(str::to_owned), functions().map(|(folder, _)| folder.to_owned()));
    assert_eq!(folders, listed, "this test must list all functions");
    let deployed = deployed();
    let expected: BTreeSet<String> = folders.iter().map(|folder| pascal_case(folder)).collect();
    assert_eq!(deployed.keys().cloned().collect::<BTreeSet<_>>(), expected);
    for folder in folders {
        let function = &deployed[&pascal_case(&folder)];
        assert_eq!(function["Properties"]["CodeUri"], format!("functions/{folder}").as_str());
        assert_eq!(function["Properties"]["FunctionName"], format!("${{AWS::StackName}}-{folder}").as_str());
        // The Makefile's `build-%`, which finds the folder by the name.
        assert_eq!(function["Metadata"]["BuildMethod"], "makefile");
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

    /// A greedy variable also takes an empty rest, as in `/api/stac/`; any other one wants a text.
    fn matches(&self, path: &[&str]) -> bool {
        let fixed = self.segments.len() - usize::from(self.is_greedy());
        let enough = if self.is_greedy() { path.len() > fixed } else { path.len() == fixed };
        let fits = |own: &str, asked: &str| if own.starts_with('{') { !asked.is_empty() } else { own == asked };
        enough && self.segments[..fixed].iter().zip(path).all(|(own, asked)| fits(own, asked))
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
    // A slash at the end makes it another path.
    for (path, function) in [
        ("/api/stac", Some("StacCatalog")),
        ("/api/stac/", Some("StacCatalog")),
        ("/api/stac/collections/m-1/items/", Some("StacCatalog")),
        ("/api/docs/", Some("ApiDocs")),
        ("/mlflow/", Some("MlflowProject")),
        ("/mlflow/health/", Some("MlflowProject")),
        ("/mlflow/api/2.0/mlflow/registered-models/", Some("MlflowRegistry")),
        ("/mlflow/api/2.0/mlflow/logged-models//artifacts/files", Some("MlflowTracking")),
        ("/api/webhooks", None),
        ("/openapi.json/", None),
    ] {
        assert_eq!(choose(&gateway, path), function, "{path}");
    }
}

#[test]
fn outputs_are_addresses_of_functions() {
    let (template, gateway) = (template(), gateway_routes());
    for (output, more, function) in [
        ("StacUrl", "", "StacCatalog"),
        ("StacUrl", "search", "StacCatalog"),
        ("WebhookUrl", "", "CatalogSync"),
        ("MlflowTrackingUri", "/api/2.0/mlflow/runs/get", "MlflowProject"),
    ] {
        // `!Sub [text, {Hub: ..}]`
        let path = template["Outputs"][output]["Value"][0].as_str().unwrap().strip_prefix("${Hub}").unwrap();
        assert_eq!(choose(&gateway, &format!("{path}{more}")), Some(function), "{output}");
    }
}

/// The ARNs of secrets that a function gets.
fn secrets_of(function: &str) -> BTreeSet<&'static str> {
    match function {
        // All of its routes are open to anyone.
        "ApiDocs" => [].into(),
        // What opens GitLab to the catalog is nobody else's.
        "CatalogSync" => ["PERIGEE_TOKEN_KEY_ARN", "PERIGEE_SYNC_TOKEN_ARN", "PERIGEE_WEBHOOK_SECRET_ARN"].into(),
        _ => ["PERIGEE_TOKEN_KEY_ARN"].into(),
    }
}

#[test]
fn functions_get_the_settings_that_the_code_reads() {
    let code = read("shared/src/config.rs");
    let known: BTreeSet<&str> = code.split('"').filter(|text| text.starts_with("PERIGEE_")).collect();
    let mut known: BTreeSet<&str> = known.into_iter().filter(|text| !text.contains(' ')).collect();
    // Secrets come by reference, never in clear.
    for secret in ["PERIGEE_TOKEN_KEY", "PERIGEE_SYNC_TOKEN", "PERIGEE_WEBHOOK_SECRET"] {
        assert!(known.remove(secret), "{secret}");
    }
    let template = template();
    let variables = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let mut given: BTreeSet<&str> = variables.keys().map(|name| name.as_str().unwrap()).collect();
    for (function, resource) in &deployed() {
        let own = resource["Properties"]["Environment"]["Variables"].as_mapping();
        let own: BTreeSet<&str> = own.into_iter().flatten().map(|(name, _)| name.as_str().unwrap()).collect();
        assert_eq!(own, secrets_of(function), "{function}");
        assert_eq!(resource["Properties"]["Layers"].is_sequence(), !own.is_empty(), "{function}: the extension");
        given.extend(secrets_of(function));
    }
    assert_eq!(given, known);
    assert!(!read("template.yaml").contains("resolve:secretsmanager"), "a secret would be in clear");
}

#[test]
fn functions_read_exactly_their_secrets() {
    for (function, resource) in &deployed() {
        let variables = &resource["Properties"]["Environment"]["Variables"];
        let given: BTreeSet<String> =
            secrets_of(function).into_iter().flat_map(|name| texts(&variables[name])).collect();
        let granted: BTreeSet<String> = statements(function)
            .into_iter()
            .filter(|(action, _)| action == "secretsmanager:GetSecretValue")
            .map(|(_, resource)| resource)
            .collect();
        assert_eq!(granted, given, "{function}");
    }
}

#[test]
fn what_gets_no_secret_serves_anyone() {
    assert!(api_docs::routes().iter().all(|route| route.rule == shared::route::Rule::Anyone));
    for folder in functions().map(|(folder, _)| folder) {
        let open = read(&format!("functions/{folder}/src/main.rs")).contains("run_open(");
        assert_eq!(open, secrets_of(&pascal_case(folder)).is_empty(), "{folder}");
    }
}

/// What a function may do: action and resource.
pub fn statements(function: &str) -> Vec<(String, String)> {
    let (roles, policies) = (resources("AWS::IAM::Role"), resources("AWS::IAM::ManagedPolicy"));
    let role = format!("{function}Role");
    assert_eq!(deployed()[function]["Properties"]["Role"], format!("{role}.Arn").as_str());
    let role = &roles[&role]["Properties"];
    let managed = role["ManagedPolicyArns"].as_sequence().unwrap().iter().map(|policy| match policy {
        // `!If [IsTraced, !Ref TracesPolicy, ..]`
        Value::Sequence(choice) => choice[1].as_str().unwrap(),
        policy => policy.as_str().unwrap(),
    });
    let documents = managed.map(|policy| &policies[policy]["Properties"]["PolicyDocument"]);
    let own = role["Policies"].as_sequence().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
    let mut rights = Vec::new();
    for statement in documents.chain(own).flat_map(|document| document["Statement"].as_sequence().unwrap()) {
        assert_eq!(statement["Effect"], "Allow", "{function}");
        for action in texts(&statement["Action"]) {
            rights.extend(texts(&statement["Resource"]).into_iter().map(|on| (action.clone(), on)));
        }
    }
    rights
}

#[test]
fn rights_name_each_action_and_resource() {
    for function in FOLDERS.map(pascal_case) {
        assert!(deployed()[&function]["Properties"]["Policies"].is_null(), "{function}: its role says it all");
        for (action, resource) in statements(&function) {
            assert!(!action.contains('*') && !action.contains("Scan"), "{function}: {action}");
            let secret = ["TokenKey", "SyncToken", "WebhookSecret"].contains(&resource.as_str());
            let stored = resource.contains("Table.Arn") || resource.contains("Bucket.Arn");
            // X-Ray knows no resources.
            let of_xray = action.starts_with("xray:") && resource == "*";
            assert!(secret || stored || resource == "Logs.Arn" || of_xray, "{function}: {action} on {resource}");
        }
    }
}

#[test]
fn the_gateway_has_few_routes_and_settings_are_checked() {
    assert!(gateway_routes().len() <= 60, "{}", gateway_routes().len());
    let template = template();
    for (name, parameter) in template["Parameters"].as_mapping().unwrap() {
        let described = parameter["Description"].as_str().is_some_and(|text| text.len() > 20);
        let has = |field: &str| !parameter[field].is_null();
        let bounded = has("AllowedPattern") || has("MinValue") && has("MaxValue");
        let checked = has("AllowedValues") || bounded && has("ConstraintDescription");
        assert!(described && checked, "{name:?}");
    }
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_sequence().unwrap();
    let shown: BTreeSet<String> = groups.iter().flat_map(|group| texts(&group["Parameters"])).collect();
    let known: BTreeSet<String> =
        template["Parameters"].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, known);
}

#[test]
fn the_gateway_takes_so_many_requests_a_second() {
    let settings = &resources("AWS::Serverless::HttpApi")["HttpApi"]["Properties"]["DefaultRouteSettings"];
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        assert_eq!(settings[limit], "RequestsPerSecond", "{limit}");
    }
}

#[test]
fn what_holds_data_survives_the_stack() {
    let kept = |resource: &Value| {
        // What could not even be created holds nothing.
        ["Retain", "RetainExceptOnCreate"].contains(&resource["DeletionPolicy"].as_str().unwrap_or_default())
    };
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket"] {
        for (name, resource) in resources(kind) {
            assert!(kept(&resource), "{name}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
        }
    }
    // A bucket that stays keeps its wall.
    assert!(resources("AWS::S3::BucketPolicy").values().all(kept));
    assert_eq!(resources("AWS::DynamoDB::Table").len(), 1);
    assert_eq!(resources("AWS::S3::Bucket").len(), 1);
    let table = &resources("AWS::DynamoDB::Table")["Table"]["Properties"];
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
}

#[test]
fn alarms_watch_metrics_that_are_there() {
    let line = read("shared/src/log.rs");
    let alarms = resources("AWS::CloudWatch::Alarm");
    assert!(alarms.len() >= 5);
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        let metric = alarm["MetricName"].as_str().unwrap();
        match alarm["Namespace"].as_str().unwrap() {
            "Perigee" => {
                assert!(line.contains(&format!("Metric {{ name: \"{metric}\"")), "{name}: {metric}");
                assert_eq!(texts(&alarm["Dimensions"][0]["Name"]), ["stack"], "{name}");
            }
            other => assert!(["AWS/ApiGateway", "AWS/Lambda"].contains(&other), "{name}: {other}"),
        }
        // Without calls there is nothing to be alarmed about.
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert!(read("docs/OPERATIONS.md").contains(&format!("`{name}`")), "docs/OPERATIONS.md explains {name}");
    }
}

fn bucket() -> Value {
    resources("AWS::S3::Bucket")["Bucket"]["Properties"].clone()
}

#[test]
fn what_the_bucket_drops_by_itself() {
    let rules = &bucket()["LifecycleConfiguration"]["Rules"];
    let [uploads, copies] = &rules.as_sequence().unwrap()[..] else { panic!("{rules:?}") };
    // For every key, a day after they began; their URLs have ended by then.
    assert_eq!(uploads["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"], 1);
    assert!(uploads["Prefix"].is_null() && uploads["Filter"].is_null() && uploads["ExpirationInDays"].is_null());
    // Of what users put here, nothing; `blobs/` is a copy of what GitLab has.
    assert_eq!((copies["Prefix"].as_str(), copies["ExpirationInDays"].as_u64()), (Some("blobs/"), Some(30)));
    assert!(rules.as_sequence().unwrap().iter().all(|rule| rule["Status"] == "Enabled"));
    // docs/OPERATIONS.md says so, and how to change it.
    assert!(bucket()["VersioningConfiguration"].is_null() && bucket()["ObjectLockConfiguration"].is_null());
    assert!(read("docs/OPERATIONS.md").contains("Artifacts are not versioned"));
}

#[test]
fn the_bucket_opens_to_no_stranger() {
    let bucket = bucket();
    for wall in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert_eq!(bucket["PublicAccessBlockConfiguration"][wall], true, "{wall}");
    }
    assert_eq!(bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "BucketOwnerEnforced");
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");

    let policies = resources("AWS::S3::BucketPolicy");
    let [policy] = &policies.values().collect::<Vec<_>>()[..] else { panic!("{policies:?}") };
    assert_eq!(policy["Properties"]["Bucket"], "Bucket");
    let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_sequence().unwrap();
    let [deny] = &statements[..] else { panic!("{statements:?}") };
    let text = |name: &str| deny[name].as_str().unwrap();
    assert_eq!((text("Effect"), text("Principal"), text("Action")), ("Deny", "*", "s3:*"));
    assert_eq!(texts(&deny["Resource"]), ["Bucket.Arn", "${Bucket.Arn}/*"]);
    let condition: Value = serde_yaml_ng::from_str("Bool: { aws:SecureTransport: 'false' }").unwrap();
    assert_eq!(deny["Condition"], condition, "only what comes without TLS is denied");
}

/// Web pages follow redirects to presigned URLs and read what they find; they put nothing.
#[test]
fn pages_read_from_the_bucket() {
    let bucket = bucket();
    let [rule] = &bucket["CorsConfiguration"]["CorsRules"].as_sequence().unwrap()[..] else { panic!("{bucket:?}") };
    assert_eq!(texts(&rule["AllowedOrigins"]), ["WebOrigin"]);
    assert_eq!(texts(&rule["AllowedMethods"]), ["GET", "HEAD"]);
    assert_eq!(texts(&rule["AllowedHeaders"]), ["*"]);
    let shown = texts(&rule["ExposedHeaders"]);
    for header in ["Accept-Ranges", "Content-Disposition", "Content-Length", "Content-Range", "ETag"] {
        assert!(shown.iter().any(|one| one == header), "{header}");
    }
}

#[test]
fn logs_end_some_day() {
    let groups = resources("AWS::Logs::LogGroup");
    assert_eq!(groups.keys().collect::<Vec<_>>(), ["Logs"]);
    assert_eq!(groups["Logs"]["Properties"]["RetentionInDays"], "LogRetentionDays");
    assert_eq!(groups["Logs"]["DeletionPolicy"], "Delete");
    let template = template();
    assert_eq!(template["Parameters"]["LogRetentionDays"]["Default"], 30);
    // All functions write there: a group that Lambda makes by itself keeps everything for ever.
    assert_eq!(template["Globals"]["Function"]["LoggingConfig"]["LogGroup"], "Logs");
    assert!(deployed().values().all(|function| function["Properties"]["LoggingConfig"].is_null()));
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
