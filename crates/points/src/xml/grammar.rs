//! The declarations of elements, attributes and notations (XML 1.0, sections 3.2, 3.3 and 4.7), each after its first
//! word. `None` stands for one that is not well-formed.

use smallvec::SmallVec;

use super::cursor::Cursor;

/// What `<!ATTLIST` says of one attribute.
pub(super) struct Definition<'x> {
    pub(super) name: &'x str,
    /// Its type is another than CDATA.
    pub(super) has_tokens: bool,
    /// Its default as it is written, and where.
    pub(super) default: Option<(&'x str, usize)>,
}

/// The name that a declaration starts with, and a blank before it.
pub(super) fn declared_name<'x>(cursor: &mut Cursor<'x>) -> Option<&'x str> {
    if cursor.blanks() { cursor.name() } else { None }
}

/// Skips blanks and `>`.
pub(super) fn end(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.blanks();
    cursor.accept(">").then_some(())
}

/// The next attribute of a list; the inner `None` at its end, which is skipped.
pub(super) fn definition<'x>(cursor: &mut Cursor<'x>) -> Option<Option<Definition<'x>>> {
    let blanks = cursor.blanks();
    if cursor.accept(">") {
        return Some(None);
    }
    let name = if blanks { cursor.name()? } else { return None };
    let has_tokens = if cursor.blanks() { has_tokens(cursor)? } else { return None };
    if !cursor.blanks() {
        return None;
    }
    let mut default = None;
    if !cursor.accept("#REQUIRED") && !cursor.accept("#IMPLIED") {
        if cursor.accept("#FIXED") && !cursor.blanks() {
            return None;
        }
        default = Some(cursor.literal()?);
    }
    Some(Some(Definition { name, has_tokens, default }))
}

/// Skips the type of an attribute; gives whether it is another than CDATA.
fn has_tokens(cursor: &mut Cursor<'_>) -> Option<bool> {
    if cursor.rest().starts_with('(') {
        alternatives(cursor, Cursor::token)?;
        return Some(true);
    }
    match cursor.name()? {
        "CDATA" => Some(false),
        "ID" | "IDREF" | "IDREFS" | "ENTITY" | "ENTITIES" | "NMTOKEN" | "NMTOKENS" => Some(true),
        "NOTATION" if cursor.blanks() => alternatives(cursor, Cursor::name).map(|()| true),
        _ => None,
    }
}

/// Skips `(a|b)`.
fn alternatives<'x>(cursor: &mut Cursor<'x>, read: impl Fn(&mut Cursor<'x>) -> Option<&'x str>) -> Option<()> {
    if !cursor.accept("(") {
        return None;
    }
    loop {
        cursor.blanks();
        read(cursor)?;
        cursor.blanks();
        if !cursor.accept("|") {
            return cursor.accept(")").then_some(());
        }
    }
}

/// Skips the declaration of an element. What may stand in it does not matter to any point.
pub(super) fn element(cursor: &mut Cursor<'_>) -> Option<()> {
    declared_name(cursor)?;
    if !cursor.blanks() {
        return None;
    }
    if !cursor.accept("EMPTY") && !cursor.accept("ANY") {
        let start = cursor.position;
        let is_mixed = cursor.accept("(") && {
            cursor.blanks();
            cursor.accept("#PCDATA")
        };
        if is_mixed {
            mixed(cursor)?;
        } else {
            cursor.position = start;
            children(cursor)?;
        }
    }
    end(cursor)
}

/// Skips what follows `(#PCDATA`.
fn mixed(cursor: &mut Cursor<'_>) -> Option<()> {
    let mut has_names = false;
    loop {
        cursor.blanks();
        if cursor.accept(")") {
            // Without names the asterisk may be left out.
            return (cursor.accept("*") || !has_names).then_some(());
        }
        if !cursor.accept("|") {
            return None;
        }
        cursor.blanks();
        cursor.name()?;
        has_names = true;
    }
}

/// Skips groups inside each other, `(a, (b | c)*)?`.
fn children(cursor: &mut Cursor<'_>) -> Option<()> {
    // What separates the members of each open group, as soon as one such stands there.
    let mut open: SmallVec<[Option<u8>; 8]> = SmallVec::new();
    loop {
        // Groups and a name that begin here.
        while cursor.accept("(") {
            open.push(None);
            cursor.blanks();
        }
        if open.is_empty() {
            return None;
        }
        cursor.name()?;
        often(cursor);
        // Groups that end here, then what separates.
        loop {
            cursor.blanks();
            if cursor.accept(")") {
                open.pop();
                often(cursor);
                if open.is_empty() {
                    return Some(());
                }
                continue;
            }
            let separator = cursor.rest().bytes().next().filter(|byte| matches!(byte, b',' | b'|'))?;
            if *open.last_mut()?.get_or_insert(separator) != separator {
                return None;
            }
            cursor.position += 1;
            cursor.blanks();
            break;
        }
    }
}

/// Skips how often something may occur.
fn often(cursor: &mut Cursor<'_>) {
    let _ = cursor.accept("?") || cursor.accept("*") || cursor.accept("+");
}

/// Skips the declaration of a notation.
pub(super) fn notation(cursor: &mut Cursor<'_>) -> Option<()> {
    declared_name(cursor)?;
    if !cursor.blanks() {
        return None;
    }
    cursor.external()??;
    end(cursor)
}

/// Skips any declaration, whatever it says, up to its end. Gives whether it refers to a parameter entity.
pub(super) fn any(cursor: &mut Cursor<'_>) -> Option<bool> {
    let mut refers = false;
    loop {
        let rest = cursor.rest();
        let next = rest.bytes().position(|byte| matches!(byte, b'"' | b'\'' | b'>' | b'<' | b'%'))?;
        cursor.position += next;
        match rest.as_bytes()[next] {
            b'>' => {
                cursor.position += 1;
                return Some(refers);
            }
            b'<' => return None,
            b'%' => {
                cursor.position += 1;
                refers = true;
            }
            _ => cursor.literal().map(|_| ())?,
        }
    }
}
