//! The Lambda of MLflow's artifact endpoints: list, upload, download, delete.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_artifacts::router).await
}
