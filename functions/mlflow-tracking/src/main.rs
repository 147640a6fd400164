//! The Lambda of MLflow's tracking endpoints: experiments, runs, metrics, inputs, logged models.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_tracking::router).await
}
