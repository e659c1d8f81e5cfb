//! Between the hub, which is asked to try a policy out, and the node's stages, which do it on what the node keeps or on an
//! archive.

use std::io::Cursor;
use std::sync::Arc;

use threadline_capture::import::har::{HarReader, HarSettings};
use threadline_grouping::{InstallationSecret, KeyKind};
use threadline_hub::{
    TriedChanges, TriedExchange, TriedFigures, TriedOutcome, TriedPolicy, TriedRule, TriedSession, TriedSpread,
    TriedWarning, TryOutError, TryOutTraffic,
};
use threadline_model::Exchange;
use threadline_node::{
    Example, ExampleSession, Figures, MAXIMUM_TRIED, RecentExchanges, Spread, TryOut, TryOutSettings, Version, Warning,
    try_out,
};
use threadline_points::Bounds;
use threadline_policy::Policy;

/// Stands where there is no value to show.
const NO_VALUE: &str = "…";

/// The node's stages, on what it keeps.
pub(crate) struct Trier {
    pub(crate) kept: Arc<RecentExchanges>,
    pub(crate) secret: Arc<InstallationSecret>,
    pub(crate) bounds: Bounds,
}

impl threadline_hub::TryOut for Trier {
    fn try_out(
        &self,
        current: &Policy,
        draft: &Policy,
        traffic: TryOutTraffic,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<TriedPolicy, TryOutError> {
        let settings = TryOutSettings { secret: &self.secret, bounds: self.bounds, is_stopped };
        let mut notes = Vec::new();
        let tried = match traffic {
            TryOutTraffic::Recent => {
                let kept = self.kept.list();
                let exchanges: Vec<&Exchange> = kept.iter().map(|kept| &kept.exchange).collect();
                // What passed by was never kept.
                if current.analysed() != draft.analysed() {
                    notes.push(
                        "Only analysed exchanges are kept: what the draft analyses in addition is not among them."
                            .to_owned(),
                    );
                }
                try_out(current, draft, &exchanges, settings)
            }
            TryOutTraffic::Har(text) => {
                let exchanges = read(text, is_stopped, &mut notes)?;
                let exchanges: Vec<&Exchange> = exchanges.iter().collect();
                try_out(current, draft, &exchanges, settings)
            }
        };
        let tried = tried.map_err(|error| match error {
            threadline_node::TryOutError::Stopped => TryOutError::Stopped,
            threadline_node::TryOutError::Draft(cause) => TryOutError::Draft(cause.into()),
            other => TryOutError::Failed(other.into()),
        })?;
        if current.trusted_proxies() != draft.trusted_proxies() {
            notes.push(
                "Client addresses and original hosts were found when the traffic was seen; what changes about trusted proxies shows only in \
                 new traffic."
                    .to_owned(),
            );
        }
        if tried.failed > 0 {
            notes.push(format!("{} exchanges could not be analysed and are in no figure.", tried.failed));
        }
        Ok(shown(tried, notes))
    }
}

/// The exchanges of an archive, in its order.
fn read(
    text: String,
    is_stopped: &(dyn Fn() -> bool + Sync),
    notes: &mut Vec<String>,
) -> Result<Vec<Exchange>, TryOutError> {
    let settings = HarSettings { entry_limit: text.len(), ..HarSettings::default() };
    let mut reader =
        HarReader::new(Cursor::new(text), settings).map_err(|error| TryOutError::Har(error.to_string()))?;
    let mut exchanges: Vec<Exchange> = Vec::new();
    while exchanges.len() < MAXIMUM_TRIED {
        if is_stopped() {
            return Err(TryOutError::Stopped);
        }
        match reader.next() {
            Some(entry) => exchanges.extend(entry.ok()),
            None => break,
        }
    }
    let counts = reader.counts();
    if exchanges.len() == MAXIMUM_TRIED {
        notes.push(format!("Only the first {MAXIMUM_TRIED} entries were looked at."));
    }
    if counts.damaged > 0 {
        notes.push(format!("{} damaged places of the archive were left out.", counts.damaged));
    }
    if counts.local > 0 {
        notes.push(format!("{} entries never left the browser and were left out.", counts.local));
    }
    if exchanges.iter().all(|exchange| exchange.client.is_none()) {
        notes.push("Archives have no client addresses: figures about clients count none.".to_owned());
    }
    Ok(exchanges)
}

fn shown(tried: TryOut, notes: Vec<String>) -> TriedPolicy {
    let changes = tried.changes;
    TriedPolicy {
        exchanges: tried.exchanges,
        from: tried.from,
        to: tried.to,
        notes,
        current: figures(tried.current),
        draft: figures(tried.draft),
        changes: TriedChanges {
            compared: changes.compared,
            changed: changes.changed,
            newly_analysed: changes.newly_analysed,
            no_longer_analysed: changes.no_longer_analysed,
            examples: changes.examples.into_iter().map(example).collect(),
        },
        warnings: tried.warnings.into_iter().map(warning).collect(),
    }
}

fn figures(figures: Figures) -> TriedFigures {
    let analysed = figures.analysed;
    let rule = |rule: threadline_node::RuleFigures| TriedRule {
        kind: kind(rule.kind),
        key: rule.key,
        exchanges: rule.exchanges,
        share: if analysed == 0 { 0.0 } else { rule.exchanges as f64 / analysed as f64 },
        sessions: rule.sessions,
        outcomes: rule
            .outcomes
            .into_iter()
            .map(|(outcome, exchanges)| TriedOutcome { outcome: outcome.as_str(), exchanges })
            .collect(),
    };
    TriedFigures {
        analysed,
        passed_by: figures.passed_by,
        uncertain: figures.uncertain,
        rules: figures.rules.into_iter().map(rule).collect(),
        sessions: figures.sessions,
        largest_session: figures.largest_session,
        single_sessions: figures.single_sessions,
        addresses_of_session: spread(figures.addresses_of_session),
        sessions_of_address: spread(figures.sessions_of_address),
    }
}

fn spread(Spread { of, median, most }: Spread) -> TriedSpread {
    TriedSpread { of, median, most }
}

fn example(example: Example) -> TriedExchange {
    TriedExchange::new(&example.exchange, session(example.current), session(example.draft))
}

fn session(session: ExampleSession) -> TriedSession {
    TriedSession {
        session_id: session.session.to_string(),
        kind: kind(session.kind),
        key: session.key,
        value: session.value.map_or_else(|| NO_VALUE.to_owned(), |hash| hash.as_str().to_owned()),
    }
}

fn warning(warning: Warning) -> TriedWarning {
    TriedWarning {
        policy: match warning.version {
            Version::Current => "current",
            Version::Draft => "draft",
        },
        key: warning.key,
        kind: warning.kind.as_str(),
        reason: warning.reason,
    }
}

/// As in the API of sessions.
const fn kind(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Configured => "configured",
        KeyKind::BuiltIn => "builtin",
        KeyKind::Fallback => "fallback",
    }
}
