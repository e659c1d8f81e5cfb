//! Applications: named sets of hosts and paths. The first in the list that matches is an exchange's application.

use std::collections::HashMap;

use crate::scope::covers_all;
use crate::{Host, HostPattern, NormalPath, PathPattern};

/// The ID of what belongs to no application.
pub const DEFAULT_APPLICATION: &str = "default";

/// A named set of hosts and paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Unique, lower case: `shop`. What exchanges carry.
    pub id: String,
    /// For people.
    pub name: String,
    /// Its hosts; empty for all.
    pub hosts: Vec<HostPattern>,
    /// Its paths; empty for all.
    pub paths: Vec<PathPattern>,
}

impl Application {
    fn has(&self, path: &NormalPath<'_>) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether everything that belongs to `other` belongs to this one, as far as the patterns alone tell.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        covers_all(&self.hosts, &other.hosts, HostPattern::covers)
            && covers_all(&self.paths, &other.paths, PathPattern::covers)
    }
}

/// All applications of a policy, found by host in time that does not depend on how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applications {
    list: Vec<Application>,
    /// Positions by the name in a host pattern.
    by_host: HashMap<Box<str>, Vec<u16>>,
    /// Those without hosts.
    anywhere: Vec<u16>,
}

impl Applications {
    pub(crate) fn new(list: Vec<Application>) -> Self {
        let mut by_host: HashMap<Box<str>, Vec<u16>> = HashMap::new();
        let mut anywhere = Vec::new();
        for (position, application) in list.iter().enumerate() {
            // Validation allows far fewer.
            let position = position as u16;
            if application.hosts.is_empty() {
                anywhere.push(position);
            }
            for host in &application.hosts {
                let positions = by_host.entry(host.name().into()).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        Self { list, by_host, anywhere }
    }

    /// In their order.
    pub fn list(&self) -> &[Application] {
        &self.list
    }

    /// The ID of the application at a position.
    pub fn id(&self, position: Option<u16>) -> &str {
        position.and_then(|position| self.list.get(usize::from(position))).map_or(DEFAULT_APPLICATION, |one| &one.id)
    }

    /// The position of an ID; the outer `None` for an unknown one.
    pub(crate) fn position(&self, id: &str) -> Option<Option<u16>> {
        if id == DEFAULT_APPLICATION {
            return Some(None);
        }
        self.list.iter().position(|one| one.id == id).map(|position| Some(position as u16))
    }

    /// The first application that a host and a path belong to; `None` for the default one.
    pub fn of(&self, host: Option<Host<'_>>, path: &NormalPath<'_>) -> Option<u16> {
        if self.list.is_empty() {
            return None;
        }
        let mut first = self.first(&self.anywhere, None, path);
        if let Some(host) = host.filter(|_| !self.by_host.is_empty()) {
            let name = String::from_utf8_lossy(host.name).to_ascii_lowercase();
            // The host itself, then each name above it.
            let mut above = Some(name.as_str());
            while let Some(name) = above {
                if let Some(positions) = self.by_host.get(name) {
                    let found = self.first(positions, Some(host), path);
                    first = first.into_iter().chain(found).min();
                }
                above = name.split_once('.').map(|(_, above)| above);
            }
        }
        first
    }

    fn first(&self, positions: &[u16], host: Option<Host<'_>>, path: &NormalPath<'_>) -> Option<u16> {
        let belongs = |position: &&u16| {
            let application = &self.list[usize::from(**position)];
            let by_host = host.is_none_or(|host| application.hosts.iter().any(|pattern| pattern.matches(host)));
            by_host && application.has(path)
        };
        positions.iter().find(belongs).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn application(id: &str, hosts: &[&str], paths: &[&str]) -> Application {
        Application {
            id: id.to_owned(),
            name: id.to_owned(),
            hosts: hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
            paths: paths.iter().map(|path| PathPattern::parse(path).unwrap()).collect(),
        }
    }

    #[test]
    fn the_first_that_matches_decides() {
        let applications = Applications::new(vec![
            application("admin", &["*.shop.example"], &["/admin"]),
            application("shop", &["api.shop.example", "*.eu.shop.example"], &[]),
            application("health", &[], &["/healthz"]),
            application("port", &["api.shop.example:8443"], &[]),
            application("rest", &["*.example"], &[]),
        ]);
        for (host, path, expected) in [
            (Some("api.shop.example"), "/admin/users", "admin"),
            (Some("api.shop.example"), "/orders", "shop"),
            (Some("API.shop.example:99"), "/healthz", "shop"),
            (Some("x.eu.shop.example"), "/", "shop"),
            (Some("www.shop.example"), "/healthz", "health"),
            (Some("www.shop.example"), "/", "rest"),
            (Some("other.test"), "/healthz", "health"),
            (Some("other.test"), "/", "default"),
            (Some("\u{fffd}"), "/", "default"),
            (None, "/healthz", "health"),
            (None, "/", "default"),
        ] {
            let host = host.map(|host| Host::read(host.as_bytes(), Some(80)));
            let found = applications.of(host, &NormalPath::read(path.as_bytes()));
            assert_eq!(applications.id(found), expected, "{host:?} {path}");
        }
    }
}
