//! Points: addresses of values inside an exchange.

mod credential;
mod error;
mod point;
mod rules;
mod spelling;
mod step;

pub use error::{PlanError, PointError};
pub use point::Point;
pub use step::{ArgumentKind, HeaderLabel, JwtPart, Pattern, Side, Step, StepForm};
