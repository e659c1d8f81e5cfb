//! The export ledger: what left nodes and was stored, by node and field.

#![allow(unused_qualifications, reason = "utoipa's macro qualifies the parameters' types")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use threadline_model::{Timestamp, UtcDay};
use utoipa::{IntoParams, ToSchema};

use super::query::{AskedRange, QueryParameters};
use crate::database::export_ledger::{self, KEPT_DAYS, MAXIMUM_SUMS, Sum};
use crate::hub::Inner;
use crate::problem::Problem;

/// Over which days.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct ExportsParameters {
    /// A moment in the first day, RFC 3339.
    from: Option<String>,
    /// The moment that ends the range, RFC 3339; the day of the last moment before it counts whole. Now when left out.
    to: Option<String>,
    /// Instead of both: the last `15m`, `24h`, `7d` …, or `all`.
    last: Option<String>,
}

/// What left of one field of one node in one form.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedField {
    /// The node; null for those beyond the first 1,024 of a day.
    #[schema(required)]
    node: Option<String>,
    /// A column of the `exchanges` table; `session_value configured`, `session_value builtin` or `session_value fallback`
    /// by the kind of key that decided; `parameter NAME`; or `further parameters`, those beyond the first 256 names of a
    /// node and day.
    field: String,
    /// `clear` or `hashed`.
    form: String,
    /// Values: of lists, elements.
    values: u64,
    /// Bytes of the values: texts in UTF-8, numbers and identities as the table holds them.
    bytes: u64,
    /// The first day with one, `YYYY-MM-DD`.
    first_day: String,
    /// The last day with one, `YYYY-MM-DD`.
    last_day: String,
}

impl From<Sum> for ExportedField {
    fn from(sum: Sum) -> Self {
        Self {
            node: Some(sum.node).filter(|node| !node.is_empty()),
            field: sum.field,
            form: sum.form,
            values: sum.count,
            bytes: sum.bytes,
            first_day: sum.first.to_string(),
            last_day: sum.last.to_string(),
        }
    }
}

/// What left nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedFields {
    /// The first day that was looked at, UTC, `YYYY-MM-DD`.
    from_day: String,
    /// The last day that was looked at, UTC, `YYYY-MM-DD`.
    to_day: String,
    /// Days that are kept.
    kept_days: i32,
    /// Most bytes first, at most 5,000.
    fields: Vec<ExportedField>,
    /// There are more than that.
    more: bool,
}

/// List what left
///
/// How many values of each field left each node and were stored, in which form, and their bytes: by whole UTC days of the
/// request's start, of imports by the day of the import. Kept for 400 days, longer than the exchanges. Without a range:
/// everything that is kept.
#[utoipa::path(
    get, path = "/exports", tag = "policy",
    params(ExportsParameters),
    responses((status = 200, description = "What left, by node and field.", body = ExportedFields)),
)]
pub(crate) async fn list_exports(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<ExportedFields>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    parameters.finish()?;
    let (from, to) = days(asked, hub.now().day());
    hub.exports.write(&hub.database).await?;
    let mut sums = export_ledger::sums(&hub.database, from, to).await?;
    let more = sums.len() > MAXIMUM_SUMS;
    sums.truncate(MAXIMUM_SUMS);
    Ok(Json(ExportedFields {
        from_day: from.to_string(),
        to_day: to.to_string(),
        kept_days: KEPT_DAYS,
        fields: sums.into_iter().map(ExportedField::from).collect(),
        more,
    }))
}

/// First and last day; nodes' clocks may be ahead of ours, so that everything ends tomorrow.
fn days(asked: AskedRange, today: UtcDay) -> (UtcDay, UtcDay) {
    match asked {
        AskedRange::Unsaid | AskedRange::All => (today.plus(-KEPT_DAYS), today.plus(1)),
        AskedRange::Moving(range) | AskedRange::Fixed(range) => {
            (range.from.day(), Timestamp::from_micros(range.to.micros() - 1).day())
        }
    }
}
