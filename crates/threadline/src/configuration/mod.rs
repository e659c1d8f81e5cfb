//! Static configuration: the YAML file as written ([`document`]), overlaid with environment and options, becomes
//! [`Configuration`], which cannot be invalid. Nothing is started here.

mod document;
mod place;
mod validate;

pub(crate) use document::{Document, parse_file, read_text};
pub(crate) use place::line_of;
pub(crate) use validate::{Configuration, DATA_FOLDER, validate};
