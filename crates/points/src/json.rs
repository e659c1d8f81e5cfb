//! JSON (RFC 8259): the tree of wanted places and one strict pass over a document that notes what stands at them.
//!
//! The pass validates the whole document, builds nothing, and notes positions only; what stands there is looked at
//! afterwards, because a later duplicate of a name replaces an earlier one. Its recursion is as deep as the points
//! are long; everything else is skipped without recursion.

use crate::scan::{Scanner, Span, Stop, Stopped};
use crate::tree::{Branch, Branches, Trie, ValueNode};
use crate::{Bounds, Step};

/// The wanted places of one document, in preorder.
pub(crate) struct JsonTree {
    nodes: Box<[JsonNode]>,
    all: Box<[u16]>,
}

/// One wanted place.
pub(crate) struct JsonNode {
    properties: Branches,
    /// Wanted elements in rising order, with their nodes.
    indexes: Box<[(u32, u32)]>,
    /// What looks at the value that stands here.
    pub(crate) value: ValueNode,
    /// The node after the last one below this one.
    end: usize,
}

/// What the pass noted at a wanted place.
#[derive(Clone, Copy, Default)]
pub(crate) enum Raw {
    /// Nothing yet.
    #[default]
    Missing,
    /// A string, between its quotes.
    Text(Span),
    /// A number or a boolean.
    Plain(Span),
    /// Null, an object or an array.
    NotScalar,
}

impl JsonTree {
    pub(crate) fn lower(trie: &Trie) -> Self {
        let mut nodes = Vec::new();
        lower_node(trie, &mut nodes);
        let all = nodes.iter().flat_map(|node| node.value.all.iter().copied()).collect();
        Self { nodes: nodes.into(), all }
    }

    /// Every point that looks into the document.
    pub(crate) fn all(&self) -> &[u16] {
        &self.all
    }

    pub(crate) fn nodes(&self) -> &[JsonNode] {
        &self.nodes
    }
}

fn lower_node(trie: &Trie, nodes: &mut Vec<JsonNode>) -> u32 {
    let position = nodes.len();
    nodes.push(JsonNode {
        properties: Branches::default(),
        indexes: Box::default(),
        value: ValueNode::lower(trie),
        end: 0,
    });
    let mut properties = Vec::new();
    let mut indexes = Vec::new();
    for (step, child) in &trie.children {
        match step {
            Step::Property(name) => {
                properties.push(Branch { name: name.as_bytes().into(), node: lower_node(child, nodes) });
            }
            Step::Index(index) => indexes.push((*index, lower_node(child, nodes))),
            _ => {}
        }
    }
    indexes.sort_unstable();
    let end = nodes.len();
    let node = &mut nodes[position];
    node.properties = Branches::new(properties);
    node.indexes = indexes.into();
    node.end = end;
    // A plan has at most 65,536 points of at most 32 steps.
    position as u32
}

/// Walks a document once and notes in `raws`, one entry per node of the tree, what stands at the wanted places.
/// `cut` says that the document goes on beyond `input`. Gives what stopped the walk, if anything did: what was noted
/// until then holds.
pub(crate) fn walk(tree: &JsonTree, input: &[u8], cut: bool, bounds: &Bounds, raws: &mut Vec<Raw>) -> Option<Stop> {
    raws.clear();
    raws.resize(tree.nodes.len(), Raw::Missing);
    let readable = &input[..input.len().min(u32::MAX as usize)];
    let (valid, damage) = match std::str::from_utf8(readable) {
        Ok(_) if readable.len() < input.len() => (readable, Some(Stop::at(readable.len(), "too long"))),
        Ok(_) => (readable, None),
        // A character that the cut went through is no damage.
        Err(error) if cut && error.error_len().is_none() => (&readable[..error.valid_up_to()], None),
        Err(error) => (&readable[..error.valid_up_to()], Some(Stop::at(error.valid_up_to(), "not UTF-8"))),
    };
    let open_end = cut || damage.is_some();
    let mut scanner = Scanner::new(valid, open_end, bounds.depth.min(Bounds::MAXIMUM_DEPTH));
    // Why it stopped is the scanner's to say.
    let _ = Walk { tree, raws, scanner: &mut scanner }.document();
    match scanner.stop() {
        Some(stop) if !stop.ended => Some(stop),
        stop => damage.or(stop),
    }
}

struct Walk<'t, 'x> {
    tree: &'t JsonTree,
    raws: &'t mut [Raw],
    scanner: &'t mut Scanner<'x>,
}

impl Walk<'_, '_> {
    fn document(mut self) -> Result<(), Stopped> {
        self.scanner.skip_byte_order_mark();
        self.scanner.skip_blanks();
        self.value(0, 0)?;
        self.scanner.finish()
    }

    /// Reads a value that stands at a wanted place. `depth` counts the arrays and objects it lies in.
    fn value(&mut self, position: usize, depth: usize) -> Result<(), Stopped> {
        let tree = self.tree;
        let node = &tree.nodes[position];
        // A duplicate of a name replaces all that the earlier one gave.
        self.raws[position..node.end].fill(Raw::Missing);
        match self.scanner.peek() {
            Some(b'{') => {
                self.raws[position] = Raw::NotScalar;
                if node.properties.is_empty() {
                    return self.scanner.skip_container(depth);
                }
                self.object(&node.properties, depth + 1)
            }
            Some(b'[') => {
                self.raws[position] = Raw::NotScalar;
                if node.indexes.is_empty() {
                    return self.scanner.skip_container(depth);
                }
                self.array(&node.indexes, depth + 1)
            }
            Some(b'"') => {
                self.raws[position] = Raw::Text(self.scanner.string()?);
                Ok(())
            }
            Some(b'n') => {
                self.scanner.literal(b"null")?;
                self.scanner.end_of_plain()?;
                self.raws[position] = Raw::NotScalar;
                Ok(())
            }
            _ => {
                let span = self.scanner.plain()?;
                self.scanner.end_of_plain()?;
                self.raws[position] = Raw::Plain(span);
                Ok(())
            }
        }
    }

    fn object(&mut self, properties: &Branches, depth: usize) -> Result<(), Stopped> {
        self.scanner.open(depth)?;
        if self.scanner.accept(b'}') {
            return Ok(());
        }
        loop {
            let name = self.scanner.name()?;
            let wanted = if name.escaped {
                properties.find(&unescape(self.scanner.text(name)))
            } else {
                properties.find(self.scanner.text(name))
            };
            match wanted {
                Some(position) => self.value(position, depth)?,
                None => self.scanner.skip_value(depth)?,
            }
            if self.scanner.next_or_close(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, indexes: &[(u32, u32)], depth: usize) -> Result<(), Stopped> {
        self.scanner.open(depth)?;
        if self.scanner.accept(b']') {
            return Ok(());
        }
        let mut wanted = indexes.iter().peekable();
        let mut index = 0;
        loop {
            match wanted.next_if(|(candidate, _)| *candidate == index) {
                Some((_, position)) => self.value(*position as usize, depth)?,
                None => self.scanner.skip_value(depth)?,
            }
            // An input has less than 2^32 bytes.
            index += 1;
            if self.scanner.next_or_close(b']')? {
                return Ok(());
            }
        }
    }
}

/// Resolves the escapes of a string that the scanner accepted. A surrogate without its partner becomes U+FFFD.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    unescape_into(text, &mut plain);
    plain
}

/// As [`unescape`], into a buffer.
pub(crate) fn unescape_into(text: &[u8], plain: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        plain.extend_from_slice(&rest[..backslash]);
        let escape = &rest[backslash + 1..];
        let (character, used) = match escape.first() {
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'u') => unicode_escape(escape),
            // The quote, the backslash and the slash stand for themselves.
            Some(other) => (char::from(*other), 1),
            None => (char::REPLACEMENT_CHARACTER, 0),
        };
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &escape[used..];
    }
    plain.extend_from_slice(rest);
}

/// The character of `uXXXX`, or of a pair of surrogates, and how many bytes it takes.
fn unicode_escape(escape: &[u8]) -> (char, usize) {
    const LENGTH: usize = 5;
    let unit = |at: usize| -> Option<u32> {
        let digits = std::str::from_utf8(escape.get(at..at + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(1).unwrap_or(0xFFFD);
    if let (0xD800..0xDC00, Some(b"\\u")) = (first, escape.get(LENGTH..LENGTH + 2))
        && let Some(second @ 0xDC00..0xE000) = unit(LENGTH + 2)
    {
        let character = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER), 2 * LENGTH + 1);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), LENGTH.min(escape.len()))
}
