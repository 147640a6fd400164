//! The Lambda that keeps the catalog like GitLab: webhooks, a schedule, and changes of the model registry.

// One event at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run_events(catalog_sync::router, catalog_sync::handle).await
}
