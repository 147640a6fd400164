//! `Store`: everything that lies in DynamoDB, one file per entity.

pub(crate) mod keys;
pub(crate) mod tokens;

use crate::clock::Clock;

/// The one DynamoDB table.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) table: String,
    pub(crate) clock: Clock,
}
