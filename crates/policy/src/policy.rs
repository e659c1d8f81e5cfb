//! A valid policy, and what it says about one exchange.

use std::ops::Range;

use threadline_model::{Exchange, TrustedProxies};
use threadline_points::{Bounds, Extracted, Found, Plan, PlanError, Point};

use crate::{
    Application, ApplicationDocument, Applications, FieldError, Location, Mask, MaskDocument, Parameter,
    ParameterDocument, ParameterType, PointSpelling, PolicyDocument, Scope, TrustedProxiesDocument,
};

/// A valid policy of one version. Immutable: a change makes another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    version: u64,
    applications: Applications,
    analysed: Scope,
    trusted_proxies: TrustedProxies,
    masks: Vec<Mask>,
    parameters: Vec<Parameter>,
    /// Of each mask the positions in [`Policy::points`] that it covers.
    covered: Vec<Covered>,
}

/// What of a policy does and does not hold for one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether the exchange is not to be analysed at all.
    pub passes_by: bool,
    /// Its application by position; `None` is `default`.
    pub application: Option<u16>,
    /// A bit for each parameter that does not apply, by position; a policy has no more parameters with a scope than bits.
    outside: u32,
    /// A bit for each mask that applies.
    masks: u128,
}

impl Reach {
    /// Whether a parameter does not apply.
    pub const fn is_outside(&self, parameter: usize) -> bool {
        parameter < 32 && self.outside & (1 << parameter) != 0
    }

    /// The masks that apply, by position.
    pub fn masks(&self) -> impl Iterator<Item = usize> {
        let mut left = self.masks;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (next < 128).then_some(next)
        })
    }
}

/// Positions among [`Policy::points`] that a mask covers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Covered {
    always: Vec<usize>,
    /// Those that read the mask's text in another format: only where there is anything at the mask's own place, or may be.
    /// A JSON body holds no field of a form.
    where_there: Vec<usize>,
}

/// The parts of a policy, each judged.
pub(crate) struct Parts {
    pub(crate) applications: Applications,
    pub(crate) analysed: Scope,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) masks: Vec<Mask>,
    pub(crate) parameters: Vec<Parameter>,
}

impl Policy {
    /// What a new installation starts with: version 0, no parameters, so the built-in set decides every session.
    pub fn empty() -> Self {
        Self {
            version: 0,
            applications: Applications::default(),
            analysed: Scope::default(),
            trusted_proxies: TrustedProxies::default(),
            masks: Vec::new(),
            parameters: Vec::new(),
            covered: Vec::new(),
        }
    }

    /// Judges a document.
    ///
    /// # Errors
    /// Every field that cannot be accepted, in the document's order. Of a list that is too long only as much as is
    /// allowed is judged further.
    pub fn validate(version: u64, document: PolicyDocument) -> Result<Self, Vec<FieldError>> {
        let parts = crate::validation::judge(document)?;
        let policy = Self::of(version, parts);
        // Each point compiled alone before; together they may still be more than one plan may hold.
        match Plan::compile(&policy.points(), Bounds::default()) {
            Ok(_) => Ok(policy),
            Err(refused) => Err(vec![FieldError::new("parameters", refused.to_string())]),
        }
    }

    fn of(version: u64, parts: Parts) -> Self {
        let Parts { applications, analysed, trusted_proxies, masks, parameters } = parts;
        let mut policy =
            Self { version, applications, analysed, trusted_proxies, masks, parameters, covered: Vec::new() };
        policy.covered = policy.cover();
        policy
    }

    /// What each mask covers.
    fn cover(&self) -> Vec<Covered> {
        let own = self.mask_points();
        let points = self.points();
        let covers = |mask: &Mask| {
            let places = (0..own.start).filter(|place| mask.point.overlaps(&points[*place]));
            let (where_there, always) = places.partition(|place| mask.point.reads_another_format(&points[*place]));
            Covered { always, where_there }
        };
        self.masks.iter().map(covers).collect()
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
                    with: Vec::new(),
                    kind: ParameterType::None,
                    group: false,
                    hashed: point.is_credential_place(),
                    namespace: None,
                    scope: Scope::default(),
                    hidden: true,
                });
            }
        }
        policy.covered = policy.cover();
        Plan::compile(&policy.points(), Bounds::default()).map(|_| policy)
    }

    /// The version; 0 is the policy nobody saved yet.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The applications, in their order.
    pub fn applications(&self) -> &Applications {
        &self.applications
    }

    /// Which traffic is analysed.
    pub fn analysed(&self) -> &Scope {
        &self.analysed
    }

    /// Whose word about the client counts.
    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.trusted_proxies
    }

    /// The masks.
    pub fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// The parameters in their order, hidden ones last.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What a plan is compiled from: the parameters' points in the same order, then the further points of composite keys
    /// ([`Policy::further`]), then those of masks ([`Policy::mask_points`]).
    pub fn points(&self) -> Vec<Point> {
        let own = self.parameters.iter().map(|parameter| &parameter.point);
        let further = self.parameters.iter().flat_map(|parameter| &parameter.with);
        own.chain(further).chain(self.masks.iter().map(|mask| &mask.point)).cloned().collect()
    }

    /// Where the further points of a parameter stand among [`Policy::points`].
    pub fn further(&self, parameter: usize) -> Range<usize> {
        let before: usize = self.parameters.iter().take(parameter).map(|parameter| parameter.with.len()).sum();
        let start = self.parameters.len() + before;
        start..start + self.parameters.get(parameter).map_or(0, |parameter| parameter.with.len())
    }

    /// Where the points of masks stand among [`Policy::points`], in the order of the masks.
    pub fn mask_points(&self) -> Range<usize> {
        let further: usize = self.parameters.iter().map(|parameter| parameter.with.len()).sum();
        let start = self.parameters.len() + further;
        start..start + self.masks.len()
    }

    /// Positions among [`Policy::points`], but those of masks, that a mask covers: its place, what lies in it, what
    /// contains it.
    pub fn covered_by(&self, mask: usize) -> &[usize] {
        self.covered.get(mask).map_or(&[], |covered| &covered.always)
    }

    /// What holds for an exchange. Costs nothing where the policy has neither applications nor scopes nor masks.
    pub fn reach(&self, exchange: &Exchange) -> Reach {
        if self.holds_everywhere() {
            return Reach::default();
        }
        let location = Location::of(exchange, &self.applications);
        let mut reach = Reach { application: location.application, ..Reach::default() };
        reach.passes_by = !self.analysed.contains(&location);
        for (position, parameter) in self.parameters.iter().enumerate().take(32) {
            if !parameter.scope.contains(&location) {
                reach.outside |= 1 << position;
            }
        }
        for (position, mask) in self.masks.iter().enumerate() {
            if mask.scope.contains(&location) {
                reach.masks |= 1 << position;
            }
        }
        reach
    }

    /// Leaves in `extracted`, which a plan of [`Policy::points`] made, what this exchange may show: what masks that apply
    /// cover is masked, parameters and masks that do not apply are taken out.
    pub fn restrict(&self, reach: &Reach, extracted: &mut Extracted<'_>) {
        if reach.outside != 0 {
            for parameter in (0..self.parameters.len()).filter(|parameter| reach.is_outside(*parameter)) {
                extracted.withdraw(parameter);
                self.further(parameter).for_each(|point| extracted.withdraw(point));
            }
        }
        for (mask, point) in self.mask_points().enumerate() {
            if reach.masks & (1 << mask) == 0 {
                extracted.withdraw(point);
                continue;
            }
            let covered = &self.covered[mask];
            covered.always.iter().for_each(|place| extracted.mask(*place));
            if !covered.where_there.is_empty() && *extracted.get(point) != Found::Absent {
                covered.where_there.iter().for_each(|place| extracted.mask(*place));
            }
        }
    }

    /// The places that masks cover in an exchange.
    pub fn masked_in(&self, exchange: &Exchange) -> Vec<Point> {
        self.reach(exchange).masks().map(|mask| self.masks[mask].point.clone()).collect()
    }

    fn holds_everywhere(&self) -> bool {
        self.applications.list().is_empty()
            && self.masks.is_empty()
            && self.analysed.is_everything()
            && self.parameters.iter().all(|parameter| parameter.scope.is_everything())
    }

    /// The document this policy is made of, normalised: points in their text spelling, defaults written out, hidden
    /// parameters left out. Validating it gives an equal policy.
    pub fn document(&self) -> PolicyDocument {
        PolicyDocument {
            applications: self.applications.list().iter().map(written_application).collect(),
            analysed: self.analysed.document(),
            trusted_proxies: written_proxies(&self.trusted_proxies),
            masks: self
                .masks
                .iter()
                .map(|mask| MaskDocument { point: written_point(&mask.point), scope: mask.scope.document() })
                .collect(),
            parameters: self.parameters.iter().filter(|one| !one.hidden).map(written_parameter).collect(),
        }
    }
}

fn written_point(point: &Point) -> PointSpelling {
    PointSpelling::Text(point.to_string())
}

fn written_parameter(parameter: &Parameter) -> ParameterDocument {
    ParameterDocument {
        name: parameter.name.clone(),
        point: written_point(&parameter.point),
        with: parameter.with.iter().map(written_point).collect(),
        kind: parameter.kind,
        group: parameter.group,
        hashed: Some(parameter.hashed),
        namespace: parameter.namespace.clone(),
        scope: parameter.scope.document(),
    }
}

fn texts<T: ToString>(patterns: &[T]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

fn written_application(application: &Application) -> ApplicationDocument {
    ApplicationDocument {
        id: application.id.clone(),
        name: Some(application.name.clone()).filter(|name| *name != application.id),
        hosts: texts(&application.hosts),
        paths: texts(&application.paths),
    }
}

fn written_proxies(trusted: &TrustedProxies) -> Option<TrustedProxiesDocument> {
    (!trusted.networks.is_empty()).then(|| TrustedProxiesDocument {
        networks: texts(&trusted.networks),
        address: Some(trusted.address.iter().map(|header| header.as_str().to_owned()).collect()),
        host: trusted.host.iter().map(|header| header.as_str().to_owned()).collect(),
        proxy_protocol: trusted.proxy_protocol,
    })
}
