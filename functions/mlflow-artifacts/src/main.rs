//! The Lambda of MLflow's artifact endpoints.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_artifacts::router).await
}
