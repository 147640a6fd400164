//! Limits and name rules of the MLflow API (mlflow.md B.3).
