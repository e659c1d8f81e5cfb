//! Counts over a range: the values of fields, and exchanges over time.

#![allow(unused_qualifications, reason = "utoipa's macro qualifies the parameters' types")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use threadline_store::FacetField;
use utoipa::IntoParams;

use super::answers::{Facet, FacetList, Histogram};
use super::filters::{FACETS, FacetName, FilterParameters, take_filters};
use super::query::QueryParameters;
use super::range::DefaultRange;
use crate::hub::Inner;
use crate::problem::Problem;

/// Which fields to count.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct FacetParameters {
    /// The fields; all of them when left out.
    field: Option<Vec<FacetName>>,
    /// Values wanted per field.
    #[param(minimum = 1, maximum = 500, default = 10)]
    limit: Option<u32>,
}

/// How finely to divide time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(crate) struct HistogramParameters {
    /// Bars wanted.
    #[param(minimum = 1, maximum = 1000, default = 60)]
    bars: Option<u32>,
}

/// Count the values of fields
///
/// Most exchanges first. The filters hold for every field, its own included.
#[utoipa::path(
    get, path = "/facets", tag = "sessions",
    params(FilterParameters, FacetParameters),
    responses((status = 200, description = "Counts by field.", body = FacetList)),
)]
pub(crate) async fn facets(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<FacetList>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    let limit = parameters.take_number("limit", 10, 1..=500);
    let fields = take_fields(&mut parameters);
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::of_list(&filters)).await?;
    let facets = hub.store.facets(range, filters, fields, limit).await.map_err(Problem::store)?;
    Ok(Json(FacetList { range: range.into(), facets: Facet::list(facets) }))
}

fn take_fields(parameters: &mut QueryParameters) -> Vec<FacetField> {
    let asked = parameters.take_all("field");
    if asked.is_empty() {
        return FACETS.iter().map(|(_, field)| *field).collect();
    }
    let mut fields = Vec::new();
    for name in asked {
        match FACETS.iter().find(|(known, _)| *known == name) {
            Some((_, field)) if fields.contains(field) => parameters.refuse("field", "names a field twice"),
            Some((_, field)) => fields.push(*field),
            None => {
                let known: Vec<&str> = FACETS.iter().map(|(known, _)| *known).collect();
                parameters.refuse("field", format!("expected one of {}", known.join(", ")));
            }
        }
    }
    fields
}

/// Count exchanges over time
///
/// The range in equal bars, empty ones included.
#[utoipa::path(
    get, path = "/histogram", tag = "sessions",
    params(FilterParameters, HistogramParameters),
    responses((status = 200, description = "The bars.", body = Histogram)),
)]
pub(crate) async fn histogram(
    State(hub): State<Arc<Inner>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Histogram>, Problem> {
    let mut parameters = QueryParameters::parse(query.as_deref())?;
    let asked = parameters.take_range(hub.now());
    let filters = take_filters(&mut parameters);
    let bars = parameters.take_number("bars", 60, 1..=1_000) as u16;
    parameters.finish()?;
    let range = hub.range(asked, DefaultRange::of_list(&filters)).await?;
    let bars = hub.store.histogram(range, filters, bars).await.map_err(Problem::store)?;
    Ok(Json(Histogram::new(range, bars)))
}
