//! Fields of a query or an `application/x-www-form-urlencoded` body (WHATWG URL Standard, section 5.1), with nested
//! and repeated names: `p1[x]=1&p2[]=a&p2[]=b&p3=1&p3=2`.
//!
//! Every input is a form: nothing here fails. What the names mean is PHP's and Rails' convention, and a wanted name
//! also matches a field that is called exactly so, brackets included.

use std::borrow::Cow;

use crate::Step;
use crate::decode;
use crate::tree::{Branch, Branches, Lowering, Trie, ValueNode};

/// The wanted fields, in preorder; the first node stands for the form itself.
pub(crate) struct FieldTree {
    nodes: Box<[FieldNode]>,
    all: Box<[u16]>,
    /// A field is read as a GraphQL document, beside which its variables stand.
    pub(crate) graphql: bool,
}

/// One wanted field, or one below it.
pub(crate) struct FieldNode {
    properties: Branches,
    indexes: Box<[(u32, u32)]>,
    /// What looks at the first value.
    pub(crate) first: ValueNode,
    /// What looks at all values joined.
    pub(crate) joined: Option<ValueNode>,
    /// What looks at everything below this field, by [`Every`]; none for most fields.
    every: Option<Box<[Option<ValueNode>; 4]>>,
}

/// What may be wanted of everything below a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Every {
    /// `property > all`, and `all` of the form itself: each value with a name below this one.
    Property,
    /// `property > names`, and `names` of the form itself.
    PropertyName,
    /// `index > all`: each value that stands at a number.
    Index,
    /// `index > names`: these numbers.
    IndexName,
}

/// What a walk noted.
#[derive(Default)]
pub(crate) struct FieldNotes {
    /// One entry per node of the tree.
    pub(crate) states: Vec<FieldState>,
    /// What stands at places that take several values, in the order of the form.
    pub(crate) log: Vec<(u32, Every, Noted)>,
}

/// A value or a name that one of several places has.
pub(crate) enum Noted {
    /// A value, by its position in the form's text.
    Value((usize, usize)),
    /// A name, decoded.
    Name(Vec<u8>),
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
    pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut nodes = Vec::new();
        lower_node(trie, &mut nodes, lowering);
        let mut all = Vec::new();
        for node in &nodes {
            all.extend_from_slice(&node.first.all);
            let others = node.joined.iter().chain(node.several());
            all.extend(others.flat_map(|other| other.all.iter()));
        }
        Self { nodes: nodes.into(), all: all.into(), graphql: trie.holds(&Step::Graphql) }
    }

    /// Every point that looks into the form.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    pub(crate) fn nodes(&self) -> &[FieldNode] {
        &self.nodes
    }
}

impl FieldNode {
    /// What looks at everything of a kind below this field.
    pub(crate) fn every(&self, every: Every) -> Option<&ValueNode> {
        self.every.as_ref()?[every as usize].as_ref()
    }

    /// Everything that looks at several values.
    pub(crate) fn several(&self) -> impl Iterator<Item = &ValueNode> {
        self.every.iter().flat_map(|every| every.iter()).flatten()
    }
}

fn lower_node(trie: &Trie, nodes: &mut Vec<FieldNode>, lowering: &mut Lowering) -> u32 {
    let position = nodes.len();
    // Of the form itself `all` and `names` stand behind `query` or directly behind `form`.
    let properties = if position == 0 {
        trie.child(&Step::Queries).unwrap_or(trie)
    } else {
        trie.child(&Step::Properties).unwrap_or(Trie::nothing())
    };
    let indexes = trie.child(&Step::Indexes).unwrap_or(Trie::nothing());
    let every = [(properties, Step::All), (properties, Step::Names), (indexes, Step::All), (indexes, Step::Names)];
    let every = every.map(|(trie, step)| {
        trie.child(&step).map(|child| lowering.several(|lowering| ValueNode::lower(child, lowering)))
    });
    let every = every.iter().any(Option::is_some).then(|| Box::new(every));
    // Nothing looks at the form itself.
    let first = if position == 0 { ValueNode::default() } else { ValueNode::lower(trie, lowering) };
    // Of one of several values `joined` is what the value itself goes into.
    let joined = if lowering.is_several() { None } else { trie.child(&Step::Joined) };
    let joined = joined.map(|joined| ValueNode::lower(joined, lowering));
    nodes.push(FieldNode { properties: Branches::default(), indexes: Box::default(), first, joined, every });
    let mut properties = Vec::new();
    let mut indexes = Vec::new();
    for (step, child) in &trie.children {
        match step {
            Step::Property(name) | Step::Query(name) => {
                properties.push(Branch { name: name.as_bytes().into(), node: lower_node(child, nodes, lowering) });
            }
            Step::Index(index) => indexes.push((*index, lower_node(child, nodes, lowering))),
            _ => {}
        }
    }
    let node = &mut nodes[position];
    node.properties = Branches::new(properties);
    node.indexes = indexes.into();
    // A plan has at most 65,536 points of at most 32 steps.
    position as u32
}

/// Notes where the wanted values stand in `text`. `cut` says that the text goes on beyond its end, so that the last
/// field is not whole.
pub(crate) fn walk(tree: &FieldTree, text: &[u8], cut: bool, notes: &mut FieldNotes) {
    let mut walk = FieldWalk::new(tree, notes);
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

/// The first field of exactly this name, decoded, and whether it ends before the text does.
pub(crate) fn field<'x>(text: &'x [u8], name: &[u8]) -> Option<(Cow<'x, [u8]>, bool)> {
    let mut fields = text.split(|byte| *byte == b'&').peekable();
    while let Some(field) = fields.next() {
        if let Some(equals) = memchr::memchr(b'=', field)
            && *decode::form(&field[..equals]) == *name
        {
            return Some((decode::form(&field[equals + 1..]), fields.peek().is_some()));
        }
    }
    None
}

/// Takes fields, one after the other, to the places that their names mean.
pub(crate) struct FieldWalk<'t> {
    tree: &'t FieldTree,
    states: &'t mut [FieldState],
    log: &'t mut Vec<(u32, Every, Noted)>,
}

impl<'t> FieldWalk<'t> {
    pub(crate) fn new(tree: &'t FieldTree, notes: &'t mut FieldNotes) -> Self {
        notes.states.clear();
        notes.states.resize_with(tree.nodes.len(), FieldState::default);
        notes.log.clear();
        Self { tree, states: &mut notes.states, log: &mut notes.log }
    }

    /// A value that has no name.
    pub(crate) fn unnamed(&mut self, value: (usize, usize)) {
        self.note(0, Every::Property, || Noted::Value(value));
    }

    pub(crate) fn field(&mut self, name: &[u8], value: (usize, usize)) {
        self.unnamed(value);
        self.note(0, Every::PropertyName, || Noted::Name(name.to_vec()));
        for branch in self.tree.nodes[0].properties.iter() {
            if let Some(rest) = name.strip_prefix(&*branch.name)
                && is_brackets(rest)
            {
                self.deliver(branch.node as usize, rest, value);
            }
        }
    }

    #[inline]
    fn note(&mut self, position: usize, every: Every, noted: impl FnOnce() -> Noted) {
        if self.tree.nodes[position].every(every).is_some() {
            self.log.push((position as u32, every, noted()));
        }
    }

    /// Takes a value to the place that the brackets in `rest` name, seen from `position`.
    fn deliver(&mut self, position: usize, rest: &[u8], value: (usize, usize)) {
        if rest.is_empty() {
            return self.element(position, None, &[], value);
        }
        // They pair: see `is_brackets`.
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
        self.note(position, Every::Property, || Noted::Value(value));
        self.note(position, Every::PropertyName, || Noted::Name(segment.to_vec()));
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
            self.note(position, Every::Index, || Noted::Value(value));
            self.note(position, Every::IndexName, || Noted::Name(number.to_string().into_bytes()));
        } else {
            state.nested = true;
        }
        if let Some((_, child)) = node.indexes.iter().find(|(index, _)| *index == number) {
            self.deliver(*child as usize, rest, value);
        }
    }
}

/// Whether a text is pairs of brackets and nothing else: `[x][]`. Brackets that do not pair name nothing.
fn is_brackets(mut text: &[u8]) -> bool {
    while let Some(inside) = text.strip_prefix(b"[") {
        let Some(close) = memchr::memchr(b']', inside) else { return false };
        text = &inside[close + 1..];
    }
    text.is_empty()
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
