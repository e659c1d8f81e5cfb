//! What changed outside of the parameter list.

use threadline_model::TrustedProxies;

use super::{PolicyChange, longest_increasing};
use crate::{Application, Policy};

/// A list as a person writes it.
pub(super) fn list<T: ToString>(entries: &[T], none: &str) -> String {
    match entries {
        [] => none.to_owned(),
        entries => entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Applications are matched by their ID.
pub(super) fn applications(before: &Policy, after: &Policy, changes: &mut Vec<PolicyChange>) {
    let (old, new) = (before.applications().list(), after.applications().list());
    for application in old.iter().filter(|one| !new.iter().any(|other| other.id == one.id)) {
        changes.push(PolicyChange::ApplicationRemoved { id: application.id.clone() });
    }
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (position, application) in new.iter().enumerate() {
        match old.iter().position(|other| other.id == application.id) {
            Some(former) => {
                describe(&old[former], application, changes);
                kept.push((former, position));
            }
            None => changes.push(PolicyChange::ApplicationAdded {
                id: application.id.clone(),
                what: format!("{}; {}", hosts(application), paths(application)),
                position: position + 1,
            }),
        }
    }
    let in_order = longest_increasing(&kept.iter().map(|(former, _)| *former).collect::<Vec<_>>());
    for (order, (former, position)) in kept.into_iter().enumerate() {
        if !in_order.contains(&order) {
            let id = new[position].id.clone();
            changes.push(PolicyChange::ApplicationMoved { id, from: former + 1, to: position + 1 });
        }
    }
}

fn hosts(application: &Application) -> String {
    list(&application.hosts, "any host")
}

fn paths(application: &Application) -> String {
    list(&application.paths, "any path")
}

fn describe(old: &Application, new: &Application, changes: &mut Vec<PolicyChange>) {
    for (field, from, to) in [
        ("name", old.name.clone(), new.name.clone()),
        ("hosts", hosts(old), hosts(new)),
        ("paths", paths(old), paths(new)),
    ] {
        if from != to {
            changes.push(PolicyChange::ApplicationChanged { id: new.id.clone(), field, from, to });
        }
    }
}

pub(super) fn settings(before: &Policy, after: &Policy, changes: &mut Vec<PolicyChange>) {
    let proxies = |trusted: &TrustedProxies| {
        let addresses: Vec<&str> = trusted.address.iter().map(|header| header.as_str()).collect();
        let hosts: Vec<&str> = trusted.host.iter().map(|header| header.as_str()).collect();
        [
            list(&trusted.networks, "none"),
            list(&addresses, "none"),
            list(&hosts, "none"),
            if trusted.proxy_protocol { "yes" } else { "no" }.to_owned(),
        ]
    };
    let fields = [
        "trusted_proxies.networks",
        "trusted_proxies.address",
        "trusted_proxies.host",
        "trusted_proxies.proxy_protocol",
    ];
    let (old, new) = (proxies(before.trusted_proxies()), proxies(after.trusted_proxies()));
    let analysed = ("analysed", before.analysed().sentence(), after.analysed().sentence());
    let trusted = fields.into_iter().zip(old.into_iter().zip(new)).map(|(field, (from, to))| (field, from, to));
    for (field, from, to) in std::iter::once(analysed).chain(trusted) {
        if from != to {
            changes.push(PolicyChange::SettingChanged { field, from, to });
        }
    }
}

pub(super) fn masks(before: &Policy, after: &Policy, changes: &mut Vec<PolicyChange>) {
    for mask in before.masks().iter().filter(|mask| !after.masks().contains(mask)) {
        changes.push(PolicyChange::MaskRemoved { point: mask.point.to_string(), scope: mask.scope.sentence() });
    }
    for mask in after.masks().iter().filter(|mask| !before.masks().contains(mask)) {
        changes.push(PolicyChange::MaskAdded { point: mask.point.to_string(), scope: mask.scope.sentence() });
    }
}
