//! Fields of a query or an `application/x-www-form-urlencoded` body (WHATWG URL Standard, section 5.1), with nested
//! and repeated names (SPEC P4): `p1[x]=1&p2[]=a&p2[]=b&p3=1&p3=2`.
//!
//! Every input is a form: nothing here fails. What the names mean is PHP's and Rails' convention, and a wanted name
//! also matches a field that is called exactly so, brackets included.

use std::borrow::Cow;

use crate::Step;
use crate::decode;
use crate::tree::{Branch, Branches, Trie, ValueNode};

/// The wanted fields, in preorder; the first node stands for the form itself.
pub(crate) struct FieldTree {
    nodes: Box<[FieldNode]>,
    all: Box<[u16]>,
}

/// One wanted field, or one below it.
pub(crate) struct FieldNode {
    properties: Branches,
    indexes: Box<[(u32, u32)]>,
    /// What looks at the first value.
    pub(crate) first: ValueNode,
    /// What looks at all values joined.
    pub(crate) joined: Option<ValueNode>,
}

/// What a walk noted at a node. Positions are those of the form's text.
#[derive(Default)]
pub(crate) struct FieldState {
    /// The first value.
    pub(crate) first: Option<(usize, usize)>,
    /// Values to be joined; kept only where that is asked for.
    pub(crate) values: Vec<(usize, usize)>,
    /// The position the next value without one takes.
    next: u32,
    /// There are named fields below this one.
    pub(crate) nested: bool,
}

impl FieldTree {
    pub(crate) fn lower(trie: &Trie) -> Self {
        let mut nodes = Vec::new();
        lower_node(trie, &mut nodes);
        let mut all = Vec::new();
        for node in &nodes {
            all.extend_from_slice(&node.first.all);
            all.extend(node.joined.iter().flat_map(|joined| joined.all.iter()));
        }
        Self { nodes: nodes.into(), all: all.into() }
    }

    /// Every point that looks into the form.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    pub(crate) fn nodes(&self) -> &[FieldNode] {
        &self.nodes
    }
}

fn lower_node(trie: &Trie, nodes: &mut Vec<FieldNode>) -> u32 {
    let position = nodes.len();
    nodes.push(FieldNode {
        properties: Branches::default(),
        indexes: Box::default(),
        first: ValueNode::lower(trie),
        joined: trie.child(&Step::Joined).map(ValueNode::lower),
    });
    let mut properties = Vec::new();
    let mut indexes = Vec::new();
    for (step, child) in &trie.children {
        match step {
            Step::Property(name) | Step::Query(name) => {
                properties.push(Branch { name: name.as_bytes().into(), node: lower_node(child, nodes) });
            }
            Step::Index(index) => indexes.push((*index, lower_node(child, nodes))),
            _ => {}
        }
    }
    let node = &mut nodes[position];
    node.properties = Branches::new(properties);
    node.indexes = indexes.into();
    // A plan has at most 65,536 points of at most 32 steps.
    position as u32
}

/// Notes in `states`, one entry per node of the tree, where the wanted values stand in `text`. `cut` says that the
/// text goes on beyond its end, so that the last field is not whole.
pub(crate) fn walk(tree: &FieldTree, text: &[u8], cut: bool, states: &mut Vec<FieldState>) {
    states.clear();
    states.resize_with(tree.nodes.len(), FieldState::default);
    let mut walk = Walk { tree, states };
    let mut start = 0;
    while start <= text.len() {
        let rest = &text[start..];
        let end = match memchr::memchr(b'&', rest) {
            Some(length) => start + length,
            None if cut => return,
            None => text.len(),
        };
        let field = &text[start..end];
        let (name, value) = match memchr::memchr(b'=', field) {
            Some(equals) => (&field[..equals], (start + equals + 1, end)),
            None => (field, (end, end)),
        };
        if !field.is_empty() {
            walk.field(&decode::form(name), value);
        }
        start = end + 1;
    }
}

struct Walk<'t> {
    tree: &'t FieldTree,
    states: &'t mut [FieldState],
}

impl Walk<'_> {
    fn field(&mut self, name: &[u8], value: (usize, usize)) {
        for branch in self.tree.nodes[0].properties.iter() {
            if let Some(rest) = name.strip_prefix(&*branch.name)
                && matches!(rest.first(), None | Some(b'['))
            {
                self.deliver(branch.node as usize, rest, value);
            }
        }
    }

    /// Takes a value to the place that the brackets in `rest` name, seen from `position`.
    fn deliver(&mut self, position: usize, rest: &[u8], value: (usize, usize)) {
        if rest.is_empty() {
            return self.element(position, None, &[], value);
        }
        // Brackets that do not pair name nothing.
        let Some(inside) = rest.strip_prefix(b"[") else { return };
        let Some(close) = memchr::memchr(b']', inside) else { return };
        let (segment, rest) = (&inside[..close], &inside[close + 1..]);
        if segment.is_empty() {
            return self.element(position, None, rest, value);
        }
        let number = number(segment);
        if let Some(number) = number {
            self.element(position, Some(number), rest, value);
        } else {
            self.states[position].nested = true;
        }
        if let Some(child) = self.tree.nodes[position].properties.find(segment) {
            self.deliver(child, rest, value);
        }
    }

    /// A value, or what lies below one, at a numbered place: `p=`, `p[]=`, `p[3]=`, `p[][x]=`.
    fn element(&mut self, position: usize, number: Option<u32>, rest: &[u8], value: (usize, usize)) {
        let node = &self.tree.nodes[position];
        let state = &mut self.states[position];
        let number = number.unwrap_or(state.next);
        state.next = state.next.max(number.saturating_add(1));
        if rest.is_empty() {
            state.first.get_or_insert(value);
            if node.joined.is_some() {
                state.values.push(value);
            }
        } else {
            state.nested = true;
        }
        if let Some((_, child)) = node.indexes.iter().find(|(index, _)| *index == number) {
            self.deliver(*child as usize, rest, value);
        }
    }
}

/// A number as PHP would take it for a position: digits only.
fn number(segment: &[u8]) -> Option<u32> {
    if !segment.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(segment).ok()?.parse().ok()
}

/// Values decoded and joined with commas; never nothing.
pub(crate) fn join<'v>(values: impl Iterator<Item = Cow<'v, [u8]>>) -> Vec<u8> {
    let mut joined = Vec::new();
    for (position, value) in values.enumerate() {
        if position > 0 {
            joined.push(b',');
        }
        joined.extend_from_slice(&value);
    }
    joined
}
