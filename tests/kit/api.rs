//! A small client of the native API.

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

/// A client without certificates: they are never needed here, and reading the system's takes longer
/// than most tests.
///
/// # Panics
/// Where the client cannot be made.
#[must_use]
pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().tls_certs_only([]).no_proxy();
    builder.build().expect("a client can be made")
}

/// The API as one bearer sees it.
#[derive(Debug, Clone)]
pub struct Api {
    /// `http://HOST`, without a path.
    pub base_url: String,
    /// The bearer secret, where one is sent.
    pub bearer: Option<String>,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as JSON; null where it is none.
    pub json: Value,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Reply {
    /// The JSON body of an answer that must have this status.
    ///
    /// # Panics
    /// Where the status is another.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "answer: {}",
            String::from_utf8_lossy(&self.body)
        );
        self.json
    }

    /// The code of a problem that must have this status.
    ///
    /// # Panics
    /// Where the status is another, or the body is no problem.
    pub fn problem(self, status: u16) -> String {
        let content_type = self
            .headers
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(
            content_type.as_deref(),
            Some("application/problem+json"),
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let json = self.expect(status);
        assert!(
            json["request_id"].is_string() && json["detail"].is_string(),
            "{json}"
        );
        json["code"].as_str().unwrap().to_owned()
    }
}

impl Api {
    /// With or without a bearer.
    #[must_use]
    pub fn new(base_url: &str, bearer: Option<&str>) -> Self {
        Self {
            base_url: base_url.to_owned(),
            bearer: bearer.map(str::to_owned),
            http: client(),
        }
    }

    /// The same address with another bearer.
    #[must_use]
    pub fn with_bearer(&self, bearer: &str) -> Self {
        Self {
            bearer: Some(bearer.to_owned()),
            ..self.clone()
        }
    }

    /// Sends a request with headers of its own.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        self.try_send(method, path, headers, body)
            .await
            .expect("the server answers")
    }

    /// Sends a request; an error where nobody answers.
    ///
    /// # Errors
    /// The client's.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> reqwest::Result<Reply> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await?).await
    }

    /// Sends a body that is not JSON.
    pub async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Reply {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url));
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let request = request.body(body.to_vec());
        read(request.send().await.expect("the server answers"))
            .await
            .expect("the answer is whole")
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], None).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// PUT without a body.
    pub async fn put(&self, path: &str) -> Reply {
        self.send(Method::PUT, path, &[], None).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// All items of a list, page by page.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let separator = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self
                .get(&format!("{path}{separator}limit=200{cursor}"))
                .await
                .expect(200);
            items.extend(
                page["items"]
                    .as_array()
                    .expect("a list has items")
                    .iter()
                    .cloned(),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

async fn read(response: reqwest::Response) -> reqwest::Result<Reply> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await?.to_vec();
    Ok(Reply {
        status,
        headers,
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        body,
    })
}
