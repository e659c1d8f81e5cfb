//! An exchange as it may be shown: the bytes that masks cover are replaced by `*`, on the safe side. Where a masked
//! value does not stand in the message as it is (it was decoded, it is repeated, it lies behind damage or a cut), what
//! encloses it is replaced as a whole.

use std::ops::Range;

use http::{HeaderMap, HeaderValue};
use threadline_model::{CapturedBody, CapturedHeaders, CapturedText, Exchange, Extent};

use crate::locate::{self, SelectedPart};
use crate::mask::{self, HOST_HEADERS};
use crate::reading;
use crate::{Bounds, Extracted, Found, HeaderLabel, Plan, Point, Scratch, Side, Step};

/// What stands for a masked byte.
const BLANK: u8 = b'*';

/// Parts of a message that are replaced.
type Blanks = Vec<(Side, SelectedPart, Range<usize>)>;

/// The exchange without what `masks` cover. Lengths stay as they are. The status code and the version, which are no
/// text, stay too; [`preview`](crate::preview()) and [`list`](crate::list()) with the same masks do not show them.
pub fn blank(exchange: &Exchange, masks: &[Point], bounds: Bounds) -> Exchange {
    let mut blanked = exchange.clone();
    for mask in masks {
        let blanks = blanks(&blanked, mask, bounds);
        apply(&mut blanked, &blanks);
        if shows_any(&blanked, mask, bounds) {
            let all = whole(&blanked, mask);
            apply(&mut blanked, &all);
        }
        match mask.steps().first() {
            Some(Step::RemoteAddr) => blanked.client = None,
            Some(Step::Ja3) => blanked.fingerprints.ja3 = None,
            Some(Step::Ja4) => blanked.fingerprints.ja4 = None,
            _ => {}
        }
    }
    blanked
}

/// Whether a mask still selects something that was not replaced.
fn shows_any(exchange: &Exchange, mask: &Point, bounds: Bounds) -> bool {
    let Ok(plan) = Plan::compile(std::slice::from_ref(mask), bounds) else { return false };
    let extracted = plan.extract(exchange, &mut Scratch::default());
    extracted.values(0).any(|value| value.iter().any(|byte| *byte != BLANK))
}

/// Every part of the message that a mask's first step looks at.
fn whole(exchange: &Exchange, mask: &Point) -> Blanks {
    let Some(first) = mask.steps().first() else { return Blanks::new() };
    let parts = locate::parts(exchange, mask.side(), first);
    let mut blanks: Blanks = parts.into_iter().map(|(part, bytes)| (mask.side(), part, 0..bytes.len())).collect();
    also_elsewhere(exchange, mask, &mut blanks);
    blanks
}

/// A host stands in several places of the request's head: by itself, and in the headers that it may have been read from.
fn also_elsewhere(exchange: &Exchange, mask: &Point, blanks: &mut Blanks) {
    if mask.side() == Side::Response {
        return;
    }
    let twins: Vec<Step> = match mask.steps().first() {
        Some(Step::Host) => HOST_HEADERS.into_iter().filter_map(HeaderLabel::new).map(Step::Header).collect(),
        Some(Step::Header(name)) if HOST_HEADERS.contains(&name.as_str()) => vec![Step::Host],
        Some(Step::Headers) => vec![Step::Host],
        _ => return,
    };
    let parts = twins.iter().flat_map(|twin| locate::parts(exchange, Side::Request, twin));
    blanks.extend(parts.map(|(part, bytes)| (Side::Request, part, 0..bytes.len())));
}

/// What of the message a mask covers.
fn blanks(exchange: &Exchange, mask: &Point, bounds: Bounds) -> Blanks {
    let Some(first) = mask.steps().first() else { return Blanks::new() };
    let all = || whole(exchange, mask);
    let side = mask.side();
    if let Step::Header(_) = first
        && locate::parts(exchange, side, first).len() > 1
    {
        return all();
    }
    // A mask may have steps that are not resolved, or be wider than what can be asked for at once.
    let Some(asked) = Asked::new(mask, bounds) else { return all() };
    let Ok(plan) = Plan::compile(&asked.points, bounds) else { return all() };
    let extracted = plan.extract(exchange, &mut Scratch::default());
    let repeated = asked.first_repeated(&extracted, bounds);
    let last = asked.prefixes.last().map(|(steps, place)| (*steps, extracted.get(*place)));
    let covered = match (repeated, last) {
        (Some(depth), _) => depth,
        (None, Some((steps, Found::Value(_)))) => steps,
        (None, Some((steps, Found::NotScalar | Found::Masked | Found::Unparsable | Found::NotCaptured))) => {
            // The mask's own place has no bytes that could be told from the rest.
            steps - 1
        }
        (None, Some((_, Found::Absent | Found::Empty)) | None) => return Blanks::new(),
    };
    let several = mask.steps().iter().any(|step| matches!(step, Step::All | Step::Names));
    let mut blanks = Blanks::new();
    if let Some((steps, place)) = asked.prefixes.last()
        && covered == *steps
    {
        let values = extracted.values(*place);
        let located: Option<Vec<_>> = values.map(|value| locate::slice(exchange, side, first, value)).collect();
        if let Some(located) = located {
            if several && located.len() >= bounds.values {
                return all();
            }
            blanks.extend(located.into_iter().map(|(part, range)| (side, part, range)));
            also_elsewhere(exchange, mask, &mut blanks);
            return blanks;
        }
    }
    if several {
        return all();
    }
    let enclosing = asked.prefixes.iter().rev().filter(|(steps, _)| *steps <= covered).find_map(|(_, place)| {
        let value = extracted.get(*place).value()?;
        locate::slice(exchange, side, first, value)
    });
    match enclosing.or_else(|| if repeated.is_some() { None } else { locate::enclosing(exchange, mask) }) {
        Some((part, range)) => blanks.push((side, part, range)),
        None => return all(),
    }
    also_elsewhere(exchange, mask, &mut blanks);
    blanks
}

/// What is asked about a mask: its beginnings, and how often each name on its way is there.
struct Asked {
    points: Vec<Point>,
    /// How many steps a beginning has, and its place in the plan.
    prefixes: Vec<(usize, usize)>,
    /// How many steps stand before a name, the name's step, the question and its place in the plan.
    names: Vec<(usize, Step, reading::Names, usize)>,
}

impl Asked {
    fn new(mask: &Point, bounds: Bounds) -> Option<Self> {
        reading::resolved(mask.side(), mask.steps().to_vec(), bounds)?;
        let mut asked = Self { points: Vec::new(), prefixes: Vec::new(), names: Vec::new() };
        for (length, step) in mask.steps().iter().enumerate() {
            let before = &mask.steps()[..length];
            let several = before.iter().any(|step| matches!(step, Step::All | Step::Names));
            for names in reading::names_after(mask.side(), before, bounds) {
                if names.kind == step.kind() && !names.are_numbers() && !several {
                    asked.points.push(names.point.clone());
                    asked.names.push((length, step.clone(), names, asked.points.len() - 1));
                }
            }
            if let Some(prefix) = reading::resolved(mask.side(), mask.steps()[..=length].to_vec(), bounds) {
                asked.points.push(prefix);
                asked.prefixes.push((length + 1, asked.points.len() - 1));
            }
        }
        Some(asked)
    }

    /// How many steps lead to the first place where the mask's name is there more than once, or too many names are to
    /// tell: a point takes one of them, and the others would stay to be seen.
    fn first_repeated(&self, extracted: &Extracted<'_>, bounds: Bounds) -> Option<usize> {
        self.names.iter().find_map(|(before, wanted, names, place)| {
            let mut count = 0;
            let mut same = 0;
            for name in extracted.values(*place) {
                count += 1;
                let step = std::str::from_utf8(name).ok().and_then(names.step);
                let steps = &names.point.steps()[..*before];
                same += usize::from(step.is_some_and(|step| mask::may_be_same(steps, &step, wanted)));
            }
            (same > 1 || count >= bounds.values).then_some(*before)
        })
    }
}

/// Replaces parts of an exchange.
fn apply(exchange: &mut Exchange, blanks: &Blanks) {
    let request = &mut exchange.request;
    for (side, part, range) in blanks {
        match (side, part) {
            (Side::Request, SelectedPart::Method) => blank_text(&mut request.method, range),
            (Side::Request, SelectedPart::Target) => blank_text(&mut request.target, range),
            (Side::Request, SelectedPart::Host) => {
                if let Some(host) = &mut request.host {
                    blank_text(host, range);
                }
            }
            (Side::Request, SelectedPart::Header(position)) => blank_header(&mut request.headers, *position, range),
            (Side::Request, SelectedPart::Body) => blank_body(&mut request.body, range),
            (Side::Response, SelectedPart::Header(position)) => {
                if let Some(response) = &mut exchange.response {
                    blank_header(&mut response.headers, *position, range);
                }
            }
            (Side::Response, SelectedPart::Body) => {
                if let Some(response) = &mut exchange.response {
                    blank_body(&mut response.body, range);
                }
            }
            (_, SelectedPart::Version | SelectedPart::Status) | (Side::Response, _) => {}
        }
    }
}

fn blanked(bytes: &[u8], range: &Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = range.end.min(bytes.len());
    bytes[range.start.min(end)..end].fill(BLANK);
    bytes
}

fn blank_text(text: &mut CapturedText, range: &Range<usize>) {
    *text = CapturedText::new(blanked(text.as_bytes(), range));
}

fn blank_body(body: &mut CapturedBody, range: &Range<usize>) {
    let bytes = blanked(body.as_bytes(), range);
    *body = match body.extent() {
        Extent::Whole => CapturedBody::whole(bytes),
        Extent::Prefix => CapturedBody::prefix(bytes),
        Extent::NotCaptured => CapturedBody::not_captured(),
    };
}

fn blank_header(headers: &mut CapturedHeaders, position: usize, range: &Range<usize>) {
    let mut blanked_map = HeaderMap::with_capacity(headers.as_map().len());
    for (at, (name, value)) in headers.as_map().iter().enumerate() {
        let value = if at == position {
            // A header's value with `*` in it is one.
            HeaderValue::from_bytes(&blanked(value.as_bytes(), range)).unwrap_or(HeaderValue::from_static("*"))
        } else {
            value.clone()
        };
        blanked_map.append(name.clone(), value);
    }
    *headers = CapturedHeaders::new(blanked_map);
}
