//! Hosts, paths and methods, in applications and in scopes.

use crate::{
    ApplicationDocument, Applications, DEFAULT_APPLICATION, FieldError, HostPattern, PathPattern, Scope, ScopeDocument,
};

/// Entries of one list of hosts, paths, methods or applications.
pub const MAXIMUM_PATTERNS: usize = 100;

/// The applications that scopes may name.
pub(super) struct Known<'d> {
    /// Those that are valid.
    pub(super) applications: &'d Applications,
    /// All that are written: an error of one is reported once, where it is.
    pub(super) written: &'d [ApplicationDocument],
}

pub(super) fn judge(field: &str, written: &ScopeDocument, known: &Known<'_>, errors: &mut Vec<FieldError>) -> Scope {
    let mut scope = Scope::default();
    let ids = read_list(&format!("{field}.applications"), "applications", &written.applications, errors, |id| {
        let is_written = id == DEFAULT_APPLICATION || known.written.iter().any(|one| one.id == id);
        if is_written { Ok(id.to_owned()) } else { Err("there is no application with this ID") }
    });
    scope.applications = ids.iter().filter_map(|id| known.applications.position(id)).collect();
    scope.application_ids = ids;
    scope.hosts = read_hosts(&format!("{field}.hosts"), &written.hosts, errors);
    scope.paths = read_paths(&format!("{field}.paths"), &written.paths, errors);
    scope.methods = read_list(&format!("{field}.methods"), "methods", &written.methods, errors, |method| {
        let token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_token = (1..=32).contains(&method.len()) && method.bytes().all(token_byte);
        if is_token { Ok(method.to_ascii_uppercase()) } else { Err("is not a method such as POST") }
    });
    scope
}

pub(super) fn read_hosts(field: &str, written: &[String], errors: &mut Vec<FieldError>) -> Vec<HostPattern> {
    read_list(field, "hosts", written, errors, HostPattern::parse)
}

pub(super) fn read_paths(field: &str, written: &[String], errors: &mut Vec<FieldError>) -> Vec<PathPattern> {
    read_list(field, "paths", written, errors, PathPattern::parse)
}

/// Reads the entries of a list, none of which may stand twice.
pub(super) fn read_list<T: PartialEq>(
    field: &str,
    what: &str,
    written: &[String],
    errors: &mut Vec<FieldError>,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Vec<T> {
    super::check_length(field, what, written.len(), MAXIMUM_PATTERNS, errors);
    let mut list: Vec<(usize, T)> = Vec::new();
    for (position, text) in written.iter().take(MAXIMUM_PATTERNS).enumerate() {
        match read(text) {
            Ok(entry) => match list.iter().find(|(_, other)| *other == entry) {
                Some((other, _)) => {
                    let reason = format!("says the same as {field}[{other}]");
                    errors.push(FieldError::new(format!("{field}[{position}]"), reason));
                }
                None => list.push((position, entry)),
            },
            Err(reason) => errors.push(FieldError::new(format!("{field}[{position}]"), reason)),
        }
    }
    list.into_iter().map(|(_, entry)| entry).collect()
}
