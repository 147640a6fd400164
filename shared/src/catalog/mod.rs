//! The catalog's own data, shared by who writes it (`catalog-sync`) and who serves it (`stac-catalog`):
//! categories, stored items, the rows that searches read, and who sees them.
//!
//! An item has two documents: one for who may read the project's repository, and one without anything
//! that comes from there, for who sees the project only.

mod category;
mod item;
mod row;
mod snapshot;
mod visible;

pub use category::{AssetRule, Category, default_categories};
pub use item::{ModelOfProject, StoredItem};
pub use row::{Facts, Row, Scalar};
pub use snapshot::Snapshot;
pub use visible::{Sight, Visible};

/// Stands in stored documents for the hub's own root URL, which only the answer knows: `perigee:/api/stac`.
/// The answer replaces it where a `/` follows, see [`OWN_URL`].
pub const ROOT: &str = "perigee:";

/// How each of the hub's own URLs begins in stored documents: [`ROOT`] and the slash of the path.
pub const OWN_URL: &str = "perigee:/";
