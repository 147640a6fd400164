//! The Lambda of MLflow's model registry: registered models, versions, aliases, stages.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_registry::router).await
}
