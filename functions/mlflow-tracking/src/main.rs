//! The Lambda of MLflow's tracking endpoints: experiments, runs, metrics, inputs, logged models.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(mlflow_tracking::router).await
}
