//! GraphQL: requests in JSON, and documents beside which variables stand; takes what they hold to the points.

use super::xml::Said;
use super::{Ending, Run, Text, Without};
use crate::charset::Charset;
use crate::graphql::{self, Document, Post};
use crate::json;
use crate::scan::{Span, Stop};
use crate::value_tree::ValueTree;
use crate::{Bounds, MessagePart};

impl<'e> Run<'e, '_> {
    /// Requests and documents in whatever encoding they are.
    pub(super) fn any_graphql(
        &mut self,
        tree: &ValueTree,
        text: Text<'e, '_>,
        ending: Ending,
        said: Said,
        part: &MessagePart,
    ) {
        match Charset::of_json(text.bytes(), said.charset()) {
            None => self.graphql(tree, text, ending, part),
            Some(found) => {
                let mut buffer = self.scratch.buffers().lend();
                let ending = self.recode(found, text.bytes(), ending, "graphql", &mut buffer, part);
                self.graphql(tree, Text::Decoded(&buffer), ending, part);
                self.scratch.buffers().give_back(buffer);
            }
        }
    }

    fn graphql(&mut self, tree: &ValueTree, text: Text<'e, '_>, ending: Ending, part: &MessagePart) {
        let (valid, damage) = json::readable(text.bytes(), ending.is_open());
        let open = ending.is_open() || damage.is_some();
        if graphql::is_post(valid, open) {
            return self.posts(tree, valid, damage, ending, part);
        }
        let mut document = Document { source: Some(0..valid.len()), source_open: open, ..Document::default() };
        match self.variables.take() {
            None => self.documents(tree, text, &[document], damage, ending, part, Some),
            Some(variables) => {
                let length = valid.len() + variables.text.len();
                if self.may_decode(length, tree.all(), "graphql", part) {
                    let mut buffer = self.scratch.buffers().lend();
                    buffer.extend_from_slice(valid);
                    let (valid_variables, broken) = json::readable(&variables.text, variables.ending.is_open());
                    buffer.extend_from_slice(valid_variables);
                    document.variables = Some(valid.len()..buffer.len());
                    document.variables_open = variables.ending.is_open() || broken.is_some();
                    let ending = if ending.is_open() { ending } else { variables.ending };
                    // The variables stand in another field.
                    let place = |offset: usize| Some(offset.min(valid.len()));
                    self.documents(tree, Text::Decoded(&buffer), &[document], damage, ending, part, place);
                    self.scratch.buffers().give_back(buffer);
                }
                self.variables = Some(variables);
            }
        }
    }

    /// Requests in JSON: their documents and variables are put behind each other, so that one walk serves all.
    fn posts(&mut self, tree: &ValueTree, text: &[u8], damage: Option<Stop>, ending: Ending, part: &MessagePart) {
        let open = ending.is_open() || damage.is_some();
        let (posts, stop) = graphql::posts(text, open, self.bounds.depth.min(Bounds::MAXIMUM_DEPTH));
        let damage = stop.filter(|stop| !(stop.ended && open)).or(damage);
        if !self.may_decode(text.len(), tree.all(), "graphql", part) {
            return;
        }
        let mut buffer = self.scratch.buffers().lend();
        let mut documents = Vec::with_capacity(posts.len());
        // Where each document and each variables object comes from.
        let mut origins: Vec<(usize, Span)> = Vec::new();
        for post in &posts {
            documents.push(put(post, text, &mut buffer, &mut origins));
        }
        let place = |offset: usize| {
            let (start, span) = origins.iter().rev().find(|(start, _)| *start <= offset)?;
            let within = offset - start;
            let content = &text[span.range()];
            let within = if span.escaped { json::escaped_position(content, within) } else { within };
            Some(span.range().start + within)
        };
        let cut = if stop.is_some() && damage.is_none() { ending } else { Ending::Whole };
        self.documents(tree, Text::Decoded(&buffer), &documents, damage, cut, part, place);
        self.scratch.buffers().give_back(buffer);
    }

    /// `damage` is what is wrong with what the documents lie in, `place` makes an offset in `text` one in that.
    #[allow(clippy::too_many_arguments)]
    fn documents(
        &mut self,
        tree: &ValueTree,
        text: Text<'e, '_>,
        documents: &[Document],
        damage: Option<Stop>,
        ending: Ending,
        part: &MessagePart,
        place: impl Fn(usize) -> Option<usize>,
    ) {
        let mut notes = self.scratch.notes().lend();
        let mut budget = self.decodable;
        let stop = graphql::walk(tree, text.bytes(), documents, &self.bounds, &mut budget, &mut notes);
        self.decodable = budget;
        let stop = stop.map(|stop| Stop { offset: place(stop.offset).unwrap_or(stop.offset), ..stop });
        let missing = match stop.or(damage) {
            Some(stop) => {
                self.report(part, "graphql", stop.offset, stop.reason);
                Without::Unparsable
            }
            None => ending.missing(),
        };
        self.deliver(tree, &notes, text, missing, part);
        self.scratch.notes().give_back(notes);
    }
}

/// Appends the document and the variables of a request to the buffer.
fn put(post: &Post, text: &[u8], buffer: &mut Vec<u8>, origins: &mut Vec<(usize, Span)>) -> Document {
    let mut append = |span: Span, buffer: &mut Vec<u8>| {
        let start = buffer.len();
        origins.push((start, span));
        match &text[span.range()] {
            text if span.escaped => json::unescape_into(text, buffer),
            text => buffer.extend_from_slice(text),
        }
        start..buffer.len()
    };
    // Clients that send a hash leave the document out or empty.
    let query = post.query.filter(|span| span.start < span.end || post.query_open);
    Document {
        source: query.map(|span| append(span, buffer)),
        source_open: post.query_open,
        variables: post.variables.as_ref().map(|range| {
            // A text that holds the object, as some clients send it.
            let quoted = text[range.clone()].strip_prefix(b"\"").is_some_and(|text| text.ends_with(b"\""));
            let (range, escaped) = if quoted { (range.start + 1..range.end - 1, true) } else { (range.clone(), false) };
            append(Span { start: range.start as u32, end: range.end as u32, escaped }, buffer)
        }),
        variables_open: !post.whole && post.variables.as_ref().is_none_or(|range| range.end == text.len()),
    }
}
