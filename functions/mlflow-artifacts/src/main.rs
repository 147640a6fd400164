//! The Lambda of MLflow's artifact endpoints: list, upload, download, delete, presigned URLs.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_artifacts::router).await
}
