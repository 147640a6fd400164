//! What the hub makes of a DynamoDB that throttles, fails, answers late or not at all.
//! An [`Injector`] stands between the SDK and the emulator.

mod half_written;
mod index_lag;
mod injector;
mod retries;
mod things;
mod throttling;

pub use injector::{Fault, Injector};
