//! What can be wrong with a HAR file and with one of its entries. No message holds text from the file.

use std::fmt;
use std::io;

/// The file cannot be read as HAR at all.
#[derive(Debug, thiserror::Error)]
pub enum HarError {
    /// Opening, reading or seeking failed.
    #[error("the file could not be read")]
    Read(#[source] io::Error),
    /// It is something else: `found` says what it looks like, in fixed words.
    #[error("this is not a HAR file: {found}")]
    NotHar {
        /// What was found instead.
        found: &'static str,
    },
}

/// One place where a HAR file is damaged. Reading goes on behind it where that is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryError {
    /// Number of the entry, the first being 0: that of the damaged entry, or the one that should have come next.
    pub entry: usize,
    /// Where in the file, in bytes: the byte that breaks the structure, or the beginning of the entry.
    pub offset: u64,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for EntryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entry {} (byte {}): {}", self.entry, self.offset, self.reason)
    }
}

impl std::error::Error for EntryError {}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file breaks off.
    #[error("the file ends here although its structure is still open")]
    Ends,
    /// The JSON structure is broken.
    #[error("not valid JSON from here on")]
    NotJson,
    /// A string or number inside the entry is not valid JSON.
    #[error("not valid JSON: a bad escape, number, or control character")]
    BadScalar,
    /// Objects and arrays inside each other beyond any real recording.
    #[error("nested too deeply")]
    TooDeep,
    /// The entry is longer than the limit of the settings.
    #[error("the entry is larger than the limit for one entry")]
    TooLarge,
    /// A field has a type that cannot be made sense of, or stands twice.
    #[error("a field of the entry has the wrong type or stands twice")]
    WrongType,
    /// The entry has no request.
    #[error("the entry has no request")]
    NoRequest,
    /// The request has no method, or something that is not a method (RFC 9110, section 9).
    #[error("the request's method is missing or not a method")]
    Method,
    /// The request has no URL, or one that names no path on a host.
    #[error("the request's URL is missing or cannot be understood")]
    Url,
    /// The start time is missing or not a time (ISO 8601).
    #[error("startedDateTime is missing or not a time")]
    Started,
    /// The status is not 0 and not a status code (100 to 999).
    #[error("the response's status is not a status code")]
    Status,
    /// More headers than any real message has.
    #[error("too many headers")]
    Headers,
    /// More cookies or query parameters than any real message has; those beyond the limit are not read.
    #[error("too many cookies or query parameters; the exchange is without the last ones")]
    Lists,
    /// A body is marked as base64 and is not.
    #[error("a body is marked as base64 but is not base64; the exchange is without it")]
    Base64,
    /// So little of the file makes sense that looking for further entries was given up.
    #[error("too much damage: the rest of the file was not searched for entries")]
    GaveUp,
    /// The file could not be read any further.
    #[error("the file could not be read any further")]
    Read,
}
