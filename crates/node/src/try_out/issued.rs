//! Whether the API issued the values of keys that look at requests only: whether any of them stands in a
//! response of the sample.

use std::hash::BuildHasher as _;

use threadline_model::{CapturedBody, CapturedHeaders, CapturedText, Exchange, Request, TlsFingerprints};
use threadline_points::{ListBounds, list};

use super::tally::{KeyTally, Tally, is_of_request};
use super::warnings::ENOUGH_VALUES;
use super::{TryOutError, TryOutSettings};
use crate::panics;

/// Most responses that are looked through, whole and with everything that is packed in them: that costs a hundred times
/// as much as grouping.
const MAXIMUM_RESPONSES: u64 = 1_000;
/// Most bytes of their bodies, as captured; what is compressed counts [`COMPRESSED`] times. A few seconds of work.
const MAXIMUM_RESPONSE_BYTES: usize = 8 << 20;
/// About what compressing saves.
const COMPRESSED: usize = 8;
/// How much of each is listed. Of longer values the beginning is no value.
const LISTED: ListBounds = ListBounds { points: 500, value_bytes: 8 * 1024, levels: 16 };

/// What the responses say about a policy's keys.
#[derive(Debug, Default)]
pub(super) struct Issued {
    /// How many responses were looked through before all was clear.
    pub(super) responses: u64,
    /// Parameters by position that look at the request, of whose values none was found in a response.
    pub(super) never: Vec<usize>,
}

/// Looks through responses for values of keys that are in question, until each key has one, or to the end.
pub(super) fn look_for(
    tally: &Tally<'_>,
    exchanges: &[&Exchange],
    settings: TryOutSettings<'_>,
) -> Result<Issued, TryOutError> {
    let policy = tally.stages.policy();
    // A value that decided by a response elsewhere is issued; one such value says enough about a key.
    let in_question = |key: &&KeyTally| {
        is_of_request(policy, key.parameter)
            && key.rule.sessions.len() as u64 >= ENOUGH_VALUES
            && key.rule.sessions.is_disjoint(&tally.issued)
    };
    let mut open: Vec<&KeyTally> = tally.keys.iter().filter(in_question).collect();
    let (mut responses, mut bytes) = (0, 0);
    for exchange in exchanges {
        if open.is_empty() || responses == MAXIMUM_RESPONSES || bytes >= MAXIMUM_RESPONSE_BYTES {
            break;
        }
        if (settings.is_stopped)() {
            return Err(TryOutError::Stopped);
        }
        let Some(response) = exchange.response.as_ref().filter(|_| !policy.reach(exchange).passes_by) else { continue };
        responses += 1;
        let times = if response.headers.first("content-encoding").is_some() { COMPRESSED } else { 1 };
        bytes += response.body.as_bytes().len() * times;
        let _ = panics::contain(|| {
            let listed = list(&response_alone(exchange), &policy.masked_in(exchange), settings.bounds, LISTED);
            for point in &listed.points {
                if let Some(value) = point.found.value().filter(|value| value.len() == point.bytes) {
                    let value = tally.hasher.hash_one(value);
                    open.retain(|key| !key.parts.contains(&value));
                }
            }
        });
    }
    Ok(Issued { responses, never: open.iter().map(|key| key.parameter).collect() })
}

/// The exchange without what its client sent.
fn response_alone(exchange: &Exchange) -> Exchange {
    Exchange {
        id: exchange.id,
        source: exchange.source.clone(),
        client: None,
        fingerprints: TlsFingerprints::default(),
        request: Request {
            method: CapturedText::default(),
            scheme: None,
            version: None,
            host: None,
            target: CapturedText::default(),
            headers: CapturedHeaders::default(),
            body: CapturedBody::empty(),
        },
        response: exchange.response.clone(),
        ..*exchange
    }
}
