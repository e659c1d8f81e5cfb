//! From a document to a [`Policy`]: every field is judged, and all errors are reported together.

use threadline_points::{Bounds, Plan, PlanError, Point};

use crate::{FieldError, Parameter, ParameterDocument, ParameterType, PointSpelling, PolicyDocument};

/// Parameters a person may configure. Hidden ones, which mitigation controls add, do not count.
pub const MAXIMUM_PARAMETERS: usize = 20;

/// Length of a parameter's name and of a namespace, in characters.
pub const MAXIMUM_NAME_CHARACTERS: usize = 64;

/// A valid policy of one version. Immutable: a change makes another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    version: u64,
    parameters: Vec<Parameter>,
}

impl Policy {
    /// What a new installation starts with: version 0, no parameters, so the built-in set decides every session.
    pub fn empty() -> Self {
        Self { version: 0, parameters: Vec::new() }
    }

    /// Judges a document.
    ///
    /// # Errors
    /// Every field that cannot be accepted, in the document's order. Of a document with too many parameters only the
    /// first [`MAXIMUM_PARAMETERS`] are judged further.
    pub fn validate(version: u64, document: PolicyDocument) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let count = document.parameters.len();
        let mut parameters: Vec<Option<Parameter>> = Vec::with_capacity(count.min(MAXIMUM_PARAMETERS));
        let mut names: Vec<&str> = Vec::with_capacity(count.min(MAXIMUM_PARAMETERS));
        for (position, written) in document.parameters.iter().take(MAXIMUM_PARAMETERS).enumerate() {
            let before = errors.len();
            check_name(position, &written.name, &names, &mut errors);
            names.push(&written.name);
            if let Some(namespace) = &written.namespace {
                check_namespace(position, namespace, &mut errors);
            }
            let point = read_point(&written.point).map_err(|reason| {
                errors.push(FieldError::parameter(position, "point", reason));
            });
            let parameter = point.ok().map(|point| parameter_of(written, point));
            if let Some(parameter) = &parameter {
                check_use(position, written, parameter, &parameters, &mut errors);
            }
            parameters.push(parameter.filter(|_| errors.len() == before));
        }
        if count > MAXIMUM_PARAMETERS {
            errors.push(FieldError::new(
                format!("parameters[{MAXIMUM_PARAMETERS}]"),
                format!("a policy has at most {MAXIMUM_PARAMETERS} parameters, this one has {count}"),
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let policy = Self { version, parameters: parameters.into_iter().flatten().collect() };
        // Each point compiled alone above; together they may still be more than one plan may hold.
        match Plan::compile(&policy.points(), Bounds::default()) {
            Ok(_) => Ok(policy),
            Err(refused) => Err(vec![FieldError::new("parameters", refused.to_string())]),
        }
    }

    /// This policy with the parameters that mitigation controls need: points that are not configured yet are appended
    /// hidden, named by their text spelling, in the given order.
    ///
    /// # Errors
    /// More points, or more formats inside each other, than one plan may have.
    pub fn with_hidden(&self, needed: &[Point]) -> Result<Self, PlanError> {
        let mut policy = self.clone();
        for point in needed {
            if policy.parameters.iter().all(|parameter| parameter.point != *point) {
                policy.parameters.push(Parameter {
                    name: point.to_string(),
                    point: point.clone(),
                    kind: ParameterType::None,
                    group: false,
                    hashed: point.is_credential_place(),
                    namespace: None,
                    hidden: true,
                });
            }
        }
        Plan::compile(&policy.points(), Bounds::default()).map(|_| policy)
    }

    /// The version; 0 is the policy nobody saved yet.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The parameters in their order, hidden ones last.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameters' points in the same order: what a plan is compiled from.
    pub fn points(&self) -> Vec<Point> {
        self.parameters.iter().map(|parameter| parameter.point.clone()).collect()
    }

    /// The document this policy is made of, normalised: points in their text spelling, defaults written out, hidden
    /// parameters left out. Validating it gives an equal policy.
    pub fn document(&self) -> PolicyDocument {
        let written = |parameter: &Parameter| ParameterDocument {
            name: parameter.name.clone(),
            point: PointSpelling::Text(parameter.point.to_string()),
            kind: parameter.kind,
            group: parameter.group,
            hashed: Some(parameter.hashed),
            namespace: parameter.namespace.clone(),
        };
        PolicyDocument { parameters: self.parameters.iter().filter(|one| !one.hidden).map(written).collect() }
    }
}

fn parameter_of(written: &ParameterDocument, point: Point) -> Parameter {
    Parameter {
        name: written.name.clone(),
        kind: written.kind,
        group: written.group,
        hashed: written.hashed.unwrap_or_else(|| point.is_credential_place()),
        namespace: written.namespace.clone(),
        hidden: false,
        point,
    }
}

fn check_name(position: usize, name: &str, earlier: &[&str], errors: &mut Vec<FieldError>) {
    let mut refuse = |reason: String| errors.push(FieldError::parameter(position, "name", reason));
    if name.trim().is_empty() {
        refuse("a parameter needs a name".into());
    } else if name.trim() != name {
        refuse("the name begins or ends with a space".into());
    }
    let length = name.chars().count();
    if length > MAXIMUM_NAME_CHARACTERS {
        refuse(format!("the name has {length} characters, at most {MAXIMUM_NAME_CHARACTERS} are allowed"));
    }
    if name.chars().any(is_invisible) {
        refuse("the name contains control or invisible characters".into());
    }
    if let Some(other) = earlier.iter().position(|taken| *taken == name) {
        refuse(format!("the name is already used by parameters[{other}]"));
    }
}

fn check_namespace(position: usize, namespace: &str, errors: &mut Vec<FieldError>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let fits = (1..=MAXIMUM_NAME_CHARACTERS).contains(&namespace.len());
    if !fits || !namespace.bytes().all(allowed) {
        let reason =
            format!("a namespace is 1 to {MAXIMUM_NAME_CHARACTERS} letters, digits, dots, hyphens or underscores");
        errors.push(FieldError::parameter(position, "namespace", reason));
    }
}

fn read_point(spelling: &PointSpelling) -> Result<Point, String> {
    match spelling {
        PointSpelling::Text(text) => Point::parse(text).map_err(|refused| refused.to_string()),
        PointSpelling::Json(steps @ serde_json::Value::Array(_)) => {
            Point::from_json(steps).map_err(|refused| refused.to_string())
        }
        PointSpelling::Json(_) => {
            let examples = "`request > query token`, or a list of steps, [\"request\", [\"query\", \"token\"]]";
            Err(format!("a point is text, {examples}"))
        }
    }
}

/// What a parameter's point may be used for, alone and beside the parameters before it.
fn check_use(
    position: usize,
    written: &ParameterDocument,
    parameter: &Parameter,
    earlier: &[Option<Parameter>],
    errors: &mut Vec<FieldError>,
) {
    if let Err(refused) = Plan::compile(std::slice::from_ref(&parameter.point), Bounds::default()) {
        errors.push(FieldError::parameter(position, "point", refusal(&refused)));
    }
    if written.hashed == Some(true) && is_plain_metadata(&parameter.point) {
        let reason = "cannot be hashed: this is exported in clear with every exchange";
        errors.push(FieldError::parameter(position, "hashed", reason));
    }
    let same_point = |other: &&(usize, &Parameter)| other.1.point == parameter.point;
    let others: Vec<(usize, &Parameter)> =
        earlier.iter().enumerate().filter_map(|(index, other)| Some((index, other.as_ref()?))).collect();
    if let Some((other, _)) = others.iter().filter(same_point).find(|(_, other)| other.group && parameter.group) {
        let reason =
            format!("parameters[{other}] already groups by this point, so this key could never decide a session");
        errors.push(FieldError::parameter(position, "point", reason));
    }
    if let Some((other, _)) = others.iter().filter(same_point).find(|(_, other)| other.hashed != parameter.hashed) {
        let (here, there) = if parameter.hashed { ("hashed", "in clear") } else { ("in clear", "hashed") };
        let reason = format!("exported {here}, but parameters[{other}] exports the same point {there}");
        errors.push(FieldError::parameter(position, "hashed", reason));
    }
}

/// The error of a plan of one point, without the point's number in that plan.
fn refusal(refused: &PlanError) -> String {
    match refused {
        PlanError::TooManyRounds { bound, .. } => format!("more than {bound} formats are decoded inside each other"),
        other => other.to_string(),
    }
}

/// Facts that every exported exchange carries in clear; hashing a copy of them would only pretend.
fn is_plain_metadata(point: &Point) -> bool {
    matches!(
        point.to_string().as_str(),
        "request > method" | "request > scheme" | "request > proto" | "response > status"
    )
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
