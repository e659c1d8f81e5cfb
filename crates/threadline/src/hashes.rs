//! Between the hub, which is asked for the hashes of a value, and the installation's secret, which it must not hold.

use std::sync::Arc;

use threadline_grouping::{InstallationSecrets, Namespace};
use threadline_hub::{ClearValue, HashValues, ValueHashes};
use threadline_model::Clock;
use threadline_policy::Policy;

/// Hashes values as the node does, and did with former secrets.
pub(crate) struct Hasher {
    pub(crate) secrets: InstallationSecrets,
    /// How long anything is kept, microseconds.
    pub(crate) kept_micros: i64,
    pub(crate) clock: Arc<dyn Clock>,
}

impl HashValues for Hasher {
    fn hashes(&self, value: &ClearValue, namespace: Option<&str>, policy: &Policy) -> Option<ValueHashes> {
        let namespaces = namespaces(namespace, policy);
        let parts = [value.as_bytes()];
        let mut found = ValueHashes { parameter_hashes: Vec::new(), session_ids: Vec::new() };
        for secret in self.secrets.valid(self.clock.now(), self.kept_micros) {
            found.parameter_hashes.push(secret.parameter_key().hash(&parts).as_str().to_owned());
            let key = secret.session_key();
            found.session_ids.extend(namespaces.iter().map(|one| key.session(*one, &parts)));
        }
        Some(found)
    }
}

/// The namespaces in which one value, known by itself, makes a session.
fn namespaces<'a>(namespace: Option<&'a str>, policy: &'a Policy) -> Vec<Namespace<'a>> {
    if let Some(name) = namespace {
        return vec![Namespace::Named(name)];
    }
    let mut namespaces = vec![Namespace::Shared];
    for parameter in policy.parameters().iter().filter(|parameter| parameter.group) {
        let named = parameter.namespace.as_deref().map(Namespace::Named);
        namespaces.extend(named.filter(|one| !namespaces.contains(one)));
    }
    namespaces.push(Namespace::BasicUser);
    namespaces
}
