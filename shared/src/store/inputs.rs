//! Inputs and outputs of runs: data sets, models.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::item::{Attributes, Item, key, number, string};
use super::request::Outcome;
use super::{Store, StoredRun, keys};
use crate::auth::Access;
use crate::error::{Error, Result};
use crate::model::{
    Dataset, DatasetInput, DatasetSummary, Experiment, ExperimentId, Inputs, ModelInput, ModelOutput, ProjectId,
};

/// The input tag that says what a data set was used for.
const CONTEXT_TAG: &str = "mlflow.data.context";

impl Store {
    /// Adds inputs and outputs to an active run. An edge that is there already stays as it is.
    pub async fn log_edges(&self, access: &Access, id: &str, edges: Inputs) -> Result<()> {
        let run = self.active_run(access, id).await?;
        let pk = keys::run(id);
        for (position, input) in edges.datasets.iter().enumerate() {
            let dataset = self.put_dataset(&run, input).await?;
            let mut item = key(&pk, keys::edge('D', &keys::dataset(&input.dataset.name, &input.dataset.digest)));
            item.extend(dataset);
            let tags = serde_json::to_string(&input.tags).map_err(Error::internal)?;
            item.insert("tags".to_owned(), string(&tags));
            // A second use of the data set by the run changes nothing; a repeated request ends what the first began.
            let is_ours = match self.put_edge(item, position).await? {
                None => true,
                Some(known) => known.find_str("tags") == Some(&tags),
            };
            if is_ours {
                self.add_context(run.experiment(), input).await?;
            }
        }
        for (position, input) in edges.models.iter().enumerate() {
            let mut item = key(&pk, keys::edge('M', &input.model_id));
            item.insert("model".to_owned(), string(&input.model_id));
            self.put_edge(item, position).await?;
        }
        for (position, output) in edges.outputs.iter().enumerate() {
            let mut item = key(&pk, keys::edge('O', &format!("{}:{}", output.model_id, output.step)));
            item.insert("model".to_owned(), string(&output.model_id));
            item.insert("step".to_owned(), number(output.step));
            self.put_edge(item, position).await?;
        }
        if !run.has_edges {
            let update = self
                .update(&pk, keys::META, None)
                .update_expression("SET edges = :true ADD rev :one")
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .expression_attribute_values(":one", number(1));
            self.send_update(update).await?;
        }
        Ok(())
    }

    /// Writes an edge unless it is there: then answers it. `position` within its call keeps the order of the answer.
    async fn put_edge(&self, mut item: Item, position: usize) -> Result<Option<Item>> {
        item.insert("at".to_owned(), number(self.clock.now_ms()));
        item.insert("position".to_owned(), number(position));
        let put = self.client.put_item().set_item(Some(item)).condition_expression("attribute_not_exists(PK)");
        match self.send_put(put).await? {
            Outcome::Done { .. } => Ok(None),
            Outcome::Refused(known) => Ok(Some(known.unwrap_or_default())),
        }
    }

    /// Notes with the data set what it was used for.
    async fn add_context(&self, experiment: ExperimentId, input: &DatasetInput) -> Result<()> {
        let context = input.tags.iter().find(|(name, _)| name == CONTEXT_TAG).map(|(_, value)| value.as_str());
        let sk = keys::dataset(&input.dataset.name, &input.dataset.digest);
        let update = self
            .update(&keys::experiment(experiment), &sk, None)
            .update_expression("ADD contexts :context")
            .expression_attribute_values(":context", AttributeValue::Ss(vec![written_context(context)]));
        self.send_update(update).await.map(|_| ())
    }

    /// Registers a data set with its experiment; answers its attributes as they were written first.
    async fn put_dataset(&self, run: &StoredRun, input: &DatasetInput) -> Result<Item> {
        let attributes = self.write_dataset(run.project, &input.dataset).await?;
        let sets: Vec<String> =
            (0..attributes.len()).map(|number| format!("#a{number} = if_not_exists(#a{number}, :a{number})")).collect();
        // An upsert by design: the first writer's attributes stay.
        let mut update = self
            .client
            .update_item()
            .set_key(Some(key(
                keys::experiment(run.experiment()),
                keys::dataset(&input.dataset.name, &input.dataset.digest),
            )))
            .update_expression(format!("SET {}", sets.join(", ")))
            .return_values(ReturnValue::AllNew);
        for (number, (name, value)) in attributes.into_iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#a{number}"), name)
                .expression_attribute_values(format!(":a{number}"), value);
        }
        match self.send_update(update).await? {
            Outcome::Done { mut attributes, .. } => {
                attributes.retain(|name, _| DATASET_ATTRIBUTES.contains(&name.as_str()));
                Ok(attributes)
            }
            Outcome::Refused(_) => Err(Error::internal("an unconditional update was refused")),
        }
    }

    pub(crate) async fn read_edges(&self, run_id: &str) -> Result<Inputs> {
        let mut items = self.query_prefix(&keys::run(run_id), keys::EDGES).await?;
        items.sort_by_key(|item| (item.find_number::<i64>("at"), item.find_number::<usize>("position")));
        let mut inputs = Inputs::default();
        for item in &items {
            let kind =
                item.find_str("SK").and_then(|sk| sk.strip_prefix(keys::EDGES)).and_then(|rest| rest.chars().next());
            match kind {
                Some('D') => {
                    let tags = item.text("tags")?;
                    let tags = serde_json::from_str(&tags).map_err(Error::internal)?;
                    inputs.datasets.push(DatasetInput { tags, dataset: self.read_dataset(item).await? });
                }
                Some('M') => inputs.models.push(ModelInput { model_id: item.text("model")? }),
                Some('O') => {
                    inputs.outputs.push(ModelOutput { model_id: item.text("model")?, step: item.number("step")? });
                }
                // Of a newer version of the hub.
                _ => {}
            }
        }
        Ok(inputs)
    }

    /// The data sets used by runs of an experiment, with the contexts of their use.
    pub async fn list_datasets(&self, access: &Access, experiment: &Experiment) -> Result<BTreeSet<DatasetSummary>> {
        access.covers(experiment.project)?;
        let mut summaries = BTreeSet::new();
        for item in self.query_prefix(&keys::experiment(experiment.id), keys::DATASETS).await? {
            let contexts = item.get("contexts").and_then(|value| value.as_ss().ok());
            for context in contexts.into_iter().flatten() {
                summaries.insert(DatasetSummary {
                    name: item.text("name")?,
                    digest: item.text("digest")?,
                    context: context.strip_prefix('=').map(str::to_owned),
                });
            }
        }
        Ok(summaries)
    }
}

/// A set of strings holds no "none": contexts are written with `=` before them, none as `-`.
fn written_context(context: Option<&str>) -> String {
    context.map_or_else(|| "-".to_owned(), |context| format!("={context}"))
}

/// The attributes of a data set, with its experiment and with each run that used it.
const DATASET_ATTRIBUTES: [&str; 6] = ["name", "digest", "source_type", "source", "schema", "profile"];

impl Store {
    async fn write_dataset(&self, project: ProjectId, dataset: &Dataset) -> Result<Item> {
        let texts = [
            Some(&dataset.name),
            Some(&dataset.digest),
            Some(&dataset.source_type),
            Some(&dataset.source),
            dataset.schema.as_ref(),
            dataset.profile.as_ref(),
        ];
        let mut item = Item::new();
        for (name, text) in DATASET_ATTRIBUTES.into_iter().zip(texts) {
            if let Some(text) = text {
                item.insert(name.to_owned(), self.write_text(project, text).await?);
            }
        }
        Ok(item)
    }

    async fn read_dataset(&self, item: &Item) -> Result<Dataset> {
        Ok(Dataset {
            name: item.text("name")?,
            digest: item.text("digest")?,
            source_type: self.read_text(item, "source_type").await?.unwrap_or_default(),
            source: self.read_text(item, "source").await?.unwrap_or_default(),
            schema: self.read_text(item, "schema").await?,
            profile: self.read_text(item, "profile").await?,
        })
    }
}
