//! Embedded DynamoDB: dynoxide over SQLite, in memory or in one file.

use std::path::Path;

use dynoxide::{Database, server};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::serve::stopped;
use crate::start::StartError;

/// Opens the database file, or one in memory when no path is given.
///
/// An acknowledged write survives the end of the process by any signal. To survive a power cut is not promised:
/// SQLite then syncs the log at checkpoints instead of at each write, which is ten times faster.
pub fn open(file: Option<&Path>) -> Result<Database, StartError> {
    let Some(file) = file else {
        return Database::memory()
            .map_err(|error| StartError::Emulator { name: "DynamoDB", message: error.to_string() });
    };
    let unusable = |message: String| StartError::Data { path: file.to_owned(), message };
    let path = file.to_str().ok_or_else(|| unusable("its path is not UTF-8".to_owned()))?;
    let database = Database::new(path).map_err(|error| unusable(error.to_string()))?;
    // The public way to `PRAGMA synchronous = NORMAL`; the journal is a write-ahead log already.
    database.disable_bulk_loading().map_err(|error| unusable(error.to_string()))?;
    Ok(database)
}

/// Serves `database` until `stop`.
pub async fn serve(listener: TcpListener, database: Database, stop: watch::Receiver<bool>) {
    if let Err(error) = server::serve_with_shutdown(listener, database, stopped(stop)).await {
        tracing::error!(%error, "embedded DynamoDB ended");
    }
}
