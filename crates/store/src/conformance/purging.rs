//! What was asked to leave is gone, all of it and nothing else, and what comes later stays.

use std::collections::BTreeSet;

use threadline_model::{PurgeId, SessionId};
use threadline_record::SessionKeyKind;
use uuid::Uuid;

use super::NOON;
use super::appending::{ALWAYS, exchanges_query, stored};
use super::asking::fill;
use super::sample::{Random, Sample, batch_id, session_id, to_batch};
use crate::{ExchangeStore, Filters, Lane, Purge, PurgeCounts, StoredExchange};

fn purge_id(number: u128) -> PurgeId {
    PurgeId::new(Uuid::from_u128(number))
}

/// Asks first, purges, asks again, and forgets.
async fn purge(store: &impl ExchangeStore, id: PurgeId, what: Purge) -> PurgeCounts {
    assert_eq!(store.finish_purge(id).await.unwrap(), None, "it was not begun");
    let counts = store.preview_purge(what.clone()).await.unwrap();
    assert_eq!(store.begin_purge(id, what.clone()).await.unwrap(), counts);
    assert_eq!(store.preview_purge(what.clone()).await.unwrap(), counts, "beginning takes nothing away");
    store.forget_purge(id).await.unwrap();
    assert_eq!(store.finish_purge(id).await.unwrap(), Some(counts), "a purge under way is not forgotten");
    assert_eq!(store.finish_purge(id).await.unwrap(), Some(counts), "finishing again gives the same answer");
    assert_eq!(store.preview_purge(what.clone()).await.unwrap(), PurgeCounts::default(), "{what:?} is gone");
    store.forget_purge(id).await.unwrap();
    assert_eq!(store.finish_purge(id).await.unwrap(), None);
    counts
}

async fn find(store: &impl ExchangeStore, sample: &Sample) -> StoredExchange {
    store.exchange(sample.id).await.unwrap().unwrap()
}

/// What the purge of these sessions takes away, and what is left of the rows.
fn leave(samples: &mut Vec<Sample>, sessions: &BTreeSet<SessionId>, user: Option<&str>) -> PurgeCounts {
    let leaves = |sample: &Sample| sessions.contains(&sample.session);
    let linked = |sample: &Sample| sample.request_session.is_some_and(|(session, _)| sessions.contains(&session));
    let gone: Vec<&Sample> = samples.iter().filter(|sample| leaves(sample)).collect();
    let changed: Vec<&Sample> = samples.iter().filter(|sample| !leaves(sample) && linked(sample)).collect();
    let of_others = |sample: &&&Sample| {
        user.is_some_and(|user| sample.user.is_some_and(|other| other != user && !other.is_empty()))
    };
    let distinct =
        |rows: &mut dyn Iterator<Item = &&Sample>| rows.map(|row| row.session).collect::<BTreeSet<_>>().len();
    let counts = PurgeCounts {
        sessions: distinct(&mut gone.iter()) as u64,
        shared_sessions: distinct(&mut gone.iter().filter(of_others)) as u64,
        deleted: gone.len() as u64,
        changed: changed.len() as u64,
        days: gone.iter().chain(&changed).map(|row| row.ts.day()).collect::<BTreeSet<_>>().len() as u64,
    };
    samples.retain(|sample| !sessions.contains(&sample.session));
    for sample in samples.iter_mut() {
        sample.request_session = sample.request_session.filter(|(session, _)| !sessions.contains(session));
    }
    counts
}

async fn check_links(store: &impl ExchangeStore, samples: &[Sample]) {
    assert_eq!(stored(store).await, samples.len() as u64);
    for sample in samples {
        let kind = |(_, kind): (SessionId, SessionKeyKind)| kind.as_str().to_owned();
        let found = find(store, sample).await;
        assert_eq!(found.session_id, sample.session);
        assert_eq!(found.request_session_id, sample.request_session.map(|(session, _)| session));
        assert_eq!(found.request_session_key_kind, sample.request_session.map(kind));
    }
}

pub(super) async fn sessions_and_users_leave_with_all_their_exchanges(store: &impl ExchangeStore) {
    let nothing = purge(store, purge_id(1), Purge::User("Ada".to_owned())).await;
    assert_eq!(nothing, PurgeCounts::default(), "an empty store has nothing to lose");

    let mut samples = fill(store, &mut Random::new(7), 300).await;
    let batches: Vec<Sample> = samples.clone();
    let session = samples[10].session;
    let expected = leave(&mut samples, &BTreeSet::from([session]), None);
    assert!(expected.deleted > 0 && expected.changed > 0, "{expected:?}");
    assert_eq!(purge(store, purge_id(2), Purge::Session(session)).await, expected);
    check_links(store, &samples).await;
    assert_eq!(purge(store, purge_id(3), Purge::Session(session_id(200))).await, PurgeCounts::default());

    // A user whom few sessions know, and who shares one of them.
    let user = "O'Brien; DROP TABLE exchanges";
    let of_user = |sample: &&Sample| sample.user == Some(user);
    let sessions: BTreeSet<SessionId> = samples.iter().filter(of_user).map(|sample| sample.session).collect();
    let expected = leave(&mut samples, &sessions, Some(user));
    assert!(expected.shared_sessions > 0, "{expected:?}");
    assert_eq!(purge(store, purge_id(4), Purge::User(user.to_owned())).await, expected);
    check_links(store, &samples).await;

    // What a node sends again does not come back; what is new does.
    let live: Vec<Sample> = batches.into_iter().filter(|sample| sample.session == session).collect();
    store.append(to_batch(batch_id(0), Lane::Live, &live)).await.unwrap();
    check_links(store, &samples).await;
    store.append(to_batch(batch_id(9_000), Lane::Live, &live)).await.unwrap();
    assert_eq!(stored(store).await, (samples.len() + live.len()) as u64);
}

pub(super) async fn a_parameter_leaves_without_its_exchanges(store: &impl ExchangeStore) {
    let samples = fill(store, &mut Random::new(8), 300).await;
    for (number, name) in [(1, "token"), (2, "to\"ken"), (3, "user"), (4, "sort")] {
        purge(store, purge_id(number), Purge::Parameter(name.to_owned())).await;
        assert_eq!(stored(store).await, samples.len() as u64, "{name}: no exchange leaves");
    }
    for sample in &samples {
        let found = find(store, sample).await;
        let gone = |name: &str| ["token", "to\"ken", "user", "sort"].contains(&name);
        let left: Vec<(&str, &str)> =
            found.params.iter().map(|parameter| (parameter.name.as_str(), parameter.value.as_str())).collect();
        let expected: Vec<_> = sample.parameters().into_iter().filter(|(name, _)| !gone(name)).collect();
        assert_eq!(left, expected, "the others stay, also where they had their value from what left");
        let decided = sample.key == "token" && sample.key_kind == SessionKeyKind::Configured;
        let value = if decided { "" } else { sample.key_value.as_str() };
        assert_eq!((found.session_value.as_str(), found.session_value_hashed), (value, !decided));
        assert_eq!(found.session_id, sample.session);
        assert_eq!(found.user, None, "it was the parameter's");
        assert_eq!(found.role.as_deref(), sample.role);
        assert_eq!(found.path, sample.path);
        assert_eq!(found.query.as_deref(), Some("page"));
    }
}

pub(super) async fn what_comes_after_a_purge_began_stays(store: &impl ExchangeStore) {
    let (before, after) = (Sample::plain(NOON, 1), Sample::plain(NOON, 2));
    store.append(to_batch(batch_id(1), Lane::Live, std::slice::from_ref(&before))).await.unwrap();
    let [first, second] = [purge_id(1), purge_id(2)];
    let counts = store.begin_purge(first, Purge::User("Ada".to_owned())).await.unwrap();
    assert_eq!((counts.sessions, counts.deleted), (1, 1));
    let other = store.begin_purge(second, Purge::Parameter("user".to_owned())).await.unwrap();
    assert_eq!((other.deleted, other.changed), (0, 1));
    store.append(to_batch(batch_id(2), Lane::Live, std::slice::from_ref(&after))).await.unwrap();
    let again = store.begin_purge(first, Purge::User("Ada".to_owned())).await.unwrap();
    assert_eq!(again, counts, "it was begun before");
    assert_eq!(store.finish_purge(first).await.unwrap(), Some(counts));
    assert_eq!(store.finish_purge(second).await.unwrap(), Some(other));
    let left = store.exchanges(exchanges_query(ALWAYS, &Filters::default(), 10)).await.unwrap();
    let left: Vec<_> = left.items.iter().map(|found| (found.exchange_id, found.user.as_deref())).collect();
    assert_eq!(left, [(after.id, Some("Ada"))]);
}
