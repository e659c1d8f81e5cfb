//! The one exit: the only place where captured values become exportable ones.
//!
//! A [`Selector`] takes an exchange with what was extracted and decided, and gives a [`Contextual`]: metadata, the
//! context parameters a policy selects, user, role and the deciding key. Nothing else leaves the node, and what a
//! hashed parameter covers, or is a credential in a place that the built-in set knows
//! ([`visit_credentials`](threadline_grouping::visit_credentials)), whichever key decided, is replaced by its keyed
//! hash, or cut, wherever it would appear: in the path, the query, the host, the User-Agent, the trace-id and other
//! parameters. A credential that a parameter exports in clear, because somebody chose so, is in clear in that parameter
//! and its query field only, and not even there when the built-in set decided by it. Values of fewer than three bytes
//! are not looked for elsewhere, nor those of fewer than six inside other texts, nor other encodings of a value. The
//! rest of the headers, both bodies, query values that nobody selected and Referer are not exported at all.
//!
//! Nothing here parses a body, decides a session, or knows the table's encoding.

mod contextual;
mod endpoint;
mod head;
mod operation;
mod secrets;
mod selection;
mod selector;
mod target;
mod text;

pub use contextual::{ContextParameter, ContextParseError, ContextSession, Contextual};
pub use selector::{Replaced, Selector};
pub use text::Text;
