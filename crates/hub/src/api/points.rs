//! Points tried out on an exchange: what one selects, and all that there are. The exchange is one seen recently by a
//! node, or a sample in the request.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use threadline_model::Exchange;
use threadline_points::{
    Found, ListBounds, ListedPoint, ParseError, Point, PointList, Preview, SelectedPart, Selection, Standing, Stop,
    list, preview,
};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::message::{CapturedBytes, CapturedMessages};
use super::policy::{PointInput, PointSpellings};
use super::recent::look;
use crate::hub::Inner;
use crate::problem::Problem;
use crate::recent::Sample;
use crate::security::Caller;

/// Requests with samples may have at most this many bytes.
const MAXIMUM_SAMPLE_BYTES: usize = 1 << 20;
/// Bytes shown of each value of a preview.
const VALUE_BYTES: usize = 8 * 1024;
/// Values shown of a point that takes several.
const VALUES: usize = 64;

/// An exchange written down: messages as HTTP/1.1 writes them, or an entry of an HTTP Archive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SampleInput {
    /// Request line, headers, an empty line, body. Line feeds do for line ends; the body is taken as written, without
    /// framing and decoded.
    request: Option<String>,
    /// Status line, headers, an empty line, body.
    response: Option<String>,
    /// An element of `log.entries` of a HAR file, instead of the two.
    #[schema(value_type = Option<Object>)]
    har_entry: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A point to try out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewInput {
    /// The point as written.
    point: PointInput,
    /// An exchange seen recently; or `sample`.
    exchange_id: Option<String>,
    /// A sample; or `exchange_id`.
    sample: Option<SampleInput>,
}

/// An exchange to look for points in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListInput {
    /// An exchange seen recently; or `sample`.
    exchange_id: Option<String>,
    /// A sample; or `exchange_id`.
    sample: Option<SampleInput>,
}

/// What became of a point.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finding {
    /// A value.
    Value,
    /// Nothing stands there.
    Absent,
    /// An empty value stands there.
    Empty,
    /// A mask covers it.
    Masked,
    /// Null, an object or an array stands there.
    NotScalar,
    /// It could not be parsed up to there.
    Unparsable,
    /// It lies in a part that was not captured.
    NotCaptured,
}

impl From<&Found<'_>> for Finding {
    fn from(found: &Found<'_>) -> Self {
        match found {
            Found::Value(_) => Self::Value,
            Found::Absent => Self::Absent,
            Found::Empty => Self::Empty,
            Found::Masked => Self::Masked,
            Found::NotScalar => Self::NotScalar,
            Found::Unparsable => Self::Unparsable,
            Found::NotCaptured => Self::NotCaptured,
        }
    }
}

/// A value, perhaps its beginning only.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointValue {
    /// The value, or its first bytes.
    content: CapturedBytes,
    /// How many bytes the whole value has.
    bytes: u64,
    /// Only the beginning is shown.
    cut: bool,
}

impl PointValue {
    /// The first bytes of a value of `length` bytes, a character that the cut went through left out.
    fn new(beginning: &[u8], length: usize) -> Self {
        let cut = beginning.len() < length;
        let shown = match std::str::from_utf8(beginning) {
            Err(error) if cut && error.error_len().is_none() => &beginning[..error.valid_up_to()],
            _ => beginning,
        };
        Self { content: shown.into(), bytes: length as u64, cut }
    }

    fn shortened(value: &[u8]) -> Self {
        Self::new(&value[..value.len().min(VALUE_BYTES)], value.len())
    }
}

/// Bytes of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointSelection {
    /// `request` or `response`.
    side: &'static str,
    /// `method`, `target`, `version`, `host`, `status`, `header` or `body`.
    part: &'static str,
    /// Which header, counted from 0; null for other parts.
    #[schema(required)]
    header: Option<u32>,
    /// The first byte selected, counted from the start of the part (of a header: of its value).
    start: u64,
    /// The byte behind the last one.
    end: u64,
    /// The bytes are the value; otherwise the value was decoded out of them.
    exact: bool,
}

impl From<&Selection> for PointSelection {
    fn from(selection: &Selection) -> Self {
        Self {
            side: selection.side.as_str(),
            part: selection.part.as_str(),
            header: match selection.part {
                SelectedPart::Header(position) => u32::try_from(position).ok(),
                _ => None,
            },
            start: selection.range.start as u64,
            end: selection.range.end as u64,
            exact: selection.exact,
        }
    }
}

/// Where a point went astray.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointStop {
    /// The step that leads nowhere, from 0: `request` or `response` is step 0.
    step: u32,
    /// What stands there: `nothing`, `names`, `elements`, `text`, `empty`, `hollow`, `masked`, `unparsable` or
    /// `not_captured`.
    standing: &'static str,
    /// The names that stand there (`names`).
    names: Vec<String>,
    /// How many more there are at least (`names`), how many elements (`elements`) or bytes (`text`).
    count: u64,
    /// The same in a sentence, without the names.
    reason: String,
}

impl PointStop {
    fn new(stop: &Stop, point: &Point, found: &Found<'_>) -> Self {
        let (names, count) = match &stop.standing {
            Standing::Names { names, more } => {
                let names = names.iter().map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
                (names.collect(), *more as u64)
            }
            Standing::Elements(count) | Standing::Text(count) => (Vec::new(), *count as u64),
            _ => (Vec::new(), 0),
        };
        let step = point.steps().get(stop.step.saturating_sub(1));
        let word = step.map_or("", threadline_points::Step::word);
        // It led somewhere, but not to a value.
        let arrived = matches!(found, Found::NotScalar);
        let reason = match &stop.standing {
            Standing::Nothing => format!("there is nothing that `{word}` could find"),
            Standing::Names { .. } if arrived => {
                format!("`{word}` leads to names with values of their own, not to a value")
            }
            Standing::Names { .. } => format!("`{word}` finds nothing of that name; other names stand here"),
            Standing::Elements(count) if arrived => {
                format!("`{word}` leads to a list of {count} elements, not to a value")
            }
            Standing::Elements(count) => format!("`{word}` finds nothing in a list of {count} elements"),
            Standing::Text(bytes) => format!("`{word}` finds nothing in a text of {bytes} bytes"),
            Standing::Empty => format!("`{word}` finds an empty value"),
            Standing::Hollow => format!("`{word}` meets null, or something without content"),
            Standing::Masked => format!("a mask covers what `{word}` finds"),
            Standing::Unparsable => format!("what `{word}` looks at cannot be parsed that far"),
            Standing::NotCaptured => format!("what `{word}` looks at was not captured, or not that far"),
        };
        Self {
            step: u32::try_from(stop.step).unwrap_or(u32::MAX),
            standing: stop.standing.as_str(),
            names,
            count,
            reason,
        }
    }
}

/// A parser that stopped before the end of what it was given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointParseError {
    /// Where: `request body` …
    part: String,
    /// The parser: `json` …
    parser: &'static str,
    /// Bytes from the start of what the parser was given.
    offset: u32,
    /// Why.
    reason: &'static str,
}

impl From<&ParseError> for PointParseError {
    fn from(error: &ParseError) -> Self {
        Self { part: error.part.to_string(), parser: error.parser, offset: error.offset, reason: error.reason }
    }
}

/// What a point selects in an exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointPreview {
    /// The point in its spellings.
    #[serde(flatten)]
    spellings: PointSpellings,
    /// What became of it.
    found: Finding,
    /// The value, or the first ones of a point that takes several; empty when there is none.
    values: Vec<PointValue>,
    /// The bytes of the message that the values are, or were decoded out of.
    selections: Vec<PointSelection>,
    /// Where the point went astray; null when it found a value.
    #[schema(required)]
    stop: Option<PointStop>,
    /// The parsers that stopped early.
    parse_errors: Vec<PointParseError>,
    /// Of a sample: the messages as they were read, which the selections count in.
    #[schema(required)]
    messages: Option<CapturedMessages>,
}

/// Try out a point
///
/// Shows which part of the message a point selects, with the value, or where it went astray and what stands there
/// instead. The exchange is one seen recently (each look is in the audit log) or a sample, which is not kept.
#[utoipa::path(
    post, path = "/points/preview", tag = "points",
    request_body = PreviewInput,
    responses((status = 200, description = "What it selects.", body = PointPreview)),
)]
pub(crate) async fn preview_point(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(input): JsonBody<PreviewInput, MAXIMUM_SAMPLE_BYTES>,
) -> Result<Json<PointPreview>, Problem> {
    let point = match input.point {
        PointInput::Text(text) => Point::parse(&text),
        PointInput::Steps(steps) => Point::from_json(&steps.into()),
    };
    let point = point.map_err(|error| Problem::field("point", error.to_string()))?;
    let (exchange, masks, is_sample) =
        exchange(&hub, &caller, input.exchange_id, input.sample, "recent_exchange.previewed").await?;
    let bounds = hub.settings.bounds;
    let shown = tokio::task::spawn_blocking(move || {
        let shown =
            preview(&point, &masks, &exchange, bounds).map_err(|error| Problem::field("point", error.to_string()))?;
        Ok(PointPreview::new(&point, &shown, is_sample.then_some(&exchange)))
    });
    shown.await.map_err(|error| Problem::internal("try out the point", &error))?.map(Json)
}

impl PointPreview {
    fn new(point: &Point, shown: &Preview<'_>, sample: Option<&Exchange>) -> Self {
        let more = shown.more.iter().map(|value| &**value);
        let values = shown.found.value().into_iter().chain(more).take(VALUES);
        Self {
            spellings: point.into(),
            found: (&shown.found).into(),
            values: values.map(PointValue::shortened).collect(),
            selections: shown.selections.iter().take(VALUES).map(Into::into).collect(),
            stop: shown.stop.as_ref().map(|stop| PointStop::new(stop, point, &shown.found)),
            parse_errors: shown.errors.iter().map(Into::into).collect(),
            messages: sample.map(Into::into),
        }
    }
}

/// One point of an exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointOfExchange {
    /// Text spelling.
    point: String,
    /// JSON spelling.
    #[schema(value_type = Vec<serde_json::Value>)]
    point_json: serde_json::Value,
    /// `value`, `empty` or `masked`.
    found: Finding,
    /// The value; null when there is none to show.
    #[schema(required)]
    value: Option<PointValue>,
    /// Where it stands in the message; null when it was decoded.
    #[schema(required)]
    selection: Option<PointSelection>,
    /// Credentials usually stand there.
    credential: bool,
}

impl From<&ListedPoint> for PointOfExchange {
    fn from(listed: &ListedPoint) -> Self {
        Self {
            point: listed.point.to_string(),
            point_json: listed.point.to_json(),
            found: (&listed.found).into(),
            value: listed.found.value().map(|value| PointValue::new(value, listed.bytes)),
            selection: listed.selection.as_ref().map(Into::into),
            credential: listed.point.is_credential_place(),
        }
    }
}

/// The points of an exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PointsOfExchange {
    /// In the order of the message; what lies in a value stands behind it.
    points: Vec<PointOfExchange>,
    /// There are more than are listed.
    truncated: bool,
    /// Of a sample: the messages as they were read, which the selections count in.
    #[schema(required)]
    messages: Option<CapturedMessages>,
}

/// List the points of an exchange
///
/// Every point with its value, also inside of values: a token's claims, JSON in a cookie. The exchange is one seen
/// recently (each look is in the audit log) or a sample, which is not kept.
#[utoipa::path(
    post, path = "/points/list", tag = "points",
    request_body = ListInput,
    responses((status = 200, description = "The points.", body = PointsOfExchange)),
)]
pub(crate) async fn list_points(
    State(hub): State<Arc<Inner>>,
    Extension(caller): Extension<Caller>,
    JsonBody(input): JsonBody<ListInput, MAXIMUM_SAMPLE_BYTES>,
) -> Result<Json<PointsOfExchange>, Problem> {
    let (exchange, masks, is_sample) =
        exchange(&hub, &caller, input.exchange_id, input.sample, "recent_exchange.points_listed").await?;
    listed(&hub, exchange, masks, is_sample).await.map(Json)
}

/// The points of an exchange, and of a sample its messages.
pub(super) async fn listed(
    hub: &Inner,
    exchange: Exchange,
    masks: Vec<Point>,
    is_sample: bool,
) -> Result<PointsOfExchange, Problem> {
    let bounds = hub.settings.bounds;
    let listing = tokio::task::spawn_blocking(move || {
        let PointList { points, truncated } = list(&exchange, &masks, bounds, ListBounds::default());
        PointsOfExchange {
            points: points.iter().map(Into::into).collect(),
            truncated,
            messages: is_sample.then(|| (&exchange).into()),
        }
    });
    listing.await.map_err(|error| Problem::internal("list the points", &error))
}

/// The exchange that a request speaks about, what masks cover in it, and whether it is a sample.
async fn exchange(
    hub: &Inner,
    caller: &Caller,
    exchange_id: Option<String>,
    sample: Option<SampleInput>,
    action: &'static str,
) -> Result<(Exchange, Vec<Point>, bool), Problem> {
    match (exchange_id, sample) {
        (Some(id), None) => {
            let kept = look(hub, caller, "exchange_id", &id, action).await?;
            Ok((kept.exchange, kept.masks, false))
        }
        (None, Some(sample)) => {
            let exchange = read_sample(hub, sample)?;
            let masks = hub.policies.current().masked_in(&exchange);
            Ok((exchange, masks, true))
        }
        (Some(_), Some(_)) => Err(Problem::field("sample", "cannot stand beside exchange_id")),
        (None, None) => Err(Problem::field("exchange_id", "is needed, or a sample")),
    }
}

fn read_sample(hub: &Inner, sample: SampleInput) -> Result<Exchange, Problem> {
    let SampleInput { request, response, har_entry } = sample;
    let sample = match har_entry {
        Some(_) if request.is_some() || response.is_some() => {
            return Err(Problem::field("sample.har_entry", "cannot stand beside request or response"));
        }
        Some(entry) => Sample::HarEntry(serde_json::Value::Object(entry).to_string()),
        None if request.is_none() && response.is_none() => {
            return Err(Problem::field("sample", "needs a request, a response or a har_entry"));
        }
        None => Sample::Messages { request, response },
    };
    (hub.settings.read_sample)(sample).map_err(|error| Problem::field(format!("sample.{}", error.field), error.reason))
}
