//! Where something applies: chosen applications, hosts, paths and methods.

use threadline_model::{Exchange, Scheme};

use crate::{Applications, Host, HostPattern, NormalPath, PathPattern, ScopeDocument};

/// Where something applies. A list that is empty leaves its question open; of one that is not, one entry must match; all
/// lists must.
#[derive(Clone, Debug, Default, Eq)]
pub struct Scope {
    /// Applications by their position in the policy; `None` is `default`.
    pub(crate) applications: Vec<Option<u16>>,
    /// The same by their ID.
    pub(crate) application_ids: Vec<String>,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) paths: Vec<PathPattern>,
    /// In upper case.
    pub(crate) methods: Vec<String>,
}

impl Scope {
    /// Whether it leaves every question open.
    pub fn is_everything(&self) -> bool {
        self.applications.is_empty() && self.hosts.is_empty() && self.paths.is_empty() && self.methods.is_empty()
    }

    /// Whether an exchange at this place is meant.
    pub fn contains(&self, location: &Location<'_>) -> bool {
        let application = || self.applications.contains(&location.application);
        let host = || location.host.is_some_and(|host| self.hosts.iter().any(|pattern| pattern.matches(host)));
        let path = || self.paths.iter().any(|pattern| pattern.matches(&location.path));
        // Methods compare with case (RFC 9110, section 9.1), but a server that is lenient is no way around a mask.
        let method = || self.methods.iter().any(|method| location.method.eq_ignore_ascii_case(method.as_bytes()));
        (self.applications.is_empty() || application())
            && (self.hosts.is_empty() || host())
            && (self.paths.is_empty() || path())
            && (self.methods.is_empty() || method())
    }

    /// Whether every exchange that `other` means is meant, as far as that can be told from the lists alone.
    pub fn covers(&self, other: &Self) -> bool {
        covers_all(&self.application_ids, &other.application_ids, PartialEq::eq)
            && covers_all(&self.hosts, &other.hosts, HostPattern::covers)
            && covers_all(&self.paths, &other.paths, PathPattern::covers)
            && covers_all(&self.methods, &other.methods, PartialEq::eq)
    }

    /// As written in a policy.
    pub fn document(&self) -> ScopeDocument {
        ScopeDocument {
            applications: self.application_ids.clone(),
            hosts: self.hosts.iter().map(ToString::to_string).collect(),
            paths: self.paths.iter().map(ToString::to_string).collect(),
            methods: self.methods.clone(),
        }
    }

    /// In words, for people: `application shop, host *.shop.example, path /api or /v2`.
    pub fn sentence(&self) -> String {
        if self.is_everything() {
            return "everywhere".to_owned();
        }
        let list = |word: &str, entries: Vec<String>| {
            (!entries.is_empty()).then(|| format!("{word} {}", entries.join(" or ")))
        };
        let parts = [
            list("application", self.application_ids.clone()),
            list("host", self.hosts.iter().map(ToString::to_string).collect()),
            list("path", self.paths.iter().map(ToString::to_string).collect()),
            list("method", self.methods.clone()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Positions, which another order of the applications changes, say nothing that IDs do not.
impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.application_ids == other.application_ids
            && self.hosts == other.hosts
            && self.paths == other.paths
            && self.methods == other.methods
    }
}

/// Whether a list means all that a narrower one means; an empty list means everything.
pub(crate) fn covers_all<T>(wide: &[T], narrow: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow))))
}

/// Where an exchange belongs: what scopes ask about. Found once for each exchange.
#[derive(Clone, Debug)]
pub struct Location<'e> {
    /// Its application by position; `None` is `default`.
    pub application: Option<u16>,
    pub(crate) host: Option<Host<'e>>,
    pub(crate) path: NormalPath<'e>,
    pub(crate) method: &'e [u8],
}

impl<'e> Location<'e> {
    /// Finds where an exchange belongs.
    pub fn of(exchange: &'e Exchange, applications: &Applications) -> Self {
        let request = &exchange.request;
        let default_port = request.scheme.map(|scheme| match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        });
        let host = request.host.as_ref().map(|host| Host::read(host.as_bytes(), default_port));
        let target = request.target.as_bytes();
        let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
        let path = NormalPath::read(&target[..end]);
        Self { application: applications.of(host, &path), host, path, method: request.method.as_bytes() }
    }
}
