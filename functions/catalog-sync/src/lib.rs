//! `catalog-sync`: keeps the catalog's items as GitLab has the projects.

pub mod item;
