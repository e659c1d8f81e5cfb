//! The hub's API as commands use it: the policy in force, and batches to store. Plain HTTP/1.1; only addresses that
//! the operator named or that a hub on this machine left in its data folder.

use std::path::Path;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use threadline_model::BatchId;
use threadline_policy::PolicyDocument;
use threadline_store::Appended;

/// Answers larger than this are not a hub's.
const MAXIMUM_ANSWER: usize = 4 << 20;

/// A connection must be there within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer must be complete within this time. Storing a batch takes long on a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The first answer, which takes no work, tells whether a hub is there at all.
const TERMS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before a batch that could not be taken is sent again; as often as there are times.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(8),
];
/// Characters of a hub's words that are shown.
const SHOWN: usize = 300;

/// Why a hub could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubClientError {
    /// The address is not a URL.
    #[error("`{0}` is not the address of a hub; expected one like http://127.0.0.1:7070")]
    Address(String),
    /// TLS, which commands do not speak.
    #[error(
        "`{0}` needs TLS, which this command does not speak: run it on the hub's machine without --hub, or open a tunnel \
         (ssh -L 7070:127.0.0.1:7070 HOST) and give --hub http://127.0.0.1:7070"
    )]
    Tls(String),
    /// No connection, or it broke.
    #[error("the hub at {address} cannot be reached")]
    Unreachable {
        address: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing came back in time.
    #[error("the hub at {address} did not answer within {} seconds", within.as_secs())]
    TimedOut { address: String, within: Duration },
    /// Something else listens there.
    #[error("what answers at {address} is not a hub of Threadline")]
    Stranger { address: String },
    /// The hub said no.
    #[error("the hub at {address} answered {status}: {detail}")]
    Refused { address: String, status: StatusCode, detail: String },
    /// The answer is not what a hub of this version says.
    #[error("the hub at {address} gave an answer that this version does not understand")]
    Answer { address: String },
}

impl HubClientError {
    /// Whether the hub that was looked for is not there: nobody answers, something else does, or a hub that does not
    /// know our token.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Stranger { .. } => true,
            Self::Refused { status, .. } => *status == StatusCode::UNAUTHORIZED,
            Self::Address(_) | Self::Tls(_) | Self::Answer { .. } => false,
        }
    }
}

/// A hub that commands can talk to.
pub(crate) struct HubClient {
    address: String,
    token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Deserialize)]
struct PolicyAnswer {
    version: u64,
    policy: PolicyDocument,
}

#[derive(Deserialize)]
struct AppendedAnswer {
    stored: u64,
    duplicate: u64,
    expired: u64,
}

#[derive(Deserialize)]
struct TermsAnswer {
    version: String,
    secret_fingerprint: Option<String>,
}

#[derive(Deserialize)]
struct ProblemAnswer {
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    detail: Option<String>,
}

impl HubClient {
    /// A hub at an address, with a token of it.
    pub(crate) fn new(address: &str, token: &str) -> Result<Self, HubClientError> {
        let uri: http::Uri = address.parse().map_err(|_| HubClientError::Address(address.to_owned()))?;
        if uri.scheme_str() == Some("https") {
            return Err(HubClientError::Tls(address.to_owned()));
        }
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(HubClientError::Address(address.to_owned()));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
            client: Client::builder(TokioExecutor::new()).build(connector),
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

    /// Asks whether a hub is there, and for the fingerprint of the secret that it expects values to be hashed with.
    pub(crate) async fn secret_fingerprint(&self) -> Result<Option<String>, HubClientError> {
        let bytes = self.call(Method::GET, "/api/v1/batches", &[], Bytes::new(), TERMS_TIMEOUT).await?;
        let stranger = |_| HubClientError::Stranger { address: self.address.clone() };
        let TermsAnswer { version, secret_fingerprint } = serde_json::from_slice(&bytes).map_err(stranger)?;
        tracing::debug!(%version, "found a hub");
        Ok(secret_fingerprint)
    }

    /// The policy in force and its version.
    pub(crate) async fn policy(&self) -> Result<(u64, PolicyDocument), HubClientError> {
        let bytes = self.call(Method::GET, "/api/v1/policy", &[], Bytes::new(), ANSWER_TIMEOUT).await?;
        let unclear = |_| HubClientError::Answer { address: self.address.clone() };
        let answer: PolicyAnswer = serde_json::from_slice(&bytes).map_err(unclear)?;
        Ok((answer.version, answer.policy))
    }

    /// Hands over a batch of imported rows; returns when it is durable. A hub that cannot take it now gets it again,
    /// under the same identity, which makes it store the rows once.
    pub(crate) async fn append_import(&self, id: BatchId, rows: &RecordBatch) -> Result<Appended, HubClientError> {
        let body = Bytes::from(threadline_record::encode_ipc(rows));
        let id = id.to_string();
        let headers = [
            ("content-type", "application/vnd.apache.arrow.stream"),
            ("threadline-batch-id", id.as_str()),
            ("threadline-lane", "import"),
        ];
        let mut pauses = PAUSES.into_iter();
        let bytes = loop {
            match self.call(Method::POST, "/api/v1/batches", &headers, body.clone(), ANSWER_TIMEOUT).await {
                Err(error @ HubClientError::Refused { status: StatusCode::SERVICE_UNAVAILABLE, .. }) => {
                    tokio::time::sleep(pauses.next().ok_or(error)?).await;
                }
                answered => break answered?,
            }
        };
        let answer: AppendedAnswer =
            serde_json::from_slice(&bytes).map_err(|_| HubClientError::Answer { address: self.address.clone() })?;
        Ok(Appended { stored: answer.stored, duplicate: answer.duplicate, expired: answer.expired })
    }

    /// Reads what stands at a path below `/api/v1`.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, HubClientError> {
        let bytes = self.call(Method::GET, &format!("/api/v1{path}"), &[], Bytes::new(), ANSWER_TIMEOUT).await?;
        serde_json::from_slice(&bytes).map_err(|_| HubClientError::Answer { address: self.address.clone() })
    }

    /// Sends JSON to a path below `/api/v1`, with further headers.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &serde_json::Value,
    ) -> Result<T, HubClientError> {
        let headers: Vec<_> = [("content-type", "application/json")].iter().chain(headers).copied().collect();
        let body = Bytes::from(body.to_string());
        let bytes = self.call(method, &format!("/api/v1{path}"), &headers, body, ANSWER_TIMEOUT).await?;
        serde_json::from_slice(&bytes).map_err(|_| HubClientError::Answer { address: self.address.clone() })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
        within: Duration,
    ) -> Result<Bytes, HubClientError> {
        match tokio::time::timeout(within, self.answer(method, path, headers, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(HubClientError::TimedOut { address: self.address.clone(), within }),
        }
    }

    async fn answer(
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
        // Every refusal of a hub says what kind it is.
        let problem = serde_json::from_slice(&bytes).ok();
        let problem = problem.filter(|problem: &ProblemAnswer| problem.kind.starts_with("urn:threadline:problem:"));
        let problem = problem.ok_or_else(|| HubClientError::Stranger { address: self.address.clone() })?;
        let detail = problem.detail.or(problem.title).unwrap_or_else(|| "without a reason".to_owned());
        // Words from elsewhere on their way to a terminal.
        let detail = threadline_model::escape_for_display(detail.as_bytes(), SHOWN);
        Err(HubClientError::Refused { address: self.address.clone(), status, detail })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_program_that_never_answers_is_given_up() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = HubClient::new(&format!("http://{}", silent.local_addr().unwrap()), "tl_token").unwrap();
        let within = Duration::from_millis(20);
        let error = client.call(Method::GET, "/api/v1/batches", &[], Bytes::new(), within).await.unwrap_err();
        assert!(matches!(error, HubClientError::TimedOut { .. }) && error.is_absence(), "{error}");
    }
}
