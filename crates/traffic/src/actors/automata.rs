//! Programs: an integration partner, a crawler, a back office, and somebody's script that asks for order after order.

use http::header::ACCEPT;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::shop::{FIRST_ORDER, LAST_SEEDED_ORDER, api_key, password_of, user_name};
use crate::truth::{Identifier, IdentifierName};

use super::call::{Call, Reply, Script};
use super::credential::Credential;
use super::customers::login_call;

/// A partner's nightly synchronisation, all day long.
pub(super) struct Partner {
    credential: Credential,
    page: u32,
}

impl Partner {
    pub(super) fn new(user: u32) -> Self {
        Self { credential: Credential::ApiKey(api_key(user)), page: 0 }
    }
}

impl Script for Partner {
    fn next(&mut self, random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let call = match random.random_range(0..10) {
            0..5 => {
                self.page = self.page % 33 + 1;
                Call::get(format!("/catalogue?page={}&size=12", self.page))
            }
            5..8 => {
                let lines: Vec<_> = (0..random.random_range(1..=4))
                    .map(|_| json!({"product": random.random_range(1..=400), "quantity": random.random_range(5..50)}))
                    .collect();
                Call::post("/orders/bulk", &json!({"reference": random.random_range(1_000..9_999), "lines": lines}))
            }
            _ => Call::get(format!("/orders/{}", random.random_range(FIRST_ORDER..=LAST_SEEDED_ORDER))),
        };
        call.with(&self.credential).after(0.7)
    }

    fn learn(&mut self, _reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        Vec::new()
    }
}

/// A crawler: robots.txt, site map, then every page and product in order.
#[derive(Default)]
pub(super) struct Crawler {
    step: u32,
}

impl Script for Crawler {
    fn next(&mut self, _random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let step = self.step;
        self.step += 1;
        let mut call = match step {
            0 => Call::get("/robots.txt"),
            1 => Call::get("/sitemap.xml"),
            // A page of the catalogue, then the twelve products on it.
            _ => match ((step - 2) / 13 % 33 + 1, (step - 2) % 13) {
                (page, 0) => Call::get(format!("/catalogue?page={page}")),
                (page, product) => Call::get(format!("/products/{}", (page - 1) * 12 + product)),
            },
        };
        call.headers = vec![(ACCEPT, "*/*".to_owned())];
        call.after(0.5)
    }

    fn learn(&mut self, _reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        Vec::new()
    }
}

/// Somebody who signed in as anybody would and now takes one order number after the other.
pub(super) struct OrderEnumerator {
    user: u32,
    token: Option<String>,
    order: u32,
}

impl OrderEnumerator {
    pub(super) fn new(user: u32) -> Self {
        Self { user, token: None, order: FIRST_ORDER + user % 100 }
    }
}

impl Script for OrderEnumerator {
    fn next(&mut self, _random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let Some(token) = &self.token else { return login_call(self.user, "app") };
        let order = self.order;
        self.order = if order >= LAST_SEEDED_ORDER { FIRST_ORDER } else { order + 1 };
        Call::get(format!("/orders/{order}")).with(&Credential::Bearer(token.clone())).after(0.15)
    }

    fn learn(&mut self, reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        let Some(reply) = reply else { return Vec::new() };
        if reply.status == 401 {
            self.token = None;
        }
        match reply.json()["token"].as_str() {
            Some(token) => {
                self.token = Some(token.to_owned());
                vec![Identifier::issued(IdentifierName::BodyToken, token)]
            }
            None => Vec::new(),
        }
    }
}

/// The back office's reporting program.
pub(super) struct BackOffice {
    credential: Credential,
    day: u32,
}

impl BackOffice {
    pub(super) fn new(user: u32) -> Self {
        let credential = Credential::Basic { user: user_name(user), password: password_of(user) };
        Self { credential, day: 0 }
    }
}

impl Script for BackOffice {
    fn next(&mut self, random: &mut ChaCha8Rng, _remaining: u64) -> Call {
        let call = match random.random_range(0..8) {
            0..3 => {
                self.day = self.day % 28 + 1;
                Call::get(format!("/reports/sales?day=2026-10-{:02}", self.day))
            }
            3..6 => Call::get(format!("/orders/{}", random.random_range(FIRST_ORDER..=LAST_SEEDED_ORDER))),
            _ => Call::post(
                "/stock/adjust",
                &json!({"product": random.random_range(1..=400), "by": random.random_range(-5..=20)}),
            ),
        };
        call.with(&self.credential).after(1.5)
    }

    fn learn(&mut self, _reply: Option<&Reply<'_>>) -> Vec<Identifier> {
        Vec::new()
    }
}
