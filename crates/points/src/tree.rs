//! Points turned into trees, one per part of a message, so that one walk of a body serves every point that looks
//! into it.
//!
//! Points first become a plain trie of steps. Each level of the trie is then lowered into the tree of the format
//! that reads it. A further format is a further variant of [`Decoder`] (one value to one value) or a further field of
//! [`ValueNode`] with a tree and a walker of its own.

use crate::form::FieldTree;
use crate::json::JsonTree;
use crate::{JwtPart, Pattern, Point, Step};

/// Points that share their first steps share a path.
#[derive(Default)]
pub(crate) struct Trie {
    /// Points that end here, by their position in the plan.
    pub(crate) points: Vec<u16>,
    pub(crate) children: Vec<(Step, Trie)>,
}

impl Trie {
    pub(crate) fn insert(&mut self, index: u16, point: &Point) {
        let mut node = self;
        for step in point.steps() {
            let position = match node.children.iter().position(|(candidate, _)| candidate == step) {
                Some(position) => position,
                None => {
                    node.children.push((step.clone(), Self::default()));
                    node.children.len() - 1
                }
            };
            node = &mut node.children[position].1;
        }
        node.points.push(index);
    }

    pub(crate) fn child(&self, wanted: &Step) -> Option<&Self> {
        self.children.iter().find(|(step, _)| step == wanted).map(|(_, child)| child)
    }
}

/// A decoder that makes one value of one value.
pub(crate) enum Decoder {
    Base64,
    Gzip,
    Percent,
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
    pub(crate) json: Option<Box<JsonTree>>,
    pub(crate) form: Option<Box<FieldTree>>,
    pub(crate) jwt: Option<Box<JwtNode>>,
}

impl ValueNode {
    /// Lowers what looks into the value itself; navigation (`property`, `index`, `joined`, `cookie`) is the
    /// container's.
    pub(crate) fn lower(trie: &Trie) -> Self {
        let mut node = Self { ends: trie.points.clone().into(), ..Self::default() };
        let mut all = trie.points.clone();
        let mut decoders = Vec::new();
        for (step, child) in &trie.children {
            if let Some(decoder) = Decoder::of(step) {
                let child = Self::lower(child);
                all.extend_from_slice(&child.all);
                decoders.push((decoder, child));
                continue;
            }
            match step {
                Step::Json => {
                    let tree = JsonTree::lower(child);
                    all.extend_from_slice(tree.all());
                    node.json = Some(Box::new(tree));
                }
                Step::Form => {
                    let tree = FieldTree::lower(child);
                    all.extend_from_slice(tree.all());
                    node.form = Some(Box::new(tree));
                }
                Step::Jwt(part) => {
                    let jwt = node.jwt.get_or_insert_default();
                    jwt.lower(*part, child, &mut all);
                }
                _ => {}
            }
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
    pub(crate) header: Option<JsonTree>,
    pub(crate) payload: Option<JsonTree>,
    pub(crate) signature: Option<ValueNode>,
    pub(crate) prefix: Option<ValueNode>,
    pub(crate) token: Option<ValueNode>,
}

impl JwtNode {
    fn lower(&mut self, part: JwtPart, trie: &Trie, all: &mut Vec<u16>) {
        let before = self.all.len();
        match part {
            JwtPart::Header | JwtPart::Payload => {
                let tree = JsonTree::lower(trie);
                self.all.extend_from_slice(tree.all());
                match part {
                    JwtPart::Header => self.header = Some(tree),
                    _ => self.payload = Some(tree),
                }
            }
            JwtPart::Signature | JwtPart::Prefix | JwtPart::Token => {
                let node = ValueNode::lower(trie);
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
