//! Who calls and what they may do, as GitLab says: `Caller` (who), `Access` (proof), `AccessLevel` (ordered scale).
//!
//! `Auth::authenticate` turns headers into a `Caller`; `Caller::require` turns a thing's owner into an
//! `Access`, which every store method that touches a project's data demands. Unknown and hidden things
//! are refused alike. Decisions are remembered briefly, in memory and in the table; see `memory.rs`.

mod access;
mod authenticate;
mod caller;
mod credential;
mod level;
mod lookup;
mod memory;

pub use access::{Access, Grant};
pub use authenticate::Auth;
pub use caller::{Caller, Subject};
pub use credential::{find_token, token_of};
pub use level::AccessLevel;
