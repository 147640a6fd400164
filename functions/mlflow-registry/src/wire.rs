//! The registry's JSON forms (mlflow.md B.7).

use schemars::JsonSchema;
use serde::Serialize;
use shared::answer::{ANSWER_BYTES, json_bytes};
use shared::auth::Access;
use shared::context::{Context, PROJECT_TAG, View};
use shared::model::{ModelVersion, RegisteredModel};
use shared::wire::Pair;

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RegisteredModel")]
pub struct RegisteredModelOut {
    /// Name, in the global view with ` (<project id>)` behind it.
    name: String,
    /// Milliseconds since 1970.
    creation_timestamp: i64,
    /// Milliseconds since 1970.
    last_updated_timestamp: i64,
    /// Description.
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// The newest version of each stage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latest_versions: Vec<ModelVersionOut>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    /// Aliases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<AliasOut>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AliasOfModel")]
struct AliasOut {
    /// Alias.
    alias: String,
    /// Number of the version.
    version: String,
}

impl RegisteredModelOut {
    /// As the request's view shows it, with the newest version of each stage unless they do not fit into an answer. The
    /// global view adds the owner as a tag `project`.
    pub fn new(context: &Context, access: &Access, model: &RegisteredModel, latest: &[ModelVersion]) -> Self {
        let mut tags = Pair::list(&model.tags);
        if context.view == View::Global {
            tags.retain(|tag| tag.key != PROJECT_TAG);
            tags.push(Pair { key: PROJECT_TAG.to_owned(), value: access.path().to_owned() });
        }
        let name = context.shown(model.project, &model.name);
        let aliases = model.aliases.iter();
        let mut shown = Self {
            creation_timestamp: model.creation_time,
            last_updated_timestamp: model.last_update_time,
            description: model.description.clone(),
            latest_versions: latest.iter().map(|version| ModelVersionOut::new(context, &name, version)).collect(),
            tags,
            aliases: aliases
                .map(|(alias, version)| AliasOut { alias: alias.clone(), version: version.to_string() })
                .collect(),
            name,
        };
        if json_bytes(&shown) > ANSWER_BYTES {
            shown.latest_versions.clear();
        }
        shown
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ModelVersion")]
pub struct ModelVersionOut {
    /// Name of the registered model.
    name: String,
    /// Number, from 1.
    version: String,
    /// Milliseconds since 1970.
    creation_timestamp: i64,
    /// Milliseconds since 1970.
    last_updated_timestamp: i64,
    /// Stage.
    #[schemars(extend("enum" = ["None", "Staging", "Production", "Archived"]))]
    current_stage: &'static str,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where its files are, as the client said.
    source: String,
    /// The run that made it; may be empty.
    run_id: String,
    /// Always `READY`.
    #[schemars(extend("enum" = ["READY"]))]
    status: &'static str,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    /// Link to the run.
    run_link: String,
    /// Aliases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

impl ModelVersionOut {
    /// A version of the model that this view shows as `name`; lists tell no aliases.
    pub fn new(context: &Context, name: &str, version: &ModelVersion) -> Self {
        Self {
            name: name.to_owned(),
            version: version.number.to_string(),
            creation_timestamp: version.creation_time,
            last_updated_timestamp: version.last_update_time,
            current_stage: version.stage.as_str(),
            description: version.description.clone(),
            source: context.shown_uri_in(version.default_experiment, &version.source),
            run_id: version.run_id.clone(),
            status: "READY",
            tags: Pair::list(&version.tags),
            run_link: version.run_link.clone(),
            aliases: Vec::new(),
        }
    }

    /// A version with its aliases.
    pub fn of_model(context: &Context, model: &RegisteredModel, version: &ModelVersion) -> Self {
        let name = context.shown(model.project, &model.name);
        let aliases = model.aliases_of(version.number).cloned().collect();
        Self { aliases, ..Self::new(context, &name, version) }
    }
}

/// The answer with one model.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "OneRegisteredModel")]
pub struct OneModel {
    /// The model.
    pub registered_model: RegisteredModelOut,
}

/// The answer with one version.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "OneModelVersion")]
pub struct OneVersion {
    /// The version.
    pub model_version: ModelVersionOut,
}
