//! A plan: points compiled once per policy version, so that an exchange is walked once for all of them.

use http::HeaderName;

use crate::extract::Run;
use crate::form::FieldTree;
use crate::mask;
use crate::tree::{EveryPlan, Lowering, Trie, ValueNode};
use crate::{Bounds, Extracted, MessagePart, PlanError, Point, Scratch, Side, Step};

use threadline_model::Exchange;

/// Points compiled for extraction. Compiled once per policy version and shared by all workers.
pub struct Plan {
    points: Box<[Point]>,
    /// Positions of points that a mask covers.
    masked: Box<[u16]>,
    /// Whether a point takes values from several places, by its position; empty when none does.
    several: Box<[bool]>,
    /// What looks at values from several places joined.
    joins: Box<[ValueNode]>,
    bounds: Bounds,
    request: MessagePlan,
    response: MessagePlan,
}

/// What is wanted of one message.
#[derive(Default)]
pub(crate) struct MessagePlan {
    /// Values that are whole without being parsed: method, a path part, status.
    pub(crate) facts: Vec<FactPlan>,
    /// Every part of the path.
    pub(crate) path: Option<EveryPlan>,
    pub(crate) query: Option<QueryPlan>,
    pub(crate) headers: Vec<HeaderPlan>,
    pub(crate) every_header: Option<EveryPlan>,
    pub(crate) body: Option<BodyPlan>,
    /// Every point on this side.
    pub(crate) all: Vec<u16>,
}

pub(crate) struct FactPlan {
    pub(crate) part: MessagePart,
    pub(crate) step: Step,
    pub(crate) value: ValueNode,
}

pub(crate) struct QueryPlan {
    pub(crate) part: MessagePart,
    pub(crate) fields: FieldTree,
}

pub(crate) struct HeaderPlan {
    pub(crate) part: MessagePart,
    pub(crate) name: HeaderName,
    pub(crate) first: ValueNode,
    pub(crate) joined: Option<ValueNode>,
    pub(crate) cookies: Vec<CookiePlan>,
    pub(crate) every_cookie: Option<EveryPlan>,
}

pub(crate) struct CookiePlan {
    pub(crate) name: Box<[u8]>,
    pub(crate) first: ValueNode,
    pub(crate) joined: Option<ValueNode>,
}

pub(crate) struct BodyPlan {
    pub(crate) part: MessagePart,
    pub(crate) value: ValueNode,
}

impl Plan {
    /// Compiles points; what they resolve to comes out in the same order.
    ///
    /// # Errors
    /// When the points go beyond the bounds.
    pub fn compile(points: &[Point], bounds: Bounds) -> Result<Self, PlanError> {
        Self::compile_with_masks(points, &[], bounds)
    }

    /// As [`Plan::compile`], with places that must not be seen. A point resolves to [`Found::Masked`] instead of a
    /// value when it may show anything of a masked place: when it is that place, lies in it or contains it, or
    /// reads the same text in another way.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn compile_with_masks(points: &[Point], masks: &[Point], bounds: Bounds) -> Result<Self, PlanError> {
        // Positions are kept in 16 bits.
        let bound = bounds.points.min(usize::from(u16::MAX));
        if points.len() > bound {
            return Err(PlanError::TooManyPoints { points: points.len(), bound });
        }
        let mut sides = [Trie::default(), Trie::default()];
        let mut masked = Vec::new();
        let mut several = vec![false; points.len()];
        for (index, point) in points.iter().enumerate() {
            let steps = within_rounds(point, &decoding(index, point)?, bounds.rounds);
            let position = index as u16;
            if masks.iter().any(|mask| mask::overlap(mask, point)) {
                masked.push(position);
            }
            several[index] = takes_several(point);
            sides[usize::from(point.side() == Side::Response)].insert(position, point, steps);
        }
        let [request, response] = sides;
        let mut lowering = Lowering::default();
        let request = MessagePlan::lower(Side::Request, &request, &mut lowering);
        let response = MessagePlan::lower(Side::Response, &response, &mut lowering);
        if !several.contains(&true) {
            several.clear();
        }
        Ok(Self {
            points: points.into(),
            masked: masked.into(),
            bounds,
            several: several.into(),
            joins: lowering.into_joins(),
            request,
            response,
        })
    }

    /// The points, in the order of what [`Plan::extract`] gives.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Whether the plan has no points.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Looks up every point in an exchange. Never fails: what could not be parsed is reported in the result.
    pub fn extract<'e>(&self, exchange: &'e Exchange, scratch: &mut Scratch) -> Extracted<'e> {
        if self.points.is_empty() {
            return Extracted::default();
        }
        let mut run = Run::new(self.points.len(), &self.several, &self.joins, self.bounds, scratch);
        run.request(&self.request, exchange);
        match &exchange.response {
            Some(response) => run.response(&self.response, response, exchange),
            None => run.no_response(&self.response),
        }
        let mut extracted = run.finish();
        for position in &self.masked {
            extracted.mask(usize::from(*position));
        }
        extracted
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Plan").field("points", &self.points).field("masked", &self.masked).finish()
    }
}

/// Whether values come from several places: repeated tags are joined as they come.
fn takes_several(point: &Point) -> bool {
    let mut in_xml = false;
    point.steps().iter().any(|step| {
        in_xml |= *step == Step::Xml;
        matches!(step, Step::All | Step::Names) || (in_xml && *step == Step::Joined)
    })
}

/// How many steps of a point can be taken when at most so many of `decoding`, its decoding steps, may be.
fn within_rounds(point: &Point, decoding: &[usize], rounds: usize) -> usize {
    decoding.get(rounds).copied().unwrap_or(point.steps().len())
}

/// The steps of a point that decode or parse a text.
///
/// # Errors
/// When there are more than one point may have.
fn decoding(index: usize, point: &Point) -> Result<Vec<usize>, PlanError> {
    let decodes = |step: &Step| {
        matches!(
            step,
            Step::Json
                | Step::Xml
                | Step::Form
                | Step::Jwt(_)
                | Step::Jwts
                | Step::Graphql
                | Step::Multipart(_)
                | Step::Multiparts
                | Step::Grpc
                | Step::Protobuf
                | Step::Viewstate
                | Step::Base64
                | Step::Gzip
                | Step::Percent
                | Step::Htmljs
                | Step::Bearer
                | Step::Trim
                | Step::Lower
                | Step::Capture(_)
        )
    };
    let steps = point.steps().iter().enumerate();
    let decoding: Vec<usize> = steps.filter(|(_, step)| decodes(step)).map(|(position, _)| position).collect();
    if decoding.len() > Bounds::MAXIMUM_ROUNDS {
        return Err(PlanError::TooManyRounds { index, point: point.clone(), bound: Bounds::MAXIMUM_ROUNDS });
    }
    Ok(decoding)
}

impl MessagePlan {
    fn lower(side: Side, trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut plan = Self::default();
        for (step, child) in &trie.children {
            let part = MessagePart::new(side, &part_name(step));
            match step {
                // All names of the query are one walk, made below.
                Step::Query(_) | Step::Queries => {}
                Step::Paths => plan.path = Some(EveryPlan::lower(part, child, lowering)),
                Step::Header(label) => plan.headers.extend(HeaderPlan::lower(part, label.as_str(), child, lowering)),
                Step::Headers => plan.every_header = Some(EveryPlan::lower(part, child, lowering)),
                Step::Body => plan.body = Some(BodyPlan { part, value: ValueNode::lower(child, lowering) }),
                fact => {
                    plan.facts.push(FactPlan { part, step: fact.clone(), value: ValueNode::lower(child, lowering) });
                }
            }
        }
        if trie.children.iter().any(|(step, _)| matches!(step, Step::Query(_) | Step::Queries)) {
            let part = MessagePart::new(side, "query");
            plan.query = Some(QueryPlan { part, fields: FieldTree::lower(trie, lowering) });
        }
        plan.all = everything(trie);
        plan
    }
}

fn everything(trie: &Trie) -> Vec<u16> {
    let below = trie.children.iter().flat_map(|(_, child)| everything(child));
    let beyond = trie.beyond.iter().map(|(point, _)| *point);
    trie.points.iter().copied().chain(beyond).chain(below).collect()
}

/// What a parse error calls the part of the message.
fn part_name(step: &Step) -> String {
    match step.argument() {
        Some(argument) => format!("{} {argument}", step.word()),
        None => step.word().to_owned(),
    }
}

impl HeaderPlan {
    /// `None` for a name that no header can have, which a valid point does not hold.
    fn lower(part: MessagePart, label: &str, trie: &Trie, lowering: &mut Lowering) -> Option<Self> {
        let cookies = trie.children.iter().filter_map(|(step, child)| match step {
            Step::Cookie(name) => Some(CookiePlan {
                name: name.as_bytes().into(),
                first: ValueNode::lower(child, lowering),
                joined: child.child(&Step::Joined).map(|joined| ValueNode::lower(joined, lowering)),
            }),
            _ => None,
        });
        let cookies = cookies.collect();
        let every = trie.child(&Step::Cookies);
        Some(Self {
            every_cookie: every.map(|every| EveryPlan::lower(part.clone(), every, lowering)),
            part,
            name: HeaderName::from_bytes(label.as_bytes()).ok()?,
            first: ValueNode::lower(trie, lowering),
            joined: trie.child(&Step::Joined).map(|joined| ValueNode::lower(joined, lowering)),
            cookies,
        })
    }
}
