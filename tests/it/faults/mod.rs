//! What the hub makes of a DynamoDB, an S3 and a GitLab that throttle, fail, lie, answer late or not at all, of clocks
//! that differ, and of clients that send everything twice.
//! An [`Injector`] stands between the SDK and the emulator.

pub mod cases;
mod gitlab;
pub mod half_written;
mod index_lag;
mod injector;
mod lies;
mod replays;
mod retries;
mod s3_injector;
mod skew;
mod steps;
mod storm;
pub mod things;
mod throttling;
mod windows;

pub use injector::{Fault, Injector};
