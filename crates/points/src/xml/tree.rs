//! The tree of wanted places in an XML document.
//!
//! An *element* of the tree is a place where one element of a document may stand; a *tag* is a wanted name below one,
//! with the occurrences that are wanted of it. Comments, processing instructions and entities are tags too, with names
//! that no element can have.

use std::collections::BTreeMap;

use crate::Step;
use crate::tree::{Branch, Branches, Lowering, Trie, ValueNode};
use crate::value_tree::Positions;

pub(crate) struct XmlTree {
    elements: Box<[Element]>,
    tags: Box<[Tag]>,
    values: Box<[ValueNode]>,
    all: Box<[u16]>,
    uses_namespaces: bool,
}

/// One wanted place. What looks at a value is named by its place among all values.
#[derive(Default)]
pub(super) struct Element {
    /// What looks at the text.
    pub(super) text: u32,
    /// Wanted tags by local name, each a place in `groups`.
    names: Branches,
    groups: Box<[Box<[u32]>]>,
    pub(super) attributes: Box<[(WantedName, u32)]>,
    /// `property > all`, an element, and `property > names`, a value.
    every: Option<u32>,
    pub(super) child_names: Option<u32>,
}

/// A wanted name.
struct Tag {
    name: WantedName,
    first: u32,
    /// Wanted occurrences in rising order.
    indexes: Box<[(u32, u32)]>,
    /// `index > all` and `joined`.
    every: Box<[u32]>,
    /// `index > names`, a value.
    numbers: Option<u32>,
}

/// A name as a point spells it: `URI|prefix|tag`, `prefix:tag` or `tag`. What is left out or empty may be anything. A
/// prefix is the sender's choice, so it does not matter where the URI is given.
pub(super) struct WantedName {
    pub(super) local: Box<[u8]>,
    uri: Option<Box<[u8]>>,
    prefix: Option<Box<[u8]>>,
}

impl WantedName {
    fn read(name: &str) -> Self {
        let (mut uri, mut prefix, mut local) = ("", "", name);
        if !is_aside(name) {
            if let Some((before, tag)) = name.rsplit_once('|') {
                local = tag;
                (uri, prefix) = before.rsplit_once('|').unwrap_or(("", before));
            } else if let Some((before, tag)) = name.split_once(':') {
                (prefix, local) = (before, tag);
            }
        }
        let given = |part: &str| (!part.is_empty()).then(|| part.as_bytes().into());
        Self { local: local.as_bytes().into(), uri: given(uri), prefix: given(prefix) }
    }

    /// Whether a name of this prefix and namespace is meant; the local name is the same.
    pub(super) fn means(&self, prefix: &str, uri: Option<&[u8]>) -> bool {
        match (&self.uri, &self.prefix) {
            (Some(wanted), _) => uri == Some(wanted),
            (None, Some(wanted)) => **wanted == *prefix.as_bytes(),
            (None, None) => true,
        }
    }

    /// Neither a namespace nor a prefix is asked for.
    pub(super) fn is_bare(&self) -> bool {
        self.uri.is_none() && self.prefix.is_none()
    }
}

/// Whether a name is that of a comment, a processing instruction or an entity: it starts as no tag does.
pub(crate) fn is_aside(name: &str) -> bool {
    name.starts_with(['#', '?', '&', '%'])
}

/// The local part of a name as a point spells it.
pub(crate) fn local_name(name: &str) -> &str {
    if is_aside(name) {
        return name;
    }
    name.rsplit_once('|').or_else(|| name.split_once(':')).map_or(name, |(_, local)| local)
}

/// The name of something in a document.
#[derive(Clone, Copy)]
pub(super) struct Name<'n> {
    pub(super) local: &'n [u8],
    pub(super) prefix: &'n str,
    pub(super) uri: Option<&'n [u8]>,
}

impl XmlTree {
    /// Stands for the document.
    pub(super) const ROOT: u32 = 0;

    pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut builder = Builder::default();
        builder.element(trie, lowering);
        let all = builder.values.iter().flat_map(|value| value.all.iter().copied()).collect();
        Self {
            elements: builder.elements.into(),
            tags: builder.tags.into(),
            values: builder.values.into(),
            all,
            uses_namespaces: builder.uses_namespaces,
        }
    }

    /// Every point that looks into the document.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    pub(crate) fn value(&self, place: u32) -> &ValueNode {
        &self.values[place as usize]
    }

    /// Whether a point names a namespace by its URI.
    pub(super) fn uses_namespaces(&self) -> bool {
        self.uses_namespaces
    }

    pub(super) fn element(&self, place: u32) -> &Element {
        &self.elements[place as usize]
    }

    /// How many counters a walk needs.
    pub(super) fn tags(&self) -> usize {
        self.tags.len()
    }

    /// Starts counting below these elements.
    pub(super) fn reset(&self, at: &[u32], counts: &mut [u32]) {
        for tag in at.iter().flat_map(|place| self.element(*place).groups.iter().flatten()) {
            counts[*tag as usize] = 0;
        }
    }

    /// The elements of the tree that stand for something with this name below those in `at`, each occurrence counted.
    /// `number` takes the values that look at an occurrence's number.
    pub(super) fn below(
        &self,
        at: &[u32],
        name: &Name<'_>,
        counts: &mut [u32],
        mut number: impl FnMut(u32, u32),
    ) -> Positions {
        let mut found = Positions::new();
        for place in at {
            let element = self.element(*place);
            let group = element.names.find(name.local).and_then(|group| element.groups.get(group));
            for tag in group.into_iter().flatten() {
                let count = &mut counts[*tag as usize];
                let tag = &self.tags[*tag as usize];
                if !tag.name.means(name.prefix, name.uri) {
                    continue;
                }
                let occurrence = *count;
                *count = count.saturating_add(1);
                if occurrence == 0 {
                    found.push(tag.first);
                }
                if let Ok(wanted) = tag.indexes.binary_search_by_key(&occurrence, |(index, _)| *index) {
                    found.push(tag.indexes[wanted].1);
                }
                found.extend(tag.every.iter().copied());
                if let Some(value) = tag.numbers {
                    number(value, occurrence);
                }
            }
        }
        found
    }

    /// What stands for every element below those in `at`.
    pub(super) fn every(&self, at: &[u32], found: &mut Positions) {
        found.extend(at.iter().filter_map(|place| self.element(*place).every));
    }
}

#[derive(Default)]
struct Builder {
    elements: Vec<Element>,
    tags: Vec<Tag>,
    values: Vec<ValueNode>,
    uses_namespaces: bool,
}

// A plan has at most 65,536 points of at most 32 steps, so numbers fit 32 bits.
impl Builder {
    fn value(&mut self, trie: &Trie, lowering: &mut Lowering) -> u32 {
        self.values.push(ValueNode::lower(trie, lowering));
        self.values.len() as u32 - 1
    }

    fn element(&mut self, trie: &Trie, lowering: &mut Lowering) -> u32 {
        let place = self.elements.len();
        self.elements.push(Element::default());
        let mut element = Element { text: self.value(trie, lowering), ..Element::default() };
        let mut tags: BTreeMap<Box<[u8]>, Vec<u32>> = BTreeMap::new();
        let mut attributes = Vec::new();
        for (step, child) in &trie.children {
            match step {
                Step::Property(name) => {
                    let name = self.name(name);
                    let local = name.local.clone();
                    let tag = self.tag(name, child, lowering);
                    tags.entry(local).or_default().push(tag);
                }
                Step::Properties => {
                    let all = child.child(&Step::All);
                    element.every = all.map(|all| lowering.several(|lowering| self.element(all, lowering)));
                    let names = child.child(&Step::Names);
                    element.child_names = names.map(|names| lowering.several(|lowering| self.value(names, lowering)));
                }
                Step::Attribute(name) => {
                    let name = self.name(name);
                    attributes.push((name, self.value(child, lowering)));
                }
                _ => {}
            }
        }
        let names = (0..).zip(tags.keys()).map(|(node, name)| Branch { name: name.clone(), node }).collect();
        element.names = Branches::new(names);
        element.groups = tags.into_values().map(Into::into).collect();
        element.attributes = attributes.into();
        self.elements[place] = element;
        place as u32
    }

    fn name(&mut self, name: &str) -> WantedName {
        let name = WantedName::read(name);
        self.uses_namespaces |= name.uri.is_some();
        name
    }

    fn tag(&mut self, name: WantedName, trie: &Trie, lowering: &mut Lowering) -> u32 {
        let place = self.tags.len();
        self.tags.push(Tag { name, first: 0, indexes: Box::default(), every: Box::default(), numbers: None });
        let (joined, own): (Vec<_>, Vec<_>) =
            trie.children.iter().cloned().partition(|(step, _)| *step == Step::Joined);
        let first = Trie { points: trie.points.clone(), beyond: trie.beyond.clone(), children: own };
        self.tags[place].first = self.element(&first, lowering);
        let mut indexes = Vec::new();
        let mut every = Vec::new();
        for (step, child) in &trie.children {
            match step {
                Step::Index(index) => indexes.push((*index, self.element(child, lowering))),
                Step::Indexes => {
                    if let Some(all) = child.child(&Step::All) {
                        every.push(lowering.several(|lowering| self.element(all, lowering)));
                    }
                    if let Some(names) = child.child(&Step::Names) {
                        let numbers = lowering.several(|lowering| self.value(names, lowering));
                        self.tags[place].numbers = Some(numbers);
                    }
                }
                _ => {}
            }
        }
        // `joined` is short for `index > all > joined`.
        if !joined.is_empty() {
            let joined = Trie { children: joined, ..Trie::default() };
            every.push(lowering.several(|lowering| self.element(&joined, lowering)));
        }
        indexes.sort_unstable();
        let tag = &mut self.tags[place];
        tag.indexes = indexes.into();
        tag.every = every.into();
        place as u32
    }
}
