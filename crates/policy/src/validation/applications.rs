//! Applications: unique IDs, hosts and paths that can be read, none that an earlier one leaves nothing to.

use super::{names, scopes};
use crate::{Application, ApplicationDocument, DEFAULT_APPLICATION, FieldError};

/// Applications of one policy.
pub const MAXIMUM_APPLICATIONS: usize = 100;

pub(super) fn judge(written: &[ApplicationDocument], errors: &mut Vec<FieldError>) -> Vec<Application> {
    super::check_length("applications", "applications", written.len(), MAXIMUM_APPLICATIONS, errors);
    let mut applications: Vec<(usize, Application)> = Vec::new();
    for (position, one) in written.iter().take(MAXIMUM_APPLICATIONS).enumerate() {
        let before = errors.len();
        let field = |name: &str| format!("applications[{position}].{name}");
        check_id(&field("id"), one, &written[..position], errors);
        let name = one.name.clone().unwrap_or_else(|| one.id.clone());
        if one.name.is_some() {
            let faults = names::faults("an application", &name);
            errors.extend(faults.into_iter().map(|reason| FieldError::new(field("name"), reason)));
        }
        let hosts = scopes::read_hosts(&field("hosts"), &one.hosts, errors);
        let paths = scopes::read_paths(&field("paths"), &one.paths, errors);
        if one.hosts.is_empty() && one.paths.is_empty() {
            errors.push(FieldError::new(field("hosts"), "an application needs a host or a path"));
        }
        if errors.len() > before {
            continue;
        }
        let application = Application { id: one.id.clone(), name, hosts, paths };
        if let Some((other, _)) = applications.iter().find(|(_, other)| other.covers(&application)) {
            let reason = format!("everything here belongs to applications[{other}], which stands before it");
            errors.push(FieldError::new(format!("applications[{position}]"), reason));
        } else {
            applications.push((position, application));
        }
    }
    applications.into_iter().map(|(_, application)| application).collect()
}

fn check_id(field: &str, one: &ApplicationDocument, earlier: &[ApplicationDocument], errors: &mut Vec<FieldError>) {
    let reason = if !names::is_identifier(&one.id) || one.id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        "is not 1 to 64 small letters, digits, dots, hyphens or underscores".to_owned()
    } else if one.id == DEFAULT_APPLICATION {
        "`default` is what belongs to no application".to_owned()
    } else if let Some(other) = earlier.iter().position(|other| other.id == one.id) {
        format!("the ID is already used by applications[{other}]")
    } else {
        return;
    };
    errors.push(FieldError::new(field, reason));
}
