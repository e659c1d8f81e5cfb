//! Where exchanges come from: the inline reverse proxy and imported files.
//!
//! A source turns traffic into [`Exchange`]s and offers each one to an [`ExchangeSink`], once. It parses no body,
//! decides no session and stores nothing; it never makes traffic wait for whoever takes the exchanges.

use threadline_model::Exchange;

pub mod import;
pub mod proxy;

/// Takes captured exchanges away from a source.
///
/// Called on threads that serve traffic: an implementation must never block, do I/O or compute for long. One that
/// cannot keep up sheds the exchange and counts it.
pub trait ExchangeSink: Send + Sync + 'static {
    /// Takes one exchange, or sheds it.
    fn offer(&self, exchange: Exchange);

    /// Whether exchanges are wanted at all just now; asked at the beginning of each. Of one that is not, no copy is
    /// made and nothing is offered: it only passes.
    fn wants_exchanges(&self) -> bool {
        true
    }
}
