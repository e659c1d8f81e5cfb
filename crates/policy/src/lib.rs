//! What an operator configures for the nodes: a document as written, and the [`Policy`] it becomes once every field
//! has been judged.
//!
//! A [`Policy`] cannot be invalid: it is only made by [`Policy::validate`], which reports all errors at once and
//! names the field of each. Nothing here reads files, keeps versions or sees an exchange.
//!
//! ```
//! use threadline_policy::{Policy, PolicyDocument};
//!
//! let document: PolicyDocument = serde_json::from_str(
//!     r#"{"parameters": [{"name": "token", "point": "request > query token", "group": true}]}"#,
//! )?;
//! let policy = Policy::validate(7, document).map_err(|errors| errors[0].to_string())?;
//! assert_eq!(policy.version(), 7);
//! assert!(policy.parameters()[0].hashed, "a token in a query is a credential");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod application;
mod difference;
mod document;
mod error;
pub mod fuzzing;
mod host;
mod mask;
mod parameter;
mod path;
mod policy;
mod schema;
mod scope;
mod validation;

pub use application::{Application, Applications, DEFAULT_APPLICATION};
pub use difference::{PolicyChange, PolicyDifference};
pub use document::{
    ApplicationDocument, MaskDocument, ParameterDocument, PointSpelling, PolicyDocument, ScopeDocument,
    TrustedProxiesDocument,
};
pub use error::FieldError;
pub use host::{Host, HostPattern};
pub use mask::{Mask, SUGGESTED_MASKS};
pub use parameter::{Parameter, ParameterType};
pub use path::{NormalPath, PathPattern};
pub use policy::{Policy, Reach};
pub use schema::json_schema;
pub use scope::{Location, Scope};
pub use validation::{
    MAXIMUM_APPLICATIONS, MAXIMUM_FURTHER_POINTS, MAXIMUM_MASKS, MAXIMUM_NAME_CHARACTERS, MAXIMUM_PARAMETERS,
    MAXIMUM_PATTERNS,
};
