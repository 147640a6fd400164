//! The Lambda of MLflow's model registry: registered models, versions, aliases, stages.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_registry::router).await
}
