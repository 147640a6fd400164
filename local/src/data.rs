//! The data folder: where embedded services keep their files, and who has it open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::start::StartError;

/// Files of the embedded services; the folder is locked, or removed at the end, for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Kept { _lock: File },
    Temporary { _folder: TempDir },
}

impl DataFolder {
    /// Opens the folder, which is created when missing, or a temporary one when no path is given.
    pub fn open(path: Option<&Path>) -> Result<Self, StartError> {
        let Some(path) = path else {
            let folder = tempfile::Builder::new().prefix("perigee-").tempdir();
            let folder =
                folder.map_err(|error| StartError::Data { path: std::env::temp_dir(), message: error.to_string() })?;
            return Ok(DataFolder { path: folder.path().to_owned(), kind: Kind::Temporary { _folder: folder } });
        };
        let unusable = |message: String| StartError::Data { path: path.to_owned(), message };
        std::fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(|error| unusable(error.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataFolder { path: path.to_owned(), kind: Kind::Kept { _lock: lock } }),
            Err(TryLockError::WouldBlock) => Err(StartError::DataInUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(unusable(error.to_string())),
        }
    }

    /// DynamoDB's file; `None` when nothing is kept.
    pub fn dynamodb(&self) -> Option<PathBuf> {
        match self.kind {
            Kind::Kept { .. } => Some(self.path.join("dynamodb.sqlite")),
            Kind::Temporary { .. } => None,
        }
    }

    pub fn s3(&self) -> PathBuf {
        self.path.join("s3")
    }

    /// For people: where the data is.
    pub fn description(&self) -> String {
        match self.kind {
            Kind::Kept { .. } => self.path.display().to_string(),
            Kind::Temporary { .. } => "in memory, gone at the end".to_owned(),
        }
    }

    /// The hub's secret of this folder, made at the first start: page tokens stay good over a restart.
    pub fn token_key(&self) -> Result<String, StartError> {
        let path = self.path.join("token-key");
        let unusable = |error: std::io::Error| StartError::Data { path: path.clone(), message: error.to_string() };
        match std::fs::read_to_string(&path) {
            Ok(key) if key.trim().len() >= 32 => return Ok(key.trim().to_owned()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            Ok(_) | Err(_) => {}
        }
        let key = random_key();
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(unusable)?;
        file.write_all(key.as_bytes()).map_err(unusable)?;
        Ok(key)
    }
}

/// 32 random bytes as hexadecimal text.
pub fn random_key() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}
