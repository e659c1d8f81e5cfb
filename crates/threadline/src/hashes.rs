//! Between the hub, which is asked for the hashes of a value, and the installation's secret, which it must not hold.

use std::sync::Arc;

use threadline_grouping::{InstallationSecret, Namespace};
use threadline_hub::{ClearValue, HashValues, ValueHashes};
use threadline_policy::Policy;

/// Hashes values as the node does.
pub(crate) struct Hasher {
    pub(crate) secret: Arc<InstallationSecret>,
}

impl HashValues for Hasher {
    fn hashes(&self, value: &ClearValue, namespace: Option<&str>, policy: &Policy) -> Option<ValueHashes> {
        let parts = [value.as_bytes()];
        let key = self.secret.session_key();
        let sessions = namespaces(namespace, policy).into_iter().map(|one| key.session(one, &parts));
        Some(ValueHashes {
            parameter_hashes: vec![self.secret.parameter_key().hash(&parts).as_str().to_owned()],
            session_ids: sessions.collect(),
        })
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
