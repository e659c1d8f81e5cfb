//! Bounded copies of what passes: a budget shared by all exchanges, the first bytes of a body, and heads.
//!
//! Everything is copied, never shared with a connection's read buffer: a slice of 500 bytes would keep 8 KiB alive
//! for as long as analysis is behind, and the connection would have to allocate a new buffer for each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use threadline_model::{CapturedBody, CapturedHeaders, CapturedText};

use super::counters::ProxyCounters;

/// Bytes of bodies and heads that may be held at one time.
#[derive(Debug)]
pub(super) struct CaptureBudget {
    free: AtomicUsize,
    /// Of it, for what long exchanges may hold together.
    free_for_long: AtomicUsize,
}

/// The part of the budget that long exchanges may hold together: however many there are, the rest is for the others.
const LONG_SHARE: usize = 4;

impl CaptureBudget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: AtomicUsize::new(bytes), free_for_long: AtomicUsize::new(bytes / LONG_SHARE) }
    }

    fn take(&self, bytes: usize, long: bool) -> bool {
        let take = |free: &AtomicUsize| {
            free.try_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes)).is_ok()
        };
        if !take(&self.free) {
            return false;
        }
        let taken = !long || take(&self.free_for_long);
        if !taken {
            self.free.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    fn give_back(&self, bytes: usize, long: bool) {
        self.free.fetch_add(bytes, Ordering::Relaxed);
        if long {
            self.free_for_long.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// A part of the budget, given back when dropped.
struct Reservation {
    budget: Arc<CaptureBudget>,
    bytes: usize,
    long: bool,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes, self.long);
    }
}

/// Captured bytes that hold their reservation for as long as anybody holds them.
struct Reserved {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Reserved {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The first bytes of a body that is passing.
pub(super) struct BodyCapture {
    limit: usize,
    seen: u64,
    kept: Vec<u8>,
    reservation: Option<Reservation>,
    exhausted: bool,
    /// Belongs to a long exchange.
    long: bool,
}

/// Smallest step in which a body takes from the budget, and the most that each body of a long exchange holds. It takes as bytes come, not as they are announced: what a
/// client only promises costs the others nothing.
pub(super) const STEP: usize = 4 << 10;

impl BodyCapture {
    /// Keeps at most `limit` bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, seen: 0, kept: Vec::new(), reservation: None, exhausted: false, long: false }
    }

    /// Bytes of the body that passed.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes what is to be kept of the next bytes. `expected` is the length of the rest of the body, these bytes
    /// included, where it is known.
    pub(super) fn extend(
        &mut self,
        bytes: &[u8],
        expected: Option<u64>,
        budget: &Arc<CaptureBudget>,
        counters: &ProxyCounters,
    ) {
        self.seen += bytes.len() as u64;
        let kept = bytes.len().min(self.limit - self.kept.len());
        if self.exhausted || kept == 0 {
            return;
        }
        let needed = self.kept.len() + kept;
        if self.reservation.as_ref().is_none_or(|reservation| reservation.bytes < needed) {
            let whole = expected.map_or(self.limit, |rest| {
                usize::try_from(rest).unwrap_or(usize::MAX).saturating_add(self.kept.len()).min(self.limit)
            });
            let step = (2 * self.kept.len()).max(STEP).min(whole).max(needed);
            if !self.reserve(step, budget) && !self.reserve(needed, budget) {
                self.exhaust(counters);
                return;
            }
        }
        self.kept.extend_from_slice(&bytes[..kept]);
    }

    /// The exchange is a long one: of what is held no more than [`STEP`] bytes stay, and they count against the share
    /// of all long ones.
    pub(super) fn settle(&mut self, counters: &ProxyCounters) {
        if std::mem::replace(&mut self.long, true) {
            return;
        }
        self.limit = self.limit.min(STEP);
        let Some(reservation) = self.reservation.take() else { return };
        self.kept.truncate(self.limit);
        let held = std::mem::take(&mut self.kept);
        let budget = Arc::clone(&reservation.budget);
        drop(reservation);
        if self.reserve(held.len(), &budget) {
            self.kept.extend_from_slice(&held);
        } else {
            self.exhaust(counters);
        }
    }

    fn exhaust(&mut self, counters: &ProxyCounters) {
        self.exhausted = true;
        self.kept = Vec::new();
        self.reservation = None;
        counters.capture_skipped.add(1);
    }

    fn reserve(&mut self, total: usize, budget: &Arc<CaptureBudget>) -> bool {
        let held = self.reservation.as_ref().map_or(0, |reservation| reservation.bytes);
        if !budget.take(total.saturating_sub(held), self.long) {
            return false;
        }
        match &mut self.reservation {
            Some(reservation) => reservation.bytes = total,
            none => *none = Some(Reservation { budget: Arc::clone(budget), bytes: total, long: self.long }),
        }
        self.kept.reserve_exact(total - self.kept.len());
        true
    }

    /// The copy. `whole`: the body ended as it should.
    pub(super) fn finish(self, whole: bool) -> CapturedBody {
        if self.exhausted || (self.limit == 0 && self.seen > 0) {
            return CapturedBody::not_captured();
        }
        let complete = whole && self.kept.len() as u64 == self.seen;
        let bytes = match self.reservation {
            Some(reservation) => Bytes::from_owner(Reserved { bytes: self.kept, _reservation: reservation }),
            None => Bytes::new(),
        };
        if complete { CapturedBody::whole(bytes) } else { CapturedBody::prefix(bytes) }
    }
}

/// The heads of an exchange as they are kept: one allocation for all text of each.
pub(super) struct CapturedHeads {
    pub(super) target: CapturedText,
    pub(super) host: Option<CapturedText>,
    pub(super) request: CapturedHeaders,
    pub(super) response: Option<CapturedHeaders>,
}

/// What a header takes beside its texts: its place in the map, with what the map keeps free, bytes.
const HEADER_OVERHEAD: usize = 160;

/// Copies the heads of an exchange out of the connections' buffers. `None` when the budget has no room for them and
/// for a method of so many bytes: the exchange cannot be analysed then.
pub(super) fn capture_heads(
    method: usize,
    target: &str,
    host: Option<&[u8]>,
    request: HeaderMap,
    response: Option<HeaderMap>,
    budget: &Arc<CaptureBudget>,
) -> Option<CapturedHeads> {
    let host_bytes = host.unwrap_or_default();
    let texts = method + target.len() + host_bytes.len();
    let total = texts + cost(&request) + response.as_ref().map_or(0, cost);
    if !budget.take(total, false) {
        return None;
    }
    let reservation = Reservation { budget: Arc::clone(budget), bytes: total, long: false };
    let mut block = Vec::with_capacity(text_length(&request) + target.len() + host_bytes.len());
    block.extend_from_slice(target.as_bytes());
    block.extend_from_slice(host_bytes);
    // A target is never empty, so the exchange holds the reservation by it.
    let hold = |bytes| Bytes::from_owner(Reserved { bytes, _reservation: reservation });
    let (request, block) = move_values(request, block, hold);
    let end_of_host = target.len() + host_bytes.len();
    let response = response.map(|headers| {
        let block = Vec::with_capacity(text_length(&headers));
        move_values(headers, block, Bytes::from).0
    });
    Some(CapturedHeads {
        target: CapturedText::new(block.slice(..target.len())),
        host: host.map(|_| CapturedText::new(block.slice(target.len()..end_of_host))),
        request,
        response,
    })
}

/// About what a header section takes in memory, bytes.
fn cost(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_OVERHEAD).sum()
}

fn text_length(headers: &HeaderMap) -> usize {
    headers.values().map(HeaderValue::len).sum()
}

/// Lets the values of a header section stand in `block`, behind what is in it; `hold` makes it one to be shared.
fn move_values(
    mut headers: HeaderMap,
    mut block: Vec<u8>,
    hold: impl FnOnce(Vec<u8>) -> Bytes,
) -> (CapturedHeaders, Bytes) {
    let mut position = block.len();
    for value in headers.values() {
        block.extend_from_slice(value.as_bytes());
    }
    let block = hold(block);
    // Both ways of walking the values take the same order; a test holds them to it.
    for value in headers.values_mut() {
        let end = position + value.len();
        if let Ok(compact) = HeaderValue::from_maybe_shared(block.slice(position..end)) {
            *value = compact;
        }
        position = end;
    }
    (CapturedHeaders::new(headers), block)
}

#[cfg(test)]
mod tests {
    use threadline_model::Extent;

    use super::*;

    fn capture(limit: usize, budget: usize, pieces: &[&[u8]], expected: Option<u64>) -> (CapturedBody, u64, usize) {
        let budget = Arc::new(CaptureBudget::new(budget));
        let counters = ProxyCounters::default();
        let mut capture = BodyCapture::new(limit);
        let mut rest = expected;
        for piece in pieces {
            capture.extend(piece, rest, &budget, &counters);
            rest = rest.map(|rest| rest - piece.len() as u64);
        }
        let body = capture.finish(true);
        let free = budget.free.load(Ordering::Relaxed);
        (body, counters.capture_skipped.get(), free)
    }

    #[test]
    fn a_body_is_kept_up_to_its_limit() {
        for expected in [None, Some(10)] {
            let (body, skipped, free) = capture(64, 100_000, &[b"01234", b"56789"], expected);
            assert_eq!((body.as_bytes(), body.extent(), skipped), (&b"0123456789"[..], Extent::Whole, 0));
            assert!(free < 100_000);
            let (body, _, _) = capture(7, 100_000, &[b"01234", b"56789"], expected);
            assert_eq!((body.as_bytes(), body.extent()), (&b"0123456"[..], Extent::Prefix));
            let (body, _, _) = capture(10, 100_000, &[b"01234", b"56789"], expected);
            assert_eq!((body.as_bytes(), body.extent()), (&b"0123456789"[..], Extent::Whole));
        }
        let (body, _, _) = capture(0, 100_000, &[b"01234"], None);
        assert_eq!(body.extent(), Extent::NotCaptured);
        let (body, _, _) = capture(0, 100_000, &[], None);
        assert_eq!(body.extent(), Extent::Whole, "an empty body needs no copy");
    }

    #[test]
    fn an_exhausted_budget_means_not_captured_and_counted_and_is_given_back() {
        let (body, skipped, free) = capture(64, 9, &[b"01234", b"56789"], None);
        assert_eq!((body.as_bytes(), body.extent(), skipped, free), (&b""[..], Extent::NotCaptured, 1, 9));
        let budget = Arc::new(CaptureBudget::new(10));
        let mut capture = BodyCapture::new(64);
        capture.extend(b"0123456789", Some(10), &budget, &ProxyCounters::default());
        let body = capture.finish(true);
        let second = body.clone();
        drop(body);
        assert_eq!(budget.free.load(Ordering::Relaxed), 0, "held while a copy is");
        drop(second);
        assert_eq!(budget.free.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_body_takes_from_the_budget_what_came_and_not_what_was_promised() {
        let budget = Arc::new(CaptureBudget::new(100_000));
        let counters = ProxyCounters::default();
        let mut bodies: Vec<_> = (0..20).map(|_| BodyCapture::new(64 << 10)).collect();
        for body in &mut bodies {
            body.extend(b"x", Some(64 << 10), &budget, &counters);
        }
        assert_eq!(counters.capture_skipped.get(), 0, "a byte of each, however much was promised");
        assert_eq!(budget.free.load(Ordering::Relaxed), 100_000 - 20 * STEP);
        let mut whole = BodyCapture::new(64 << 10);
        for _ in 0..10 {
            whole.extend(&[7; 1_000], Some(10_000), &budget, &counters);
        }
        assert_eq!(whole.finish(true).as_bytes().len(), 10_000);
    }

    #[test]
    fn long_exchanges_share_a_part_of_the_budget() {
        let budget = Arc::new(CaptureBudget::new(4 * 10 * STEP));
        let counters = ProxyCounters::default();
        let mut long: Vec<_> = (0..12)
            .map(|_| {
                let mut body = BodyCapture::new(64 << 10);
                body.extend(&[7; 2 * STEP], None, &budget, &counters);
                body.settle(&counters);
                body.settle(&counters);
                body
            })
            .collect();
        assert_eq!(counters.capture_skipped.get(), 2, "ten have a place in the share");
        assert_eq!(budget.free.load(Ordering::Relaxed), 30 * STEP, "the rest is for the others");
        let mut silent = BodyCapture::new(64 << 10);
        silent.settle(&counters);
        silent.extend(b"x", None, &budget, &counters);
        assert_eq!(silent.finish(true).extent(), Extent::NotCaptured, "what begins late needs a place as well");
        let mut first = long.remove(0);
        first.extend(b"more", None, &budget, &counters);
        let first = first.finish(true);
        assert_eq!((first.as_bytes().len(), first.extent()), (STEP, Extent::Prefix));
        drop((first, long));
        assert_eq!(budget.free.load(Ordering::Relaxed), 40 * STEP);
        assert_eq!(budget.free_for_long.load(Ordering::Relaxed), 10 * STEP);
    }

    #[test]
    fn heads_are_copied_byte_by_byte() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1"));
        headers.append("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap_or(HeaderValue::from_static("")));
        headers.append("cookie", HeaderValue::from_static("b=2"));
        headers.append("x-empty", HeaderValue::from_static(""));
        let budget = Arc::new(CaptureBudget::new(100_000));
        let response = Some(headers.clone());
        let heads = capture_heads(3, "/a?b=c", Some(b"shop:80"), headers.clone(), response, &budget);
        let heads = heads.expect("there is room");
        assert_eq!(heads.target.as_bytes(), b"/a?b=c");
        assert_eq!(heads.host.map(|host| host.as_bytes().to_vec()), Some(b"shop:80".to_vec()));
        assert_eq!(heads.request.as_map(), &headers);
        assert_eq!(heads.response.as_ref().map(CapturedHeaders::as_map), Some(&headers));
        let without = capture_heads(3, "/", None, headers, None, &budget).expect("there is room");
        assert!(without.host.is_none() && without.response.is_none());
    }

    #[test]
    fn heads_take_from_the_budget_for_as_long_as_they_are_held() {
        let mut request = HeaderMap::new();
        request.insert("x-large", HeaderValue::from_bytes(&[b'a'; 5_000]).expect("a valid value"));
        let mut response = HeaderMap::new();
        // Values without a byte, and places in the map all the same.
        for number in 0..20 {
            let name = http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).expect("a valid name");
            response.insert(name, HeaderValue::from_static(""));
        }
        let budget = Arc::new(CaptureBudget::new(10_000));
        let capture = || capture_heads(3, "/", None, request.clone(), Some(response.clone()), &budget);
        let first = capture().expect("there is room");
        let free = budget.free.load(Ordering::Relaxed);
        assert!(free <= 10_000 - 5_000 - 20 * HEADER_OVERHEAD, "{free} free");
        assert!(capture().is_none(), "there is no room for a second");
        assert_eq!(budget.free.load(Ordering::Relaxed), free, "what was not captured takes nothing");
        let CapturedHeads { target, host, request: first_request, response: first_response } = first;
        drop((host, first_request, first_response));
        assert_eq!(budget.free.load(Ordering::Relaxed), free, "the target holds it");
        drop(target);
        assert_eq!(budget.free.load(Ordering::Relaxed), 10_000);
        assert!(capture().is_some());
    }
}
