//! Deciding: configured keys in their order, then the built-in set, then the fallback.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;
use threadline_model::{Exchange, SessionId};
use threadline_points::{Extracted, Found, ParseError, Scratch, Side};
use threadline_policy::{Policy, Reach};

use crate::built_in::{BuiltInSet, Messages};
use crate::decision::{DecidingKey, Decision, Grouped, KeyKind, MAXIMUM_VALUE_BYTES, Parts, RequestSession};
use crate::fallback;
use crate::hash::{Namespace, SessionHashKey};
use crate::masked::{Masked, Masks};
use crate::trace::{KeyOutcome, Trace};

/// Decides sessions by one version of a policy.
pub struct Grouper {
    keys: Vec<ConfiguredKey>,
    masks: Masks,
    built_in: BuiltInSet,
    key: SessionHashKey,
}

/// A grouping key of the policy, as far as deciding needs it.
struct ConfiguredKey {
    /// Position among the policy's parameters, and so in the plan.
    parameter: usize,
    /// Positions of a composite key's further points in the plan.
    further: Range<usize>,
    namespace: Option<Box<str>>,
    /// Where its values are found; of several points the response, if one of them is found there.
    side: Side,
    /// Whether all of its points look at the response.
    issued: bool,
}

/// The values of a key that works.
type Values<'a> = SmallVec<[&'a [u8]; 1]>;

impl ConfiguredKey {
    fn of(policy: &Policy, position: usize) -> Self {
        let parameter = &policy.parameters()[position];
        let mut sides = std::iter::once(&parameter.point).chain(&parameter.with).map(|point| point.side());
        Self {
            parameter: position,
            further: policy.further(position),
            namespace: parameter.namespace.as_deref().map(Into::into),
            side: if sides.clone().any(|side| side == Side::Response) { Side::Response } else { Side::Request },
            issued: sides.all(|side| side == Side::Response),
        }
    }

    fn namespace(&self) -> Namespace<'_> {
        self.namespace.as_deref().map_or(Namespace::Shared, Namespace::Named)
    }

    /// What becomes of the key on an exchange, and its values if it works. Of a composite key the first point without a
    /// value that works tells.
    fn judge<'a>(&self, reach: &Reach, extracted: &'a Extracted<'_>) -> (KeyOutcome, Values<'a>) {
        if reach.is_outside(self.parameter) {
            return (KeyOutcome::OutOfScope, Values::new());
        }
        let mut values = Values::new();
        for position in std::iter::once(self.parameter).chain(self.further.clone()) {
            match judge(extracted.get(position)) {
                (KeyOutcome::Decided, Some(value)) => values.push(value),
                (outcome, _) => return (outcome, Values::new()),
            }
        }
        (KeyOutcome::Decided, values)
    }
}

impl Grouper {
    /// Takes the grouping keys of `policy` in their order.
    pub fn new(policy: &Policy, key: SessionHashKey) -> Self {
        let parameters = policy.parameters().iter().enumerate();
        let keys = parameters.filter(|(_, parameter)| parameter.group);
        let keys = keys.map(|(position, _)| ConfiguredKey::of(policy, position)).collect();
        Self { keys, masks: Masks::new(policy), built_in: BuiltInSet::new(), key }
    }

    /// The session of an exchange. `extracted` is what a plan of this policy's points found in it, restricted to `reach`.
    pub fn decide<'a>(
        &self,
        exchange: &'a Exchange,
        reach: &Reach,
        extracted: &'a Extracted<'_>,
        scratch: &mut Scratch,
    ) -> Grouped<'a> {
        let masked = self.masks.of(reach);
        let mut trace = Trace::new();
        let mut uncertain = false;
        let mut decided = None;
        for (order, key) in self.keys.iter().enumerate() {
            if decided.is_some() {
                trace.push(KeyOutcome::NotTried);
                continue;
            }
            let (outcome, values) = key.judge(reach, extracted);
            trace.push(outcome);
            uncertain |= matches!(outcome, KeyOutcome::Unparsable | KeyOutcome::NotCaptured);
            if outcome == KeyOutcome::Decided {
                decided = Some((order, values));
            }
        }

        let mut parse_errors = Vec::new();
        let later = decided.as_ref().map_or(self.keys.len(), |(order, _)| order + 1);
        let (session, decision) = match decided {
            Some((order, values)) => {
                let key = &self.keys[order];
                let session = self.key.session(key.namespace(), &values);
                let value = match *values {
                    [value] => Parts::One([value.into()]),
                    _ => Parts::Several(values.iter().map(|value| Cow::Borrowed(*value)).collect()),
                };
                let deciding = DecidingKey::Configured { parameter: key.parameter };
                (session, Decision { key: deciding, value, side: key.side, issued: key.issued })
            }
            None => self.without_configured(exchange, Messages::Both, &masked, scratch, &mut parse_errors),
        };
        // A rule of the request that decided the whole exchange is the first of the request's rules that works, so
        // the request alone belongs to the same session.
        let request = match decision.side {
            Side::Request => None,
            Side::Response => {
                let keys = self.keys[later..].iter().filter(|key| key.side == Side::Request);
                let mut sessions = keys.filter_map(|key| match key.judge(reach, extracted) {
                    (KeyOutcome::Decided, values) => Some(self.key.session(key.namespace(), &values)),
                    _ => None,
                });
                let request = match sessions.next() {
                    Some(session) => RequestSession { session, kind: KeyKind::Configured },
                    None => {
                        let (session, decision) = self.without_configured(
                            exchange,
                            Messages::RequestOnly,
                            &masked,
                            scratch,
                            &mut parse_errors,
                        );
                        RequestSession { session, kind: decision.key.kind() }
                    }
                };
                Some(request).filter(|request| request.session != session)
            }
        };
        Grouped { session, decision, trace, uncertain, request, parse_errors }
    }

    /// The built-in set, then the fallback.
    fn without_configured<'a>(
        &self,
        exchange: &'a Exchange,
        messages: Messages,
        masked: &Masked,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> (SessionId, Decision<'a>) {
        if let Some(hit) = self.built_in.find(exchange, messages, masked, scratch, parse_errors) {
            let session = self.key.session(hit.namespace, hit.parts.as_slice());
            let key = DecidingKey::BuiltIn(hit.rule);
            return (session, Decision { key, value: hit.parts, side: hit.side, issued: hit.side == Side::Response });
        }
        let (kind, session) = fallback::session(exchange, masked, &self.key);
        let key = DecidingKey::Fallback(kind);
        (session, Decision { key, value: Parts::None, side: Side::Request, issued: false })
    }
}

/// Whether what was found works as a grouping key (G1), and the value if so.
fn judge<'a>(found: &'a Found<'_>) -> (KeyOutcome, Option<&'a [u8]>) {
    let outcome = match found {
        Found::Value(value) if value.is_empty() => KeyOutcome::Empty,
        Found::Value(value) if value.len() > MAXIMUM_VALUE_BYTES => KeyOutcome::TooLong,
        Found::Value(value) => return (KeyOutcome::Decided, Some(value)),
        Found::Absent => KeyOutcome::Absent,
        Found::Empty => KeyOutcome::Empty,
        Found::Masked => KeyOutcome::Masked,
        Found::NotScalar => KeyOutcome::NotScalar,
        Found::Unparsable => KeyOutcome::Unparsable,
        Found::NotCaptured => KeyOutcome::NotCaptured,
    };
    (outcome, None)
}
