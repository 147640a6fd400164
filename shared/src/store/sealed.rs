//! `Sealed`: something read before access could be decided.

use crate::auth::Access;
use crate::error::Result;
use crate::model::ProjectId;

/// A thing whose owner is known and whose content opens only with a proof of access to that owner.
/// So one read serves both the decision and the answer.
#[derive(Clone, Debug)]
pub struct Sealed<T> {
    owner: ProjectId,
    content: T,
}

impl<T> Sealed<T> {
    pub(crate) fn new(owner: ProjectId, content: T) -> Self {
        Self { owner, content }
    }

    /// The project that decides who may open it.
    pub fn owner(&self) -> ProjectId {
        self.owner
    }

    /// The content, for a caller with access to the owner.
    pub fn open(self, access: &Access) -> Result<T> {
        access.covers(self.owner)?;
        Ok(self.content)
    }
}
