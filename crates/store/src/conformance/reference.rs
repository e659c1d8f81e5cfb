//! The questions answered naively, over rows in memory. Slow and plain on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use threadline_model::{Network, SessionId, Timestamp, UtcDay};

use super::sample::Sample;
use crate::{
    Choice, Count, FacetField, Filters, FirstParameterCount, HistogramBar, KeyFigures, KeyHealth, KeyOutcomeCount,
    StatusFilter, ThreadBin, TimeRange,
};

/// The rows that count in a question about sessions: user and role choose sessions, everything else chooses rows.
pub(super) fn counted_in_sessions<'a>(samples: &'a [Sample], range: TimeRange, filters: &Filters) -> Vec<&'a Sample> {
    let of_rows = Filters { user: Choice::default(), role: Choice::default(), ..filters.clone() };
    let chosen = |choice: &Choice<String>, value: fn(&Sample) -> Option<&'static str>, session: SessionId| {
        let seen = |wanted: &String| {
            let in_range = |row: &&Sample| range.from <= row.ts && row.ts < range.to;
            let of_session = samples.iter().filter(in_range).filter(|row| row.session == session);
            of_session.into_iter().any(|row| value(row) == Some(wanted))
        };
        (choice.any.is_empty() || choice.any.iter().any(seen)) && !choice.not.iter().any(seen)
    };
    let sessions: BTreeSet<SessionId> = samples.iter().map(|row| row.session).collect();
    let sessions: BTreeSet<SessionId> = sessions
        .into_iter()
        .filter(|session| {
            chosen(&filters.user, |row| row.user, *session) && chosen(&filters.role, |row| row.role, *session)
        })
        .collect();
    let mut rows = counted(samples, range, &of_rows);
    rows.retain(|row| sessions.contains(&row.session));
    rows
}

/// The rows that count in a question about exchanges.
pub(super) fn counted<'a>(samples: &'a [Sample], range: TimeRange, filters: &Filters) -> Vec<&'a Sample> {
    let inside = |sample: &&Sample| range.from <= sample.ts && sample.ts < range.to;
    samples.iter().filter(inside).filter(|sample| passes(sample, filters)).collect()
}

fn passes(sample: &Sample, filters: &Filters) -> bool {
    let folded = |text: &str| text.to_ascii_lowercase();
    let contains = |text: &str, part: &str| folded(text).contains(&folded(part));
    text(&filters.application, Some(sample.application))
        && text(&filters.host, sample.host)
        && text(&filters.method, Some(sample.method))
        && text(&filters.user, sample.user)
        && text(&filters.role, sample.role)
        && text(&filters.key, Some(sample.key))
        && text(&filters.key_kind, Some(sample.key_kind.as_str()))
        && text(&filters.outcome, Some(sample.outcome))
        && text(&filters.value, Some(&sample.key_value))
        && filters.parameters.iter().all(|(name, choice)| {
            chosen(choice, |value| sample.parameters().contains(&(name.as_str(), value.as_str())))
        })
        && chosen(&filters.session, |session| *session == sample.session)
        && chosen(&filters.exchange, |exchange| *exchange == sample.id)
        && chosen(&filters.ip, |network| sample.client_ip.is_some_and(|address| within(network, address)))
        && chosen(&filters.status, |status| match status {
            StatusFilter::None => sample.status.is_none(),
            StatusFilter::Exact(code) => sample.status == Some(*code),
            StatusFilter::Class(class) => sample.status.is_some_and(|status| status / 100 == u16::from(*class)),
        })
        && chosen(&filters.endpoint, |part| contains(sample.endpoint, part) || contains(&sample.path, part))
        && filters.search.as_deref().is_none_or(|search| {
            let texts = [sample.user, sample.host, Some(&*sample.path), Some(sample.endpoint), sample.user_agent];
            texts.into_iter().flatten().chain([&*sample.key_value]).any(|text| contains(text, search))
                || search.parse() == Ok(sample.session)
                || (search.len() == 32 && sample.trace_id.as_ref().is_some_and(|id| *id == folded(search)))
                || sample.client_ip.is_some_and(|address| search.parse() == Ok(address))
        })
}

fn chosen<T>(choice: &Choice<T>, matches: impl Fn(&T) -> bool) -> bool {
    (choice.any.is_empty() || choice.any.iter().any(&matches)) && !choice.not.iter().any(&matches)
}

fn text(choice: &Choice<String>, value: Option<&str>) -> bool {
    chosen(choice, |wanted| value == Some(wanted))
}

fn within(network: &Network, address: IpAddr) -> bool {
    match (network.address, address) {
        (IpAddr::V4(network_address), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(network.prefix)).unwrap_or(0);
            network_address.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network_address), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(network.prefix)).unwrap_or(0);
            network_address.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// The rows by part, newest part first.
pub(super) fn parts<'a>(rows: &[&'a Sample]) -> Vec<((SessionId, UtcDay), Vec<&'a Sample>)> {
    let mut parts: BTreeMap<(SessionId, UtcDay), Vec<&Sample>> = BTreeMap::new();
    for row in rows {
        parts.entry((row.session, row.ts.day())).or_default().push(row);
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|((session, _), rows)| (rows.iter().map(|row| row.ts).max(), *session));
    parts.reverse();
    parts
}

/// A field's value as the API shows it.
pub(super) fn value(sample: &Sample, field: FacetField) -> Option<String> {
    match field {
        FacetField::Application => Some(sample.application.to_owned()),
        FacetField::Host => sample.host.map(str::to_owned),
        FacetField::Ip => sample.client_ip.map(|address| address.to_string()),
        FacetField::Method => Some(sample.method.to_owned()),
        FacetField::Status => sample.status.map(|status| status.to_string()),
        FacetField::User => sample.user.map(str::to_owned),
        FacetField::Role => sample.role.map(str::to_owned),
        FacetField::Endpoint => Some(sample.endpoint.to_owned()),
        FacetField::Key => Some(sample.key.to_owned()),
        FacetField::UserAgent => sample.user_agent.map(str::to_owned),
        FacetField::Outcome => Some(sample.outcome.to_owned()),
    }
}

/// Exchanges of a policy version by the first parameter of an order that they have.
pub(super) fn first_parameters(rows: &[&Sample], policy_version: u64, order: &[String]) -> Vec<FirstParameterCount> {
    let mut counts: BTreeMap<(Option<u16>, &str, &str), u64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.policy_version == policy_version) {
        let names = || ["user", "sort"].into_iter().chain(row.marks.iter().map(|(name, _)| *name));
        let first = order.iter().position(|wanted| names().any(|name| name == wanted)).map(|place| place as u16);
        *counts.entry((first, row.key, row.key_kind.as_str())).or_default() += 1;
    }
    let count = |((first, key, kind), exchanges): ((_, &str, &str), _)| FirstParameterCount {
        first,
        key: key.to_owned(),
        kind: kind.to_owned(),
        exchanges,
    };
    counts.into_iter().map(count).collect()
}

/// How the rules that decide did.
pub(super) fn key_health(rows: &[&Sample], range: TimeRange, bars: u16) -> KeyHealth {
    let mut totals: BTreeMap<SessionId, u64> = BTreeMap::new();
    rows.iter().for_each(|row| *totals.entry(row.session).or_default() += 1);
    let issued: BTreeSet<SessionId> = rows.iter().filter(|row| row.issued).map(|row| row.session).collect();
    let mut by_key: BTreeMap<(&str, &str), Vec<&Sample>> = BTreeMap::new();
    for row in rows {
        by_key.entry((row.key, row.key_kind.as_str())).or_default().push(row);
    }
    let mut keys: Vec<KeyFigures> = Vec::new();
    for ((key, kind), rows) in &by_key {
        let mut addresses: BTreeMap<SessionId, BTreeSet<IpAddr>> = BTreeMap::new();
        let mut sessions: BTreeMap<IpAddr, BTreeSet<SessionId>> = BTreeMap::new();
        for row in rows {
            if let Some(address) = row.client_ip {
                addresses.entry(row.session).or_default().insert(address);
                sessions.entry(address).or_default().insert(row.session);
            }
        }
        let of_this: BTreeSet<SessionId> = rows.iter().map(|row| row.session).collect();
        let exchanges: BTreeMap<SessionId, u64> = of_this.iter().map(|session| (*session, totals[session])).collect();
        let of_sessions = || addresses.values().map(|addresses| addresses.len() as u64);
        keys.push(KeyFigures {
            key: (*key).to_owned(),
            kind: (*kind).to_owned(),
            exchanges: rows.len() as u64,
            sessions: exchanges.len() as u64,
            exchanges_of_sessions: exchanges.values().sum(),
            largest_session: exchanges.values().copied().max().unwrap_or_default(),
            single_sessions: exchanges.values().filter(|count| **count == 1).count() as u64,
            never_issued_sessions: exchanges.keys().filter(|session| !issued.contains(session)).count() as u64,
            addresses: sessions.len() as u64,
            most_addresses_of_session: of_sessions().max().unwrap_or_default(),
            addresses_of_sessions: of_sessions().sum(),
            most_sessions_of_address: sessions.values().map(|sessions| sessions.len() as u64).max().unwrap_or_default(),
        });
    }
    keys.sort_by(|one, other| other.exchanges.cmp(&one.exchanges).then_with(|| one.key.cmp(&other.key)));
    let mut counted: BTreeMap<(u16, u32), u64> = BTreeMap::new();
    let mut outcomes: BTreeMap<(u64, u16, char), u64> = BTreeMap::new();
    let width = i128::from(range.to.micros()) - i128::from(range.from.micros());
    for row in rows {
        let offset = i128::from(row.ts.micros()) - i128::from(range.from.micros());
        let place = keys.iter().position(|key| key.key == row.key && key.kind == row.key_kind.as_str()).unwrap();
        *counted.entry(((offset * i128::from(bars) / width) as u16, place as u32)).or_default() += 1;
        for (place, letter) in row.trace.chars().enumerate() {
            *outcomes.entry((row.policy_version, place as u16, letter)).or_default() += 1;
        }
    }
    let outcome =
        |((policy_version, place, letter), exchanges)| KeyOutcomeCount { policy_version, place, letter, exchanges };
    KeyHealth {
        keys,
        outcomes: outcomes.into_iter().map(outcome).collect(),
        bars: counted.into_iter().map(|((bar, place), exchanges)| (bar, place, exchanges)).collect(),
    }
}

/// All values of a field with their counts, as a set: engines may order equal counts as they like.
pub(super) fn counts(rows: &[&Sample], field: FacetField) -> BTreeMap<Option<String>, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(value(row, field)).or_default() += 1;
    }
    counts
}

/// An engine's counts in the form of [`counts`].
pub(super) fn as_counts(counts: &[Count]) -> BTreeMap<Option<String>, u64> {
    counts.iter().map(|count| (count.value.clone(), count.exchanges)).collect()
}

/// The last non-empty value of something in rows that are in order of time.
pub(super) fn last<'a>(rows: &[&'a Sample], value: impl Fn(&'a Sample) -> Option<&'a str>) -> Option<&'a str> {
    rows.iter().rev().filter_map(|row| value(row)).find(|value| !value.is_empty())
}

/// Whether an exchange counts as an error.
pub(super) fn is_error(sample: &Sample) -> bool {
    sample.outcome == "upstream_failed" || sample.status.is_some_and(|status| status >= 400)
}

/// Rows in equal bins between two moments; empty bins are left out.
pub(super) fn bins(rows: &[&Sample], from: Timestamp, to: Timestamp, bins: u16) -> Vec<ThreadBin> {
    let width = i128::from(to.micros()) - i128::from(from.micros());
    let mut filled: BTreeMap<u16, ThreadBin> = BTreeMap::new();
    for row in rows {
        let offset = i128::from(row.ts.micros()) - i128::from(from.micros());
        let index = (offset * i128::from(bins) / width) as u16;
        let bin = filled.entry(index).or_insert(ThreadBin { index, ..ThreadBin::default() });
        match row.status {
            _ if row.outcome == "upstream_failed" => bin.server_error += 1,
            Some(500..) => bin.server_error += 1,
            Some(400..) => bin.client_error += 1,
            Some(300..) => bin.redirect += 1,
            Some(_) => bin.ok += 1,
            None => bin.no_response += 1,
        }
    }
    filled.into_values().collect()
}

/// The histogram without the starts of its bars.
pub(super) fn histogram(rows: &[&Sample], range: TimeRange, bars: u16) -> Vec<(ThreadBin, u64)> {
    let filled = bins(rows, range.from, range.to, bars);
    let width = range.to.micros() - range.from.micros();
    (0..bars)
        .map(|index| {
            let counts = filled.iter().find(|bin| bin.index == index).copied();
            let of_bar = |row: &&&Sample| {
                let offset = i128::from(row.ts.micros() - range.from.micros());
                offset * i128::from(bars) / i128::from(width) == i128::from(index)
            };
            let sessions: BTreeSet<SessionId> = rows.iter().filter(of_bar).map(|row| row.session).collect();
            (counts.unwrap_or(ThreadBin { index, ..ThreadBin::default() }), sessions.len() as u64)
        })
        .collect()
}

/// An engine's histogram in the form of [`histogram`].
pub(super) fn as_histogram(bars: &[HistogramBar]) -> Vec<(ThreadBin, u64)> {
    bars.iter().map(|bar| (bar.counts, bar.sessions)).collect()
}
