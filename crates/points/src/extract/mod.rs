//! One run of a plan over one exchange: takes each wanted value to the points that end there and to the parsers that
//! look further into it.

mod body;
mod decoders;
mod form;
mod graphql;
mod jwt;
mod message;
mod multipart;
mod protobuf;
mod several;
mod viewstate;
mod xml;

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::json;
use crate::scan::Stop;
use crate::tree::{Decoder, ValueNode};
use crate::value_tree::{Notes, Raw, ValueTree};
use crate::{Bounds, Extracted, Found, MessagePart, ParseError, Scratch};

use self::form::Beside;
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
        Extracted::new(self.found, self.several.more, self.errors)
    }

    fn joined<'v>(&mut self, node: &ValueNode, values: impl Iterator<Item = Cow<'v, [u8]>>, part: &MessagePart) {
        let joined = crate::form::join(values);
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
}
