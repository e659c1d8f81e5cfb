//! Points: the address of a value inside an exchange, and the way from many addresses to their values in one pass.
//!
//! A [`Point`] starts with `request` or `response` and walks by steps. It has three spellings that convert without
//! loss: text, JSON and the console's breadcrumb. Which step may follow which is one table (`rules`); a point that
//! could never match is refused with the step's name and what may stand there instead.
//!
//! A [`Plan`] is points compiled once: a tree per part of a message, so that one walk of a JSON body serves every
//! point that looks into it, and a part nobody asked for is not touched. [`Plan::extract`] never fails and never
//! panics, is linear in what was captured, and bounds what it does ([`Bounds`]): a broken body gives what stands before the
//! damage and a [`ParseError`].
//!
//! ```
//! use threadline_points::{Bounds, Found, Plan, Point, Scratch, reference};
//!
//! let points: Vec<Point> = [
//!     "request > header AUTHORIZATION > jwt payload > property sub",
//!     "response > body > json > property token",
//!     "request > query page",
//! ]
//! .iter()
//! .map(|text| Point::parse(text))
//! .collect::<Result<_, _>>()?;
//! assert_eq!(points[1].to_json(), serde_json::json!(["response", "body", "json", ["property", "token"]]));
//! assert_eq!(points[1].breadcrumb().join(" › "), "RESPONSE › BODY › JSON › PROPERTY › token");
//!
//! let plan = Plan::compile(&points, Bounds::default())?;
//! let exchange = reference::exchange(1024);
//! let extracted = plan.extract(&exchange, &mut Scratch::default());
//! assert_eq!(extracted.get(0).value(), Some(&b"user-4217"[..]));
//! assert_eq!(extracted.get(1).value(), Some(&b"3f2a9c1e7d5b4860"[..]));
//! assert_eq!(*extracted.get(2), Found::Absent);
//!
//! let error = Point::parse("request > status").unwrap_err();
//! assert!(error.to_string().starts_with("step 2 `status` cannot stand after `request`; here may stand: method,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`preview()`] shows what a point selects in one exchange, [`list()`] every point there is, and [`blank()`] takes out
//! what masks cover; all three ask with plans, so they see what grouping sees.
//!
//! # What is compared and what is given
//! - Values are bytes as they stand in the message, without the encoding of the place they stand in: query fields and
//!   form fields are form-decoded, path parts percent-decoded, JSON strings unescaped. `uri`, headers and cookies are
//!   given as sent. `host` is given in lower case because hosts compare without case (RFC 9110, section 4.2.3).
//! - Header names compare without case; all other names compare byte by byte after decoding.
//! - A text that does not have the shape of a token holds no token ([`Found::Absent`]). A body that is declared to be
//!   something else than JSON or XML and does not start like it is no such document, and one that is declared JSON,
//!   XML, HTML, multipart or binary is no form; one that is declared a text holds no messages of Protocol Buffers. None of
//!   this is damage.
//! - A body is given without its content codings (gzip, deflate, br, zstd, in any order). A step `gzip` reads a value
//!   that is compressed by itself.
//! - Nothing that stands in a response is known of one that never arrived ([`Found::NotCaptured`]).
//! - XML is read without anything outside of the document. Texts in other encodings than UTF-8 are given in UTF-8.
//! - A Set-Cookie that deletes its cookie sets nothing.
//!
//! # What is not here
//! No grouping, no hashing, no decision about what leaves the node. Nothing here opens a socket or reads a clock.
//! A further decoder of one value is a variant of `tree::Decoder`; a further format is a tree and a walker of its own
//! beside `json` and `form`, and a field of `tree::ValueNode`.

mod blank;
mod block;
mod bounds;
mod charset;
mod coding;
mod cookie;
mod cookie_date;
mod credential;
mod decode;
mod error;
mod escapes;
mod extract;
mod extracted;
mod form;
pub mod fuzzing;
mod graphql;
mod grpc;
mod guess;
mod json;
mod list;
mod locate;
mod mask;
mod multipart;
mod operation;
mod plan;
mod point;
mod preview;
mod protobuf;
mod reading;
pub mod reference;
mod rules;
mod scan;
mod spelling;
mod step;
mod target;
mod token;
mod tree;
mod value_tree;
mod viewstate;
mod xml;

pub use blank::blank;
pub use bounds::{Bounds, Scratch};
pub use cookie::SetCookie;
pub use credential::{is_credential_header, is_credential_name};
pub use decode::{form as form_decoded, percent as percent_decoded};
pub use error::{PlanError, PointError};
pub use extracted::{Extracted, Found, MessagePart, ParseError};
pub use list::{ListBounds, ListedPoint, PointList, list};
pub use locate::{SelectedPart, Selection};
pub use operation::{Operation, Operations, Protocol, Spoken};
pub use plan::Plan;
pub use point::Point;
pub use preview::{Preview, Standing, Stop, preview};
pub use step::{ArgumentKind, HeaderLabel, JwtPart, Pattern, Side, Step, StepForm};
