//! Static configuration: the YAML file as written ([`document`]), overlaid with environment and options, becomes
//! [`Configuration`], which cannot be invalid. Nothing is started here.

mod document;
mod validate;

pub(crate) use document::{Document, read};
pub(crate) use validate::{Configuration, validate};
