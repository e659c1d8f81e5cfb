//! The assembly: every stage in its order. No other file knows them all.

use threadline_context::{Contextual, Selector};
use threadline_grouping::{InstallationSecret, KeyKind};
use threadline_model::{Exchange, SessionId, Source};
use threadline_points::{Bounds, Operations, PlanError, Scratch, Side};
use threadline_policy::Policy;
use threadline_record::{MessageSide, ParameterRow, ParseErrorRow, Row, RowBuilder, SessionKeyKind, ValueOrigin};

use crate::{NodeCounters, Stages};

/// Why a policy could not be put to work.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A point of the policy cannot be resolved.
    #[error("the policy's points cannot be compiled")]
    Plan(#[source] PlanError),
    /// The analysis thread could not be started.
    #[error("the analysis thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// All stages from a captured exchange to a row, compiled for one version of the policy.
pub struct Pipeline {
    stages: Stages,
    operations: Operations,
    selector: Selector,
    node: String,
    scratch: Scratch,
}

impl Pipeline {
    /// Compiles a policy. `node` is the name in every row, `bounds` what analysing one exchange may cost.
    pub fn compile(
        policy: &Policy,
        secret: &InstallationSecret,
        node: &str,
        bounds: Bounds,
    ) -> Result<Self, CompileError> {
        Ok(Self {
            stages: Stages::compile(policy, secret, bounds)?,
            operations: Operations::new(bounds).map_err(CompileError::Plan)?,
            selector: Selector::new(policy, secret.parameter_key()),
            node: node.to_owned(),
            scratch: Scratch::default(),
        })
    }

    /// Forgets what a panic may have left half done.
    pub(crate) fn recover(&mut self) {
        self.scratch = Scratch::default();
    }

    /// Takes one exchange through all stages and appends its row. Gives the session it belongs to; `None` for one that
    /// the policy leaves out of the analysis.
    pub fn process(
        &mut self,
        exchange: &Exchange,
        rows: &mut RowBuilder,
        counters: &NodeCounters,
    ) -> Option<SessionId> {
        // 1. points: what the policy asks for and what of it may be looked at; and what the request asks for, of few by
        // their bodies.
        let Some(sight) = self.stages.look(exchange, &mut self.scratch) else {
            NodeCounters::add(&counters.passed_by, 1);
            return None;
        };
        let spoken = self.operations.read(exchange, &mut self.scratch);
        // 2. grouping: the session, and why.
        let grouped = self.stages.group(exchange, &sight, &mut self.scratch);
        // 3. context: the one exit; what follows sees exportable values only.
        let contextual = self.selector.select(exchange, &sight.extracted, &grouped, &spoken);
        // 4. record.
        count(&contextual, counters);
        let policy = self.stages.policy();
        let application = policy.applications().id(sight.reach.application);
        let origin = Origin { node: &self.node, policy_version: policy.version(), application };
        append(exchange, &contextual, &origin, rows);
        Some(contextual.session.id)
    }
}

/// What a row says beside the exchange itself.
struct Origin<'p> {
    node: &'p str,
    policy_version: u64,
    application: &'p str,
}

fn count(contextual: &Contextual<'_>, counters: &NodeCounters) {
    NodeCounters::add(&counters.processed, 1);
    NodeCounters::add(&counters.parse_errors, contextual.parse_errors.len() as u64);
    let decided = match contextual.session.key_kind {
        KeyKind::Configured => &counters.decided_configured,
        KeyKind::BuiltIn => &counters.decided_built_in,
        KeyKind::Fallback => &counters.decided_fallback,
    };
    NodeCounters::add(decided, 1);
}

/// Writes what `context` lets out, with the times, sizes and identities of the exchange, which hold nothing captured.
fn append(exchange: &Exchange, contextual: &Contextual<'_>, origin: &Origin<'_>, rows: &mut RowBuilder) {
    let params: smallvec::SmallVec<[ParameterRow<'_>; 8]> = contextual
        .params
        .iter()
        .map(|parameter| ParameterRow {
            name: parameter.name,
            value: parameter.value.as_str(),
            hashed: parameter.value.is_hashed(),
            origin: message_side(parameter.side),
            hidden: parameter.hidden,
        })
        .collect();
    let parse_errors: smallvec::SmallVec<[ParseErrorRow<'_>; 2]> = contextual
        .parse_errors
        .iter()
        .map(|error| ParseErrorRow {
            part: &error.part,
            parser: error.parser,
            offset: error.offset,
            reason: error.reason,
        })
        .collect();
    let session = &contextual.session;
    rows.append(&Row {
        ts: exchange.started,
        exchange_id: exchange.id,
        node: origin.node,
        source: match exchange.source {
            Source::Proxy => "proxy",
            Source::File { format, .. } => format,
        },
        policy_version: origin.policy_version,
        application: origin.application,
        host: contextual.host.as_ref().map(|text| text.as_str()),
        scheme: exchange.request.scheme.map(threadline_model::Scheme::as_str),
        proto: exchange.request.version.map(threadline_model::HttpVersion::as_str),
        method: contextual.method,
        path: contextual.path.as_str(),
        query: contextual.query.as_ref().map(|text| text.as_str()),
        endpoint: &contextual.endpoint,
        protocol: contextual.protocol.as_str(),
        operation: contextual.operation.as_deref(),
        status: exchange.response.as_ref().map(|response| response.status),
        outcome: exchange.outcome.as_str(),
        duration_us: exchange.duration_us,
        upstream_us: exchange.upstream_us,
        request_bytes: exchange.sizes.request,
        response_bytes: exchange.sizes.response,
        client_ip: contextual.client_ip,
        user_agent: contextual.user_agent.as_ref().map(|text| text.as_str()),
        ja3: contextual.ja3.as_ref().map(|text| text.as_str()),
        ja4: contextual.ja4.as_ref().map(|text| text.as_str()),
        session_id: session.id,
        session_key: session.key,
        session_key_kind: session_key_kind(session.key_kind),
        session_value: session.value.as_str(),
        session_value_hashed: session.value.is_hashed(),
        session_value_origin: if session.issued { ValueOrigin::Issued } else { ValueOrigin::Unknown },
        session_trace: session.trace.as_str(),
        session_uncertain: session.uncertain,
        request_session_id: session.request.map(|request| request.session),
        request_session_key_kind: session.request.map(|request| session_key_kind(request.kind)),
        trace_id: contextual.trace_id,
        user: contextual.user.as_ref().map(|text| text.as_str()),
        role: contextual.role.as_ref().map(|text| text.as_str()),
        params: &params,
        parse_errors: &parse_errors,
    });
}

fn message_side(side: Side) -> MessageSide {
    match side {
        Side::Request => MessageSide::Request,
        Side::Response => MessageSide::Response,
    }
}

fn session_key_kind(kind: KeyKind) -> SessionKeyKind {
    match kind {
        KeyKind::Configured => SessionKeyKind::Configured,
        KeyKind::BuiltIn => SessionKeyKind::BuiltIn,
        KeyKind::Fallback => SessionKeyKind::Fallback,
    }
}
