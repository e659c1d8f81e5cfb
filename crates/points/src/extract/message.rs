//! Messages: takes the facts, the path, the query, the headers and the body of each to the points that want them.

use std::borrow::Cow;

use smallvec::SmallVec;
use threadline_model::{CapturedHeaders, Exchange, Request, Response};

use super::{Ending, Run, Text, Without};
use crate::cookie;
use crate::decode;
use crate::plan::{FactPlan, HeaderPlan, MessagePlan};
use crate::target;
use crate::{Side, Step};

impl<'e> Run<'e, '_> {
    pub(crate) fn request(&mut self, plan: &MessagePlan, exchange: &'e Exchange) {
        let request = &exchange.request;
        for fact in &plan.facts {
            self.request_fact(fact, exchange, request);
        }
        if let Some(path) = &plan.path {
            self.path(path, request);
        }
        if let Some(query) = &plan.query
            && let Some(text) = target::query(request.target.as_bytes())
        {
            self.form(&query.fields, Text::Captured(text), Ending::Whole, &query.part);
        }
        for header in &plan.headers {
            self.header(header, &request.headers, Side::Request, exchange);
        }
        if let Some(every) = &plan.every_header {
            self.every_header(every, &request.headers);
        }
        if let Some(body) = &plan.body {
            self.body(body, &request.body, &request.headers);
        }
    }

    pub(crate) fn response(&mut self, plan: &MessagePlan, response: &'e Response, exchange: &'e Exchange) {
        for fact in &plan.facts {
            if let Step::Status = fact.step {
                let digits = response.status.to_string();
                self.value(&fact.value, Text::Decoded(digits.as_bytes()), &fact.part);
            }
        }
        for header in &plan.headers {
            self.header(header, &response.headers, Side::Response, exchange);
        }
        if let Some(every) = &plan.every_header {
            self.every_header(every, &response.headers);
        }
        if let Some(body) = &plan.body {
            self.body(body, &response.body, &response.headers);
        }
    }

    /// The response never arrived (the client or the upstream gave up): what it would have held is not known.
    pub(crate) fn no_response(&mut self, plan: &MessagePlan) {
        self.fill(&plan.all, Without::NotCaptured);
    }

    fn request_fact(&mut self, fact: &FactPlan, exchange: &'e Exchange, request: &'e Request) {
        let captured = |text: Option<&'e [u8]>| text.map(Cow::Borrowed);
        let path = || target::path(request.target.as_bytes());
        let value: Option<Cow<'e, [u8]>> = match &fact.step {
            Step::Method => captured(Some(request.method.as_bytes())),
            Step::Scheme => captured(request.scheme.map(|scheme| scheme.as_str().as_bytes())),
            Step::Proto => captured(request.version.map(|version| version.as_str().as_bytes())),
            Step::Host => request.host.as_ref().map(|host| decode::lower(host.as_bytes())),
            Step::Uri => captured(Some(request.target.as_bytes())),
            Step::Path(number) => target::path_part(path(), *number).map(decode::percent),
            Step::ActionName => Some(decode::percent(target::action(path()).0)),
            Step::ActionExt => target::action(path()).1.map(decode::percent),
            Step::RemoteAddr => {
                exchange.client.map(|address| Cow::Owned(address.to_canonical().to_string().into_bytes()))
            }
            Step::Ja3 => captured(exchange.fingerprints.ja3.as_deref().map(str::as_bytes)),
            Step::Ja4 => captured(exchange.fingerprints.ja4.as_deref().map(str::as_bytes)),
            _ => None,
        };
        match value {
            Some(Cow::Borrowed(text)) => self.value(&fact.value, Text::Captured(text), &fact.part),
            Some(Cow::Owned(text)) => self.value(&fact.value, Text::Decoded(&text), &fact.part),
            None => {}
        }
    }

    fn header(&mut self, plan: &HeaderPlan, headers: &'e CapturedHeaders, side: Side, exchange: &'e Exchange) {
        let map = headers.as_map();
        let Some(first) = map.get(&plan.name) else {
            // HTTP/2 says `:authority` instead (RFC 9113, section 8.3.1).
            if plan.name == http::header::HOST
                && let (Side::Request, Some(host)) = (side, &exchange.request.host)
            {
                self.value(&plan.first, Text::Captured(host.as_bytes()), &plan.part);
            }
            return;
        };
        if !plan.first.is_unused() {
            self.value(&plan.first, Text::Captured(first.as_bytes()), &plan.part);
        }
        if let Some(node) = &plan.joined {
            let values = map.get_all(&plan.name).iter().map(|value| Cow::Borrowed(value.as_bytes()));
            self.joined(node, values, &plan.part);
        }
        if let Some(every) = &plan.every_cookie {
            for value in map.get_all(&plan.name) {
                self.every_cookie(every, value.as_bytes(), side, exchange);
            }
        }
        for wanted in &plan.cookies {
            let mut cookies: SmallVec<[&'e [u8]; 4]> = SmallVec::new();
            for value in map.get_all(&plan.name) {
                match side {
                    Side::Request => cookie::sent(value.as_bytes(), &wanted.name, &mut cookies),
                    Side::Response => cookies.extend(cookie::set(value.as_bytes(), &wanted.name, exchange.started)),
                }
            }
            // Of several cookies a request sends, the first has the longest path; of several that are set, the
            // last one stays (RFC 6265, sections 5.3 and 5.4).
            let decisive = match side {
                Side::Request => cookies.first(),
                Side::Response => cookies.last(),
            };
            let Some(decisive) = decisive else { continue };
            self.value(&wanted.first, Text::Captured(decisive), &plan.part);
            if let Some(node) = &wanted.joined {
                self.joined(node, cookies.iter().map(|value| Cow::Borrowed(*value)), &plan.part);
            }
        }
    }
}
