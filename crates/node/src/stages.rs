//! The stages that decide a session, compiled for one policy: points, what may be looked at of them, grouping. The
//! pipeline makes rows of what they say; a policy that is tried out makes figures.

use threadline_grouping::{Grouped, Grouper, InstallationSecret};
use threadline_model::Exchange;
use threadline_points::{Bounds, Extracted, Plan, Scratch};
use threadline_policy::{Policy, Reach};

use crate::CompileError;

/// Points, restriction and grouping by one policy.
pub struct Stages {
    policy: Policy,
    plan: Plan,
    grouper: Grouper,
}

/// What a policy finds in an exchange and may look at.
#[derive(Debug)]
pub struct Sight<'e> {
    /// What of the policy holds for the exchange.
    pub reach: Reach,
    /// The values at the policy's points; what masks cover and what is out of scope is taken out.
    pub extracted: Extracted<'e>,
}

impl Stages {
    /// Compiles a policy.
    ///
    /// # Errors
    /// The policy's points cannot be resolved together under these bounds.
    pub fn compile(policy: &Policy, secret: &InstallationSecret, bounds: Bounds) -> Result<Self, CompileError> {
        Ok(Self {
            policy: policy.clone(),
            plan: Plan::compile(&policy.points(), bounds).map_err(CompileError::Plan)?,
            grouper: Grouper::new(policy, secret.session_key()),
        })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Finds what the policy asks for, one walk per body. Masks come before anything else looks at a value. `None` for
    /// an exchange that the policy leaves out of the analysis.
    pub fn look<'e>(&self, exchange: &'e Exchange, scratch: &mut Scratch) -> Option<Sight<'e>> {
        let reach = self.policy.reach(exchange);
        if reach.passes_by {
            return None;
        }
        let mut extracted = self.plan.extract(exchange, scratch);
        self.policy.restrict(&reach, &mut extracted);
        Some(Sight { reach, extracted })
    }

    /// The session of an exchange, and why.
    pub fn group<'a>(&self, exchange: &'a Exchange, sight: &'a Sight<'_>, scratch: &mut Scratch) -> Grouped<'a> {
        self.grouper.decide(exchange, &sight.reach, &sight.extracted, scratch)
    }
}
