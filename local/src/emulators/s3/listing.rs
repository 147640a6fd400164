//! ListObjectsV2 over the index: prefix, delimiter, pages. Work is proportional to what is shown.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object, Timestamp};
use s3s::{S3Result, s3_error};

use super::index::{Entry, Index};

const MAX_KEYS: i32 = 1000;
/// Characters that `encoding-type=url` leaves alone.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One page of a bucket's objects.
pub fn list(index: &Index, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let limit = input.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
    // A key or common prefix: nothing up to and including it is shown.
    let resume = match &input.continuation_token {
        Some(token) => {
            Some(decode(token).ok_or_else(|| s3_error!(InvalidArgument, "The continuation token is not valid"))?)
        }
        None => input.start_after.clone(),
    };
    let url = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == EncodingType::URL);
    let shown = |text: &str| match url {
        true => utf8_percent_encode(text, PLAIN).to_string(),
        false => text.to_owned(),
    };

    let mut contents = Vec::new();
    let mut common_prefixes = Vec::new();
    let mut count = 0;
    let mut last = None;
    let mut truncated = false;
    let mut start = resume.as_deref().map_or(prefix, |resume| resume.max(prefix)).to_owned();
    'pages: loop {
        let mut skip_to = None;
        for (key, entry) in index.from(&input.bucket, &start) {
            let Some(rest) = key.strip_prefix(prefix) else { break 'pages };
            let group = delimiter.and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(&key[..prefix.len() + end])
            });
            let name = group.unwrap_or(key);
            let repeated = group.is_some() && last.as_deref() == group;
            if !repeated && resume.as_deref().is_none_or(|resume| name > resume) {
                if count == limit {
                    truncated = limit > 0;
                    break 'pages;
                }
                count += 1;
                last = Some(name.to_owned());
                match group {
                    Some(group) => common_prefixes.push(CommonPrefix { prefix: Some(shown(group)) }),
                    None => contents.push(object(&shown(key), entry)),
                }
            }
            if let Some(group) = group {
                // Go on behind what the group holds, unless that is where we are.
                let behind = format!("{group}{}", char::MAX);
                if behind.as_str() > key {
                    skip_to = Some(behind);
                    break;
                }
            }
        }
        match skip_to {
            Some(next) => start = next,
            None => break,
        }
    }
    Ok(ListObjectsV2Output {
        key_count: Some(count),
        max_keys: Some(limit),
        is_truncated: Some(truncated),
        next_continuation_token: last.filter(|_| truncated).map(|last| URL_SAFE_NO_PAD.encode(last)),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        continuation_token: input.continuation_token.clone(),
        prefix: input.prefix.as_deref().map(shown),
        delimiter: input.delimiter.as_deref().map(shown),
        start_after: input.start_after.as_deref().map(shown),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        ..Default::default()
    })
}

fn decode(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

fn object(key: &str, entry: &Entry) -> Object {
    Object {
        key: Some(key.to_owned()),
        size: i64::try_from(entry.size).ok(),
        e_tag: Some(ETag::Strong(entry.etag.clone())),
        last_modified: Some(Timestamp::from(UNIX_EPOCH + Duration::from_millis(entry.modified))),
        ..Default::default()
    }
}
