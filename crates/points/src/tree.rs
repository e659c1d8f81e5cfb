//! Points turned into trees, one per part of a message, so that one walk of a body serves every point that looks
//! into it.
//!
//! Points first become a plain trie of steps. Each level of the trie is then lowered into the tree of the format
//! that reads it. A further format is a further variant of [`Decoder`] (one value to one value) or a further field of
//! [`ValueNode`] with a tree and a walker of its own.

use crate::form::FieldTree;
use crate::graphql;
use crate::grpc::GrpcTree;
use crate::multipart;
use crate::value_tree::ValueTree;
use crate::xml::XmlTree;
use crate::{JwtPart, MessagePart, Pattern, Point, Step};

/// Points that share their first steps share a path.
#[derive(Clone, Default)]
pub(crate) struct Trie {
    /// Points that end here, by their position in the plan.
    pub(crate) points: Vec<u16>,
    /// Points that would go on here with this step, but may not: see [`Bounds::rounds`](crate::Bounds::rounds).
    pub(crate) beyond: Vec<(u16, &'static str)>,
    pub(crate) children: Vec<(Step, Trie)>,
}

impl Trie {
    /// Where nothing is wanted.
    pub(crate) const fn nothing() -> &'static Self {
        static NOTHING: Trie = Trie { points: Vec::new(), beyond: Vec::new(), children: Vec::new() };
        &NOTHING
    }

    /// Adds a point of which so many steps may be taken.
    pub(crate) fn insert(&mut self, index: u16, point: &Point, steps: usize) {
        let mut node = self;
        let (taken, beyond) = point.steps().split_at(steps);
        for step in taken {
            node = node.child_mut(step);
        }
        match beyond.first() {
            Some(step) => node.beyond.push((index, step.word())),
            None => node.points.push(index),
        }
    }

    /// What follows a step; made if nothing does yet.
    pub(crate) fn child_mut(&mut self, step: &Step) -> &mut Self {
        let position = match self.children.iter().position(|(candidate, _)| candidate == step) {
            Some(position) => position,
            None => {
                self.children.push((step.clone(), Self::default()));
                self.children.len() - 1
            }
        };
        &mut self.children[position].1
    }

    /// Whether the step stands anywhere below.
    pub(crate) fn holds(&self, step: &Step) -> bool {
        self.children.iter().any(|(candidate, child)| candidate == step || child.holds(step))
    }

    pub(crate) fn child(&self, wanted: &Step) -> Option<&Self> {
        self.children.iter().find(|(step, _)| step == wanted).map(|(_, child)| child)
    }
}

/// What lowering carries along: whether it is below `all` or `names`, and where values are joined that come from
/// several places.
#[derive(Default)]
pub(crate) struct Lowering {
    several: bool,
    joins: Vec<Option<ValueNode>>,
}

impl Lowering {
    /// Whether what is lowered now can stand for many values.
    pub(crate) fn is_several(&self) -> bool {
        self.several
    }

    /// Lowers what is below `all` or `names`.
    pub(crate) fn several<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        self.lower_as(true, lower)
    }

    fn lower_as<T>(&mut self, several: bool, lower: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.several, several);
        let lowered = lower(self);
        self.several = before;
        lowered
    }

    /// Lowers what looks at several values joined. Gives its place among all such.
    fn join(&mut self, trie: &Trie) -> (u16, Box<[u16]>) {
        // The place is taken first, so that a join below this one comes after it. There are fewer joins than points.
        let place = self.joins.len();
        self.joins.push(None);
        let node = self.lower_as(false, |lowering| ValueNode::lower(trie, lowering));
        let all = node.all.clone();
        self.joins[place] = Some(node);
        (place as u16, all)
    }

    /// What looks at joined values, in an order in which none comes before one it lies in.
    pub(crate) fn into_joins(self) -> Box<[ValueNode]> {
        self.joins.into_iter().flatten().collect()
    }
}

/// What is wanted of everything of a kind: `header > all`, `cookie > names`.
pub(crate) struct EveryPlan {
    pub(crate) part: MessagePart,
    pub(crate) all: Option<ValueNode>,
    pub(crate) names: Option<ValueNode>,
}

impl EveryPlan {
    /// `trie` is that of the step before `all` and `names`.
    pub(crate) fn lower(part: MessagePart, trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut lower =
            |step| trie.child(&step).map(|child| lowering.several(|lowering| ValueNode::lower(child, lowering)));
        Self { part, all: lower(Step::All), names: lower(Step::Names) }
    }
}

/// A decoder that makes one value of one value.
pub(crate) enum Decoder {
    Base64,
    Gzip,
    Percent,
    Htmljs,
    Bearer,
    Trim,
    Lower,
    Capture(Pattern),
}

impl Decoder {
    fn of(step: &Step) -> Option<Self> {
        Some(match step {
            Step::Base64 => Self::Base64,
            Step::Gzip => Self::Gzip,
            Step::Percent => Self::Percent,
            Step::Htmljs => Self::Htmljs,
            Step::Bearer => Self::Bearer,
            Step::Trim => Self::Trim,
            Step::Lower => Self::Lower,
            Step::Capture(pattern) => Self::Capture(pattern.clone()),
            _ => return None,
        })
    }
}

/// What to do with one scalar value.
#[derive(Default)]
pub(crate) struct ValueNode {
    /// Points whose value this is.
    pub(crate) ends: Box<[u16]>,
    /// Those and all points that look further into this value.
    pub(crate) all: Box<[u16]>,
    pub(crate) decoders: Box<[(Decoder, ValueNode)]>,
    pub(crate) json: Option<Box<ValueTree>>,
    pub(crate) form: Option<Box<FieldTree>>,
    pub(crate) graphql: Option<Box<ValueTree>>,
    pub(crate) xml: Option<Box<XmlTree>>,
    pub(crate) jwt: Option<Box<JwtNode>>,
    pub(crate) protobuf: Option<Box<ValueTree>>,
    pub(crate) viewstate: Option<Box<ValueTree>>,
    /// Of bodies only.
    pub(crate) grpc: Option<Box<GrpcTree>>,
    /// Of bodies only.
    pub(crate) multipart: Option<Box<FieldTree>>,
    /// What looks at headers, in upper case, of a part of a multipart body.
    pub(crate) headers: Vec<(Box<str>, ValueNode)>,
    /// Where the value is joined with others, for one of several values.
    pub(crate) joined: Option<u16>,
    /// Points that would look further, but may not, with the parser they would need.
    pub(crate) beyond: Box<[(u16, &'static str)]>,
}

impl ValueNode {
    /// Lowers what looks into the value itself; navigation (`property`, `index`, `cookie`, and `joined` where a single
    /// place may hold repeated values) is the container's.
    pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut node = Self { ends: trie.points.clone().into(), ..Self::default() };
        node.beyond = trie.beyond.clone().into();
        let mut all = trie.points.clone();
        all.extend(trie.beyond.iter().map(|(point, _)| *point));
        let mut decoders = Vec::new();
        for (step, child) in &trie.children {
            if let Some(decoder) = Decoder::of(step) {
                let child = Self::lower(child, lowering);
                all.extend_from_slice(&child.all);
                decoders.push((decoder, child));
                continue;
            }
            match step {
                Step::Json => {
                    let tree = ValueTree::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    node.json = Some(Box::new(tree));
                }
                Step::Form => {
                    let tree = FieldTree::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    node.form = Some(Box::new(tree));
                }
                Step::Graphql => {
                    let tree = graphql::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    node.graphql = Some(Box::new(tree));
                }
                Step::Xml => {
                    let tree = XmlTree::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    node.xml = Some(Box::new(tree));
                }
                Step::Protobuf | Step::Viewstate => {
                    let tree = ValueTree::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    match step {
                        Step::Protobuf => node.protobuf = Some(Box::new(tree)),
                        _ => node.viewstate = Some(Box::new(tree)),
                    }
                }
                Step::Grpc => {
                    let tree = GrpcTree::lower(child, lowering);
                    all.extend_from_slice(tree.all());
                    node.grpc = Some(Box::new(tree));
                }
                Step::Header(label) => {
                    let child = Self::lower(child, lowering);
                    all.extend_from_slice(&child.all);
                    node.headers.push((label.as_str().into(), child));
                }
                Step::Jwt(part) => {
                    let jwt = node.jwt.get_or_insert_default();
                    jwt.lower(*part, child, &mut all, lowering);
                }
                Step::Jwts => {
                    let jwt = node.jwt.get_or_insert_default();
                    jwt.lower_every(child, &mut all, lowering);
                }
                Step::Joined if lowering.is_several() => {
                    let (place, points) = lowering.join(child);
                    all.extend_from_slice(&points);
                    node.joined = Some(place);
                }
                _ => {}
            }
        }
        if let Some(tree) = multipart::lower(trie, lowering) {
            all.extend_from_slice(tree.all());
            node.multipart = Some(Box::new(tree));
        }
        node.all = all.into();
        node.decoders = decoders.into();
        node
    }

    /// Whether no point looks here.
    pub(crate) fn is_unused(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether points end here and none looks further.
    pub(crate) fn is_leaf(&self) -> bool {
        self.all.len() == self.ends.len()
    }
}

/// The parts of a token that are asked for.
#[derive(Default)]
pub(crate) struct JwtNode {
    pub(crate) all: Vec<u16>,
    pub(crate) header: Option<ValueTree>,
    pub(crate) payload: Option<ValueTree>,
    pub(crate) signature: Option<ValueNode>,
    pub(crate) prefix: Option<ValueNode>,
    pub(crate) token: Option<ValueNode>,
    /// `jwt > all` and `jwt > names`.
    pub(crate) every: Option<ValueNode>,
    pub(crate) names: Option<ValueNode>,
}

impl JwtNode {
    fn lower(&mut self, part: JwtPart, trie: &Trie, all: &mut Vec<u16>, lowering: &mut Lowering) {
        let before = self.all.len();
        match part {
            JwtPart::Header | JwtPart::Payload => {
                let tree = ValueTree::lower(trie, lowering);
                self.all.extend_from_slice(tree.all());
                match part {
                    JwtPart::Header => self.header = Some(tree),
                    _ => self.payload = Some(tree),
                }
            }
            JwtPart::Signature | JwtPart::Prefix | JwtPart::Token => {
                let node = ValueNode::lower(trie, lowering);
                self.all.extend_from_slice(&node.all);
                match part {
                    JwtPart::Signature => self.signature = Some(node),
                    JwtPart::Prefix => self.prefix = Some(node),
                    _ => self.token = Some(node),
                }
            }
        }
        all.extend_from_slice(&self.all[before..]);
    }

    fn lower_every(&mut self, trie: &Trie, all: &mut Vec<u16>, lowering: &mut Lowering) {
        let mut lower =
            |step| trie.child(&step).map(|child| lowering.several(|lowering| ValueNode::lower(child, lowering)));
        (self.every, self.names) = (lower(Step::All), lower(Step::Names));
        for node in self.every.iter().chain(&self.names) {
            self.all.extend_from_slice(&node.all);
            all.extend_from_slice(&node.all);
        }
    }
}

/// A named child of a node.
pub(crate) struct Branch {
    pub(crate) name: Box<[u8]>,
    pub(crate) node: u32,
}

/// The named children of a node, found by the raw bytes of a name.
#[derive(Default)]
pub(crate) struct Branches {
    branches: Box<[Branch]>,
    /// Bit `n` says that a name of `n` bytes exists (the last bit: of that or more).
    lengths: u64,
}

impl Branches {
    /// Up to this many names are compared one by one.
    const FEW: usize = 8;

    pub(crate) fn new(mut branches: Vec<Branch>) -> Self {
        branches.sort_by(|one, other| one.name.cmp(&other.name));
        let lengths = branches.iter().fold(0, |lengths, branch| lengths | Self::length_bit(branch.name.len()));
        Self { branches: branches.into(), lengths }
    }

    const fn length_bit(length: usize) -> u64 {
        1 << (if length < 63 { length } else { 63 })
    }

    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        if self.lengths & Self::length_bit(name.len()) == 0 {
            return None;
        }
        let branch = if self.branches.len() <= Self::FEW {
            self.branches.iter().find(|branch| *branch.name == *name)?
        } else {
            let position = self.branches.binary_search_by(|branch| (*branch.name).cmp(name)).ok()?;
            &self.branches[position]
        };
        Some(branch.node as usize)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Branch> {
        self.branches.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }
}
