//! Bodies: what of one was captured, which codings it carries, and which formats it may be read in.

use threadline_model::{CapturedBody, CapturedHeaders, Extent};

use super::xml::Said;
use super::{Ending, Formats, Run, Text, Without};
use crate::charset::Charset;
use crate::coding::{self, Coding};
use crate::plan::BodyPlan;

impl<'e> Run<'e, '_> {
    pub(super) fn body(&mut self, plan: &BodyPlan, body: &'e CapturedBody, headers: &'e CapturedHeaders) {
        let bytes = body.as_bytes();
        let ending = match body.extent() {
            Extent::NotCaptured => return self.fill(&plan.value.all, Without::NotCaptured),
            Extent::Prefix if bytes.is_empty() => return self.fill(&plan.value.all, Without::NotCaptured),
            // An empty body is no coded data either: the response to a HEAD request, for one.
            Extent::Whole if bytes.is_empty() => return self.fill(&plan.value.ends, Without::Empty),
            Extent::Whole => Ending::Whole,
            Extent::Prefix => Ending::Cut,
        };
        match coding::named(headers.as_map()) {
            Ok(codings) if codings.is_empty() => self.plain_body(plan, Text::Captured(bytes), ending, headers),
            Ok(codings) => self.coded_body(plan, &codings, bytes, ending, headers),
            Err(reason) => {
                self.report(&plan.part, "body", 0, reason);
                self.fill(&plan.value.all, Without::Unparsable);
            }
        }
    }

    /// Takes the codings off, the last one first.
    fn coded_body(
        &mut self,
        plan: &BodyPlan,
        codings: &[Coding],
        bytes: &[u8],
        mut ending: Ending,
        headers: &CapturedHeaders,
    ) {
        let mut coded = self.scratch.buffers().lend();
        let mut decoded = self.scratch.buffers().lend();
        for (round, coding) in codings.iter().rev().enumerate() {
            let input = if round == 0 { bytes } else { &coded };
            ending = self.decompress(*coding, input, ending, &mut decoded, &plan.part);
            std::mem::swap(&mut coded, &mut decoded);
            if coded.is_empty() {
                break;
            }
        }
        self.plain_body(plan, Text::Decoded(&coded), ending, headers);
        self.scratch.buffers().give_back(decoded);
        self.scratch.buffers().give_back(coded);
    }

    /// A body without codings.
    fn plain_body(&mut self, plan: &BodyPlan, text: Text<'e, '_>, ending: Ending, headers: &CapturedHeaders) {
        let bytes = text.bytes();
        let formats = Formats {
            json: begins_with(bytes, b"{[", ending) || !declares_other_than(headers, &[b"json"]),
            form: plan.value.form.is_none() || !declares_other_than_form(headers),
            xml: plan.value.xml.is_none() || may_be_xml(bytes, headers, ending),
            graphql: begins_with(bytes, b"{[", ending) || !declares_other_than(headers, &[b"graphql", b"json"]),
            protobuf: !declares_text(headers),
            said: Said::Body(headers.first("content-type").and_then(Charset::of_content_type)),
        };
        match ending {
            Ending::Whole if bytes.is_empty() => return self.fill(&plan.value.ends, Without::Empty),
            Ending::Whole => self.whole(&plan.value, text, &plan.part, formats),
            Ending::Cut | Ending::Damaged => self.cut(&plan.value, text, ending, &plan.part, formats),
        }
        if let Some(tree) = &plan.value.multipart {
            self.multipart(tree, text, ending, headers, &plan.part);
        }
        match &plan.value.grpc {
            Some(tree) if formats.protobuf => self.grpc(tree, text, ending, headers, &plan.part),
            Some(tree) => self.fill(tree.all(), Without::Absent),
            None => {}
        }
    }
}

/// Whether the first character of a text is one of these, in whatever encoding of Unicode, or may be when more of it is
/// there: an object or an array starts so, or a tag.
fn begins_with(text: &[u8], characters: &[u8], ending: Ending) -> bool {
    let ignored = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff);
    match text.iter().find(|byte| !ignored(**byte)) {
        Some(first) => characters.contains(first),
        None => ending.is_open(),
    }
}

/// Whether the message says that its body is something else than these. An HTML page is then no broken JSON
/// document: there is none. Bodies that start like JSON, or like a selection set of GraphQL, are read as such whatever
/// they are declared to be, because many APIs declare `text/html`.
fn declares_other_than(headers: &CapturedHeaders, words: &[&[u8]]) -> bool {
    headers.first("content-type").is_some_and(|declared| {
        let subtype = declared.split(|byte| *byte == b';').next().unwrap_or_default();
        let names = |word: &&[u8]| subtype.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
        !words.iter().any(names)
    })
}

/// Whether a body may be XML. A page that is declared to be HTML and starts as such is none, although a tag is its
/// beginning.
fn may_be_xml(text: &[u8], headers: &CapturedHeaders, ending: Ending) -> bool {
    if !declares_other_than(headers, &[b"xml"]) {
        return true;
    }
    let page = text.trim_ascii_start();
    let starts = |word: &[u8]| page.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let is_page = !declares_other_than(headers, &[b"html"]) && (starts(b"<!doctype html") || starts(b"<html"));
    begins_with(text, b"<", ending) && !is_page
}

/// Whether the message says that its body is JSON, XML, HTML, multipart or binary. Every text is a form, so a document
/// with a link in it would give values that nobody sent. A body of no declared type, or of a type that says little
/// (`text/plain`), is read as a form, because clients leave the type out.
fn declares_other_than_form(headers: &CapturedHeaders) -> bool {
    /// Types of which every subtype is something else.
    const TYPES: [&[u8]; 5] = [b"multipart", b"image", b"audio", b"video", b"font"];
    /// What is in the name of a subtype that is something else.
    const SUBTYPES: [&[u8]; 11] =
        [b"json", b"xml", b"html", b"octet-stream", b"grpc", b"protobuf", b"msgpack", b"cbor", b"zip", b"pdf", b"wasm"];
    declares_one_of(headers, &TYPES, &SUBTYPES)
}

/// Whether the message says that its body is a text or a picture. An error page in the place of a gRPC response is no
/// broken message: there is none.
fn declares_text(headers: &CapturedHeaders) -> bool {
    const TYPES: [&[u8]; 6] = [b"text", b"multipart", b"image", b"audio", b"video", b"font"];
    const SUBTYPES: [&[u8]; 4] = [b"json", b"xml", b"html", b"x-www-form-urlencoded"];
    /// What carries messages, whatever those are made of: `application/grpc+json`.
    const MESSAGES: [&[u8]; 1] = [b"grpc"];
    declares_one_of(headers, &TYPES, &SUBTYPES) && !declares_one_of(headers, &[], &MESSAGES)
}

/// Whether the declared type is one of these, or has one of these words in its subtype.
fn declares_one_of(headers: &CapturedHeaders, types: &[&[u8]], words: &[&[u8]]) -> bool {
    headers.first("content-type").is_some_and(|declared| {
        let essence = declared.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let slash = memchr::memchr(b'/', essence).unwrap_or(essence.len());
        let (kind, subtype) = essence.split_at(slash);
        let names = |word: &&[u8]| subtype.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
        types.iter().any(|other| kind.eq_ignore_ascii_case(other)) || words.iter().any(names)
    })
}
