//! The Lambda of project views: `/mlflow/<project path>/tracking`.

#[tokio::main]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_project::router).await
}
