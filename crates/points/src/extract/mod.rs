//! One run of a plan over one exchange: takes each wanted value to the points that end there and to the parsers that
//! look further into it.

mod body;
mod graphql;
mod jwt;
mod multipart;
mod protobuf;
mod several;
mod viewstate;
mod xml;

use std::borrow::Cow;

use smallvec::SmallVec;
use threadline_model::{Exchange, Request, Response};

use crate::coding::Coding;
use crate::cookie;
use crate::decode;
use crate::escapes;
use crate::form::{self, Noted};
use crate::json;
use crate::plan::{FactPlan, HeaderPlan, MessagePlan};
use crate::scan::Stop;
use crate::target;
use crate::tree::{Decoder, ValueNode};
use crate::value_tree::{Notes, Raw, ValueTree};
use crate::{Bounds, Extracted, Found, MessagePart, ParseError, Scratch, Side, Step};

use self::several::Several;
use self::xml::Said;

/// Bytes that are looked at: either of the exchange, and then a result may borrow them, or of a buffer.
#[derive(Clone, Copy)]
pub(crate) enum Text<'e, 'x> {
    /// Bytes of the exchange.
    Captured(&'e [u8]),
    /// Bytes decoded into a buffer.
    Decoded(&'x [u8]),
}

impl<'e: 'x, 'x> Text<'e, 'x> {
    pub(crate) fn bytes(self) -> &'x [u8] {
        match self {
            Self::Captured(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
        }
    }

    fn part(self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Captured(bytes) => Self::Captured(&bytes[range]),
            Self::Decoded(bytes) => Self::Decoded(&bytes[range]),
        }
    }

    /// A part of it that something finds in it.
    fn narrowed(self, find: impl for<'b> Fn(&'b [u8]) -> Option<&'b [u8]>) -> Option<Self> {
        match self {
            Self::Captured(bytes) => find(bytes).map(Self::Captured),
            Self::Decoded(bytes) => find(bytes).map(Self::Decoded),
        }
    }

    fn kept(self) -> Cow<'e, [u8]> {
        match self {
            Self::Captured(bytes) => Cow::Borrowed(bytes),
            Self::Decoded(bytes) => Cow::Owned(bytes.to_vec()),
        }
    }
}

/// The formats that a value may be read in.
#[derive(Clone, Copy)]
struct Formats {
    json: bool,
    form: bool,
    graphql: bool,
    xml: bool,
    protobuf: bool,
    /// What is said of the encoding of its characters.
    said: Said,
}

impl Formats {
    /// Those of a value inside another one.
    const ALL: Self = Self { json: true, form: true, graphql: true, xml: true, protobuf: true, said: Said::Inside };
}

/// How a text ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// All of it is there.
    Whole,
    /// It goes on beyond what was captured.
    Cut,
    /// It goes on beyond what could be decoded; a parse error says why.
    Damaged,
}

impl Ending {
    fn is_open(self) -> bool {
        self != Self::Whole
    }

    /// What is known of a value that was not found before the end.
    fn missing(self) -> Without {
        match self {
            Self::Whole => Without::Absent,
            Self::Cut => Without::NotCaptured,
            Self::Damaged => Without::Unparsable,
        }
    }
}

/// What stands in for a value that is not there.
#[derive(Clone, Copy)]
enum Without {
    Absent,
    Empty,
    NotScalar,
    Unparsable,
    NotCaptured,
}

impl From<Without> for Found<'_> {
    fn from(without: Without) -> Self {
        match without {
            Without::Absent => Self::Absent,
            Without::Empty => Self::Empty,
            Without::NotScalar => Self::NotScalar,
            Without::Unparsable => Self::Unparsable,
            Without::NotCaptured => Self::NotCaptured,
        }
    }
}

/// The variables that stand beside a GraphQL document in a form.
struct Beside {
    text: Vec<u8>,
    ending: Ending,
}

impl Beside {
    fn read(form: &[u8], ending: Ending) -> Option<Self> {
        match form::field(form, b"variables") {
            Some((text, true)) if !text.is_empty() => Some(Self { text: text.into_owned(), ending: Ending::Whole }),
            Some((text, false)) if !text.is_empty() || ending.is_open() => {
                Some(Self { text: text.into_owned(), ending })
            }
            Some(_) => None,
            None => ending.is_open().then(|| Self { text: Vec::new(), ending }),
        }
    }
}

pub(crate) struct Run<'e, 's> {
    found: SmallVec<[Found<'e>; 12]>,
    several: Several<'e, 's>,
    errors: Vec<ParseError>,
    scratch: &'s mut Scratch,
    bounds: Bounds,
    /// Bytes that decoders may still produce.
    decodable: usize,
    /// The variables that stand beside a GraphQL document in the form that is being read.
    variables: Option<Beside>,
}

impl<'e, 's> Run<'e, 's> {
    pub(crate) fn new(
        points: usize,
        several: &'s [bool],
        joins: &'s [ValueNode],
        bounds: Bounds,
        scratch: &'s mut Scratch,
    ) -> Self {
        let mut found = SmallVec::new();
        found.resize_with(points, || Found::Absent);
        let several = Several::new(several, joins);
        Self { found, several, errors: Vec::new(), scratch, bounds, decodable: bounds.decoded_bytes, variables: None }
    }

    pub(crate) fn finish(mut self) -> Extracted<'e> {
        self.join();
        Extracted { found: self.found, more: self.several.more, errors: self.errors }
    }

    // ---- messages --------------------------------------------------------------------------------------------

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

    fn header(
        &mut self,
        plan: &HeaderPlan,
        headers: &'e threadline_model::CapturedHeaders,
        side: Side,
        exchange: &'e Exchange,
    ) {
        let map = headers.as_map();
        let Some(first) = map.get(&plan.name) else { return };
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

    fn joined<'v>(&mut self, node: &ValueNode, values: impl Iterator<Item = Cow<'v, [u8]>>, part: &MessagePart) {
        let joined = form::join(values);
        self.value(node, Text::Decoded(&joined), part);
    }

    // ---- values ----------------------------------------------------------------------------------------------

    /// Gives every point in `points` the same result.
    fn fill(&mut self, points: &[u16], without: Without) {
        for point in points {
            let found = &mut self.found[usize::from(*point)];
            if !self.several.takes(*point) || several::gives_way(found, without) {
                *found = without.into();
            }
        }
    }

    fn report(&mut self, part: &MessagePart, parser: &'static str, offset: usize, reason: &'static str) {
        if self.errors.len() < self.bounds.parse_errors {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            self.errors.push(ParseError { part: part.clone(), parser, offset, reason });
        }
    }

    /// Takes a scalar value to the points that end here and to the parsers that look into it.
    #[inline]
    fn value(&mut self, node: &ValueNode, text: Text<'e, '_>, part: &MessagePart) {
        if text.bytes().is_empty() {
            return self.fill(&node.all, Without::Empty);
        }
        self.whole(node, text, part, Formats::ALL);
    }

    /// A value that is not empty, to be read in these formats. Every point that looks into it gets a result, for a
    /// value inside a cut body another one was written before.
    fn whole(&mut self, node: &ValueNode, text: Text<'e, '_>, part: &MessagePart, formats: Formats) {
        for point in &node.ends {
            if self.several.takes(*point) {
                self.one_of_several(*point, text, part);
            } else {
                self.found[usize::from(*point)] = Found::Value(text.kept());
            }
        }
        if node.is_leaf() {
            return;
        }
        if let Some(place) = node.joined {
            self.keep_for_joining(place, text, part);
        }
        for (point, parser) in &node.beyond {
            self.report(part, parser, 0, "the bound on formats inside each other is reached");
            self.fill(&[*point], Without::Unparsable);
        }
        for (decoder, child) in &node.decoders {
            self.decode(decoder, child, text, part);
        }
        if let Some(tree) = &node.json
            && formats.json
        {
            self.any_json(tree, text, Ending::Whole, formats.said, part);
        }
        if let Some(tree) = &node.form
            && formats.form
        {
            self.form(tree, text, Ending::Whole, part);
        }
        if let Some(tree) = &node.xml
            && formats.xml
        {
            self.any_xml(tree, text, Ending::Whole, formats.said, part);
        }
        if let Some(tree) = &node.graphql
            && formats.graphql
        {
            self.any_graphql(tree, text, Ending::Whole, formats.said, part);
        }
        if let Some(jwt) = &node.jwt {
            self.jwt(jwt, text, part);
        }
        if let Some(tree) = &node.protobuf
            && formats.protobuf
        {
            self.protobuf(tree, text, Ending::Whole, "protobuf", part);
        }
        if let Some(tree) = &node.viewstate {
            self.viewstate(tree, text, part);
        }
    }

    /// A value of which only the beginning is there: what is read from front to back can be resolved in it.
    fn cut(&mut self, node: &ValueNode, text: Text<'e, '_>, ending: Ending, part: &MessagePart, formats: Formats) {
        self.fill(&node.all, ending.missing());
        for (decoder, child) in &node.decoders {
            if let Decoder::Gzip = decoder {
                self.gzip(child, text, ending, part);
            }
        }
        match &node.json {
            Some(tree) if formats.json => self.any_json(tree, text, ending, formats.said, part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
        match &node.form {
            Some(tree) if formats.form => self.form(tree, text, ending, part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
        match &node.xml {
            Some(tree) if formats.xml => self.any_xml(tree, text, ending, formats.said, part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
        match &node.graphql {
            Some(tree) if formats.graphql => self.any_graphql(tree, text, ending, formats.said, part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
        match &node.protobuf {
            Some(tree) if formats.protobuf => self.protobuf(tree, text, ending, "protobuf", part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
    }

    /// Takes from what decoders may produce for one exchange.
    fn may_decode(&mut self, bytes: usize, points: &[u16], parser: &'static str, part: &MessagePart) -> bool {
        match self.decodable.checked_sub(bytes) {
            Some(rest) => {
                self.decodable = rest;
                true
            }
            None => {
                self.report(part, parser, 0, "the bound on decoded bytes is reached");
                self.fill(points, Without::Unparsable);
                false
            }
        }
    }

    fn decode(&mut self, decoder: &Decoder, node: &ValueNode, text: Text<'e, '_>, part: &MessagePart) {
        let bytes = text.bytes();
        match decoder {
            Decoder::Base64 => self.base64(node, text, "base64", 0, part),
            Decoder::Gzip => self.gzip(node, text, Ending::Whole, part),
            Decoder::Percent => {
                if self.may_decode(bytes.len(), &node.all, "percent", part) {
                    self.rewritten(node, text, decode::percent(bytes), part);
                }
            }
            Decoder::Htmljs => {
                if self.may_decode(bytes.len(), &node.all, "htmljs", part) {
                    self.rewritten(node, text, escapes::htmljs(bytes), part);
                }
            }
            Decoder::Lower => {
                if self.may_decode(bytes.len(), &node.all, "lower", part) {
                    self.rewritten(node, text, decode::lower(bytes), part);
                }
            }
            Decoder::Bearer => self.value(node, text.part(decode::after_scheme(bytes)..bytes.len()), part),
            Decoder::Trim => self.value(node, text.part(decode::trim(bytes)), part),
            Decoder::Capture(pattern) => match pattern.regex().captures(bytes).and_then(|groups| groups.get(1)) {
                Some(group) => self.value(node, text.part(group.range()), part),
                None => self.fill(&node.all, Without::Absent),
            },
        }
    }

    /// Goes on with a text that a decoder may have left as it was.
    fn rewritten(&mut self, node: &ValueNode, text: Text<'e, '_>, rewritten: Cow<'_, [u8]>, part: &MessagePart) {
        match rewritten {
            Cow::Borrowed(_) => self.value(node, text, part),
            Cow::Owned(bytes) => self.value(node, Text::Decoded(&bytes), part),
        }
    }

    fn base64(
        &mut self,
        node: &ValueNode,
        text: Text<'e, '_>,
        parser: &'static str,
        offset: usize,
        part: &MessagePart,
    ) {
        if !self.may_decode(text.bytes().len(), &node.all, parser, part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        match decode::base64_into(text.bytes(), &mut buffer) {
            Ok(()) => self.value(node, Text::Decoded(&buffer), part),
            Err(position) => {
                self.report(part, parser, offset + position, "not base64");
                self.fill(&node.all, Without::Unparsable);
            }
        }
        self.scratch.buffers().give_back(buffer);
    }

    fn gzip(&mut self, node: &ValueNode, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let mut buffer = self.scratch.buffers().lend();
        match self.decompress(Coding::Gzip, text.bytes(), ending, &mut buffer, part) {
            Ending::Whole => self.value(node, Text::Decoded(&buffer), part),
            ending => self.cut(node, Text::Decoded(&buffer), ending, part, Formats::ALL),
        }
        self.scratch.buffers().give_back(buffer);
    }

    /// Decompresses a text that ends in this way. Gives how the result ends.
    fn decompress(
        &mut self,
        coding: Coding,
        coded: &[u8],
        ending: Ending,
        buffer: &mut Vec<u8>,
        part: &MessagePart,
    ) -> Ending {
        let (most, beyond) = self.bounds.decompressed(coded.len(), self.decodable);
        let decoded = self.scratch.coders().decode(coding, coded, most, beyond, buffer);
        self.decodable -= buffer.len();
        match decoded.stop {
            None => {
                // Of a text that goes on it may be the start of another member or frame.
                if decoded.used < coded.len() && ending == Ending::Whole {
                    self.report(part, coding.name(), decoded.used, "bytes behind the end");
                }
                ending
            }
            Some(Stop { ended: true, .. }) if ending.is_open() => ending,
            Some(stop) => {
                self.report(part, coding.name(), stop.offset, stop.reason);
                Ending::Damaged
            }
        }
    }

    // ---- formats ---------------------------------------------------------------------------------------------

    fn json(&mut self, tree: &ValueTree, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let mut notes = self.scratch.notes().lend();
        let stop = json::walk(tree, text.bytes(), ending.is_open(), &self.bounds, &mut notes);
        let missing = self.stopped(stop, ending, "json", part);
        self.deliver(tree, &notes, text, missing, part);
        self.scratch.notes().give_back(notes);
    }

    /// What is known of places that a walk did not come to. Reports what stopped it, unless that is the end of a text that
    /// goes on.
    fn stopped(&mut self, stop: Option<Stop>, ending: Ending, parser: &'static str, part: &MessagePart) -> Without {
        match stop {
            None => Without::Absent,
            Some(Stop { ended: true, .. }) if ending.is_open() => ending.missing(),
            Some(stop) => {
                self.report(part, parser, stop.offset, stop.reason);
                Without::Unparsable
            }
        }
    }

    /// Takes what a walk noted to the points. `missing` is what is known of places where it noted nothing.
    fn deliver(&mut self, tree: &ValueTree, notes: &Notes, text: Text<'e, '_>, missing: Without, part: &MessagePart) {
        for (node, raw) in tree.nodes().iter().zip(&notes.raws) {
            if !node.value.is_unused() {
                self.noted(&node.value, *raw, text, missing, part);
            }
        }
        let mut closed: SmallVec<[u32; 4]> = SmallVec::new();
        for (position, raw) in &notes.log {
            if closed.contains(position) {
                continue;
            }
            if let Raw::Unknown = raw {
                closed.push(*position);
            }
            self.noted(&tree.nodes()[*position as usize].value, *raw, text, missing, part);
        }
    }

    fn noted(&mut self, node: &ValueNode, raw: Raw, text: Text<'e, '_>, missing: Without, part: &MessagePart) {
        match raw {
            Raw::Missing | Raw::Unknown => self.fill(&node.all, missing),
            Raw::NotScalar => self.fill(&node.all, Without::NotScalar),
            Raw::Plain(span) => self.value(node, text.part(span.range()), part),
            Raw::Text(span) if !span.escaped => self.value(node, text.part(span.range()), part),
            Raw::Text(span) => {
                let mut buffer = self.scratch.buffers().lend();
                json::unescape_into(text.part(span.range()).bytes(), &mut buffer);
                self.value(node, Text::Decoded(&buffer), part);
                self.scratch.buffers().give_back(buffer);
            }
            Raw::Block(span) => {
                let mut buffer = self.scratch.buffers().lend();
                crate::graphql::block_string_into(text.part(span.range()).bytes(), &mut buffer);
                self.value(node, Text::Decoded(&buffer), part);
                self.scratch.buffers().give_back(buffer);
            }
            Raw::Number(number) => self.value(node, Text::Decoded(number.to_string().as_bytes()), part),
        }
    }

    fn form(&mut self, tree: &form::FieldTree, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let mut notes = self.scratch.fields().lend();
        form::walk(tree, text.bytes(), ending.is_open(), &mut notes);
        let missing = ending.missing();
        let beside = if tree.graphql { Beside::read(text.bytes(), ending) } else { None };
        let outside = std::mem::replace(&mut self.variables, beside);
        for (node, state) in tree.nodes().iter().zip(&notes.states) {
            for several in node.several() {
                self.fill(&several.all, missing);
            }
            match state.first {
                Some((start, end)) => {
                    let value = text.part(start..end);
                    self.rewritten(&node.first, value, decode::form(value.bytes()), part);
                }
                // Behind a cut there may be a value.
                None if state.nested && matches!(missing, Without::Absent) => {
                    self.fill(&node.first.all, Without::NotScalar);
                }
                None => self.fill(&node.first.all, missing),
            }
            let Some(joined) = &node.joined else { continue };
            if ending.is_open() {
                self.fill(&joined.all, missing);
            } else if !state.values.is_empty() {
                let values = state.values.iter().map(|(start, end)| decode::form(text.part(*start..*end).bytes()));
                self.joined(joined, values, part);
            } else {
                let without = if state.nested { Without::NotScalar } else { Without::Absent };
                self.fill(&joined.all, without);
            }
        }
        for (position, every, noted) in &notes.log {
            let Some(node) = tree.nodes()[*position as usize].every(*every) else { continue };
            match noted {
                Noted::Value((start, end)) => {
                    let value = text.part(*start..*end);
                    self.rewritten(node, value, decode::form(value.bytes()), part);
                }
                Noted::Name(name) => self.value(node, Text::Decoded(name), part),
            }
        }
        self.variables = outside;
        self.scratch.fields().give_back(notes);
    }
}
