//! The hub's API as commands use it: the policy in force, and batches to store. Plain HTTP/1.1; only addresses that
//! the operator named or that a hub on this machine left in its data folder.

use std::path::Path;

use arrow::record_batch::RecordBatch;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use threadline_model::BatchId;
use threadline_policy::{ParameterDocument, PolicyDocument};
use threadline_store::Appended;

/// Answers larger than this are not a hub's.
const MAXIMUM_ANSWER: usize = 4 << 20;

/// Why a hub could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubClientError {
    /// The address is not a URL.
    #[error("`{0}` is not the address of a hub; expected one like http://127.0.0.1:7070")]
    Address(String),
    /// No connection, or it broke.
    #[error("the hub at {address} cannot be reached")]
    Unreachable {
        address: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hub said no.
    #[error("the hub at {address} answered {status}: {detail}")]
    Refused { address: String, status: StatusCode, detail: String },
    /// The answer is not what a hub of this version says.
    #[error("the hub at {address} gave an answer that this version does not understand")]
    Answer { address: String },
}

/// A hub that commands can talk to.
pub(crate) struct HubClient {
    address: String,
    token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Deserialize)]
struct ParametersAnswer {
    version: u64,
    parameters: Vec<ParameterAnswer>,
}

#[derive(Deserialize)]
struct ParameterAnswer {
    #[serde(flatten)]
    document: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct AppendedAnswer {
    stored: u64,
    duplicate: u64,
    expired: u64,
}

#[derive(Deserialize)]
struct ProblemAnswer {
    title: Option<String>,
    detail: Option<String>,
}

impl HubClient {
    /// A hub at an address, with a token of it.
    pub(crate) fn new(address: &str, token: &str) -> Result<Self, HubClientError> {
        let uri: http::Uri = address.parse().map_err(|_| HubClientError::Address(address.to_owned()))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(HubClientError::Address(address.to_owned()));
        }
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// The hub that runs on this data folder, if one does.
    pub(crate) fn running_on(data: &Path) -> Option<Self> {
        let address = std::fs::read_to_string(data.join("hub-address")).ok()?;
        let token = std::fs::read_to_string(data.join("local-token")).ok()?;
        Self::new(address.trim(), token.trim()).ok()
    }

    /// The address, for messages.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The policy in force and its version.
    pub(crate) async fn policy(&self) -> Result<(u64, PolicyDocument), HubClientError> {
        let bytes = self.call(Method::GET, "/api/v1/policy/parameters", &[], Bytes::new()).await?;
        let unclear = || HubClientError::Answer { address: self.address.clone() };
        let answer: ParametersAnswer = serde_json::from_slice(&bytes).map_err(|_| unclear())?;
        let parameters = answer
            .parameters
            .into_iter()
            .map(|mut parameter| {
                // The answer tells more than a document may say: other spellings of the point.
                parameter.document.retain(|name, _| {
                    matches!(name.as_str(), "name" | "point" | "type" | "group" | "hashed" | "namespace")
                });
                serde_json::from_value::<ParameterDocument>(parameter.document.into())
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unclear())?;
        Ok((answer.version, PolicyDocument { parameters }))
    }

    /// Hands over a batch of imported rows; returns when it is durable.
    pub(crate) async fn append_import(&self, id: BatchId, rows: &RecordBatch) -> Result<Appended, HubClientError> {
        let body = threadline_record::encode_ipc(rows);
        let id = id.to_string();
        let headers = [
            ("content-type", "application/vnd.apache.arrow.stream"),
            ("threadline-batch-id", id.as_str()),
            ("threadline-lane", "import"),
        ];
        let bytes = self.call(Method::POST, "/api/v1/batches", &headers, body.into()).await?;
        let answer: AppendedAnswer =
            serde_json::from_slice(&bytes).map_err(|_| HubClientError::Answer { address: self.address.clone() })?;
        Ok(Appended { stored: answer.stored, duplicate: answer.duplicate, expired: answer.expired })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Bytes, HubClientError> {
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| HubClientError::Unreachable {
            address: self.address.clone(),
            source,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| unreachable(error.into()))?;
        let answer = self.client.request(request).await.map_err(|error| unreachable(error.into()))?;
        let status = answer.status();
        #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
        let bytes = Limited::new(answer.into_body(), MAXIMUM_ANSWER).collect().await.map_err(unreachable)?.to_bytes();
        if status.is_success() {
            return Ok(bytes);
        }
        let problem: Option<ProblemAnswer> = serde_json::from_slice(&bytes).ok();
        let detail = problem
            .and_then(|problem| problem.detail.or(problem.title))
            .unwrap_or_else(|| "without a reason".to_owned());
        Err(HubClientError::Refused { address: self.address.clone(), status, detail })
    }
}
