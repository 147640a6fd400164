//! The Lambda of project views: `/mlflow/<project path>/tracking`.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_project::router).await
}
