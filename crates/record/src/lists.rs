//! Builders of the list columns. Arrow's generic list builder looks its children up by type on every element; these
//! hold them directly.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, ListArray, StringBuilder, StructArray, UInt32Builder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Fields};
use arrow::error::ArrowError;

use crate::row::{ParameterRow, ParseErrorRow};
use crate::schema;

/// Where each row's elements end.
#[derive(Debug, Default)]
struct Lengths(Vec<usize>);

impl Lengths {
    fn finish(&mut self, fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::from_lengths(self.0.drain(..));
        let elements = StructArray::try_new(fields.clone(), columns, None)?;
        let element = schema::element(DataType::Struct(fields));
        Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(elements), None)?))
    }
}

/// The column `params`.
#[derive(Debug, Default)]
pub(crate) struct ParameterList {
    lengths: Lengths,
    name: StringBuilder,
    value: StringBuilder,
    hashed: BooleanBuilder,
    origin: StringBuilder,
    hidden: BooleanBuilder,
}

impl ParameterList {
    pub(crate) fn append(&mut self, parameters: &[ParameterRow<'_>]) {
        self.lengths.0.push(parameters.len());
        for parameter in parameters {
            self.name.append_value(parameter.name);
            self.value.append_value(parameter.value);
            self.hashed.append_value(parameter.hashed);
            self.origin.append_value(parameter.origin.as_str());
            self.hidden.append_value(parameter.hidden);
        }
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.name.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.hashed.finish()),
            Arc::new(self.origin.finish()),
            Arc::new(self.hidden.finish()),
        ];
        self.lengths.finish(schema::parameter_fields(), columns)
    }
}

/// The column `parse_errors`.
#[derive(Debug, Default)]
pub(crate) struct ParseErrorList {
    lengths: Lengths,
    part: StringBuilder,
    parser: StringBuilder,
    offset: UInt32Builder,
    reason: StringBuilder,
}

impl ParseErrorList {
    pub(crate) fn append(&mut self, errors: &[ParseErrorRow<'_>]) {
        self.lengths.0.push(errors.len());
        for error in errors {
            self.part.append_value(error.part);
            self.parser.append_value(error.parser);
            self.offset.append_value(error.offset);
            self.reason.append_value(error.reason);
        }
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.part.finish()),
            Arc::new(self.parser.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.reason.finish()),
        ];
        self.lengths.finish(schema::parse_error_fields(), columns)
    }
}
