//! Every point of an exchange with its value, for whoever looks for a point: level by level, one plan a
//! level. Each level asks for the values and the names at the places that the one before found, so every spelling that
//! is listed resolves to the value beside it.

use threadline_model::{CapturedBody, CapturedHeaders, Exchange};

use crate::locate::{self, Selection};
use crate::mask::Masks;
use crate::reading::{self, Names};
use crate::step::Kind;
use crate::{Bounds, Extracted, Found, Plan, Point, Scratch, Side, Step, guess, mask};

/// How much is listed of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListBounds {
    /// Most points.
    pub points: usize,
    /// Most bytes of each value.
    pub value_bytes: usize,
    /// Most steps that lead on from one value to the next: properties, elements, formats opened inside each other.
    pub levels: usize,
}

impl Default for ListBounds {
    fn default() -> Self {
        Self { points: 1_000, value_bytes: 256, levels: 16 }
    }
}

/// The points of an exchange.
#[derive(Clone, Debug, Default)]
pub struct PointList {
    /// In the order of the message: request before response, the first line, headers, body; what lies in a value
    /// behind it.
    pub points: Vec<ListedPoint>,
    /// There are more than the bounds allow.
    pub truncated: bool,
}

/// One point with what stands there. Its `Debug` tells the value's length only.
#[derive(Clone, Debug)]
pub struct ListedPoint {
    /// The point.
    pub point: Point,
    /// A value, at most [`ListBounds::value_bytes`] of it; or [`Found::Empty`] or [`Found::Masked`].
    pub found: Found<'static>,
    /// How many bytes the whole value has.
    pub bytes: usize,
    /// Where the value stands in the message, unless it was decoded.
    pub selection: Option<Selection>,
}

/// What stands in every message of a kind, before its fields; and behind them.
const BEFORE: [(Side, &[Step]); 2] = [
    (
        Side::Request,
        &[Step::Method, Step::Scheme, Step::Host, Step::Uri, Step::ActionName, Step::ActionExt, Step::Proto],
    ),
    (Side::Response, &[Step::Status]),
];
const BEHIND: [(Side, &[Step]); 2] =
    [(Side::Request, &[Step::Body, Step::RemoteAddr, Step::Ja3, Step::Ja4]), (Side::Response, &[Step::Body])];

/// Lists the points of an exchange. What `masks` cover is listed as [`Found::Masked`]. A name that is not UTF-8 is in
/// no point and is left out.
pub fn list(exchange: &Exchange, masks: &[Point], bounds: Bounds, limits: ListBounds) -> PointList {
    let masks = Masks::of(masks, exchange, bounds);
    let mut listing = Listing { exchange, masks, bounds, limits, nodes: Vec::new(), truncated: false };
    let mut level = listing.roots();
    for _ in 0..=limits.levels {
        if level.is_empty() {
            return listing.finish();
        }
        level = listing.next_level(&level);
    }
    listing.truncated |= !level.is_empty();
    listing.finish()
}

/// A place that was found.
struct Node {
    side: Side,
    steps: Vec<Step>,
    children: Vec<usize>,
    listed: Option<ListedPoint>,
}

/// A question about a node, as it stands in a plan.
enum Question {
    Value(usize),
    Names(usize, Names),
}

struct Listing<'x> {
    exchange: &'x Exchange,
    masks: Masks<'x>,
    bounds: Bounds,
    limits: ListBounds,
    nodes: Vec<Node>,
    truncated: bool,
}

impl Listing<'_> {
    /// The two messages. Their own places are known; their fields are asked for.
    fn roots(&mut self) -> Vec<usize> {
        let mut level = Vec::new();
        for side in [Side::Request, Side::Response] {
            let root = self.nodes.len();
            self.nodes.push(Node { side, steps: Vec::new(), children: Vec::new(), listed: None });
            level.push(root);
            let of = |table: [(Side, &'static [Step]); 2]| {
                table.into_iter().filter(move |(owner, _)| *owner == side).flat_map(|(_, steps)| steps)
            };
            for step in of(BEFORE) {
                level.extend(self.child(root, step.clone()));
            }
        }
        level
    }

    /// Adds a place below another, unless it is known or there are too many.
    fn child(&mut self, parent: usize, step: Step) -> Option<usize> {
        let known = |child: &usize| self.nodes[*child].steps.last() == Some(&step);
        if self.nodes[parent].children.iter().any(known) {
            return None;
        }
        // Places without a value take room too: the bound is on the work.
        if self.nodes.len() >= self.limits.points.saturating_mul(2) {
            self.truncated = true;
            return None;
        }
        let node = Node {
            side: self.nodes[parent].side,
            steps: [&self.nodes[parent].steps[..], &[step]].concat(),
            children: Vec::new(),
            listed: None,
        };
        let position = self.nodes.len();
        self.nodes.push(node);
        self.nodes[parent].children.push(position);
        Some(position)
    }

    /// Asks about the places of a level; gives those that were found below them.
    fn next_level(&mut self, level: &[usize]) -> Vec<usize> {
        let mut asked: Vec<(Point, Question)> = Vec::new();
        for position in level {
            let node = &self.nodes[*position];
            if let Some(point) = reading::resolved(node.side, node.steps.clone(), self.bounds) {
                asked.push((point, Question::Value(*position)));
            }
            for names in reading::names_after(node.side, &node.steps, self.bounds) {
                if reading::shows_names(node.side, &node.steps, &names.point, &self.masks) {
                    asked.push((names.point.clone(), Question::Names(*position, names)));
                }
            }
        }
        let mut next = Vec::new();
        let mut scratch = Scratch::default();
        for chunk in asked.chunks(self.bounds.points.max(1)) {
            let points: Vec<Point> = chunk.iter().map(|(point, _)| point.clone()).collect();
            // Each of them compiles alone, and there are no more than may stand together.
            let Ok(plan) = Plan::compile(&points, self.bounds) else { continue };
            let extracted = plan.extract(self.exchange, &mut scratch);
            for (place, (point, question)) in chunk.iter().enumerate() {
                match question {
                    Question::Value(node) => self.value(*node, point, &extracted, place, &mut next),
                    Question::Names(node, names) => self.names(*node, names, &extracted, place, &mut next),
                }
            }
        }
        // What every message has behind its fields comes after them.
        let roots = level.iter().copied().filter(|position| self.nodes[*position].steps.is_empty());
        let roots: Vec<(usize, Side)> = roots.map(|position| (position, self.nodes[position].side)).collect();
        for (root, side) in roots {
            for step in BEHIND.iter().filter(|(owner, _)| *owner == side).flat_map(|(_, steps)| *steps) {
                next.extend(self.child(root, step.clone()));
            }
        }
        next
    }

    /// Takes down what stands at a place and which formats may be opened there.
    fn value(&mut self, node: usize, point: &Point, extracted: &Extracted<'_>, place: usize, next: &mut Vec<usize>) {
        let found = extracted.get(place);
        let masked = self.masks.hiding(point).next().is_some();
        let Some(last) = point.steps().last() else { return };
        let listed = |found, bytes, selection| ListedPoint { point: point.clone(), found, bytes, selection };
        match found {
            Found::Value(value) if masked => {
                self.nodes[node].listed = Some(listed(Found::Masked, 0, None));
                // What is masked lies further inside: what stands beside it there is looked at by itself.
                if self.masks.hiding(point).all(|mask| mask.steps().len() > point.steps().len()) {
                    for step in guess::of_value(value, last) {
                        next.extend(self.child(node, step.clone()));
                    }
                }
            }
            Found::Value(value) => {
                let first = &point.steps()[0];
                let selection = locate::slice(self.exchange, point.side(), first, value);
                let selection =
                    selection.map(|(part, range)| Selection { side: point.side(), part, range, exact: true });
                let kept = value[..value.len().min(self.limits.value_bytes)].to_vec();
                self.nodes[node].listed = Some(listed(Found::Value(kept.into()), value.len(), selection));
                for step in guess::of_value(value, last) {
                    next.extend(self.child(node, step.clone()));
                }
            }
            Found::Empty => self.nodes[node].listed = Some(listed(Found::Empty, 0, None)),
            Found::NotCaptured | Found::Unparsable if *last == Step::Body => {
                let (beginning, headers) = match point.side() {
                    Side::Request => (&self.exchange.request.body, &self.exchange.request.headers),
                    Side::Response => match &self.exchange.response {
                        Some(response) => (&response.body, &response.headers),
                        None => return,
                    },
                };
                for step in of_cut_body(beginning, headers) {
                    next.extend(self.child(node, step.clone()));
                }
            }
            _ => {}
        }
    }

    /// Takes down the places whose names stand below a place.
    fn names(&mut self, node: usize, names: &Names, extracted: &Extracted<'_>, place: usize, next: &mut Vec<usize>) {
        let mut found: Vec<&[u8]> = extracted.values(place).collect();
        // More may stand there than one point takes.
        self.truncated |= found.len() >= self.bounds.values;
        // A field or a tag that stands once is no list of one.
        let is_single = names.kind == Kind::Index && found.len() < 2;
        if is_single && (self.nodes[node].listed.is_some() || mask::in_xml(&self.nodes[node].steps)) {
            found.clear();
        }
        // An anonymous operation of GraphQL has an empty name.
        if let (Found::Empty, Kind::Query | Kind::Mutation | Kind::Subscription) = (extracted.get(place), names.kind) {
            found.push(b"");
        }
        for name in found {
            let Some(step) = std::str::from_utf8(name).ok().and_then(names.step) else { continue };
            next.extend(self.child(node, step));
        }
    }

    /// The places in the order of the message.
    fn finish(mut self) -> PointList {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<usize> =
            (0..self.nodes.len()).filter(|position| self.nodes[*position].steps.is_empty()).rev().collect();
        while let Some(position) = open.pop() {
            order.push(position);
            open.extend(self.nodes[position].children.iter().rev());
        }
        let listed = order.into_iter().filter_map(|position| self.nodes[position].listed.take());
        let mut points: Vec<ListedPoint> = listed.collect();
        self.truncated |= points.len() > self.limits.points;
        points.truncate(self.limits.points);
        PointList { points, truncated: self.truncated }
    }
}

/// What may be in a body that is not there as a whole. Of one with content codings the beginning says nothing.
fn of_cut_body<'x>(
    body: &'x CapturedBody,
    headers: &'x CapturedHeaders,
) -> impl Iterator<Item = &'static Step> + use<'x> {
    let coded = headers.first("content-encoding").is_some();
    let beginning = if coded { &[][..] } else { body.as_bytes() };
    guess::of_body(beginning, headers.first("content-type").unwrap_or_default())
}
