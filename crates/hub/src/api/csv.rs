//! Rows as comma-separated values (RFC 4180) that a spreadsheet shows as they are.
//!
//! Cells come from hostile traffic. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, so
//! such text gets an apostrophe in front (OWASP, "CSV Injection"); numbers of our own do not pass through here as text.

/// Writes rows into one text.
#[derive(Debug, Default)]
pub(crate) struct CsvRows {
    text: String,
    row_began: bool,
}

impl CsvRows {
    /// The header row.
    pub(crate) fn with_header(names: &[&str]) -> Self {
        let mut rows = Self::default();
        for name in names {
            rows.raw(name);
        }
        rows.end();
        rows
    }

    /// Appends a cell of text from anywhere.
    pub(crate) fn cell(&mut self, value: &str) {
        self.separate();
        self.text.push('"');
        // Spreadsheets skip white space before they look for a formula.
        if value.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
            || value.starts_with(['\t', '\r', '\n'])
        {
            self.text.push('\'');
        }
        for character in value.chars() {
            if character == '"' {
                self.text.push('"');
            }
            self.text.push(character);
        }
        self.text.push('"');
    }

    /// Appends a cell that may be empty.
    pub(crate) fn optional(&mut self, value: Option<impl ToString>) {
        match value {
            Some(value) => self.cell(&value.to_string()),
            None => self.raw(""),
        }
    }

    /// Appends a number, a time, or a word of our own.
    pub(crate) fn raw(&mut self, value: impl std::fmt::Display) {
        use std::fmt::Write as _;
        self.separate();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) {
        self.text.push_str("\r\n");
        self.row_began = false;
    }

    /// Everything written so far.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if self.row_began {
            self.text.push(',');
        }
        self.row_began = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: &str) -> String {
        let mut rows = CsvRows::default();
        rows.cell(value);
        rows.into_text()
    }

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (value, expected) in [
            ("plain", r#""plain""#),
            (r#"say "hi", there"#, r#""say ""hi"", there""#),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=HYPERLINK(1)", r#""'=HYPERLINK(1)""#),
            ("+1", r#""'+1""#),
            ("-1", r#""'-1""#),
            ("@SUM", r#""'@SUM""#),
            ("\t=1", "\"'\t=1\""),
            ("  =1", r#""'  =1""#),
            ("\r=1", "\"'\r=1\""),
            ("＝1", r#""'＝1""#),
            ("a=1", r#""a=1""#),
            ("", r#""""#),
        ] {
            assert_eq!(cell(value), expected, "{value:?}");
        }
    }

    #[test]
    fn rows_end_with_carriage_return_and_line_feed() {
        let mut rows = CsvRows::with_header(&["a", "b", "c"]);
        rows.raw(5);
        rows.optional(None::<String>);
        rows.optional(Some("x"));
        rows.end();
        assert_eq!(rows.into_text(), "a,b,c\r\n5,,\"x\"\r\n");
    }
}
