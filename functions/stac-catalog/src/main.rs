//! The Lambda of the STAC catalog: collections, items and search.

// One request at a time: a second thread would only have to be woken.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), shared::lambda::Failure> {
    shared::lambda::run(stac_catalog::router).await
}
