//! Listeners: binding with a clear error, and a small HTTP/1.1 server for a router.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::start::StartError;

/// How long requests under way may take to finish after a shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// Response extension: close the connection instead of answering.
#[derive(Debug, Clone, Copy)]
pub struct DropConnection;

/// Listens on `address`; port 0 takes a free one. `option` names the setting to change when the port is taken.
///
/// The socket has TCP_NODELAY, which accepted connections inherit: small answers must not wait for a delayed ACK.
pub fn bind(address: SocketAddr, option: &'static str) -> Result<TcpListener, StartError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Lets a restarted process have its port back while old connections linger.
        socket.set_reuseaddr(true)?;
        socket.set_nodelay(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    open().map_err(|source| StartError::Bind { address, option, source })
}

/// Resolves once `stop` says true, or its sender is gone.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left to say stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves `router` over HTTP/1.1 until `stop`, then lets requests under way finish.
pub async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let connections = GracefulShutdown::new();
    let stopping = stopped(stop);
    tokio::pin!(stopping);
    loop {
        let accepted = tokio::select! {
            () = &mut stopping => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => connect(stream, router.clone(), &connections),
            Err(error) => {
                // Out of file descriptors, say: wait for some to come free.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still running and have been cut off");
    }
}

fn connect(stream: TcpStream, router: Router, connections: &GracefulShutdown) {
    // Inherited on Linux; set here for systems where it is not. It fails only when the client has left already.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| answer(router.clone(), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended early");
        }
    });
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response<Body>, &'static str> {
    match router.oneshot(request).await {
        Ok(response) if response.extensions().get::<DropConnection>().is_some() => Err("dropped on purpose"),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
