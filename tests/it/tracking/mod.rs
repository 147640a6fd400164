//! MLflow tracking through the assembled hub.

mod budgets;
mod concurrency;
