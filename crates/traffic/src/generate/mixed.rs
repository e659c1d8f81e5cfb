//! Actors and shop in one thread, at simulated time.

use std::net::IpAddr;

use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Version};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use threadline_model::{
    CapturedBody, CapturedHeaders, CapturedText, Exchange, HttpVersion, Outcome, Request, Response, Scheme, Sizes,
    Source, Timestamp, TlsFingerprints,
};

use crate::actors::{Actor, ActorRequest, Arrivals, Reply};
use crate::random::stream;
use crate::shop::{Question, Shop};
use crate::simulation::record_of;
use crate::truth::TruthRecord;
use crate::wire::Received;

/// Parties active at a time.
const ACTIVE: usize = 64;

/// An endless stream of exchanges as the proxy would capture them, each with its truth.
pub struct MixedStream {
    seed: u64,
    shop: Shop,
    arrivals: Arrivals,
    living: Vec<Actor>,
    random: ChaCha8Rng,
    now: Timestamp,
    next: u64,
}

impl MixedStream {
    /// Begins at `start`; about a hundred exchanges a second of simulated time.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        Self {
            seed,
            shop: Shop::new(seed),
            arrivals: Arrivals::new(seed, None),
            living: Vec::new(),
            random: stream(seed, "mixed", 0),
            now: start,
            next: 0,
        }
    }

    fn exchange(&mut self, request: &ActorRequest, client: IpAddr, received: &Received) -> Exchange {
        let number = self.next;
        self.next += 1;
        let upstream_us = self.random.random_range(2_000..40_000);
        let host = request.headers.get(http::header::HOST).map(|host| CapturedText::new(host.as_bytes().to_vec()));
        Exchange {
            id: super::exchange_id(self.seed, self.now, number),
            started: self.now,
            duration_us: Some(upstream_us + 300),
            upstream_us: Some(upstream_us),
            source: Source::Proxy,
            client: Some(client),
            fingerprints: TlsFingerprints::default(),
            request: Request {
                method: CapturedText::new(request.method.as_str().as_bytes().to_vec()),
                scheme: Some(Scheme::Http),
                version: Some(HttpVersion::Http11),
                host,
                target: CapturedText::new(request.target.clone()),
                headers: CapturedHeaders::new(request.headers.clone()),
                body: CapturedBody::whole(request.body.clone()),
            },
            response: Some(Response {
                status: received.status,
                version: Some(HttpVersion::Http11),
                headers: CapturedHeaders::new(received.headers.clone()),
                body: CapturedBody::whole(received.body.clone()),
            }),
            sizes: Sizes { request: request.body.len() as u64, response: received.body.len() as u64 },
            outcome: Outcome::Completed,
        }
    }
}

impl Iterator for MixedStream {
    type Item = (Exchange, TruthRecord);

    fn next(&mut self) -> Option<(Exchange, TruthRecord)> {
        let (index, request) = loop {
            while self.living.len() < ACTIVE {
                let seed = self.seed;
                self.living.extend(self.arrivals.next()?.into_iter().map(|plan| Actor::new(seed, plan)));
            }
            let index = self.random.random_range(0..self.living.len());
            match self.living[index].next_request() {
                Some(request) => break (index, request),
                None => drop(self.living.swap_remove(index)),
            }
        };
        self.now = Timestamp::from_micros(self.now.micros() + self.random.random_range(1_000..20_000));
        let answer = self.shop.answer(Question {
            method: &request.method,
            target: &request.target,
            headers: &request.headers,
            body: &request.body,
        });
        let body = answer.whole_body();
        let mut headers = answer.headers;
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let received = Received { status: answer.status.as_u16(), version: Version::HTTP_11, headers, body };
        let reply = Reply { status: received.status, headers: &received.headers, body: &received.body };
        let issued = self.living[index].learn(Some(&reply));
        let client = IpAddr::V4(self.living[index].source());
        let actor = &self.living[index];
        let mut record = record_of(actor, &request, self.now.micros(), Some(&received));
        record.identifiers.extend(issued);
        record.identifiers.push(actor.address_and_agent(client));
        Some((self.exchange(&request, client, &received), record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ActorKind;
    use std::collections::BTreeSet;

    #[test]
    fn a_mixed_stream_has_all_kinds_repeats_by_seed_and_moves_forward_in_time() {
        let start = Timestamp::from_micros(1_795_392_000_000_000);
        let stream = |seed| MixedStream::new(seed, start).take(3_000);
        let truth: Vec<TruthRecord> = stream(1).map(|(_, record)| record).collect();
        assert_eq!(truth, stream(1).map(|(_, record)| record).collect::<Vec<_>>());
        assert_eq!(truth.iter().map(|record| record.kind).collect::<BTreeSet<_>>(), BTreeSet::from(ActorKind::ALL));
        assert!(truth.windows(2).all(|pair| pair[0].sent_us < pair[1].sent_us));
        let ids: BTreeSet<_> = stream(1).map(|(exchange, _)| exchange.id).collect();
        assert_eq!(ids.len(), 3_000);
    }
}
