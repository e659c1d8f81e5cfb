//! Makes points and messages out of bytes that a fuzzer chose, so that it spends its time behind the first byte of
//! each format: points that are walks through the table of steps, bodies that are nested documents, then damage.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header;
use threadline_model::{CapturedBody, Exchange};

use super::exchange;
use crate::{
    ArgumentKind, Bounds, Found, JwtPart, ListBounds, Pattern, Plan, Point, Scratch, Side, Step, blank, list, preview,
};

/// Names that points ask for and messages have.
const NAMES: &[&str] =
    &["a", "b", "c", "token", "id", "1", "2", "3", "", "a[b]", "query", "variables", "Envelope", "Body", "é", "a b"];
const HEADERS: &[&str] = &["COOKIE", "SET-COOKIE", "AUTHORIZATION", "CONTENT-TYPE", "X-A"];
const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/xml; charset=utf-8",
    "application/grpc",
    "application/grpc-web-text",
    "application/graphql",
    "text/plain; charset=iso-8859-1",
    "",
];

/// The fuzzer's bytes as choices. After the last byte every choice is the first one.
struct Choices<'d>(&'d [u8]);

impl<'d> Choices<'d> {
    fn next(&mut self) -> usize {
        let (byte, rest) = self.0.split_first().map_or((0, &[][..]), |(byte, rest)| (*byte, rest));
        self.0 = rest;
        usize::from(byte)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next() % all.len()]
    }

    fn bytes(&mut self) -> &'d [u8] {
        let length = (self.next() % 24).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    /// A walk through the table of steps that ends where a point may end.
    fn point(&mut self) -> Option<Point> {
        let side = self.of(&[Side::Request, Side::Request, Side::Response]);
        let mut steps = Vec::new();
        let mut ended = 0;
        for _ in 0..=self.next() % 14 {
            let Ok(forms) = Point::allowed_after(side, &steps) else { break };
            if forms.is_empty() {
                break;
            }
            let form = self.of(&forms);
            let Some(step) = self.step(form.word, form.argument) else { break };
            steps.push(step);
            if Point::may_end_after(side, &steps) {
                ended = steps.len();
            }
        }
        steps.truncate(ended);
        Point::new(side, steps).ok()
    }

    fn step(&mut self, word: &str, argument: ArgumentKind) -> Option<Step> {
        let text = match argument {
            ArgumentKind::None => None,
            ArgumentKind::Name => Some(self.of(NAMES).to_owned()),
            ArgumentKind::HeaderName => Some(self.of(HEADERS).to_owned()),
            ArgumentKind::Number => Some((self.next() % 4).to_string()),
            ArgumentKind::JwtPart => {
                let parts = [JwtPart::Payload, JwtPart::Header, JwtPart::Signature, JwtPart::Prefix, JwtPart::Token];
                Some(self.of(&parts).as_str().to_owned())
            }
            ArgumentKind::Pattern => Some(self.of(&["(.+)", "a=(\\w*)", "^(.)"]).to_owned()),
        };
        if let Some(pattern) = text.as_deref().filter(|_| argument == ArgumentKind::Pattern) {
            return pattern_of(pattern).map(Step::Capture);
        }
        Step::read(word, text.as_deref())
    }

    /// A document, or a plain value, that is `depth` formats deep at most.
    fn document(&mut self, depth: usize) -> Vec<u8> {
        let kind = if depth == 0 { self.next() % 3 } else { self.next() % 20 };
        match kind {
            0 => self.of(NAMES).as_bytes().to_vec(),
            1 => self.next().to_string().into_bytes(),
            2 => self.bytes().to_vec(),
            3 | 4 => self.json(depth),
            5 => self.members(depth, "", "&", "", |name, value| [name, b"=", &percent(value)].concat()),
            6 => self.members(depth, "", "; ", "", |name, value| [name, b"=", value].concat()),
            7 | 8 => self.xml(depth),
            9 => self.members(depth, "", "", "--b--\r\n", |name, value| {
                let head = b"--b\r\nContent-Disposition: form-data; name=\"";
                [head, name, b"\"\r\n\r\n", value, b"\r\n"].concat()
            }),
            10 | 11 => self.graphql(depth),
            12 | 13 => self.protobuf(depth),
            14 => {
                let message = self.protobuf(depth);
                [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat()
            }
            15 => STANDARD.encode(self.document(depth - 1)).into_bytes(),
            16 => {
                let (payload, signature) = (URL_SAFE_NO_PAD.encode(self.json(depth)), self.of(&["c2ln", "", "x.y.z"]));
                format!("Bearer eyJhbGciOiJub25lIn0.{payload}.{signature}").into_bytes()
            }
            17 => gzip(&self.document(depth - 1)),
            18 => self.view_state(depth),
            _ => percent(&self.document(depth - 1)),
        }
    }

    fn members(
        &mut self,
        depth: usize,
        open: &str,
        between: &str,
        close: &str,
        mut member: impl FnMut(&[u8], &[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let mut text = open.as_bytes().to_vec();
        for position in 0..self.next() % 4 {
            if position > 0 {
                text.extend_from_slice(between.as_bytes());
            }
            let name = self.of(NAMES).as_bytes();
            text.extend(member(name, &self.document(depth.saturating_sub(1))));
        }
        text.extend_from_slice(close.as_bytes());
        text
    }

    fn json(&mut self, depth: usize) -> Vec<u8> {
        let quoted = |value: &[u8]| serde_json::Value::from(String::from_utf8_lossy(value)).to_string().into_bytes();
        let value = |value: &[u8]| match value.first() {
            Some(b'{' | b'[' | b'1'..=b'9') => value.to_vec(),
            _ => quoted(value),
        };
        match self.next() % 3 {
            0 => self.members(depth, "[", ",", "]", |_, inner| value(inner)),
            _ => self.members(depth, "{", ",", "}", |name, inner| [&quoted(name), &b":"[..], &value(inner)].concat()),
        }
    }

    fn xml(&mut self, depth: usize) -> Vec<u8> {
        let tag = self.of(&["a", "b", "Envelope", "Body", "x:a"]);
        let (open, close) = (self.of(&["", "<?xml version=\"1.0\"?>", "<!DOCTYPE a [<!ENTITY e \"x\">]>"]), "");
        let open = format!("{open}<{tag} a='1&amp;'>");
        let close = format!("{close}</{tag}>");
        self.members(depth, &open, "<!--c-->", &close, |_, inner| match inner.first() {
            Some(b'<') => inner.to_vec(),
            _ => [b"<![CDATA[", inner, b"]]>"].concat(),
        })
    }

    fn graphql(&mut self, depth: usize) -> Vec<u8> {
        let kind = self.of(&["query a", "", "mutation b($a: ID = 1)", "subscription", "fragment a on T"]);
        let open = format!("{kind} {{ ");
        self.members(depth, &open, " ", " }", |_, inner| {
            let literal = serde_json::Value::from(String::from_utf8_lossy(inner)).to_string();
            format!("b: a(a: {literal}, c: $a) @a(b: [1, {{c: 2}}]) {{ ...a ... on T {{ id }} }}").into_bytes()
        })
    }

    fn protobuf(&mut self, depth: usize) -> Vec<u8> {
        let mut message = Vec::new();
        for _ in 0..self.next() % 4 {
            let field = 1 + (self.next() % 3) as u8;
            match self.next() % 4 {
                0 => message.extend([field << 3, self.next() as u8 & 0x7f]),
                1 => message.extend([field << 3 | 5, 1, 2, 3, 4]),
                _ => {
                    let inner = self.document(depth.saturating_sub(1));
                    let inner = &inner[..inner.len().min(127)];
                    message.extend([field << 3 | 2, inner.len() as u8]);
                    message.extend_from_slice(inner);
                }
            }
        }
        message
    }

    /// A pair of a string and whatever follows, in ASP.NET's format.
    fn view_state(&mut self, depth: usize) -> Vec<u8> {
        let inner = self.document(depth.saturating_sub(1));
        let inner = &inner[..inner.len().min(127)];
        let text = [&[0xff, 0x01, 0x0f, 0x05, inner.len() as u8], inner, &[0x02, 0x07]].concat();
        STANDARD.encode(text).into_bytes()
    }

    /// Takes bytes off the end, or changes one.
    fn damage(&mut self, mut document: Vec<u8>) -> Vec<u8> {
        let at = (self.next() * 256 + self.next()) % (document.len() + 1);
        match self.next() % 4 {
            0 => document.truncate(at),
            1 if at < document.len() => document[at] = self.next() as u8,
            _ => {}
        }
        document
    }
}

/// Compiled once: that takes longer than everything else here.
fn pattern_of(text: &str) -> Option<Pattern> {
    thread_local! {
        static PATTERNS: RefCell<Vec<Pattern>> = RefCell::default();
    }
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(known) = patterns.iter().find(|pattern| pattern.as_str() == text) {
            return Some(known.clone());
        }
        patterns.push(Pattern::new(text).ok()?);
        patterns.last().cloned()
    })
}

fn percent(value: &[u8]) -> Vec<u8> {
    percent_encoding::percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string().into_bytes()
}

/// One member of gzip (RFC 1952) with one stored block (RFC 1951, section 3.2.4).
fn gzip(value: &[u8]) -> Vec<u8> {
    let value = &value[..value.len().min(0xffff)];
    let length = value.len() as u16;
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    coded.extend(length.to_le_bytes());
    coded.extend((!length).to_le_bytes());
    coded.extend_from_slice(value);
    coded.extend(crc32fast::hash(value).to_le_bytes());
    coded.extend(u32::from(length).to_le_bytes());
    coded
}

/// Resolves points that the bytes choose in a message that they choose: whole and cut, together and each alone.
///
/// # Panics
/// When a result breaks what [`Found`] promises, or a point finds something else beside others than alone.
pub fn fuzz_policy_and_message(data: &[u8]) {
    let mut choices = Choices(data);
    let mut points: Vec<Point> = (0..=choices.next() % 12).filter_map(|_| choices.point()).collect();
    // More formats inside each other than there may be.
    points.retain(|point| Plan::compile(std::slice::from_ref(point), Bounds::default()).is_ok());
    let compile = |points: &[Point]| Plan::compile(points, Bounds::default()).unwrap_or_else(|error| panic!("{error}"));
    let together = compile(&points);
    let alone: Vec<Plan> = points.iter().map(|point| compile(std::slice::from_ref(point))).collect();
    let target =
        [&b"/a/b?"[..], &choices.members(1, "", "&", "", |name, value| [name, b"=", &percent(value)].concat())];
    let cookies = choices.members(2, "", "; ", "", |name, value| [name, b"=", value].concat());
    let authorization = choices.document(3);
    let content_type = choices.of(CONTENT_TYPES);
    let (request, response) = (choices.document(4), choices.document(3));
    let (request, response) = (choices.damage(request), choices.damage(response));
    let headers = [
        (header::AUTHORIZATION, &authorization[..]),
        (header::COOKIE, &cookies),
        (header::SET_COOKIE, &cookies),
        (header::CONTENT_TYPE, content_type.as_bytes()),
    ];
    let mut exchange = exchange(&target.concat(), &headers, &request, &response);
    agree(&together, &alone, &exchange);
    exchange.request.body = CapturedBody::prefix(request);
    agree(&together, &alone, &exchange);
}

/// Shows a message that the bytes choose: previews points, lists all of them, and takes out what one masks.
///
/// # Panics
/// When a selection is not the value, a listed point does not give what is listed, or something masked is left.
pub fn fuzz_shown(data: &[u8]) {
    let mut choices = Choices(data);
    let mask = choices.point();
    let points: Vec<Point> = (0..=choices.next() % 3).filter_map(|_| choices.point()).collect();
    let target =
        [&b"/a/b?"[..], &choices.members(1, "", "&", "", |name, value| [name, b"=", &percent(value)].concat())]
            .concat();
    let cookies = choices.members(2, "", "; ", "", |name, value| [name, b"=", value].concat());
    let authorization = choices.document(2);
    let headers = [
        (header::AUTHORIZATION, &authorization[..]),
        (header::COOKIE, &cookies),
        (header::SET_COOKIE, &cookies),
        (header::CONTENT_TYPE, choices.of(CONTENT_TYPES).as_bytes()),
    ];
    let (request, response) = (choices.document(3), choices.document(2));
    let (request, response) = (choices.damage(request), choices.damage(response));
    let mut exchange = exchange(&target, &headers, &request, &response);
    show(&exchange, &points, mask.as_ref());
    exchange.request.body = CapturedBody::prefix(request);
    show(&exchange, &points, mask.as_ref());
}

fn show(exchange: &Exchange, points: &[Point], mask: Option<&Point>) {
    let bounds = Bounds::default();
    for point in points {
        let Ok(shown) = preview(point, &[], exchange, bounds) else { continue };
        let mut values = shown.found.value().into_iter().chain(shown.more.iter().map(|value| &**value));
        for selection in shown.selections.iter().filter(|selection| selection.exact) {
            let Some(part) = crate::locate::bytes(exchange, selection) else { continue };
            assert!(values.any(|value| part == value), "{point}: {selection:?}");
        }
    }
    let few = ListBounds { points: 64, value_bytes: 16, levels: 8 };
    for listed in list(exchange, &[], bounds, few).points {
        let plan = Plan::compile(std::slice::from_ref(&listed.point), bounds).unwrap_or_else(|error| panic!("{error}"));
        let mut scratch = Scratch::default();
        let extracted = plan.extract(exchange, &mut scratch);
        match (extracted.get(0), &listed.found) {
            (Found::Value(alone), Found::Value(shown)) => assert!(alone.starts_with(shown), "{}", listed.point),
            (alone, shown) => assert_eq!(alone, shown, "{}", listed.point),
        }
    }
    let Some(mask) = mask else { return };
    // Numbers that count parts are no text of the message, nor are the commas between joined values.
    let counts = mask.steps().iter().any(|step| matches!(step, Step::Names | Step::Joined));
    let facts = matches!(mask.steps().first(), Some(Step::Scheme | Step::Proto | Step::Status | Step::RemoteAddr));
    let Ok(plan) = Plan::compile(std::slice::from_ref(mask), bounds) else { return };
    if counts || facts {
        return;
    }
    let blanked = blank(exchange, std::slice::from_ref(mask), bounds);
    assert_eq!(blanked.request.body.as_bytes().len(), exchange.request.body.as_bytes().len());
    let mut scratch = Scratch::default();
    let left = plan.extract(&blanked, &mut scratch);
    assert!(left.values(0).all(|value| value.iter().all(|byte| *byte == b'*')), "{mask}");
}

/// Points find the same together as alone.
fn agree(together: &Plan, alone: &[Plan], exchange: &Exchange) {
    let mut scratch = Scratch::default();
    let all = together.extract(exchange, &mut scratch);
    assert!(all.parse_errors().len() <= Bounds::default().parse_errors);
    // What one point decodes is no longer there for the others.
    let bounded = all.parse_errors().iter().any(|error| error.reason.starts_with("the bound on"));
    for (index, (point, alone)) in together.points().iter().zip(alone).enumerate() {
        let alone = alone.extract(exchange, &mut scratch);
        assert!(all.values(index).all(|value| !value.is_empty()));
        assert!(!matches!(all.get(index), Found::Masked));
        assert!(bounded || all.get(index) == alone.get(0), "{point}: {:?} {:?}", all.get(index), alone.get(0));
        assert!(bounded || all.values(index).eq(alone.values(0)), "{point}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_make_deep_points_and_documents() {
        // A small generator: the bytes only have to differ.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut deepest = 0;
        let mut longest = 0;
        for _ in 0..200 {
            let bytes: Vec<u8> = (0..96)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            fuzz_policy_and_message(&bytes);
            fuzz_shown(&bytes);
            deepest = deepest.max(Choices(&bytes).point().map_or(0, |point| point.steps().len()));
            longest = longest.max(Choices(&bytes).document(4).len());
        }
        assert!(deepest >= 8 && longest >= 200, "{deepest} {longest}");
    }
}
