//! Times as the API writes and reads them: RFC 3339, UTC, microseconds.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use threadline_model::{MICROS_PER_DAY, Timestamp};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A moment, RFC 3339 in UTC with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

/// The earliest and the latest moment that a question may name: years 1970 to 2199. Anything outside is a mistake in
/// a unit, not a question.
pub(crate) const EARLIEST: Timestamp = Timestamp::from_micros(0);
/// See [`EARLIEST`].
pub(crate) const LATEST: Timestamp = Timestamp::from_micros(7_258_118_400_000_000);

impl Time {
    /// Reads RFC 3339 with any offset.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected an RFC 3339 time such as 2026-11-23T10:15:30Z";
        let time: jiff::Timestamp = text.parse().map_err(|_| EXPECTED)?;
        let time = Timestamp::from_micros(time.as_microsecond());
        if time < EARLIEST || time > LATEST {
            return Err("must lie between the years 1970 and 2199");
        }
        Ok(Self(time))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, RFC 3339 in UTC with microseconds."))
            .examples(["2026-11-23T10:15:30.123456Z"]);
        schema.into()
    }
}

impl ToSchema for Time {}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.micros();
        let of_day = micros.rem_euclid(MICROS_PER_DAY);
        let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z", self.0.day())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_what_they_write_and_any_offset() {
        let time = Time(Timestamp::from_micros(1_763_892_930_123_456));
        assert_eq!(time.to_string(), "2025-11-23T10:15:30.123456Z");
        assert_eq!(Time::parse(&time.to_string()), Ok(time));
        assert_eq!(Time::parse("2025-11-23T12:15:30.123456+02:00"), Ok(time));
        assert_eq!(Time(Timestamp::from_micros(-1)).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in ["", "yesterday", "2025-11-23", "2025-11-23T10:15:30", "1763892930", "1960-01-01T00:00:00Z"] {
            assert!(Time::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Time::parse("2200-01-01T00:00:00.000001Z").is_err());
        assert_eq!(Time::parse("2200-01-01T00:00:00Z"), Ok(Time(LATEST)));
    }
}
