//! What every stage shares: an exchange with its captured values, the identities of things, and time.
//!
//! Nothing in here parses a body, decides a session, opens a socket or reads the clock of the machine except
//! [`SystemClock`]. Captured values have no `Serialize` and no revealing `Debug`: the only way out of the node is
//! the `context` stage.

mod captured;
mod clock;
mod exchange;
mod identity;
mod network;
mod priority;
mod text;
mod trusted;

pub use captured::{CapturedBody, CapturedHeaders, CapturedText, Extent};
pub use clock::{Clock, MICROS_PER_DAY, ManualClock, SystemClock, Timestamp, UtcDay};
pub use exchange::{Exchange, HttpVersion, Outcome, Request, Response, Scheme, Sizes, Source, TlsFingerprints};
pub use identity::{BatchId, ExchangeId, InvalidIdentity, PurgeId, SessionId};
pub use network::{Network, NetworkError};
pub use priority::behind_traffic;
pub use text::escape_for_display;
pub use trusted::{AddressHeader, AddressRemark, AddressSource, ClientResolution, HostHeader, TrustedProxies};
