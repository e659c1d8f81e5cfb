//! Bodies of several parts: takes contents and headers of parts to the points.

use std::borrow::Cow;

use threadline_model::CapturedHeaders;

use super::{Ending, Formats, Run, Text, Without};
use crate::MessagePart;
use crate::form::{FieldNotes, FieldTree, Noted};
use crate::multipart::{self, Parts, Walked};
use crate::tree::ValueNode;

impl<'e> Run<'e, '_> {
    pub(super) fn multipart(
        &mut self,
        tree: &FieldTree,
        text: Text<'e, '_>,
        ending: Ending,
        headers: &CapturedHeaders,
        part: &MessagePart,
    ) {
        let body = text.bytes();
        let content_type = headers.first("content-type");
        let declared = content_type.and_then(multipart::declared_boundary);
        let delimiter = |boundary: &[u8]| [b"\n--", boundary].concat();
        if let Some(delimiter) = declared.as_deref().map(delimiter) {
            if let Some(parts) = Parts::new(body, &delimiter, ending.is_open()) {
                return self.parts(tree, text, ending, parts, part);
            }
            if ending.is_open() {
                // It may come.
                return self.fill(tree.all(), ending.missing());
            }
        }
        let Some(boundary) = multipart::evident_boundary(body) else {
            let is_multipart = content_type.is_some_and(|declared| {
                declared.trim_ascii_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
            });
            if ending.is_open() {
                self.fill(tree.all(), ending.missing());
            } else if is_multipart {
                self.report(part, "multipart", 0, "the boundary is not in the body");
                self.fill(tree.all(), Without::Unparsable);
            } else {
                self.fill(tree.all(), Without::Absent);
            }
            return;
        };
        let reason = if declared.is_some() { "not the boundary that is declared" } else { "no boundary is declared" };
        self.report(part, "multipart", 0, reason);
        let delimiter = delimiter(boundary);
        match Parts::new(body, &delimiter, ending.is_open()) {
            Some(parts) => self.parts(tree, text, ending, parts, part),
            None => self.fill(tree.all(), ending.missing()),
        }
    }

    fn parts(&mut self, tree: &FieldTree, text: Text<'e, '_>, ending: Ending, parts: Parts<'_>, part: &MessagePart) {
        let mut notes = self.scratch.fields().lend();
        let walked = multipart::walk(tree, parts, &mut notes);
        let mut missing = self.stopped(walked.stop, ending, "multipart", part);
        if let Some(offset) = walked.damaged {
            self.report(part, "multipart", offset, "damaged headers of a part");
            if matches!(missing, Without::Absent) {
                missing = Without::Unparsable;
            }
        }
        // A part of a whole body that no boundary ends is damaged.
        let ending = if ending.is_open() { ending } else { Ending::Damaged };
        let delivery = Delivery { text, walked, ending, missing, part };
        self.deliver_parts(tree, &notes, &delivery);
        self.scratch.fields().give_back(notes);
    }

    fn deliver_parts(&mut self, tree: &FieldTree, notes: &FieldNotes, delivery: &Delivery<'e, '_>) {
        let Delivery { text, missing, part, .. } = *delivery;
        for (node, state) in tree.nodes().iter().zip(&notes.states) {
            for several in node.several() {
                self.fill(&several.all, missing);
            }
            match state.first {
                Some(range) => self.part(&node.first, range, delivery),
                // Behind a cut there may be a value.
                None if state.nested && matches!(missing, Without::Absent) => {
                    self.fill(&node.first.all, Without::NotScalar);
                }
                None => self.fill(&node.first.all, missing),
            }
            let Some(joined) = &node.joined else { continue };
            if !matches!(missing, Without::Absent) {
                self.fill(&joined.all, missing);
            } else if !state.values.is_empty() {
                let content = |(start, end): &(usize, usize)| multipart::content(&text.bytes()[*start..*end]);
                let contents = state.values.iter().filter_map(content).map(Cow::Borrowed);
                self.joined(joined, contents, part);
            } else {
                self.fill(&joined.all, if state.nested { Without::NotScalar } else { Without::Absent });
            }
        }
        for (position, every, noted) in &notes.log {
            let Some(node) = tree.nodes()[*position as usize].every(*every) else { continue };
            match noted {
                Noted::Value(range) => self.part(node, *range, delivery),
                Noted::Name(name) => self.value(node, Text::Decoded(name), part),
            }
        }
    }

    /// Takes the content and the headers of a part to the points.
    fn part(&mut self, node: &ValueNode, (start, end): (usize, usize), delivery: &Delivery<'e, '_>) {
        let Delivery { text, ending, part, .. } = *delivery;
        let whole = text.part(start..end);
        let Some(content) = whole.narrowed(multipart::content) else { return };
        if delivery.walked.open == Some(start) {
            self.cut(node, content, ending, part, Formats::ALL);
        } else {
            self.value(node, content, part);
        }
        for (name, child) in &node.headers {
            match whole.narrowed(|part| multipart::header(part, name.as_bytes())) {
                Some(header) => self.value(child, header, part),
                None => self.fill(&child.all, Without::Absent),
            }
        }
    }
}

/// What the parts of one body are taken to the points with.
struct Delivery<'e, 'x> {
    text: Text<'e, 'x>,
    walked: Walked,
    /// How the content of the last part ends, if no boundary does it.
    ending: Ending,
    /// What is known of a part that is not there.
    missing: Without,
    part: &'x MessagePart,
}
