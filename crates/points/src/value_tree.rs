//! The tree of wanted places in a value made of objects and arrays (JSON, Protocol Buffers, view state), and what a
//! walk over such a value notes at them.
//!
//! A walk is at a set of nodes: those that stand for the value it is at. Below `all` and `names` a node can stand for
//! many values, and what is noted there is a log in the order of the document; everywhere else it stands for one, and
//! a later value replaces an earlier one.

use smallvec::SmallVec;

use crate::Step;
use crate::scan::Span;
use crate::tree::{Branch, Branches, Lowering, Trie, ValueNode};

/// The wanted places of one value, in preorder.
pub(crate) struct ValueTree {
    nodes: Box<[TreeNode]>,
    all: Box<[u16]>,
}

/// One wanted place.
pub(crate) struct TreeNode {
    properties: Branches,
    /// Wanted elements in rising order, with their nodes.
    indexes: Box<[(u32, u32)]>,
    /// The nodes of `property > all`, `property > names`, `index > all` and `index > names`.
    every_property: Option<u32>,
    property_names: Option<u32>,
    every_index: Option<u32>,
    index_names: Option<u32>,
    /// What looks at the value that stands here.
    pub(crate) value: ValueNode,
    /// The node after the last one below this one.
    end: u32,
    /// Can stand for many values.
    pub(crate) several: bool,
}

/// Nodes that stand for the value a walk is at.
pub(crate) type Positions = SmallVec<[u32; 4]>;

/// What stands at a wanted place.
#[derive(Clone, Copy, Default)]
pub(crate) enum Raw {
    /// Nothing.
    #[default]
    Missing,
    /// Something of which no value is known.
    Unknown,
    /// A string of JSON or GraphQL, between its quotes.
    Text(Span),
    /// Bytes as they stand.
    Plain(Span),
    /// A block string of GraphQL, between its quotes.
    Block(Span),
    /// A number that is not written in digits.
    Number(u64),
    /// Null, an object or an array.
    NotScalar,
}

/// What a walk noted.
#[derive(Default)]
pub(crate) struct Notes {
    /// One entry per node.
    pub(crate) raws: Vec<Raw>,
    /// What stands at nodes that can stand for many values, in the order of the document.
    pub(crate) log: Vec<(u32, Raw)>,
}

impl ValueTree {
    /// The root of every tree.
    pub(crate) const ROOT: u32 = 0;

    pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut nodes = Vec::new();
        lower_node(trie, &mut nodes, lowering);
        let all = nodes.iter().flat_map(|node: &TreeNode| node.value.all.iter().copied()).collect();
        Self { nodes: nodes.into(), all }
    }

    /// Every point that looks into the value.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    pub(crate) fn nodes(&self) -> &[TreeNode] {
        &self.nodes
    }

    fn node(&self, position: u32) -> &TreeNode {
        &self.nodes[position as usize]
    }

    /// Whether one of the nodes wants something of an object.
    #[inline]
    pub(crate) fn wants_properties(&self, at: &[u32]) -> bool {
        at.iter().any(|position| {
            let node = self.node(*position);
            !node.properties.is_empty() || node.every_property.is_some() || node.property_names.is_some()
        })
    }

    /// The nodes below a node.
    pub(crate) fn below(&self, position: u32) -> std::ops::Range<usize> {
        position as usize + 1..self.node(position).end as usize
    }

    /// The nodes that stand for the value of a property.
    #[inline]
    pub(crate) fn property(&self, at: &[u32], name: &[u8], found: &mut Positions) {
        found.clear();
        for position in at {
            let node = self.node(*position);
            if let Some(child) = node.properties.find(name) {
                // A node's number fits 32 bits.
                found.push(child as u32);
            }
            if let Some(child) = node.every_property {
                found.push(child);
            }
        }
    }

    /// The first index from which on no element of an array is wanted.
    #[inline]
    pub(crate) fn wanted_elements(&self, at: &[u32]) -> u32 {
        let wanted = at.iter().map(|position| {
            let node = self.node(*position);
            match node.every_index.or(node.index_names) {
                Some(_) => u32::MAX,
                None => node.indexes.last().map_or(0, |(index, _)| index.saturating_add(1)),
            }
        });
        wanted.max().unwrap_or(0)
    }

    /// The nodes that stand for an element of an array.
    #[inline]
    pub(crate) fn element(&self, at: &[u32], index: u32, found: &mut Positions) {
        found.clear();
        for position in at {
            let node = self.node(*position);
            if let Ok(place) = node.indexes.binary_search_by_key(&index, |(wanted, _)| *wanted) {
                found.push(node.indexes[place].1);
            }
            if let Some(child) = node.every_index {
                found.push(child);
            }
        }
    }
}

fn lower_node(trie: &Trie, nodes: &mut Vec<TreeNode>, lowering: &mut Lowering) -> u32 {
    // A plan has at most 65,536 points of at most 32 steps.
    let position = nodes.len() as u32;
    nodes.push(TreeNode {
        properties: Branches::default(),
        indexes: Box::default(),
        every_property: None,
        property_names: None,
        every_index: None,
        index_names: None,
        value: ValueNode::lower(trie, lowering),
        end: 0,
        several: lowering.is_several(),
    });
    let mut properties = Vec::new();
    let mut indexes = Vec::new();
    for (step, child) in &trie.children {
        match step {
            Step::Property(name) => {
                properties.push(Branch { name: name.as_bytes().into(), node: lower_node(child, nodes, lowering) });
            }
            Step::Index(index) => indexes.push((*index, lower_node(child, nodes, lowering))),
            Step::Properties | Step::Indexes => {
                let mut lower = |step| {
                    child.child(&step).map(|every| lowering.several(|lowering| lower_node(every, nodes, lowering)))
                };
                let (all, names) = (lower(Step::All), lower(Step::Names));
                let node = &mut nodes[position as usize];
                match step {
                    Step::Properties => (node.every_property, node.property_names) = (all, names),
                    _ => (node.every_index, node.index_names) = (all, names),
                }
            }
            _ => {}
        }
    }
    indexes.sort_unstable();
    let end = nodes.len() as u32;
    let node = &mut nodes[position as usize];
    node.properties = Branches::new(properties);
    node.indexes = indexes.into();
    node.end = end;
    position
}

impl Notes {
    /// Forgets everything and makes room for the tree's nodes.
    pub(crate) fn start(&mut self, tree: &ValueTree) {
        self.clear();
        self.raws.resize(tree.nodes.len(), Raw::Missing);
    }

    pub(crate) fn clear(&mut self) {
        self.raws.clear();
        self.log.clear();
    }

    /// Forgets what was noted at nodes that stand for one value, and below them: a duplicate of a name replaces all
    /// that the earlier one gave.
    #[inline]
    pub(crate) fn replace(&mut self, tree: &ValueTree, at: &[u32]) {
        for position in at {
            let node = tree.node(*position);
            if !node.several {
                self.raws[*position as usize..node.end as usize].fill(Raw::Missing);
            }
        }
    }

    /// Forgets what was noted at nodes that stand for one value, but not what was below them.
    #[inline]
    pub(crate) fn forget(&mut self, tree: &ValueTree, at: &[u32]) {
        for position in at {
            if !tree.node(*position).several {
                self.raws[*position as usize] = Raw::Missing;
            }
        }
    }

    /// Leaves out nodes that stand for one value and have it: for formats in which the first of a name counts.
    #[inline]
    pub(crate) fn keep_unused(&self, tree: &ValueTree, at: &mut Positions) {
        at.retain(|position| tree.node(*position).several || matches!(self.raws[*position as usize], Raw::Missing));
    }

    /// Marks nodes that stand for one thing, which holds others and is no value itself.
    #[inline]
    pub(crate) fn use_up(&mut self, tree: &ValueTree, at: &[u32]) {
        for position in at {
            if !tree.node(*position).several {
                self.raws[*position as usize] = Raw::NotScalar;
            }
        }
    }

    /// Says that values which are not known stand at the nodes and below them: of several values those that come after
    /// are left out, so that what is found is the beginning of what there is.
    pub(crate) fn close(&mut self, tree: &ValueTree, at: &[u32]) {
        for position in at {
            let below = *position..tree.node(*position).end;
            self.log.extend(below.filter(|node| tree.node(*node).several).map(|node| (node, Raw::Unknown)));
        }
    }

    /// Marks nodes at which something stands that gave no value, so that no later one takes its place.
    pub(crate) fn use_up_unknown(&mut self, tree: &ValueTree, at: &[u32]) {
        for position in at {
            let raw = &mut self.raws[*position as usize];
            if !tree.node(*position).several && matches!(raw, Raw::Missing) {
                *raw = Raw::Unknown;
            }
        }
    }

    /// Notes what stands at the nodes.
    #[inline]
    pub(crate) fn note(&mut self, tree: &ValueTree, at: &[u32], raw: Raw) {
        for position in at {
            if tree.node(*position).several {
                self.log.push((*position, raw));
            } else {
                self.raws[*position as usize] = raw;
            }
        }
    }

    /// Notes the name of a property where names are wanted.
    #[inline]
    pub(crate) fn property_name(&mut self, tree: &ValueTree, at: &[u32], name: Raw) {
        for position in at {
            if let Some(node) = tree.node(*position).property_names {
                self.log.push((node, name));
            }
        }
    }

    /// Notes the number of an element where those are wanted.
    #[inline]
    pub(crate) fn element_number(&mut self, tree: &ValueTree, at: &[u32], index: u32) {
        for position in at {
            if let Some(node) = tree.node(*position).index_names {
                self.log.push((node, Raw::Number(index.into())));
            }
        }
    }
}
