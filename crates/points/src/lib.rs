//! Points: addresses of values inside an exchange.

mod bounds;
mod cookie;
mod credential;
mod decode;
mod error;
mod extract;
mod extracted;
mod form;
pub mod fuzzing;
mod json;
mod mask;
mod plan;
mod point;
pub mod reference;
mod rules;
mod scan;
mod spelling;
mod step;
mod target;
mod token;
mod tree;

pub use bounds::{Bounds, Scratch};
pub use error::{PlanError, PointError};
pub use extracted::{Extracted, Found, MessagePart, ParseError};
pub use plan::Plan;
pub use point::Point;
pub use step::{ArgumentKind, HeaderLabel, JwtPart, Pattern, Side, Step, StepForm};
