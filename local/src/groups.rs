//! Every endpoint group, and where its paths begin: the hub serves them, the OpenAPI document describes them.

use shared::dialect::Dialect;
use shared::route::Route;

/// The endpoints of one function.
pub struct Group {
    pub function: &'static str,
    /// What stands before the paths of its routes.
    pub base: &'static str,
    pub dialect: Dialect,
    pub routes: Vec<Route>,
}

/// All groups. A project's view has the routes of MLflow's three below another base.
pub fn groups() -> Vec<Group> {
    let mlflow = |function, routes| Group { function, base: "/mlflow", dialect: Dialect::Mlflow, routes };
    vec![
        mlflow("mlflow-tracking", mlflow_tracking::routes()),
        mlflow("mlflow-registry", mlflow_registry::routes()),
        mlflow("mlflow-artifacts", mlflow_artifacts::routes()),
        Group { function: "stac-catalog", base: "", dialect: Dialect::Detail, routes: stac_catalog::routes() },
        Group { function: "file-download", base: "", dialect: Dialect::Detail, routes: file_download::routes() },
        Group { function: "catalog-sync", base: "", dialect: Dialect::Detail, routes: catalog_sync::routes() },
        Group { function: "api-docs", base: "", dialect: Dialect::Detail, routes: api_docs::routes() },
    ]
}
