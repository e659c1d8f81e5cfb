//! The questions of the trait, one file each. Each is a plain function over a connection and leased files; none knows
//! the writer, and none blocks anything but its own thread.

use duckdb::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use threadline_model::{ExchangeId, SessionId, Timestamp, UtcDay};
use threadline_record::address_from_bytes;
use threadline_store::FacetField;
use uuid::Uuid;

pub(crate) mod exchanges;
pub(crate) mod facets;
pub(crate) mod first_parameters;
pub(crate) mod histogram;
pub(crate) mod keys;
pub(crate) mod parts;
pub(crate) mod sessions;
pub(crate) mod stored;
pub(crate) mod summary;

/// What became of an exchange, as one column: 0 answered 1xx or 2xx, 1 3xx, 2 4xx, 3 5xx or the upstream failed, 4 no
/// response otherwise.
pub(crate) const CLASS: &str = "CASE WHEN outcome = 'upstream_failed' OR status >= 500 THEN 3 \
     WHEN status >= 400 THEN 2 WHEN status >= 300 THEN 1 WHEN status IS NULL THEN 4 ELSE 0 END::UTINYINT";

/// Counts of a column `class` made by [`CLASS`], and of the columns `attacked` and `blocked`, in the order of
/// `ThreadBin`'s fields.
pub(crate) const CLASS_COUNTS: &str = "count(*) FILTER (WHERE class = 0), count(*) FILTER (WHERE class = 1), \
     count(*) FILTER (WHERE class = 2), count(*) FILTER (WHERE class = 3), count(*) FILTER (WHERE class = 4), \
     count(*) FILTER (WHERE attacked), count(*) FILTER (WHERE blocked)";

/// The day that an identity of live traffic was made on (RFC 9562, section 5.7); `None` for other identities.
pub(crate) fn day_of(id: ExchangeId) -> Option<UtcDay> {
    let id = Uuid::from_bytes(*id.as_bytes());
    if id.get_version_num() != 7 {
        return None;
    }
    let millis = i64::from_be_bytes([
        0,
        0,
        id.as_bytes()[0],
        id.as_bytes()[1],
        id.as_bytes()[2],
        id.as_bytes()[3],
        id.as_bytes()[4],
        id.as_bytes()[5],
    ]);
    Some(Timestamp::from_micros(millis.saturating_mul(1_000)).day())
}

/// The column whose values a facet counts.
pub(crate) const fn facet_column(field: FacetField) -> &'static str {
    match field {
        FacetField::Application => "application",
        FacetField::Host => "host",
        FacetField::Ip => "client_ip",
        FacetField::Method => "method",
        FacetField::Status => "status",
        FacetField::User => "\"user\"",
        FacetField::Role => "role",
        FacetField::Endpoint => "endpoint",
        FacetField::Key => "session_key",
        FacetField::UserAgent => "user_agent",
        FacetField::Outcome => "outcome",
    }
}

/// A facet's column as text, which [`facet_value`] reads.
pub(crate) fn facet_text(field: FacetField) -> String {
    match field {
        FacetField::Ip => "hex(client_ip)".to_owned(),
        _ => format!("{}::VARCHAR", facet_column(field)),
    }
}

/// A facet's value as the API shows it.
pub(crate) fn facet_value(field: FacetField, text: String) -> String {
    match (field, Uuid::try_parse(&text)) {
        (FacetField::Ip, Ok(address)) => address_from_bytes(address.into_bytes()).to_string(),
        _ => text,
    }
}

/// 16 bytes out of a column of the engine's types UUID or BLOB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes16(pub(crate) [u8; 16]);

impl FromSql for Bytes16 {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        if let ValueRef::Blob(bytes) = value {
            return bytes.try_into().map(Self).map_err(|error| FromSqlError::Other(Box::new(error)));
        }
        let text = value.as_str()?;
        Uuid::try_parse(text).map(|id| Self(id.into_bytes())).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

impl Bytes16 {
    pub(crate) fn session(self) -> SessionId {
        SessionId::from_bytes(self.0)
    }

    pub(crate) fn exchange(self) -> ExchangeId {
        ExchangeId::from_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identities_made_from_a_time_tell_a_day() {
        // The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z.
        let id: ExchangeId = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".parse().unwrap();
        assert_eq!(day_of(id), UtcDay::parse("2022-02-22"));
        let id: ExchangeId = "919108f7-52d1-4320-9bac-f847db4148a8".parse().unwrap();
        assert_eq!(day_of(id), None);
    }
}
