//! Opaque page tokens: a position, bound to the query that it continues and signed, so that a client can
//! neither make one up nor use it for another query.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// First byte of a token; other versions are refused.
const VERSION: u8 = 1;
/// Bytes of the signature.
const SIGNATURE: usize = 32;
/// Characters of a token: a position may hold texts that clients sorted by.
const LONGEST: usize = 1024 * 1024;

/// Signs and opens page tokens.
#[derive(Clone)]
pub struct PageTokens {
    mac: Hmac<Sha256>,
}

impl PageTokens {
    /// Tokens under a secret key; every instance of the hub must have the same.
    pub fn new(key: &[u8]) -> Self {
        // The key's own hash, so that a key of any length will do and other uses of the key stay apart.
        let derived = Sha256::new().chain_update(b"perigee page tokens").chain_update(key).finalize();
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..derived.len()].copy_from_slice(&derived);
        Self { mac: <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block) }
    }

    /// The token of a position in the answer to a query. The query is whatever must not change from page
    /// to page: experiment, filter, order, view, who is asked.
    pub fn sign<T: Serialize>(&self, query: &impl Serialize, position: &T) -> Result<String> {
        let position = postcard::to_stdvec(position).map_err(Error::internal)?;
        let signature = self.signature(query, &position)?.finalize().into_bytes();
        let mut token = Vec::with_capacity(1 + SIGNATURE + position.len());
        token.push(VERSION);
        token.extend_from_slice(&signature);
        token.extend_from_slice(&position);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// The token of what follows a page, if anything does: `last` is the position of its last row.
    pub fn next<T: Serialize>(
        &self,
        query: &impl Serialize,
        has_more: bool,
        last: Option<&T>,
    ) -> Result<Option<String>> {
        last.filter(|_| has_more).map(|last| self.sign(query, last)).transpose()
    }

    /// Where a page begins: behind the position of its token, or at the start if the request has none.
    /// Errors as [`PageTokens::open`].
    pub fn start<T: DeserializeOwned>(&self, query: &impl Serialize, token: Option<&str>) -> Result<Option<T>> {
        token.filter(|token| !token.is_empty()).map(|token| self.open(query, token)).transpose()
    }

    /// The position of a token that was signed for the same query; damaged, foreign and made-up tokens
    /// are [`Error::Invalid`].
    pub fn open<T: DeserializeOwned>(&self, query: &impl Serialize, token: &str) -> Result<T> {
        let refused = || Error::invalid("Invalid page token: it is damaged or belongs to another search");
        if token.len() > LONGEST {
            return Err(refused());
        }
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let Some((&VERSION, signed)) = token.split_first() else { return Err(refused()) };
        let (signature, position) = signed.split_at_checked(SIGNATURE).ok_or_else(refused)?;
        self.signature(query, position)?.verify_slice(signature).map_err(|_| refused())?;
        postcard::from_bytes(position).map_err(|_| refused())
    }

    fn signature(&self, query: &impl Serialize, position: &[u8]) -> Result<Hmac<Sha256>> {
        let query = serde_json::to_vec(query).map_err(Error::internal)?;
        let mut mac = self.mac.clone();
        mac.update(&[VERSION]);
        mac.update(&Sha256::digest(query));
        mac.update(position);
        Ok(mac)
    }
}

impl std::fmt::Debug for PageTokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PageTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Position = (String, u64);

    fn refused(result: Result<Position>) -> bool {
        matches!(result, Err(Error::Invalid(message)) if message.starts_with("Invalid page token"))
    }

    proptest! {
        #[test]
        fn opens_for_its_own_query_only(query in ".{0,20}", other in ".{0,20}", text in ".*", bits: u64) {
            let tokens = PageTokens::new(b"0123456789abcdef");
            let position: Position = (text, bits);
            let token = tokens.sign(&query, &position).unwrap();
            prop_assert_eq!(tokens.open::<Position>(&query, &token).unwrap(), position);
            prop_assert_eq!(refused(tokens.open(&other, &token)), other != query);
            prop_assert!(refused(PageTokens::new(b"0123456789abcdeg").open(&query, &token)));
        }

        #[test]
        fn damage_is_noticed(at in any::<prop::sample::Index>(), flip in 1u8..255) {
            let tokens = PageTokens::new(b"0123456789abcdef");
            let token = tokens.sign(&"query", &("position".to_owned(), 7u64)).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(refused(tokens.open(&"query", &URL_SAFE_NO_PAD.encode(bytes))));
        }

        #[test]
        fn garbage_is_refused(token in ".{0,200}") {
            prop_assert!(refused(PageTokens::new(b"0123456789abcdef").open(&"query", &token)));
        }
    }

    #[test]
    fn parts_and_oversize_tokens_are_refused() {
        let tokens = PageTokens::new(b"0123456789abcdef");
        let token = tokens.sign(&"query", &("position".to_owned(), 7u64)).unwrap();
        for end in 0..token.len() {
            assert!(refused(tokens.open(&"query", &token[..end])), "{end}");
        }
        assert!(refused(tokens.open(&"query", &format!("{token}AA"))));
        assert!(refused(tokens.open(&"query", &"A".repeat(LONGEST + 1))));
    }

    #[test]
    fn is_fit_for_a_url() {
        let token = PageTokens::new(b"0123456789abcdef").sign(&"query", &("\u{7f}~?&=".to_owned(), u64::MAX)).unwrap();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
