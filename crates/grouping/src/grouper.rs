//! Deciding: configured keys in their order, then the built-in set, then the fallback.

use threadline_model::{Exchange, SessionId};
use threadline_points::{Extracted, Found, ParseError, Scratch, Side};
use threadline_policy::Policy;

use crate::built_in::{BuiltInSet, Messages};
use crate::decision::{DecidingKey, Decision, Grouped, KeyKind, MAXIMUM_VALUE_BYTES, Parts, RequestSession};
use crate::fallback;
use crate::hash::{Namespace, SessionHashKey};
use crate::trace::{KeyOutcome, Trace};

/// Decides sessions by one version of a policy.
pub struct Grouper {
    keys: Vec<ConfiguredKey>,
    built_in: BuiltInSet,
    key: SessionHashKey,
}

/// A grouping key of the policy, as far as deciding needs it.
struct ConfiguredKey {
    /// Position among the policy's parameters, and so in the plan.
    parameter: usize,
    namespace: Option<Box<str>>,
    side: Side,
}

impl ConfiguredKey {
    fn namespace(&self) -> Namespace<'_> {
        self.namespace.as_deref().map_or(Namespace::Shared, Namespace::Named)
    }
}

impl Grouper {
    /// Takes the grouping keys of `policy` in their order.
    pub fn new(policy: &Policy, key: SessionHashKey) -> Self {
        let keys = policy
            .parameters()
            .iter()
            .enumerate()
            .filter(|(_, parameter)| parameter.group)
            .map(|(position, parameter)| ConfiguredKey {
                parameter: position,
                namespace: parameter.namespace.as_deref().map(Into::into),
                side: parameter.point.side(),
            })
            .collect();
        Self { keys, built_in: BuiltInSet::new(), key }
    }

    /// The session of an exchange. `extracted` is what a plan of this policy's points found in it.
    pub fn decide<'a>(
        &self,
        exchange: &'a Exchange,
        extracted: &'a Extracted<'_>,
        scratch: &mut Scratch,
    ) -> Grouped<'a> {
        let mut trace = Trace::new();
        let mut uncertain = false;
        let mut decided = None;
        for (order, key) in self.keys.iter().enumerate() {
            if decided.is_some() {
                trace.push(KeyOutcome::NotTried);
                continue;
            }
            let (outcome, value) = judge(extracted.get(key.parameter));
            trace.push(outcome);
            uncertain |= matches!(outcome, KeyOutcome::Unparsable | KeyOutcome::NotCaptured);
            decided = value.map(|value| (order, value));
        }

        let mut parse_errors = Vec::new();
        let (session, decision) = match decided {
            Some((order, value)) => {
                let key = &self.keys[order];
                let session = self.key.session(key.namespace(), &[value]);
                let value = Parts::One([value.into()]);
                let deciding = DecidingKey::Configured { parameter: key.parameter };
                (session, Decision { key: deciding, value, side: key.side })
            }
            None => self.without_configured(exchange, Messages::Both, scratch, &mut parse_errors),
        };
        // A rule of the request that decided the whole exchange is the first of the request's rules that works, so
        // the request alone belongs to the same session.
        let request = match decision.side {
            Side::Request => None,
            Side::Response => {
                let later = decided.map_or(self.keys.len(), |(order, _)| order + 1);
                let request = self.request_session(exchange, extracted, later, scratch, &mut parse_errors);
                Some(request).filter(|request| request.session != session)
            }
        };
        Grouped { session, decision, trace, uncertain, request, parse_errors }
    }

    /// The session by the request's own keys; the configured keys before `later` are known not to work or to be the
    /// response's.
    fn request_session(
        &self,
        exchange: &Exchange,
        extracted: &Extracted<'_>,
        later: usize,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> RequestSession {
        for key in self.keys[later..].iter().filter(|key| key.side == Side::Request) {
            if let (_, Some(value)) = judge(extracted.get(key.parameter)) {
                let session = self.key.session(key.namespace(), &[value]);
                return RequestSession { session, kind: KeyKind::Configured };
            }
        }
        let (session, decision) = self.without_configured(exchange, Messages::RequestOnly, scratch, parse_errors);
        RequestSession { session, kind: decision.key.kind() }
    }

    /// The built-in set, then the fallback.
    fn without_configured<'a>(
        &self,
        exchange: &'a Exchange,
        messages: Messages,
        scratch: &mut Scratch,
        parse_errors: &mut Vec<ParseError>,
    ) -> (SessionId, Decision<'a>) {
        if let Some(hit) = self.built_in.find(exchange, messages, scratch, parse_errors) {
            let session = self.key.session(hit.namespace, hit.parts.as_slice());
            return (session, Decision { key: DecidingKey::BuiltIn(hit.rule), value: hit.parts, side: hit.side });
        }
        let (kind, session) = fallback::session(exchange, &self.key);
        let decision = Decision { key: DecidingKey::Fallback(kind), value: Parts::None, side: Side::Request };
        (session, decision)
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
