//! Page tokens: no edit of a good one opens, whatever it was edited into.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use shared::Error;
use shared::paging::PageTokens;
use shared::search::SortKey;

use super::survive;

type Position = (Vec<Option<String>>, i64, Option<f64>);

fn position() -> impl Strategy<Value = Position> {
    (vec(proptest::option::of(".{0,20}"), 0..4), any::<i64>(), proptest::option::of(any::<f64>()))
}

#[test]
fn edited_ones_are_refused() {
    let tokens = PageTokens::new(b"0123456789abcdef");
    let edits = vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..6);
    survive("page tokens", &(position(), edits, any::<bool>()), |(position, edits, as_bytes)| {
        let good = tokens.sign(&"query", &position).unwrap();
        let mut bytes = if as_bytes { URL_SAFE_NO_PAD.decode(&good).unwrap() } else { good.clone().into_bytes() };
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => bytes.truncate(at),
            }
        }
        let edited =
            if as_bytes { URL_SAFE_NO_PAD.encode(bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
        let opened = tokens.open::<Position>(&"query", &edited);
        if edited == good {
            assert!(opened.is_ok());
        } else {
            assert!(matches!(opened, Err(Error::Invalid(_))), "{edited}");
        }
        // Signed for something else: refused, or read as what it is not, but never trusted beyond its type.
        let _ = tokens.open::<SortKey>(&"query", &good);
        let _ = tokens.open::<Vec<(u64, String)>>(&"query", &good);
    });
}
