//! gRPC: the frames of a body (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, PROTOCOL-WEB.md for
//! gRPC-Web) and the wanted messages in them.

use std::ops::Range;

use http::HeaderMap;

use crate::Step;
use crate::coding::Coding;
use crate::scan::Stop;
use crate::tree::{Lowering, Trie, ValueNode};
use crate::value_tree::ValueTree;

/// What is wanted of the messages of a body.
pub(crate) struct GrpcTree {
    /// What looks into the first message without a number.
    first: ValueTree,
    /// What looks into numbered messages, in rising order.
    indexes: Box<[(u32, ValueTree)]>,
    /// `index > all`.
    every: Option<ValueTree>,
    /// `index > names`.
    pub(crate) names: Option<ValueNode>,
    all: Box<[u16]>,
}

impl GrpcTree {
    pub(crate) fn lower(trie: &Trie, lowering: &mut Lowering) -> Self {
        let mut first = Trie { children: Vec::new(), ..trie.clone() };
        let mut indexes = Vec::new();
        let (mut every, mut names) = (None, None);
        for (step, child) in &trie.children {
            match step {
                Step::Index(index) => indexes.push((*index, ValueTree::lower(child, lowering))),
                Step::Indexes => {
                    let all = child.child(&Step::All);
                    every = all.map(|all| lowering.several(|lowering| ValueTree::lower(all, lowering)));
                    let numbers = child.child(&Step::Names);
                    names = numbers.map(|names| lowering.several(|lowering| ValueNode::lower(names, lowering)));
                }
                _ => first.children.push((step.clone(), child.clone())),
            }
        }
        indexes.sort_unstable_by_key(|(index, _)| *index);
        let first = ValueTree::lower(&first, lowering);
        let trees = std::iter::once(&first).chain(indexes.iter().map(|(_, tree)| tree)).chain(&every);
        let mut all: Vec<u16> = trees.flat_map(ValueTree::all).copied().collect();
        all.extend(names.iter().flat_map(|names| names.all.iter()));
        Self { first, indexes: indexes.into(), every, names, all: all.into() }
    }

    /// Every point that looks at the messages.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    /// What looks into the message of this number.
    pub(crate) fn message(&self, number: u32) -> impl Iterator<Item = &ValueTree> {
        let first = Some(&self.first).filter(|tree| number == 0 && !tree.all().is_empty());
        let numbered = self.indexes.binary_search_by_key(&number, |(index, _)| *index).ok();
        first.into_iter().chain(numbered.map(|place| &self.indexes[place].1)).chain(&self.every)
    }

    /// Points that look into messages from this number on.
    pub(crate) fn from(&self, number: u32) -> impl Iterator<Item = &[u16]> {
        let first = Some(&self.first).filter(|_| number == 0);
        let numbered = self.indexes.iter().filter(move |(index, _)| *index >= number).map(|(_, tree)| tree);
        let trees = first.into_iter().chain(numbered).chain(&self.every).map(ValueTree::all);
        trees.chain(self.names.iter().map(|names| &*names.all))
    }
}

/// A frame of a body.
pub(crate) struct Frame {
    /// What it holds.
    pub(crate) kind: FrameKind,
    /// Where that stands, as far as it is there.
    pub(crate) range: Range<usize>,
    /// All of it is there.
    pub(crate) whole: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Message,
    /// A message in the coding that the headers name.
    CompressedMessage,
    /// The trailers of gRPC-Web.
    Trailers,
}

/// The frames of a body, in order.
pub(crate) struct Frames<'x> {
    body: &'x [u8],
    position: usize,
}

impl<'x> Frames<'x> {
    pub(crate) fn new(body: &'x [u8]) -> Self {
        Self { body, position: 0 }
    }

    /// The next frame; `None` behind the last one.
    ///
    /// # Errors
    /// When what follows is no frame, or not a whole one.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Stop> {
        const HEADER: usize = 5;
        let start = self.position;
        let rest = &self.body[start..];
        if rest.is_empty() {
            return Ok(None);
        }
        let kind = match rest[0] {
            0 => FrameKind::Message,
            1 => FrameKind::CompressedMessage,
            0x80 | 0x81 => FrameKind::Trailers,
            _ => return Err(Stop::at(start, "no gRPC frame")),
        };
        let Some([_, length @ ..]) = rest.first_chunk::<HEADER>() else {
            return Err(Stop { offset: self.body.len(), reason: "ends early", ended: true });
        };
        let start = start + HEADER;
        let end = start.saturating_add(u32::from_be_bytes(*length) as usize);
        self.position = end.min(self.body.len());
        Ok(Some(Frame { kind, range: start..self.position, whole: end == self.position }))
    }
}

/// The coding of compressed messages (header grpc-encoding).
///
/// # Errors
/// Says why they cannot be decoded.
pub(crate) fn message_coding(headers: &HeaderMap) -> Result<Coding, &'static str> {
    let name = headers.get("grpc-encoding").ok_or("compressed without a message encoding")?;
    match name.as_bytes().trim_ascii() {
        name if name.eq_ignore_ascii_case(b"identity") => Err("compressed without a message encoding"),
        name => Coding::of(name).ok_or("unknown message encoding"),
    }
}
