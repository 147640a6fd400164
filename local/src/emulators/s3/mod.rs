//! Embedded S3: s3s in front of a folder, with verified signatures (presigned URLs too) and CORS.

mod index;
mod listing;
mod shelf;
mod uploads;

use std::path::Path;

use axum::Router;
use axum::response::IntoResponse;
use http::{Request, StatusCode};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tower::service_fn;
use tower_http::cors::{AllowOrigin, Any, CorsLayer, ExposeHeaders};

use super::{ACCESS_KEY, SECRET_KEY};
use crate::start::StartError;
use shelf::Shelf;

/// The S3 API over the objects in `root`, which is created when missing.
pub fn router(root: &Path) -> Result<Router, StartError> {
    let shelf = Shelf::open(root).map_err(|error| StartError::Data { path: root.to_owned(), message: error })?;
    let mut builder = S3ServiceBuilder::new(shelf);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = builder.build();
    let handle = service_fn(move |request: Request<axum::body::Body>| answer(service.clone(), request));
    // Browsers follow presigned URLs from the hub's pages to here. Preflights carry no signature: they end in this layer.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(ExposeHeaders::any());
    Ok(Router::new().fallback_service(handle).layer(cors))
}

async fn answer(
    mut service: S3Service,
    request: Request<axum::body::Body>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    Ok(match tower::Service::call(&mut service, request).await {
        Ok(response) => response.map(axum::body::Body::new).into_response(),
        Err(error) => {
            tracing::error!(?error, "embedded S3 failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}
