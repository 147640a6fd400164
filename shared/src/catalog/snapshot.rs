//! The catalog's rows as one object in the bucket: what a new instance reads before it follows the changes.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::Row;
use crate::error::{Error, Result};
use crate::objects::{Found, ObjectKey, Objects};

/// Other formats are as good as none: the changes tell it all.
const FORMAT: u8 = 1;
/// Bytes of a snapshot that is read, compressed: several millions of rows.
const LARGEST: usize = 512 * 1024 * 1024;
/// Bytes of a snapshot that are read, decompressed; one that is cut off there counts as none.
const LARGEST_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

/// All rows as they were at some time.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Snapshot {
    /// Every change written before this time (ms) is in it.
    pub upto: i64,
    /// Each row, the hash of its documents and the hash of its project's listing.
    pub rows: Vec<(Row, String, String)>,
}

impl Snapshot {
    /// The latest snapshot; an empty one, from the beginning of time, if there is none.
    pub async fn read(objects: &Objects) -> Result<Self> {
        let unpacked = match objects.get(&ObjectKey::of_catalog(), None, LARGEST).await? {
            None => return Ok(Self::default()),
            Some(Found::Small(object)) => Self::unpack(&object.bytes),
            Some(Found::Large(info)) => Err(Error::internal(format!("the snapshot is too large: {} bytes", info.size))),
        };
        match unpacked {
            Ok(snapshot) => Ok(snapshot),
            Err(error) => {
                tracing::warn!(%error, "the catalog's snapshot cannot be read; following all changes instead");
                Ok(Self::default())
            }
        }
    }

    /// Replaces the latest snapshot.
    pub async fn write(&self, objects: &Objects) -> Result<()> {
        objects.put(&ObjectKey::of_catalog(), self.pack()?.into(), "application/octet-stream").await
    }

    fn pack(&self) -> Result<Vec<u8>> {
        let mut packed = GzEncoder::new(vec![FORMAT], Compression::fast());
        packed.write_all(&postcard::to_stdvec(self).map_err(Error::internal)?).map_err(Error::internal)?;
        packed.finish().map_err(Error::internal)
    }

    fn unpack(bytes: &[u8]) -> Result<Self> {
        let Some((&FORMAT, packed)) = bytes.split_first() else {
            return Err(Error::internal("the snapshot has another format"));
        };
        let mut unpacked = Vec::new();
        GzDecoder::new(packed).take(LARGEST_UNPACKED).read_to_end(&mut unpacked).map_err(Error::internal)?;
        postcard::from_bytes(&unpacked).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Facts, Scalar};
    use crate::model::{ProjectId, Visibility};

    #[test]
    fn rows_come_back_as_they_were() {
        let facts = Facts {
            text: "größe".into(),
            start: -1,
            end: 7,
            bbox: Some([0.1, -2.0, 3.0, 4.0]),
            geometry: Some("{}".into()),
            properties: vec![("a".into(), Scalar::List(vec![Scalar::Bool(true), Scalar::Number(f64::MAX)]))],
        };
        let row = Row {
            project: ProjectId(7),
            collection: "aimodel".into(),
            id: "a/b".into(),
            visibility: Visibility::Internal,
            code_visibility: Visibility::Private,
            full: facts.clone(),
            minimal: Some(facts),
        };
        let snapshot = Snapshot { upto: 1, rows: vec![(row, "v".into(), "l".into())] };
        assert_eq!(Snapshot::unpack(&snapshot.pack().unwrap()).unwrap(), snapshot);
        assert!(
            Snapshot::unpack(b"").is_err()
                && Snapshot::unpack(b"\x02xyz").is_err()
                && Snapshot::unpack(b"\x01x").is_err()
        );
    }
}
