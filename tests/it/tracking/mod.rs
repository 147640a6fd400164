//! MLflow tracking through the assembled hub.

mod budgets;
mod concurrency;
mod fold;
mod fold_simulation;
mod forms;
mod inputs;
mod lifecycle;
mod logged_models;
mod overflow;
mod sizes;
mod snapshots;
mod views;
