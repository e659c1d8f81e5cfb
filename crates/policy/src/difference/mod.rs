//! What changed from one version of a policy to the next, as data and as sentences, for the version history.

use std::fmt;

use serde::Serialize;

use crate::{Parameter, Policy};

mod sections;

/// All changes between two policies, in the order a person would read them: applications, analysed traffic, trusted
/// proxies, masks, then parameters, and of each removed, added, renamed, changed, moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyDifference {
    /// Empty when both policies say the same.
    pub changes: Vec<PolicyChange>,
}

/// One change. Positions count from 1, as people count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum PolicyChange {
    /// The parameter is gone.
    Removed {
        /// Its name.
        name: String,
        /// Its point, text spelling.
        point: String,
        /// Where it stood.
        position: usize,
    },
    /// The parameter is new.
    Added {
        /// Its name.
        name: String,
        /// Its point, text spelling.
        point: String,
        /// Where it stands.
        position: usize,
    },
    /// The same parameter under another name.
    Renamed {
        /// The former name.
        from: String,
        /// The name now.
        to: String,
    },
    /// One setting of a parameter changed.
    Changed {
        /// The parameter (its name now).
        name: String,
        /// `point`, `with`, `type`, `group`, `hashed`, `namespace` or `scope`.
        field: &'static str,
        /// The former setting, as a person writes it.
        from: String,
        /// The setting now.
        to: String,
    },
    /// The parameter stands elsewhere among those that both versions have, so keys are tried in another order.
    Moved {
        /// The parameter (its name now).
        name: String,
        /// Where it stood.
        from: usize,
        /// Where it stands.
        to: usize,
    },
    /// The application is gone.
    ApplicationRemoved {
        /// Its ID.
        id: String,
    },
    /// The application is new.
    ApplicationAdded {
        /// Its ID.
        id: String,
        /// Its hosts and paths.
        what: String,
        /// Where it stands.
        position: usize,
    },
    /// One setting of an application changed.
    ApplicationChanged {
        /// Its ID.
        id: String,
        /// `name`, `hosts` or `paths`.
        field: &'static str,
        /// The former setting.
        from: String,
        /// The setting now.
        to: String,
    },
    /// The application stands elsewhere among those that both versions have; the first that matches is an exchange's.
    ApplicationMoved {
        /// Its ID.
        id: String,
        /// Where it stood.
        from: usize,
        /// Where it stands.
        to: usize,
    },
    /// The mask is gone.
    MaskRemoved {
        /// Its point, text spelling.
        point: String,
        /// Where it applied.
        scope: String,
    },
    /// The mask is new.
    MaskAdded {
        /// Its point, text spelling.
        point: String,
        /// Where it applies.
        scope: String,
    },
    /// A setting outside of the lists changed.
    SettingChanged {
        /// As in a document: `analysed`, `trusted_proxies.networks`.
        field: &'static str,
        /// The former setting, as a person writes it.
        from: String,
        /// The setting now.
        to: String,
    },
}

impl fmt::Display for PolicyChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { name, point, position } => {
                write!(formatter, "removed `{name}` ({point}) from position {position}")
            }
            Self::Added { name, point, position } => {
                write!(formatter, "added `{name}` ({point}) at position {position}")
            }
            Self::Renamed { from, to } => write!(formatter, "renamed `{from}` to `{to}`"),
            Self::Changed { name, field, from, to } => {
                write!(formatter, "changed {field} of `{name}` from {from} to {to}")
            }
            Self::Moved { name, from, to } => write!(formatter, "moved `{name}` from position {from} to {to}"),
            Self::ApplicationRemoved { id } => write!(formatter, "removed application `{id}`"),
            Self::ApplicationAdded { id, what, position } => {
                write!(formatter, "added application `{id}` ({what}) at position {position}")
            }
            Self::ApplicationChanged { id, field, from, to } => {
                write!(formatter, "changed {field} of application `{id}` from {from} to {to}")
            }
            Self::ApplicationMoved { id, from, to } => {
                write!(formatter, "moved application `{id}` from position {from} to {to}")
            }
            Self::MaskRemoved { point, scope } => write!(formatter, "removed the mask of {point} ({scope})"),
            Self::MaskAdded { point, scope } => write!(formatter, "added a mask of {point} ({scope})"),
            Self::SettingChanged { field, from, to } => write!(formatter, "changed {field} from {from} to {to}"),
        }
    }
}

impl Policy {
    /// What has to be done to `before` to get this policy. Parameters are matched by name; one that vanished while
    /// another with the very same settings appeared was renamed. Hidden parameters are not compared: nobody edits
    /// them.
    pub fn difference_from(&self, before: &Policy) -> PolicyDifference {
        let old: Vec<&Parameter> = before.parameters().iter().filter(|parameter| !parameter.hidden).collect();
        let new: Vec<&Parameter> = self.parameters().iter().filter(|parameter| !parameter.hidden).collect();
        let pairs = pair_up(&old, &new);

        let mut changes = Vec::new();
        sections::applications(before, self, &mut changes);
        sections::settings(before, self, &mut changes);
        sections::masks(before, self, &mut changes);
        for (position, parameter) in old.iter().enumerate() {
            if !pairs.iter().any(|pair| pair.old == position) {
                changes.push(PolicyChange::Removed {
                    name: parameter.name.clone(),
                    point: parameter.point.to_string(),
                    position: position + 1,
                });
            }
        }
        for (position, parameter) in new.iter().enumerate() {
            if !pairs.iter().any(|pair| pair.new == position) {
                changes.push(PolicyChange::Added {
                    name: parameter.name.clone(),
                    point: parameter.point.to_string(),
                    position: position + 1,
                });
            }
        }
        for pair in &pairs {
            describe(old[pair.old], new[pair.new], &mut changes);
        }
        let kept = longest_increasing(&pairs.iter().map(|pair| pair.old).collect::<Vec<_>>());
        for (order, pair) in pairs.iter().enumerate() {
            if !kept.contains(&order) {
                let name = new[pair.new].name.clone();
                changes.push(PolicyChange::Moved { name, from: pair.old + 1, to: pair.new + 1 });
            }
        }
        PolicyDifference { changes }
    }
}

/// Positions of one parameter in both lists.
struct Pair {
    old: usize,
    new: usize,
}

/// Pairs in the order of the new list.
fn pair_up(old: &[&Parameter], new: &[&Parameter]) -> Vec<Pair> {
    let mut partner: Vec<Option<usize>> =
        new.iter().map(|parameter| old.iter().position(|other| other.name == parameter.name)).collect();
    for (position, parameter) in new.iter().enumerate() {
        if partner[position].is_none() {
            let same = |other: &Parameter| Parameter { name: parameter.name.clone(), ..other.clone() } == **parameter;
            partner[position] = (0..old.len()).find(|&candidate| {
                let free = !partner.contains(&Some(candidate));
                free && new.iter().all(|other| other.name != old[candidate].name) && same(old[candidate])
            });
        }
    }
    partner.into_iter().enumerate().filter_map(|(new, old)| old.map(|old| Pair { old, new })).collect()
}

fn describe(old: &Parameter, new: &Parameter, changes: &mut Vec<PolicyChange>) {
    if old.name != new.name {
        changes.push(PolicyChange::Renamed { from: old.name.clone(), to: new.name.clone() });
    }
    let yes_or_no = |setting: bool| if setting { "yes" } else { "no" }.to_owned();
    let namespace = |parameter: &Parameter| match &parameter.namespace {
        Some(name) => format!("`{name}`"),
        None => "the shared one".to_owned(),
    };
    let further = |parameter: &Parameter| sections::list(&parameter.with, "nothing else");
    for (field, from, to) in [
        ("point", old.point.to_string(), new.point.to_string()),
        ("with", further(old), further(new)),
        ("type", old.kind.as_str().to_owned(), new.kind.as_str().to_owned()),
        ("group", yes_or_no(old.group), yes_or_no(new.group)),
        ("hashed", yes_or_no(old.hashed), yes_or_no(new.hashed)),
        ("namespace", namespace(old), namespace(new)),
        ("scope", old.scope.sentence(), new.scope.sentence()),
    ] {
        if from != to {
            changes.push(PolicyChange::Changed { name: new.name.clone(), field, from, to });
        }
    }
}

/// Indices of a longest increasing subsequence: what did not move when as few as possible moved.
fn longest_increasing(values: &[usize]) -> Vec<usize> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let previous = (0..index).filter(|&earlier| values[earlier] < *value).max_by_key(|&earlier| best[earlier].0);
        best.push((previous.map_or(1, |earlier| best[earlier].0 + 1), previous));
    }
    let mut at = (0..values.len()).max_by_key(|&index| best[index].0);
    let mut kept = Vec::new();
    while let Some(index) = at {
        kept.push(index);
        at = best[index].1;
    }
    kept
}
