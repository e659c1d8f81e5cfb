//! GraphQL requests in JSON (GraphQL over HTTP, section 5.4): an object with `query`, `variables`, `operationName`, or
//! an array of such, which servers take as a batch.

use std::borrow::Cow;
use std::ops::Range;

use crate::json;
use crate::scan::{Scanner, Span, Stop, Stopped};

/// One request, as spans of the JSON text. Of members that occur several times the last counts.
#[derive(Default)]
pub(crate) struct Post {
    /// The document: what lies between the quotes.
    pub(crate) query: Option<Span>,
    /// The document goes on beyond that.
    pub(crate) query_open: bool,
    pub(crate) operation_name: Option<Span>,
    /// The value of `variables`, whatever it is.
    pub(crate) variables: Option<Range<usize>>,
    /// The request was read to its end.
    pub(crate) whole: bool,
}

/// Whether a text is requests in JSON rather than a document: a selection set does not begin with a quote, and nothing
/// stands behind an empty object. `open` says that the text goes on.
pub(crate) fn is_post(text: &[u8], open: bool) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    match text.split_first() {
        Some((b'[', _)) => true,
        Some((b'{', rest)) => match rest.trim_ascii_start() {
            [b'"', ..] => true,
            [b'}', rest @ ..] => !open && rest.trim_ascii_start().is_empty(),
            _ => false,
        },
        _ => false,
    }
}

/// Reads requests from a text that is UTF-8. Those that stand before its end or damage are given.
pub(crate) fn posts(text: &[u8], open: bool, depth: usize) -> (Vec<Post>, Option<Stop>) {
    let mut scanner = Scanner::new(text, open, depth);
    let mut posts = Vec::new();
    match read(&mut scanner, text, &mut posts) {
        Ok(()) => (posts, None),
        Err(Stopped) => (posts, scanner.stop()),
    }
}

fn read(scanner: &mut Scanner<'_>, text: &[u8], posts: &mut Vec<Post>) -> Result<(), Stopped> {
    scanner.skip_byte_order_mark();
    scanner.skip_blanks();
    if scanner.peek() == Some(b'[') {
        scanner.open(1)?;
        let mut is_over = scanner.accept(b']');
        while !is_over {
            if scanner.peek() == Some(b'{') {
                post(scanner, text, 2, posts)?;
            } else {
                scanner.skip_value(1)?;
            }
            is_over = scanner.next_or_close(b']')?;
        }
    } else {
        post(scanner, text, 1, posts)?;
    }
    scanner.finish()
}

/// Reads an object; `depth` counts itself.
fn post(scanner: &mut Scanner<'_>, text: &[u8], depth: usize, posts: &mut Vec<Post>) -> Result<(), Stopped> {
    let position = posts.len();
    posts.push(Post::default());
    let post = &mut posts[position];
    scanner.open(depth)?;
    let mut is_over = scanner.accept(b'}');
    while !is_over {
        let name = scanner.name()?;
        let name = match scanner.text(name) {
            text if name.escaped => Cow::Owned(json::unescape(text)),
            text => Cow::Borrowed(text),
        };
        let start = scanner.position();
        let is_text = scanner.peek() == Some(b'"');
        match &name[..] {
            b"query" if is_text => {
                let read = scanner.string();
                post.query_open = read.is_err();
                let broken = || scanner.stop().map_or(start, |stop| stop.offset);
                post.query = Some(read.unwrap_or_else(|_| json::beginning(text, start + 1, broken())));
                read?;
            }
            b"operationName" if is_text => post.operation_name = Some(scanner.string()?),
            b"variables" => {
                post.variables = Some(start..text.len());
                scanner.skip_value(depth)?;
                post.variables = Some(start..scanner.position());
            }
            other => {
                // A value that is no text takes the place of an earlier one.
                match other {
                    b"query" => post.query = None,
                    b"operationName" => post.operation_name = None,
                    _ => {}
                }
                scanner.skip_value(depth)?;
            }
        }
        is_over = scanner.next_or_close(b'}')?;
    }
    post.whole = true;
    Ok(())
}
