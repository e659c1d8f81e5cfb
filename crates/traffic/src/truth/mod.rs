//! What really happened: beside the traffic, one JSON line for each request tells who sent it and what identified
//! them, so that a test can join exported exchanges (column `trace_id`) with actors.
//!
//! Everything in here is made up by the simulator; the values are no secrets.

mod score;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::actors::ActorKind;

pub use self::score::{Mixed, Precedence, Rule, Score, Split, score};

/// Which message a value stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Sent by the client.
    Request,
    /// Issued by the upstream.
    Response,
}

/// Where a value that identifies somebody stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierName {
    /// Cookie `connect.sid` of Cookie or Set-Cookie.
    SessionCookie,
    /// Property `token` of a JSON body.
    BodyToken,
    /// Query parameter `token`.
    QueryToken,
    /// An opaque bearer token in Authorization.
    BearerToken,
    /// Claim `sid` of a JWT in Authorization.
    JwtSession,
    /// Claim `sub` of a JWT in Authorization.
    JwtSubject,
    /// The user name of Basic authentication.
    BasicUser,
    /// Header X-API-Key.
    ApiKey,
    /// Source address and User-Agent, which every request has.
    AddressAndAgent,
}

impl IdentifierName {
    /// Values that are secrets are one session wherever they stand; others are equal only among their kind.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::SessionCookie | Self::BodyToken | Self::QueryToken | Self::BearerToken | Self::ApiKey => "secret",
            Self::JwtSession => "jwt session",
            Self::JwtSubject => "jwt subject",
            Self::BasicUser => "basic user",
            Self::AddressAndAgent => "address and agent",
        }
    }
}

/// A value that identifies somebody, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Where it stood.
    pub name: IdentifierName,
    /// In which message.
    pub side: Side,
    /// The value.
    pub value: String,
}

impl Identifier {
    pub(crate) fn sent(name: IdentifierName, value: impl Into<String>) -> Self {
        Self { name, side: Side::Request, value: value.into() }
    }

    pub(crate) fn issued(name: IdentifierName, value: impl Into<String>) -> Self {
        Self { name, side: Side::Response, value: value.into() }
    }
}

/// One request and who sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthRecord {
    /// W3C trace ID, 32 hexadecimal digits, as in the request's `traceparent`.
    pub trace_id: String,
    /// The actor's name, unique within a seed.
    pub actor: String,
    /// What kind of actor.
    pub kind: ActorKind,
    /// Number of the request within the actor, from 0.
    pub sequence: u64,
    /// When it was sent: microseconds since the Unix epoch.
    pub sent_us: i64,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The request's body, empty when there was none.
    pub body: String,
    /// Status of the response; none when there was no response.
    pub status: Option<u16>,
    /// Everything in request and response that identifies somebody.
    pub identifiers: Vec<Identifier>,
}

/// Takes records while traffic runs. Clones write to the same place.
#[derive(Clone)]
pub struct TruthWriter(Arc<Mutex<Sink>>);

enum Sink {
    Discard,
    Lines(Box<dyn Write + Send>),
    Memory(Vec<TruthRecord>),
}

impl TruthWriter {
    /// Writes JSON Lines.
    pub fn lines(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Sink::Lines(Box::new(writer)))))
    }

    /// Keeps records for [`take`](Self::take).
    pub fn memory() -> Self {
        Self(Arc::new(Mutex::new(Sink::Memory(Vec::new()))))
    }

    /// Forgets records.
    pub fn discard() -> Self {
        Self(Arc::new(Mutex::new(Sink::Discard)))
    }

    /// The records kept in memory so far; none for other writers.
    pub fn take(&self) -> Truth {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Memory(records) => Truth { records: std::mem::take(records) },
            Sink::Discard | Sink::Lines(_) => Truth::default(),
        }
    }

    /// Takes one record. Lines are written whole.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, record: &TruthRecord) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Discard => Ok(()),
            Sink::Memory(records) => {
                records.push(record.clone());
                Ok(())
            }
            Sink::Lines(writer) => {
                let mut line = serde_json::to_vec(record)?;
                line.push(b'\n');
                writer.write_all(&line)
            }
        }
    }

    /// Hands buffered lines to the system.
    ///
    /// # Errors
    /// When writing fails.
    pub fn flush(&self) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Lines(writer) => writer.flush(),
            Sink::Discard | Sink::Memory(_) => Ok(()),
        }
    }
}

/// All records of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// In the order they were written.
    pub records: Vec<TruthRecord>,
}

/// A line that is not a record.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// Reading failed.
    #[error("the truth could not be read")]
    Read(#[source] io::Error),
    /// A line is damaged.
    #[error("line {line} of the truth is not a record")]
    Line {
        /// The first line is 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        reason: serde_json::Error,
    },
}

impl Truth {
    /// Reads JSON Lines as [`TruthWriter::lines`] writes them.
    ///
    /// # Errors
    /// When reading fails or a line is not a record.
    pub fn read(reader: impl Read) -> Result<Self, TruthError> {
        let mut records = Vec::new();
        for (index, line) in BufReader::new(reader).lines().enumerate() {
            let line = line.map_err(TruthError::Read)?;
            if !line.is_empty() {
                let record = serde_json::from_str(&line);
                records.push(record.map_err(|reason| TruthError::Line { line: index + 1, reason })?);
            }
        }
        Ok(Self { records })
    }
}
