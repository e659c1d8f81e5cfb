//! From a document to the parts of a [`Policy`](crate::Policy): every field is judged, and all errors are reported
//! together.

mod applications;
mod masks;
mod names;
mod parameters;
mod proxies;
mod scopes;

pub use applications::MAXIMUM_APPLICATIONS;
pub use masks::MAXIMUM_MASKS;
pub use names::MAXIMUM_NAME_CHARACTERS;
pub use parameters::{MAXIMUM_FURTHER_POINTS, MAXIMUM_PARAMETERS};
pub use scopes::MAXIMUM_PATTERNS;

use threadline_points::{Bounds, Plan, PlanError, Point};

use crate::policy::Parts;
use crate::{Applications, FieldError, PointSpelling, PolicyDocument};

/// # Errors
/// Every field that cannot be accepted, in the document's order.
pub(crate) fn judge(document: PolicyDocument) -> Result<Parts, Vec<FieldError>> {
    let mut errors = Vec::new();
    let applications = Applications::new(applications::judge(&document.applications, &mut errors));
    let known = scopes::Known { applications: &applications, written: &document.applications };
    let analysed = scopes::judge("analysed", &document.analysed, &known, &mut errors);
    let trusted_proxies = proxies::judge(document.trusted_proxies.as_ref(), &mut errors);
    let masks = masks::judge(&document.masks, &known, &mut errors);
    let parameters = parameters::judge(&document.parameters, &known, &mut errors);
    if errors.is_empty() {
        Ok(Parts { applications, analysed, trusted_proxies, masks, parameters })
    } else {
        Err(errors)
    }
}

/// Reads a point that can be resolved.
fn read_point(spelling: &PointSpelling) -> Result<Point, String> {
    let point = match spelling {
        PointSpelling::Text(text) => Point::parse(text).map_err(|refused| refused.to_string())?,
        PointSpelling::Json(steps @ serde_json::Value::Array(_)) => {
            Point::from_json(steps).map_err(|refused| refused.to_string())?
        }
        PointSpelling::Json(_) => {
            let examples = "`request > query token`, or a list of steps, [\"request\", [\"query\", \"token\"]]";
            return Err(format!("a point is text, {examples}"));
        }
    };
    match Plan::compile(std::slice::from_ref(&point), Bounds::default()) {
        Ok(_) => Ok(point),
        // Without the point's number in that plan.
        Err(PlanError::TooManyRounds { bound, .. }) => {
            Err(format!("more than {bound} formats are decoded inside each other"))
        }
        Err(other) => Err(other.to_string()),
    }
}

/// Facts that every exported exchange carries in clear; hashing or masking a copy of them would only pretend.
fn is_plain_metadata(point: &Point) -> bool {
    matches!(
        point.to_string().as_str(),
        "request > method" | "request > scheme" | "request > proto" | "response > status"
    )
}

/// Says that a list is too long; only as much as is allowed is judged further.
fn check_length(field: &str, what: &str, length: usize, most: usize, errors: &mut Vec<FieldError>) {
    if length > most {
        errors.push(FieldError::new(
            format!("{field}[{most}]"),
            format!("at most {most} {what} are allowed, this is a list of {length}"),
        ));
    }
}
