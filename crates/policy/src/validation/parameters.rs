//! Context parameters: names, points, what a key may be made of, and keys that could never decide.

use threadline_points::Point;

use super::names::{self, MAXIMUM_NAME_CHARACTERS};
use super::scopes::{self, Known};
use super::{is_plain_metadata, read_point};
use crate::{FieldError, Parameter, ParameterDocument, Scope};

/// Parameters a person may configure. Hidden ones, which mitigation controls add, do not count.
pub const MAXIMUM_PARAMETERS: usize = 20;

/// Points of a composite key besides its first.
pub const MAXIMUM_FURTHER_POINTS: usize = 4;

pub(super) fn judge(written: &[ParameterDocument], known: &Known<'_>, errors: &mut Vec<FieldError>) -> Vec<Parameter> {
    let mut parameters: Vec<(usize, Parameter)> = Vec::new();
    for (position, one) in written.iter().take(MAXIMUM_PARAMETERS).enumerate() {
        let before = errors.len();
        check_name(position, &one.name, &written[..position], errors);
        if let Some(namespace) = &one.namespace {
            check_namespace(position, namespace, errors);
        }
        let scope = scopes::judge(&format!("parameters[{position}].scope"), &one.scope, known, errors);
        let point =
            read_point(&one.point).map_err(|reason| errors.push(FieldError::parameter(position, "point", reason)));
        let with = read_further(position, one, errors);
        let Ok(point) = point else { continue };
        let parameter = parameter_of(one, point, with, scope);
        check_use(position, one, &parameter, &parameters, errors);
        if errors.len() == before {
            parameters.push((position, parameter));
        }
    }
    if written.len() > MAXIMUM_PARAMETERS {
        errors.push(FieldError::new(
            format!("parameters[{MAXIMUM_PARAMETERS}]"),
            format!("a policy has at most {MAXIMUM_PARAMETERS} parameters, this one has {}", written.len()),
        ));
    }
    parameters.into_iter().map(|(_, parameter)| parameter).collect()
}

fn parameter_of(written: &ParameterDocument, point: Point, with: Vec<Point>, scope: Scope) -> Parameter {
    let on_credential = point.is_credential_place() || with.iter().any(Point::is_credential_place);
    Parameter {
        name: written.name.clone(),
        kind: written.kind,
        group: written.group,
        hashed: written.hashed.unwrap_or(on_credential),
        namespace: written.namespace.clone(),
        hidden: false,
        point,
        with,
        scope,
    }
}

/// The further points of a composite key.
fn read_further(position: usize, written: &ParameterDocument, errors: &mut Vec<FieldError>) -> Vec<Point> {
    let field = format!("parameters[{position}].with");
    super::check_length(&field, "further points", written.with.len(), MAXIMUM_FURTHER_POINTS, errors);
    if !written.with.is_empty() && !written.group {
        errors.push(FieldError::new(field.as_str(), "only a grouping key has further points: set `group` too"));
    }
    let mut points = Vec::new();
    for (index, spelling) in written.with.iter().take(MAXIMUM_FURTHER_POINTS).enumerate() {
        match read_point(spelling) {
            Ok(point) => points.push(point),
            Err(reason) => errors.push(FieldError::new(format!("{field}[{index}]"), reason)),
        }
    }
    points
}

fn check_name(position: usize, name: &str, earlier: &[ParameterDocument], errors: &mut Vec<FieldError>) {
    let mut refuse = |reason: String| errors.push(FieldError::parameter(position, "name", reason));
    names::faults("a parameter", name).into_iter().for_each(&mut refuse);
    if let Some(other) = earlier.iter().position(|taken| taken.name == name) {
        refuse(format!("the name is already used by parameters[{other}]"));
    }
}

fn check_namespace(position: usize, namespace: &str, errors: &mut Vec<FieldError>) {
    if !names::is_identifier(namespace) {
        let reason =
            format!("a namespace is 1 to {MAXIMUM_NAME_CHARACTERS} letters, digits, dots, hyphens or underscores");
        errors.push(FieldError::parameter(position, "namespace", reason));
    }
}

/// What a parameter's point may be used for, alone and beside the parameters before it.
fn check_use(
    position: usize,
    written: &ParameterDocument,
    parameter: &Parameter,
    earlier: &[(usize, Parameter)],
    errors: &mut Vec<FieldError>,
) {
    if written.hashed == Some(true) && is_plain_metadata(&parameter.point) {
        let reason = "cannot be hashed: this is exported in clear with every exchange";
        errors.push(FieldError::parameter(position, "hashed", reason));
    }
    for (index, point) in parameter.with.iter().enumerate() {
        if *point == parameter.point || parameter.with[..index].contains(point) {
            let reason = "is a point that the key has already";
            errors.push(FieldError::new(format!("parameters[{position}].with[{index}]"), reason));
        }
    }
    if let Some((other, _)) = earlier.iter().find(|(_, other)| always_first(other, parameter)) {
        let reason =
            format!("parameters[{other}] already groups by this point, so this key could never decide a session");
        errors.push(FieldError::parameter(position, "point", reason));
    }
    let same_point = |(_, other): &&(usize, Parameter)| other.point == parameter.point;
    if let Some((other, _)) = earlier.iter().filter(same_point).find(|(_, other)| other.hashed != parameter.hashed) {
        let (here, there) = if parameter.hashed { ("hashed", "in clear") } else { ("in clear", "hashed") };
        let reason = format!("exported {here}, but parameters[{other}] exports the same point {there}");
        errors.push(FieldError::parameter(position, "hashed", reason));
    }
}

/// Whether a key works on every exchange that a later one works on.
fn always_first(key: &Parameter, later: &Parameter) -> bool {
    let later_has = |point: &Point| *point == later.point || later.with.contains(point);
    key.group
        && later.group
        && later_has(&key.point)
        && key.with.iter().all(later_has)
        && key.scope.covers(&later.scope)
}
