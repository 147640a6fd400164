//! The STAC catalog: what clients ask of it, and the index that answers searches.

pub mod area;
pub mod geometry;
pub mod index;
pub mod instant;
pub mod query;
pub mod value;
