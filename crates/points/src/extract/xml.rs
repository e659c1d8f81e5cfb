//! XML: takes what a walk noted to the points. Texts in other encodings than UTF-8, for JSON and GraphQL too.

use super::{Ending, Run, Text, Without};
use crate::MessagePart;
use crate::charset::Charset;
use crate::scan::Stop;
use crate::value_tree::ValueTree;
use crate::xml::{self, Declaration, Noted, XmlTree};

/// What is said of the encoding of a text.
#[derive(Clone, Copy)]
pub(super) enum Said {
    /// By the Content-Type of the body that it is.
    Body(Option<Charset>),
    /// Nothing: it stands inside another value.
    Inside,
}

impl Said {
    pub(super) fn charset(self) -> Option<Charset> {
        match self {
            Self::Body(charset) => charset,
            Self::Inside => None,
        }
    }
}

impl<'e> Run<'e, '_> {
    /// JSON in whatever encoding it is.
    pub(super) fn any_json(
        &mut self,
        tree: &ValueTree,
        text: Text<'e, '_>,
        ending: Ending,
        said: Said,
        part: &MessagePart,
    ) {
        match Charset::of_json(text.bytes(), said.charset()) {
            None => self.json(tree, text, ending, part),
            Some(found) => {
                let mut buffer = self.scratch.buffers().lend();
                let ending = self.recode(found, text.bytes(), ending, "json", &mut buffer, part);
                self.json(tree, Text::Decoded(&buffer), ending, part);
                self.scratch.buffers().give_back(buffer);
            }
        }
    }

    /// XML in whatever encoding it is.
    pub(super) fn any_xml(
        &mut self,
        tree: &XmlTree,
        text: Text<'e, '_>,
        ending: Ending,
        said: Said,
        part: &MessagePart,
    ) {
        let inside = matches!(said, Said::Inside);
        match Charset::of_xml(text.bytes(), said.charset(), inside) {
            Ok(None) => self.xml(tree, text, ending, part),
            Ok(Some(found)) => {
                let mut buffer = self.scratch.buffers().lend();
                let ending = self.recode(found, text.bytes(), ending, "xml", &mut buffer, part);
                self.xml(tree, Text::Decoded(&buffer), ending, part);
                self.scratch.buffers().give_back(buffer);
            }
            Err(reason) => {
                self.report(part, "xml", 0, reason);
                self.fill(tree.all(), Without::Unparsable);
            }
        }
    }

    /// Writes a text in UTF-8 into a buffer. Gives how that ends.
    pub(super) fn recode(
        &mut self,
        (charset, start): (Charset, usize),
        bytes: &[u8],
        ending: Ending,
        parser: &'static str,
        buffer: &mut Vec<u8>,
        part: &MessagePart,
    ) -> Ending {
        let stop = charset.decode(&bytes[start..], ending.is_open(), self.decodable, buffer);
        self.decodable -= buffer.len();
        match stop {
            None => ending,
            Some(stop) => {
                self.report(part, parser, stop.offset, stop.reason);
                Ending::Damaged
            }
        }
    }

    fn xml(&mut self, tree: &XmlTree, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let declaration = Declaration::of(text.bytes());
        match declaration.filter(|declaration| declaration.has_more_ends_of_line(text.bytes())) {
            None => self.xml_in_lines(tree, text, declaration, ending, part),
            Some(one) => {
                let mut buffer = self.scratch.buffers().lend();
                let (taken, ending) = self.decodable_part(text.bytes(), ending, part);
                one.end_lines(taken, &mut buffer);
                self.decodable -= buffer.len();
                self.xml_in_lines(tree, Text::Decoded(&buffer), declaration, ending, part);
                self.scratch.buffers().give_back(buffer);
            }
        }
    }

    /// As much of a text as may still be decoded, and how that ends.
    fn decodable_part<'x>(&mut self, bytes: &'x [u8], ending: Ending, part: &MessagePart) -> (&'x [u8], Ending) {
        match bytes.get(..self.decodable) {
            Some(taken) if taken.len() < bytes.len() => {
                self.report(part, "xml", taken.len(), "the bound on decoded bytes is reached");
                (taken, Ending::Damaged)
            }
            _ => (bytes, ending),
        }
    }

    /// XML whose ends of line are those of XML 1.0.
    fn xml_in_lines(
        &mut self,
        tree: &XmlTree,
        text: Text<'e, '_>,
        declaration: Option<Declaration>,
        ending: Ending,
        part: &MessagePart,
    ) {
        let mut notes = self.scratch.xml().lend();
        let (bytes, cut) = (text.bytes(), ending.is_open());
        let stop = xml::walk(tree, bytes, declaration, cut, &self.bounds, &mut self.decodable, &mut notes);
        let missing = match stop {
            None => ending.missing(),
            Some(Stop { ended: true, .. }) if ending.is_open() => ending.missing(),
            Some(stop) => {
                self.report(part, "xml", stop.offset, stop.reason);
                Without::Unparsable
            }
        };
        self.fill(tree.all(), missing);
        for (value, noted) in &notes.log {
            let node = tree.value(*value);
            match *noted {
                Noted::Document(start, end) => self.value(node, text.part(start..end), part),
                Noted::Held(start, end) => self.value(node, Text::Decoded(&notes.held[start..end]), part),
                Noted::Number(number) => self.value(node, Text::Decoded(number.to_string().as_bytes()), part),
                Noted::NotScalar => self.fill(&node.all, Without::NotScalar),
            }
        }
        self.scratch.xml().give_back(notes);
    }
}
