//! The Lambda of MLflow's artifact endpoints: list, upload, download, delete, presigned URLs.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_artifacts::router).await
}
