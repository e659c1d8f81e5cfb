//! XML (1.0, fifth edition, and 1.1; Namespaces in XML): one pass over a document that notes what stands at the wanted
//! places.
//!
//! quick-xml splits the text into tokens; what it lets pass and the standard forbids is found here, as far as it can be
//! found in passing. Entities stand for what the document's own internal subset says, and so do types and defaults of
//! attributes. Nothing is fetched, and what entities and defaults add counts against the bound on decoded bytes.

mod attributes;
mod cursor;
mod declaration;
mod doctype;
mod entities;
mod expansion;
mod grammar;
mod lists;
mod marks;
mod names;
mod namespaces;
mod tokens;
mod tree;
mod walk;

use self::declaration::Version;
use crate::Bounds;
use crate::scan::Stop;

pub(crate) use self::declaration::Declaration;
pub(crate) use self::marks::{Noted, XmlNotes};
pub(crate) use self::tree::{XmlTree, is_aside, local_name};

/// Walks a document once, which starts with this declaration, and notes what stands at the wanted places. `cut` says
/// that the document goes on beyond `input`. `decodable` is what may still be decoded, of which it takes. Gives what
/// stopped the walk, if anything did: what was noted until then holds.
pub(crate) fn walk(
    tree: &XmlTree,
    input: &[u8],
    declaration: Option<Declaration>,
    cut: bool,
    bounds: &Bounds,
    decodable: &mut usize,
    notes: &mut XmlNotes,
) -> Option<Stop> {
    notes.counts.clear();
    notes.counts.resize(tree.tags(), 0);
    let (text, damage) = readable(input, declaration.unwrap_or_default().version, cut);
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    if text[mark..].starts_with('\u{feff}') {
        return Some(Stop::at(mark, "text outside of the root element"));
    }
    let marks = marks::Marks { tree, notes, decodable };
    match walk::document(&text[mark..], mark, declaration, bounds.depth.min(Bounds::MAXIMUM_DEPTH), marks) {
        Ok(()) => damage,
        Err(stop) if stop.ended => damage.or(Some(stop)),
        Err(stop) => Some(stop),
    }
}

/// The characters of a text that may stand in a document, and what is wrong with the first that may not.
fn readable(input: &[u8], version: Version, cut: bool) -> (&str, Option<Stop>) {
    let (text, damage) = match std::str::from_utf8(input) {
        Ok(text) => (text, None),
        Err(error) => {
            let end = error.valid_up_to();
            // A character that the cut went through is no damage.
            let is_cut = cut && error.error_len().is_none();
            let text = std::str::from_utf8(&input[..end]).unwrap_or_default();
            (text, (!is_cut).then(|| Stop::at(end, "not UTF-8")))
        }
    };
    match names::forbidden(text, version) {
        Some(offset) => (&text[..offset], Some(Stop::at(offset, "a character that XML forbids"))),
        None => (text, damage),
    }
}
