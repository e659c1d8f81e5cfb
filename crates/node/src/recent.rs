//! Exchanges seen recently, whole, for whoever looks for a point in real traffic: the one exception to what
//! leaves a node. They stand in memory only, are bounded by count and bytes, and are kept only while an administrator
//! has switched that on. Off, they cost one relaxed read for each exchange.
//!
//! What is kept is a copy: the captured bytes hold a share of the proxy's budget for as long as they live, and slices of
//! a buffer hold all of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, ExchangeId, Extent, Request, Response, SessionId,
};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentLimits {
    /// Most exchanges.
    pub exchanges: usize,
    /// Most bytes of all together.
    pub bytes: usize,
}

/// An exchange that is kept, with the session it was put in.
#[derive(Clone, Debug)]
pub struct RecentExchange {
    /// The exchange, as captured.
    pub exchange: Exchange,
    /// Its session.
    pub session: SessionId,
    bytes: usize,
}

/// The exchanges seen last. One for a node; shared with whoever may look.
#[derive(Default)]
pub struct RecentExchanges {
    on: AtomicBool,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    /// `None` while nothing is kept.
    limits: Option<RecentLimits>,
    kept: VecDeque<Arc<RecentExchange>>,
    bytes: usize,
}

impl fmt::Debug for RecentExchanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring();
        formatter
            .debug_struct("RecentExchanges")
            .field("limits", &ring.limits)
            .field("exchanges", &ring.kept.len())
            .field("bytes", &ring.bytes)
            .finish()
    }
}

impl RecentExchanges {
    /// Keeps so much from now on; `None` keeps nothing and forgets what is kept.
    pub fn configure(&self, limits: Option<RecentLimits>) {
        let mut ring = self.ring();
        ring.limits = limits;
        ring.shrink();
        self.on.store(limits.is_some(), Ordering::Relaxed);
    }

    /// Whether exchanges are kept.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Keeps a copy of an exchange, in the place of older ones. One that alone is more than may be kept is not.
    pub fn keep(&self, exchange: &Exchange, session: SessionId) {
        let bytes = size(exchange);
        if !self.ring().takes(bytes) {
            return;
        }
        // Copied without holding anybody up who looks.
        let kept = Arc::new(RecentExchange { exchange: copy(exchange), session, bytes });
        let mut ring = self.ring();
        // It may have been switched off in between, and then nothing is kept.
        if ring.takes(bytes) {
            ring.bytes += bytes;
            ring.kept.push_back(kept);
            ring.shrink();
        }
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.ring().kept.len()
    }

    /// What is kept, the newest first.
    pub fn list(&self) -> Vec<Arc<RecentExchange>> {
        self.ring().kept.iter().rev().cloned().collect()
    }

    /// One exchange, if it is kept still.
    pub fn find(&self, id: ExchangeId) -> Option<Arc<RecentExchange>> {
        self.ring().kept.iter().rev().find(|kept| kept.exchange.id == id).cloned()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn takes(&self, bytes: usize) -> bool {
        self.limits.is_some_and(|limits| limits.exchanges > 0 && bytes <= limits.bytes)
    }

    /// Forgets the oldest until the limits hold.
    fn shrink(&mut self) {
        let Some(limits) = self.limits else {
            *self = Self::default();
            return;
        };
        while self.kept.len() > limits.exchanges || self.bytes > limits.bytes {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

/// What an exchange takes in memory, about: its texts and the structures around them.
fn size(exchange: &Exchange) -> usize {
    /// A header's name and value in a map, without their texts.
    const HEADER: usize = 128;
    let headers = |headers: &CapturedHeaders| -> usize {
        let texts = headers.as_map().iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER);
        texts.sum()
    };
    let request = &exchange.request;
    let fingerprints = [&exchange.fingerprints.ja3, &exchange.fingerprints.ja4];
    let texts = [Some(&request.method), request.host.as_ref(), Some(&request.target)];
    size_of::<RecentExchange>()
        + texts.into_iter().flatten().map(|text| text.as_bytes().len()).sum::<usize>()
        + fingerprints.into_iter().flatten().map(String::len).sum::<usize>()
        + headers(&request.headers)
        + request.body.as_bytes().len()
        + exchange.response.as_ref().map_or(0, |response| headers(&response.headers) + response.body.as_bytes().len())
}

/// The same exchange in memory of its own.
fn copy(exchange: &Exchange) -> Exchange {
    let request = &exchange.request;
    Exchange {
        id: exchange.id,
        started: exchange.started,
        duration_us: exchange.duration_us,
        upstream_us: exchange.upstream_us,
        source: exchange.source.clone(),
        client: exchange.client,
        fingerprints: exchange.fingerprints.clone(),
        request: Request {
            method: text(&request.method),
            scheme: request.scheme,
            version: request.version,
            host: request.host.as_ref().map(text),
            target: text(&request.target),
            headers: headers(&request.headers),
            body: body(&request.body),
        },
        response: exchange.response.as_ref().map(|response| Response {
            status: response.status,
            version: response.version,
            headers: headers(&response.headers),
            body: body(&response.body),
        }),
        sizes: exchange.sizes,
        outcome: exchange.outcome,
    }
}

fn text(text: &CapturedText) -> CapturedText {
    CapturedText::new(Bytes::copy_from_slice(text.as_bytes()))
}

fn headers(headers: &CapturedHeaders) -> CapturedHeaders {
    let mut copied = HeaderMap::with_capacity(headers.as_map().len());
    for (name, value) in headers.as_map() {
        // The bytes of a header's value are one again; were they not, an empty one would stand for it.
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap_or(HeaderValue::from_static(""));
        copied.append(name.clone(), value);
    }
    CapturedHeaders::new(copied)
}

fn body(body: &CapturedBody) -> CapturedBody {
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    match body.extent() {
        Extent::Whole => CapturedBody::whole(bytes),
        Extent::Prefix => CapturedBody::prefix(bytes),
        Extent::NotCaptured => CapturedBody::not_captured(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use threadline_points::reference;

    use super::*;

    const SESSION: SessionId = SessionId::from_bytes([7; 16]);

    fn exchange(number: u8) -> Exchange {
        Exchange { id: ExchangeId::from_bytes([number; 16]), ..reference::exchange(1024) }
    }

    fn numbers(recent: &RecentExchanges) -> Vec<u8> {
        recent.list().iter().map(|kept| kept.exchange.id.as_bytes()[0]).collect()
    }

    fn limits(exchanges: usize, bytes: usize) -> Option<RecentLimits> {
        Some(RecentLimits { exchanges, bytes })
    }

    #[test]
    fn nothing_is_kept_unless_switched_on_and_nothing_stays_when_switched_off() {
        let recent = RecentExchanges::default();
        assert!(!recent.is_on());
        recent.keep(&exchange(1), SESSION);
        assert_eq!(numbers(&recent), [0; 0]);
        recent.configure(limits(10, 1 << 20));
        assert!(recent.is_on());
        recent.keep(&exchange(2), SESSION);
        assert_eq!(numbers(&recent), [2]);
        recent.configure(None);
        assert!(!recent.is_on());
        assert_eq!(numbers(&recent), [0; 0]);
        assert!(recent.find(ExchangeId::from_bytes([2; 16])).is_none());
        recent.configure(limits(10, 1 << 20));
        assert_eq!(numbers(&recent), [0; 0], "what was forgotten does not come back");
    }

    #[test]
    fn the_oldest_go_by_count_and_by_bytes_also_when_the_limits_shrink() {
        let recent = RecentExchanges::default();
        recent.configure(limits(3, 1 << 20));
        (1..=5).for_each(|number| recent.keep(&exchange(number), SESSION));
        assert_eq!(numbers(&recent), [5, 4, 3]);
        let one = size(&exchange(1));
        recent.configure(limits(10, 2 * one));
        assert_eq!(numbers(&recent), [5, 4]);
        recent.keep(&exchange(6), SESSION);
        assert_eq!(numbers(&recent), [6, 5]);
        recent.configure(limits(10, one - 1));
        assert_eq!(numbers(&recent), [0; 0]);
        recent.keep(&exchange(7), SESSION);
        assert_eq!(numbers(&recent), [0; 0], "one that is larger than everything is not kept");
    }

    #[test]
    fn what_is_kept_is_the_exchange_in_memory_of_its_own() {
        let recent = RecentExchanges::default();
        recent.configure(limits(3, 1 << 20));
        let captured = exchange(1);
        recent.keep(&captured, SESSION);
        let kept = recent.find(captured.id).unwrap();
        assert_eq!(kept.session, SESSION);
        let (ours, theirs) = (&kept.exchange.request, &captured.request);
        assert_eq!(ours.target, theirs.target);
        assert_eq!(ours.headers.as_map(), theirs.headers.as_map());
        assert_eq!(ours.body.as_bytes(), theirs.body.as_bytes());
        assert_ne!(ours.body.as_bytes().as_ptr(), theirs.body.as_bytes().as_ptr(), "the proxy's budget is not held");
        let response = |exchange: &Exchange| exchange.response.clone().unwrap();
        assert_eq!(response(&kept.exchange).body.as_bytes(), response(&captured).body.as_bytes());
        assert!(kept.bytes > 2 * 1000, "{}", kept.bytes);
        assert!(!format!("{recent:?} {kept:?}").contains("3f2a9c1e"), "captured values never show");
    }
}
