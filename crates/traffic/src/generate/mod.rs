//! Exchanges without sockets, by seed: for benchmarks and tests of the pipeline.
//!
//! [`ReferenceStream`] is the benchmark's exchange: JSON of 1 KiB both ways and a bearer JWT, always of the same
//! shape. [`MixedStream`] lets the simulator's actors talk to the shop in process and gives the truth with each
//! exchange.
//!
//! ```
//! use threadline_model::{Timestamp, UtcDay};
//! use threadline_traffic::generate::{MixedStream, ReferenceStream};
//!
//! let noon = Timestamp::from_micros(UtcDay::from_days(20_780).start().micros() + 43_200_000_000);
//! let exchange = ReferenceStream::new(1, 1_000, noon).next().unwrap();
//! assert_eq!(exchange.request.body.as_bytes().len(), 1_024);
//!
//! let (exchange, truth) = MixedStream::new(1, noon).next().unwrap();
//! assert_eq!(exchange.request.target.as_bytes(), truth.target.as_bytes());
//! ```

mod mixed;
mod reference;

use threadline_model::{ExchangeId, Timestamp};
use uuid::Builder;

pub use self::mixed::MixedStream;
pub use self::reference::{REFERENCE_PARAMETERS, ReferenceParameter, ReferenceStream};

/// UUIDv7 (RFC 9562) of a time, with bits of the seed where random ones would stand.
fn exchange_id(seed: u64, started: Timestamp, number: u64) -> ExchangeId {
    let digest = crate::random::digest(seed, "exchange", &[&number.to_le_bytes()]);
    let mut bits = [0; 10];
    bits.copy_from_slice(&digest[..10]);
    let millis = u64::try_from(started.micros().div_euclid(1_000)).unwrap_or(0);
    ExchangeId::new(Builder::from_unix_timestamp_millis(millis, &bits).into_uuid())
}
