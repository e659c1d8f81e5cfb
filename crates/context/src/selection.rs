//! Selecting for one exchange: hashes first, so that every text exported after knows what it must not show.

use std::borrow::Cow;
use std::net::IpAddr;

use smallvec::SmallVec;
use threadline_grouping::{DecidingKey, FallbackKind, Grouped, HashText, Parts, visit_credentials};
use threadline_model::{Exchange, Source};
use threadline_points::{Extracted, Found, Side, Spoken};
use threadline_policy::ParameterType;

use crate::contextual::{ContextParameter, ContextParseError, ContextSession, Contextual};
use crate::head;
use crate::operation;
use crate::secrets::Secrets;
use crate::selector::{Covered, Selected, Selector};
use crate::target::{self, Cover, Place, SelectedField, Values};
use crate::text::{CUT, Text};

/// Longest parameter value exported, bytes.
const MAXIMUM_VALUE_BYTES: usize = 8 * 1024;

/// One exchange on its way out.
pub(crate) struct Selection<'a, 'e> {
    selector: &'a Selector,
    exchange: &'a Exchange,
    extracted: &'a Extracted<'e>,
    grouped: &'a Grouped<'a>,
    spoken: &'a Spoken,
    /// Hashes of the hashed parameters that were found, by position; of several values the first.
    hashes: SmallVec<[(usize, HashText); 4]>,
    /// The hash of what the built-in set found, where that decided.
    credential: Option<HashText>,
    secrets: Secrets<'a>,
}

/// What a hashed parameter or a mask makes of a fact that it takes its value from.
enum Fate {
    Clear,
    Hashed(HashText),
    Cut,
}

/// What the parameters of an exchange give.
struct SelectedValues<'a> {
    params: Vec<ContextParameter<'a>>,
    user: LastSeen<'a>,
    role: LastSeen<'a>,
    /// The value of the parameter that decided the session.
    deciding: Option<Text<'a>>,
}

/// Of several parameters of a type, the value that was seen last: one of the response after one of the request, and
/// within a message the later in the list.
#[derive(Default)]
struct LastSeen<'a>(Option<(Side, Text<'a>)>);

impl<'a> LastSeen<'a> {
    fn see(&mut self, side: Side, value: &Text<'a>) {
        if side == Side::Response || !matches!(self.0, Some((Side::Response, _))) {
            self.0 = Some((side, value.clone()));
        }
    }

    fn value(self) -> Option<Text<'a>> {
        self.0.map(|(_, value)| value)
    }
}

impl<'a, 'e> Selection<'a, 'e> {
    pub(crate) fn new(
        selector: &'a Selector,
        exchange: &'a Exchange,
        extracted: &'a Extracted<'e>,
        grouped: &'a Grouped<'a>,
        spoken: &'a Spoken,
    ) -> Self {
        let mut hashes = SmallVec::new();
        let mut secrets = Secrets::new(&selector.key);
        for position in selector.masks.clone() {
            extracted.values(position).for_each(|value| secrets.mask(value));
        }
        extracted.masked_values().for_each(|value| secrets.mask(value));
        for index in selector.hashed.iter().copied() {
            for (number, value) in extracted.values(index).enumerate() {
                let hash = selector.key.hash(&[value]);
                if number == 0 {
                    hashes.push((index, hash));
                }
                secrets.bind(value, hash);
            }
        }
        let parts = grouped.decision.value.as_slice();
        let built_in = matches!(grouped.decision.key, DecidingKey::BuiltIn(_));
        let credential = built_in.then(|| selector.key.hash(parts));
        match (credential, parts) {
            (Some(hash), [value]) => secrets.bind(value, hash),
            // Of two parts the last one names somebody: the subject after its issuer, the token after its number.
            (Some(_), [_, value]) => secrets.bind(value, selector.key.hash(&[value])),
            // Of a configured key above.
            _ => {}
        }
        visit_credentials(exchange, |value| secrets.add(value));
        Self { selector, exchange, extracted, grouped, spoken, hashes, credential, secrets }
    }

    pub(crate) fn finish(&self) -> Contextual<'a> {
        let (raw_path, raw_query) = target::split(self.exchange.request.target.as_bytes());
        let method = head::method(self.exchange);
        let host = self.exported(Covered::Host, || head::host(self.exchange, &self.secrets));
        let mut endpoint = String::with_capacity(96);
        endpoint.push_str(method);
        endpoint.push(' ');
        if let Some(host) = &host {
            endpoint.push_str(host.as_str());
        }
        let covers = self.path_covers();
        let path = target::path(raw_path, &covers, &self.secrets, &mut endpoint);
        let operation_is_masked = !matches!(self.fate(Covered::Operation), Fate::Clear);
        if !operation_is_masked {
            operation::append_to_endpoint(self.spoken, &self.secrets, &mut endpoint);
        }
        let client_ip = self.exchange.client.filter(|_| matches!(self.fate(Covered::ClientAddress), Fate::Clear));
        let user_agent = self.exported(Covered::UserAgent, || head::user_agent(self.exchange, &self.secrets));
        let fingerprint =
            |fact, text: &'a Option<String>| self.exported(fact, || head::fingerprint(text.as_deref(), &self.secrets));
        let hides_query = !matches!(self.fate(Covered::QueryNames), Fate::Clear);
        let covers_all = hides_query || covers.iter().any(|(place, _)| *place == Place::Whole);
        let selected = self.params(&path);
        Contextual {
            method,
            endpoint,
            protocol: self.spoken.protocol,
            operation: operation::text(self.spoken, &path, &self.secrets).filter(|_| !operation_is_masked),
            query: raw_query.filter(|_| !covers_all).map(|query| self.query(query)),
            ja3: fingerprint(Covered::Ja3, &self.exchange.fingerprints.ja3),
            ja4: fingerprint(Covered::Ja4, &self.exchange.fingerprints.ja4),
            session: self.session(selected.deciding, client_ip, user_agent.as_ref()),
            trace_id: self.trace_id(),
            user: selected.user.value(),
            role: selected.role.value(),
            params: selected.params,
            parse_errors: self.parse_errors(),
            host,
            path,
            client_ip,
            user_agent,
        }
    }

    /// A trace-id has no place for a hash: one that must not be shown is left out.
    fn trace_id(&self) -> Option<&'a str> {
        let is_clear = |id: &&str| self.secrets.covering(id.as_bytes()).is_none();
        head::trace_id(self.exchange).filter(|_| matches!(self.fate(Covered::Trace), Fate::Clear)).filter(is_clear)
    }

    fn hash_of(&self, index: usize) -> Option<HashText> {
        self.hashes.iter().find(|(position, _)| *position == index).map(|(_, hash)| *hash)
    }

    /// A value of a parameter in exportable form; `hash` is that of the value, where it is known.
    fn value(&self, parameter: &Selected, value: &'a [u8], hash: Option<HashText>, path: &Text<'a>) -> Text<'a> {
        if parameter.hashed {
            Text::Hashed(hash.unwrap_or_else(|| self.selector.key.hash(&[value])))
        } else if parameter.target {
            self.target(path)
        } else if parameter.chosen {
            self.secrets.binding().without(value, MAXIMUM_VALUE_BYTES)
        } else {
            self.secrets.without(value, MAXIMUM_VALUE_BYTES)
        }
    }

    /// Path and query together, for who selected both.
    fn target(&self, path: &Text<'a>) -> Text<'a> {
        match target::split(self.exchange.request.target.as_bytes()) {
            (_, Some(query)) => {
                let query = target::query(query, &Values::AllButCredentials, &self.secrets);
                Text::Clear(Cow::Owned([path.as_str(), "?", query.as_str()].concat()))
            }
            (_, None) => path.clone(),
        }
    }

    fn params(&self, path: &Text<'a>) -> SelectedValues<'a> {
        let parameters = &self.selector.parameters;
        let params = Vec::with_capacity(parameters.len());
        let mut selected =
            SelectedValues { params, user: LastSeen::default(), role: LastSeen::default(), deciding: None };
        for (index, parameter) in parameters.iter().enumerate() {
            for (number, value) in self.extracted.values(index).enumerate() {
                let hash = if number == 0 { self.hash_of(index) } else { None };
                let value = self.value(parameter, value, hash, path);
                // Of several values the first groups, and tells the user and the role.
                if number == 0 {
                    match parameter.kind {
                        ParameterType::None => {}
                        ParameterType::User => selected.user.see(parameter.side, &value),
                        ParameterType::Role => selected.role.see(parameter.side, &value),
                    }
                    if self.grouped.decision.key == (DecidingKey::Configured { parameter: index }) {
                        selected.deciding = Some(value.clone());
                    }
                }
                let (name, side, hidden) = (&*parameter.name, parameter.side, parameter.hidden);
                selected.params.push(ContextParameter { name, value, side, hidden });
            }
        }
        selected
    }

    /// `deciding` is the value of the parameter that decided, if one did.
    fn session(
        &self,
        deciding: Option<Text<'a>>,
        address: Option<IpAddr>,
        agent: Option<&Text<'a>>,
    ) -> ContextSession<'a> {
        let grouped = self.grouped;
        let (key, value) = match grouped.decision.key {
            DecidingKey::Configured { parameter } => {
                let parameter = self.selector.parameters.get(parameter);
                let value = match &grouped.decision.value {
                    Parts::Several(parts) => parameter.map(|parameter| self.composite(parameter, parts)),
                    _ => deciding,
                };
                (parameter.map_or("", |parameter| &*parameter.name), value)
            }
            DecidingKey::BuiltIn(rule) => (rule.name, self.credential.map(Text::Hashed)),
            DecidingKey::Fallback(kind) => (kind.as_str(), Some(self.fallback(kind, address, agent))),
        };
        ContextSession {
            id: grouped.session,
            key,
            key_kind: grouped.decision.key.kind(),
            value: value.unwrap_or(Text::Clear(Cow::Borrowed(CUT))),
            issued: grouped.decision.issued,
            trace: grouped.trace,
            uncertain: grouped.uncertain,
            request: grouped.request,
        }
    }

    /// The values of a composite key in exportable form.
    fn composite(&self, parameter: &Selected, parts: &[Cow<'a, [u8]>]) -> Text<'a> {
        if parameter.hashed {
            return Text::Hashed(self.selector.key.hash(parts));
        }
        let shown: Vec<Text<'_>> =
            parts.iter().map(|part| self.secrets.without(part, MAXIMUM_VALUE_BYTES / parts.len())).collect();
        Text::Clear(Cow::Owned(shown.iter().map(Text::as_str).collect::<Vec<_>>().join(" + ")))
    }

    /// What a fallback stood on, by the facts that are exported anyway.
    fn fallback(&self, kind: FallbackKind, address: Option<IpAddr>, agent: Option<&Text<'a>>) -> Text<'a> {
        let address = || address.map_or_else(|| CUT.to_owned(), |address| address.to_string());
        Text::Clear(Cow::Owned(match (kind, &self.exchange.source) {
            (FallbackKind::AddressAndAgent, _) => {
                let mut both = address();
                both.push(' ');
                both.push_str(agent.map_or(CUT, |agent| agent.as_str()));
                both
            }
            (FallbackKind::Address, _) => address(),
            (FallbackKind::File, Source::File { identity, .. }) => format!("{:032x}", u128::from_be_bytes(*identity)),
            (FallbackKind::File | FallbackKind::Exchange, _) => self.exchange.id.to_string(),
        }))
    }

    fn query(&self, query: &'a [u8]) -> Text<'a> {
        let mut fields: SmallVec<[SelectedField<'a>; 8]> = SmallVec::new();
        for (index, parameter) in self.selector.parameters.iter().enumerate() {
            let Some(name) = &parameter.field else { continue };
            if matches!(self.extracted.get(index), Found::Masked) {
                continue;
            }
            let value = || self.extracted.get(index).value();
            let hash = || self.hash_of(index).or_else(|| value().map(|value| self.selector.key.hash(&[value])));
            let hash = if parameter.hashed { hash() } else { None };
            // A field that must be hashed and was not found whole shows its name only.
            if !parameter.hashed || hash.is_some() {
                fields.push(SelectedField { name, hash, chosen: parameter.chosen });
            }
        }
        target::query(query, &Values::Selected(&fields), &self.secrets)
    }

    fn path_covers(&self) -> SmallVec<[Cover; 2]> {
        let mut covers = SmallVec::new();
        for (covered, index) in &self.selector.covers {
            if let Covered::Path(place) = covered {
                match self.fate_by(*index) {
                    Fate::Clear => {}
                    Fate::Hashed(hash) => covers.push((*place, Some(hash))),
                    Fate::Cut => covers.push((*place, None)),
                }
            }
        }
        covers
    }

    /// What hashed parameters and masks make of one fact: the first that covers it decides.
    fn fate(&self, fact: Covered) -> Fate {
        let covering = self.selector.covers.iter().filter(|(covered, _)| *covered == fact);
        let mut fates = covering.map(|(_, index)| self.fate_by(*index));
        fates.find(|fate| !matches!(fate, Fate::Clear)).unwrap_or(Fate::Clear)
    }

    fn fate_by(&self, index: usize) -> Fate {
        match self.extracted.get(index) {
            Found::Value(_) if self.selector.masks.contains(&index) => Fate::Cut,
            // Which of several values a place holds is not known here.
            Found::Value(_) if self.extracted.values(index).nth(1).is_some() => Fate::Cut,
            Found::Value(_) => self.hash_of(index).map_or(Fate::Cut, Fate::Hashed),
            Found::Absent | Found::Empty => Fate::Clear,
            Found::Masked | Found::NotScalar | Found::Unparsable | Found::NotCaptured => Fate::Cut,
        }
    }

    fn exported(&self, fact: Covered, clear: impl FnOnce() -> Option<Text<'a>>) -> Option<Text<'a>> {
        match self.fate(fact) {
            Fate::Clear => clear(),
            Fate::Hashed(hash) => Some(Text::Hashed(hash)),
            Fate::Cut => Some(Text::Clear(Cow::Borrowed(CUT))),
        }
    }

    fn parse_errors(&self) -> Vec<ContextParseError> {
        let mut exported: Vec<ContextParseError> = Vec::new();
        for error in self.extracted.parse_errors().iter().chain(&self.grouped.parse_errors) {
            let part = error.part.as_str();
            // The built-in set may have met the same damage as the policy's plan.
            if !exported.iter().any(|known| known.part == part && known.parser == error.parser) {
                let (parser, offset, reason) = (error.parser, error.offset, error.reason);
                exported.push(ContextParseError { part: part.to_owned(), parser, offset, reason });
            }
        }
        exported
    }
}
