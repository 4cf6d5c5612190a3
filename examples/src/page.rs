//! One page over HTTP: what an example shows to a browser, or to Prometheus. It has no part in what getty does.

use std::{convert::Infallible, future::ready, time::Duration};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Where a page is, and how its text is made for each request.
#[derive(Debug, Clone)]
pub struct Page<F> {
    /// Such as `/`.
    pub path: &'static str,
    /// Such as `text/html; charset=utf-8`.
    pub content_type: &'static str,
    /// Makes the text.
    pub text: F,
}

impl<F: Fn() -> String + Clone + Send + Sync + 'static> Page<F> {
    /// Serves it for ever.
    pub async fn serve(self, http: TcpListener) {
        loop {
            match http.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().answer(stream))),
                Err(error) => {
                    eprintln!("cannot accept: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn answer(self, stream: TcpStream) {
        let service = service_fn(|request| ready(self.respond(&request)));
        let served = http1::Builder::new()
            // A peer that does not finish its request is not waited for.
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(5))
            .serve_connection(TokioIo::new(stream), service);
        // What goes wrong concerns that peer alone.
        let _ = served.await;
    }

    fn respond(&self, request: &Request<Incoming>) -> Result<Response<String>, Infallible> {
        let mut response = Response::new(String::new());
        if request.uri().path() != self.path {
            *response.status_mut() = StatusCode::NOT_FOUND;
        } else if request.method() != Method::GET {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        } else {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            *response.body_mut() = (self.text)();
        }
        Ok(response)
    }
}
