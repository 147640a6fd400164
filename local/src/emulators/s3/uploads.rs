//! Multipart uploads under way: to which object each belongs and which parts have come.
//!
//! s3s-fs keeps the bytes of the parts. It takes a part for any key, looks at no tag, and has dropped an upload by the
//! time it finds a mistake in the list of its parts; S3 does none of that. Uploads end with the process.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::dto::{CompletedPart, ETag, ListPartsInput, ListPartsOutput, MultipartUpload, Part};
use s3s::{S3Result, s3_error};

/// What S3 asks of every part but the last, bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// Parts or uploads that S3 lists at once.
const LONGEST_LIST: usize = 1_000;

#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    begun: SystemTime,
    /// By number: tag and bytes.
    parts: BTreeMap<i32, (String, u64)>,
}

#[derive(Debug, Default)]
pub struct Uploads(Mutex<HashMap<String, Upload>>);

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self, id: &str, bucket: &str, key: &str) {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let upload = Upload { bucket, key, begun: SystemTime::now(), parts: BTreeMap::new() };
        self.lock().insert(id.to_owned(), upload);
    }

    /// Is this an upload of that object?
    pub fn check(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        self.lock().get(id).filter(|upload| upload.is_of(bucket, key)).map(|_| ()).ok_or_else(no_such_upload)
    }

    /// Notes a part whose bytes are in place.
    pub fn put(&self, id: &str, number: i32, etag: &str, size: u64) -> S3Result<()> {
        let mut uploads = self.lock();
        let upload = uploads.get_mut(id).ok_or_else(no_such_upload)?;
        upload.parts.insert(number, (etag.to_owned(), size));
        Ok(())
    }

    /// The uploads of keys that begin so, by key and age; the first [`LONGEST_LIST`] of them.
    pub fn list(&self, bucket: &str, prefix: &str) -> Vec<MultipartUpload> {
        let uploads = self.lock();
        let wanted = |upload: &Upload| upload.bucket == bucket && upload.key.starts_with(prefix);
        let mut found: Vec<_> = uploads.iter().filter(|(_, upload)| wanted(upload)).collect();
        found.sort_by(|(_, one), (_, other)| (&one.key, one.begun).cmp(&(&other.key, other.begun)));
        let shown = |(id, upload): (&String, &Upload)| MultipartUpload {
            key: Some(upload.key.clone()),
            upload_id: Some(id.clone()),
            initiated: Some(upload.begun.into()),
            ..Default::default()
        };
        found.into_iter().take(LONGEST_LIST).map(shown).collect()
    }

    /// A page of an upload's parts.
    pub fn list_parts(&self, input: &ListPartsInput) -> S3Result<ListPartsOutput> {
        let uploads = self.lock();
        let upload = uploads.get(&input.upload_id).filter(|upload| upload.is_of(&input.bucket, &input.key));
        let upload = upload.ok_or_else(no_such_upload)?;
        let after = input.part_number_marker.unwrap_or_default();
        let limit = input.max_parts.and_then(|most| usize::try_from(most).ok()).unwrap_or(LONGEST_LIST);
        let mut parts: Vec<Part> = upload.parts.range(after.saturating_add(1)..).map(part).collect();
        let is_truncated = parts.len() > limit.min(LONGEST_LIST);
        parts.truncate(limit.min(LONGEST_LIST));
        Ok(ListPartsOutput {
            bucket: Some(input.bucket.clone()),
            key: Some(input.key.clone()),
            upload_id: Some(input.upload_id.clone()),
            is_truncated: Some(is_truncated),
            next_part_number_marker: parts.last().and_then(|part| part.part_number).filter(|_| is_truncated),
            parts: Some(parts),
            ..Default::default()
        })
    }

    /// Takes out an upload that can be completed with `parts`; the numbers of those that were put and are not used.
    pub fn complete(&self, id: &str, bucket: &str, key: &str, parts: &[CompletedPart]) -> S3Result<Vec<i32>> {
        let mut uploads = self.lock();
        let upload = uploads.get(id).filter(|upload| upload.is_of(bucket, key)).ok_or_else(no_such_upload)?;
        let unused = upload.unused(parts)?;
        uploads.remove(id);
        Ok(unused)
    }

    pub fn abort(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        self.check(id, bucket, key)?;
        self.lock().remove(id);
        Ok(())
    }
}

impl Upload {
    fn is_of(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }

    fn unused(&self, parts: &[CompletedPart]) -> S3Result<Vec<i32>> {
        let numbers: Vec<i32> = parts.iter().map(|part| part.part_number.unwrap_or_default()).collect();
        if numbers.is_empty() {
            return Err(s3_error!(MalformedXML));
        }
        if !numbers.is_sorted_by(|one, next| one < next) {
            return Err(s3_error!(InvalidPartOrder));
        }
        for (at, (part, number)) in parts.iter().zip(&numbers).enumerate() {
            let (etag, size) = self.parts.get(number).ok_or_else(|| s3_error!(InvalidPart))?;
            if part.e_tag.as_ref().is_none_or(|given| given.value() != etag) {
                return Err(s3_error!(InvalidPart));
            }
            if *size < SMALLEST_PART && at + 1 < parts.len() {
                return Err(s3_error!(EntityTooSmall));
            }
        }
        // S3 takes gaps, s3s-fs does not.
        if !numbers.iter().copied().eq(1..=*numbers.last().unwrap_or(&0)) {
            return Err(s3_error!(InvalidRequest, "The embedded S3 wants parts without gaps"));
        }
        Ok(self.parts.keys().copied().filter(|number| !numbers.contains(number)).collect())
    }
}

fn part((number, (etag, size)): (&i32, &(String, u64))) -> Part {
    Part {
        part_number: Some(*number),
        e_tag: Some(ETag::Strong(etag.clone())),
        size: i64::try_from(*size).ok(),
        ..Default::default()
    }
}

fn no_such_upload() -> s3s::S3Error {
    s3_error!(NoSuchUpload)
}

/// Where s3s-fs keeps a part.
pub fn part_file(id: &str, number: i32) -> String {
    format!(".upload_id-{id}.part-{number}")
}

/// Removes what uploads of an earlier process have left, which nobody can end any more.
pub fn sweep(root: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let of_upload = name.starts_with(".upload_id-") || name.starts_with(".upload-");
        if of_upload || name.starts_with(".bucket-") && name.contains(".upload-") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use s3s::S3ErrorCode;
    use s3s::dto::ETag;

    use super::*;

    fn parts(list: &[(i32, &str)]) -> Vec<CompletedPart> {
        let part = |(number, tag): &(i32, &str)| CompletedPart {
            part_number: Some(*number),
            e_tag: Some(ETag::Strong((*tag).to_owned())),
            ..Default::default()
        };
        list.iter().map(part).collect()
    }

    #[test]
    fn an_upload_ends_once_with_the_parts_that_were_put() {
        let uploads = Uploads::default();
        uploads.begin("u", "b", "k");
        for (number, size) in [(1, SMALLEST_PART), (2, SMALLEST_PART - 1), (3, 1), (4, 1)] {
            uploads.put("u", number, &format!("t{number}"), size).unwrap();
        }
        for (list, code) in [
            (&[][..], S3ErrorCode::MalformedXML),
            (&[(2, "t2"), (1, "t1")], S3ErrorCode::InvalidPartOrder),
            (&[(1, "t1"), (1, "t1")], S3ErrorCode::InvalidPartOrder),
            (&[(1, "t2")], S3ErrorCode::InvalidPart),
            (&[(1, "t1"), (5, "t5")], S3ErrorCode::InvalidPart),
            (&[(1, "t1"), (2, "t2"), (3, "t3")], S3ErrorCode::EntityTooSmall),
            (&[(1, "t1"), (3, "t3")], S3ErrorCode::InvalidRequest),
        ] {
            assert_eq!(*uploads.complete("u", "b", "k", &parts(list)).unwrap_err().code(), code, "{list:?}");
        }
        let good = parts(&[(1, "t1"), (2, "t2")]);
        for (id, bucket, key) in [("v", "b", "k"), ("u", "c", "k"), ("u", "b", "l")] {
            assert_eq!(*uploads.complete(id, bucket, key, &good).unwrap_err().code(), S3ErrorCode::NoSuchUpload);
            assert_eq!(*uploads.abort(id, bucket, key).unwrap_err().code(), S3ErrorCode::NoSuchUpload);
        }
        assert_eq!(uploads.complete("u", "b", "k", &good).unwrap(), [3, 4]);
        assert_eq!(*uploads.complete("u", "b", "k", &good).unwrap_err().code(), S3ErrorCode::NoSuchUpload);
    }

    #[test]
    fn uploads_and_parts_are_listed_in_order() {
        let uploads = Uploads::default();
        for (id, bucket, key) in [("y", "b", "k/2"), ("x", "b", "k/1"), ("a", "b", "k/1"), ("z", "c", "k/1")] {
            uploads.begin(id, bucket, key);
        }
        let ids = |prefix: &str| -> Vec<String> {
            uploads.list("b", prefix).into_iter().filter_map(|upload| upload.upload_id).collect()
        };
        assert_eq!(
            (ids("k/"), ids("k/2"), ids("l")),
            (vec!["x".into(), "a".into(), "y".into()], vec!["y".into()], vec![])
        );
        for number in [3, 1, 2] {
            uploads.put("x", number, &format!("t{number}"), 5).unwrap();
        }
        let page = |after: Option<i32>, most: Option<i32>| {
            let input = ListPartsInput::builder().bucket("b".into()).key("k/1".into()).upload_id("x".into());
            let input = input.part_number_marker(after).max_parts(most).build().unwrap();
            let page = uploads.list_parts(&input).unwrap();
            let numbers: Vec<_> = page.parts.unwrap().iter().filter_map(|part| part.part_number).collect();
            (numbers, page.next_part_number_marker)
        };
        assert_eq!(page(None, None), (vec![1, 2, 3], None));
        assert_eq!(page(None, Some(2)), (vec![1, 2], Some(2)));
        assert_eq!(page(Some(2), Some(2)), (vec![3], None));
        let other = ListPartsInput::builder().bucket("b".into()).key("k/2".into()).upload_id("x".into());
        assert_eq!(*uploads.list_parts(&other.build().unwrap()).unwrap_err().code(), S3ErrorCode::NoSuchUpload);
    }

    #[test]
    fn what_an_earlier_process_left_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let kept = [".index.jsonl", ".bucket-b.object-k.metadata.json", ".bucket-b.object-k.internal.json"];
        let left = [&part_file("u", 1), ".upload-u.json", ".bucket-b.object-k.upload-u.metadata.json"];
        for name in kept.iter().chain(&left) {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("bucket")).unwrap();
        sweep(folder.path()).unwrap();
        let there = |name: &&str| folder.path().join(name).exists();
        assert!(kept.iter().all(there) && !left.iter().any(there) && folder.path().join("bucket").exists());
    }
}
