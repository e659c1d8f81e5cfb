//! The walk through a document, and what it notes at the wanted places.

use smallvec::SmallVec;

use super::attributes::Values;
use super::declaration::Declaration;
use super::doctype::{self, Declared};
use super::entities::{Entities, Reference};
use super::expansion::Expansion;
use super::lists::AttributeLists;
use super::marks::{Content, Marks, Noted, Place};
use super::names::{is_blank_text, is_name};
use super::namespaces::Namespaces;
use super::tokens::{Kind, Token, Tokens};
use super::tree::{Name, XmlTree};
use crate::scan::Stop;
use crate::value_tree::Positions;

/// Walks a document that starts at `base` with this declaration. `deepest` is the bound on elements inside each other.
pub(super) fn document(
    text: &str,
    base: usize,
    declaration: Option<Declaration>,
    deepest: usize,
    mut marks: Marks<'_>,
) -> Result<(), Stop> {
    let mut tokens = Tokens::new(text, base);
    let entities = Entities::new(declaration.unwrap_or_default());
    let mut declared = Declared { entities, lists: AttributeLists::default() };
    let place = Place::Document(base);
    let root = prolog(&mut tokens, declaration.is_some(), &mut declared, &mut marks, place)?;
    let mut walk = Walk {
        marks,
        expansion: Expansion::new(&declared.entities),
        lists: &declared.lists,
        frames: vec![Frame { at: SmallVec::from_slice(&[XmlTree::ROOT]), ..Frame::default() }],
        depth: 0,
        deepest,
        namespaces: Namespaces::default(),
    };
    walk.token(&root, place)?;
    loop {
        let token = tokens.next()?;
        match token.kind {
            Kind::EndOfInput if walk.depth == 0 => return Ok(()),
            Kind::EndOfInput => return Err(tokens.ended()),
            Kind::Start | Kind::Empty if walk.depth == 0 => {
                return Err(Stop::at(place.at(token.start), "a second root element"));
            }
            _ => walk.token(&token, place)?,
        }
    }
}

/// Reads what stands before the root element, and gives its start tag. `is_declared` says that the document starts with
/// a declaration that is well-formed.
fn prolog<'x>(
    tokens: &mut Tokens<'x>,
    is_declared: bool,
    declared: &mut Declared,
    marks: &mut Marks<'_>,
    place: Place,
) -> Result<Token<'x>, Stop> {
    let root = [XmlTree::ROOT];
    let mut has_type = false;
    loop {
        let token = tokens.next()?;
        let fault = |reason| Err(Stop::at(place.at(token.start), reason));
        match token.kind {
            Kind::Start | Kind::Empty => return Ok(token),
            Kind::Text if is_blank_text(token.text.as_bytes()) => {}
            Kind::Declaration if token.start == 0 && is_declared => {
                marks.instruction(&root, &token, place)?;
            }
            Kind::Declaration => return fault("an XML declaration that is not well-formed"),
            Kind::Comment => marks.comment(&root, &token, place)?,
            Kind::Instruction => marks.instruction(&root, &token, place)?,
            Kind::DocumentType if has_type => return fault("a second document type"),
            Kind::DocumentType => {
                has_type = true;
                doctype::read(token.text, place.at(token.offset), declared, marks)?;
            }
            Kind::EndOfInput => return Err(tokens.ended()),
            Kind::Text | Kind::CharacterData | Kind::Reference => return fault(OUTSIDE),
            Kind::End => return fault("an end tag without its start tag"),
        }
    }
}

const OUTSIDE: &str = "text outside of the root element";

/// A wanted element that is open.
#[derive(Default)]
struct Frame<'x> {
    at: Positions,
    /// Values that look at its text.
    values: SmallVec<[u32; 4]>,
    text: Content<'x>,
    has_elements: bool,
    /// Prefixes it declares.
    prefixes: Vec<&'x str>,
}

/// A walk through the root element.
pub(super) struct Walk<'t, 'x> {
    pub(super) marks: Marks<'t>,
    pub(super) expansion: Expansion<'x>,
    pub(super) lists: &'x AttributeLists,
    /// The document, and the wanted elements that are open; as many as points are long at most.
    frames: Vec<Frame<'x>>,
    /// How many elements are open.
    depth: usize,
    deepest: usize,
    namespaces: Namespaces<'x>,
}

impl<'x> Walk<'_, 'x> {
    /// Whether the innermost open element is wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.depth + 1 == self.frames.len()
    }

    /// The frame of the innermost open element, if that is wanted.
    fn frame(&mut self) -> Option<&mut Frame<'x>> {
        if self.is_wanted() { self.frames.last_mut() } else { None }
    }

    /// Takes a token of a text that starts at `place`.
    fn token(&mut self, token: &Token<'x>, place: Place) -> Result<(), Stop> {
        let inside = place.moved(token.offset);
        let fault = |reason| Err(Stop::at(place.at(token.start), reason));
        match token.kind {
            Kind::Start => self.start(token.text, inside, place.at(token.start), false),
            Kind::Empty => self.start(token.text, inside, place.at(token.start), true),
            Kind::End => self.end(place.at(token.start)),
            Kind::Text if self.depth == 0 && !is_blank_text(token.text.as_bytes()) => fault(OUTSIDE),
            Kind::CharacterData | Kind::Reference if self.depth == 0 => fault(OUTSIDE),
            Kind::Text => {
                if let Some(end) = memchr::memmem::find(token.text.as_bytes(), b"]]>") {
                    return Err(Stop::at(place.at(token.start + end), "]]> in text"));
                }
                self.push(token.text, inside);
                Ok(())
            }
            Kind::CharacterData => {
                self.push(token.text, inside);
                Ok(())
            }
            Kind::Reference => self.reference(token.text, place, token.start),
            Kind::Comment | Kind::Instruction => {
                let at = self.frame().map(|frame| frame.at.clone()).unwrap_or_default();
                match token.kind {
                    Kind::Comment => self.marks.comment(&at, token, place),
                    _ => self.marks.instruction(&at, token, place),
                }
            }
            Kind::Declaration => fault("an XML declaration that is not well-formed"),
            Kind::DocumentType => fault("a document type behind the root element"),
            Kind::EndOfInput => Ok(()),
        }
    }

    fn push(&mut self, text: &'x str, place: Place) {
        if let Some(frame) = self.frame()
            && !frame.values.is_empty()
        {
            frame.text.push(text, place);
        }
    }

    /// A reference in the content of an element. `start` is where it stands in its text.
    fn reference(&mut self, name: &str, place: Place, start: usize) -> Result<(), Stop> {
        let at = place.at(start);
        match self.expansion.entities.resolve(name).map_err(|reason| Stop::at(at, reason))? {
            Reference::Character(character) => self.held(character.encode_utf8(&mut [0; 4])),
            Reference::Unread => self.held(&["&", name, ";"].concat()),
            Reference::Text(entity) => {
                let text = self.expansion.enter(entity, at, &mut self.marks)?;
                self.entity(text)?;
                self.expansion.leave();
            }
        }
        Ok(())
    }

    fn held(&mut self, text: &str) {
        if let Some(frame) = self.frame()
            && !frame.values.is_empty()
        {
            frame.text.held().extend_from_slice(text.as_bytes());
        }
    }

    /// Reads the replacement text of an entity as content. It closes what it opens.
    fn entity(&mut self, text: &'x str) -> Result<(), Stop> {
        let place = Place::Entity(self.expansion.outer);
        // quick-xml would drop a byte order mark, which is a character here.
        let marked = text.strip_prefix('\u{feff}').map_or(0, |_| '\u{feff}'.len_utf8());
        let (mark, text) = text.split_at(marked);
        self.push(mark, place);
        let depth = self.depth;
        let mut tokens = Tokens::new(text, 0);
        loop {
            let token = tokens.next().map_err(|stop| Stop::at(self.expansion.outer, stop.reason))?;
            if token.kind == Kind::EndOfInput {
                break;
            }
            self.token(&token, place)?;
        }
        if self.depth == depth {
            Ok(())
        } else {
            Err(Stop::at(self.expansion.outer, "an entity that does not close what it opens"))
        }
    }

    /// `text` is what stands between `<` and `>` or `/>`, from `place` on; `at` is where the tag is in the document.
    fn start(&mut self, text: &'x str, place: Place, at: usize, is_empty: bool) -> Result<(), Stop> {
        let end = text.find([' ', '\t', '\n', '\r']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !is_name(name) {
            return Err(Stop::at(at, "a tag without a name"));
        }
        if self.depth >= self.deepest {
            return Err(Stop::at(at, "nested too deeply"));
        }
        let attributes = self.attributes(name, rest, place.moved(end))?;
        let parent = self.frame().map(|frame| {
            frame.has_elements = true;
            frame.at.clone()
        });
        self.depth += 1;
        if let Some(parent) = parent {
            self.wanted(&parent, name, place, attributes, at)?;
        }
        if is_empty { self.end(at) } else { Ok(()) }
    }

    /// Looks whether an element below these is wanted.
    fn wanted(
        &mut self,
        parent: &[u32],
        name: &'x str,
        place: Place,
        attributes: Values<'x>,
        at: usize,
    ) -> Result<(), Stop> {
        let tree = self.marks.tree;
        let mut frame = Frame::default();
        if tree.uses_namespaces() {
            for (name, value) in &attributes {
                if let Some(prefix) = Namespaces::declared(name) {
                    self.namespaces.declare(prefix, value.bytes.to_vec());
                    frame.prefixes.push(prefix);
                }
            }
        }
        let (prefix, local) = split(name);
        let uri = self.namespaces.of(prefix);
        frame.at = self.marks.below(parent, &Name { local: local.as_bytes(), prefix, uri });
        tree.every(parent, &mut frame.at);
        for value in parent.iter().filter_map(|element| tree.element(*element).child_names) {
            let skipped = name.len() - local.len();
            self.marks.text(&[value], &Content::of(local, place.moved(skipped)), at)?;
        }
        if frame.at.is_empty() {
            self.namespaces.forget(&frame.prefixes);
            return Ok(());
        }
        tree.reset(&frame.at, &mut self.marks.notes.counts);
        for (wanted, value) in frame.at.iter().flat_map(|element| tree.element(*element).attributes.iter()) {
            let mut chosen = None;
            for (name, text) in &attributes {
                let (prefix, local) = split(name);
                if *wanted.local != *local.as_bytes() || (wanted.is_bare() && prefix == "xmlns") {
                    continue;
                }
                let uri = if prefix.is_empty() { None } else { self.namespaces.of(prefix) };
                // An attribute without a prefix is meant first by a name without one.
                if wanted.means(prefix, uri) && (chosen.is_none() || prefix.is_empty()) {
                    chosen = Some(text);
                }
            }
            if let Some(text) = chosen {
                self.marks.attribute(*value, text, at)?;
            }
        }
        let texts = frame.at.iter().map(|element| tree.element(*element).text);
        frame.values = texts.filter(|value| !tree.value(*value).is_unused()).collect();
        self.frames.push(frame);
        Ok(())
    }

    /// Closes the innermost element. `at` is where its end is in the document.
    fn end(&mut self, at: usize) -> Result<(), Stop> {
        if self.depth + 1 == self.frames.len()
            && self.depth > 0
            && let Some(frame) = self.frames.pop()
        {
            self.namespaces.forget(&frame.prefixes);
            if frame.has_elements && is_blank_text(frame.text.bytes()) {
                for value in &frame.values {
                    self.marks.note(*value, Noted::NotScalar);
                }
            } else {
                self.marks.text(&frame.values, &frame.text, at)?;
            }
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }
}

/// The prefix of a name, which may be empty, and its local part.
fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}
