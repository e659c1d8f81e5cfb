//! Who arrives, in which order, from where, and for how many requests.

use std::net::Ipv4Addr;

use rand::RngExt as _;

use crate::random::stream;

use super::ActorKind;
use super::automata::{BackOffice, Crawler, OrderEnumerator, Partner};
use super::call::Script;
use super::customers::{MobileCustomer, TokenCustomer, TokenUse, WebCustomer};

/// Users have numbers from this on; each actor is a user of its own.
const FIRST_USER: u32 = 100;

const BROWSERS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Mobile Safari/537.36",
];

/// One actor before it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorPlan {
    /// Unique within a seed: kind and number of arrival.
    pub name: String,
    /// What it does.
    pub kind: ActorKind,
    /// Its user in the shop (also where it never signs in).
    pub user: u32,
    /// Its loopback address.
    pub address: Ipv4Addr,
    /// Its User-Agent.
    pub agent: &'static str,
    /// How many requests it sends.
    pub requests: u64,
}

impl ActorPlan {
    /// The host it talks to.
    pub(super) fn kind_host(&self) -> &'static str {
        match self.kind {
            ActorKind::WebShopper | ActorKind::LateLogin | ActorKind::Neighbour | ActorKind::Crawler => {
                "www.shop.example"
            }
            ActorKind::TokenShopper | ActorKind::TokenPasser | ActorKind::MobileApp | ActorKind::OrderEnumerator => {
                "api.shop.example"
            }
            ActorKind::Partner | ActorKind::BasicClient => "partners.shop.example",
        }
    }
}

/// The order of arrivals: an iterator over parties (one actor, or two behind one address). The first ten parties
/// are one of each kind, so that a short run has seen everything; after that chance decides.
#[derive(Clone, Debug)]
pub struct Arrivals {
    seed: u64,
    next: u32,
    remaining: Option<u64>,
}

impl Arrivals {
    /// Arrivals of a seed; together they send exactly `requests`, or go on forever.
    pub fn new(seed: u64, requests: Option<u64>) -> Self {
        Self { seed, next: 0, remaining: requests }
    }
}

impl Iterator for Arrivals {
    type Item = Vec<ActorPlan>;

    fn next(&mut self) -> Option<Vec<ActorPlan>> {
        if self.remaining == Some(0) {
            return None;
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let mut random = stream(self.seed, "arrival", u64::from(number));
        let kind = match ActorKind::ALL.get(number as usize) {
            Some(kind) => *kind,
            None => match random.random_range(0..100) {
                0..26 => ActorKind::WebShopper,
                26..42 => ActorKind::TokenShopper,
                42..62 => ActorKind::MobileApp,
                62..70 => ActorKind::Neighbour,
                70..82 => ActorKind::LateLogin,
                82..87 => ActorKind::TokenPasser,
                87..91 => ActorKind::Partner,
                91..94 => ActorKind::Crawler,
                94..97 => ActorKind::BasicClient,
                _ => ActorKind::OrderEnumerator,
            },
        };
        let agent = match kind {
            ActorKind::MobileApp => "ShopApp/7.4.1 (Android 16; Pixel 10) okhttp/5.3.0",
            ActorKind::Partner => "acme-sync/2.3",
            ActorKind::Crawler => "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",
            ActorKind::BasicClient => "backoffice-report/1.8",
            ActorKind::TokenPasser => "python-requests/2.34.0",
            ActorKind::OrderEnumerator => "curl/8.17.0",
            _ => BROWSERS[random.random_range(0..BROWSERS.len())],
        };
        let budget = match kind {
            ActorKind::OrderEnumerator | ActorKind::Crawler => random.random_range(40..=90),
            _ => random.random_range(12..=45),
        };
        // 127.0.x.y with x and y from 1 to 250; 127.0.0.1 itself stays free for whoever else is on this machine.
        let address = Ipv4Addr::new(127, 0, (number / 250 % 250 + 1) as u8, (number % 250 + 1) as u8);
        let members: u32 = if kind == ActorKind::Neighbour { 2 } else { 1 };
        let mut party = Vec::new();
        for member in 0..members {
            let requests = self.remaining.map_or(budget, |remaining| budget.min(remaining));
            if requests == 0 {
                break;
            }
            if let Some(remaining) = &mut self.remaining {
                *remaining -= requests;
            }
            let suffix = if members > 1 { ["-a", "-b"][member as usize] } else { "" };
            party.push(ActorPlan {
                name: format!("{}-{number:04}{suffix}", kind.as_str()),
                kind,
                user: FIRST_USER + number * 2 + member,
                address,
                agent,
                requests,
            });
        }
        Some(party)
    }
}

/// The state machine of a planned actor.
pub(super) fn script(plan: &ActorPlan) -> Box<dyn Script> {
    let user = plan.user;
    match plan.kind {
        ActorKind::WebShopper => Box::new(WebCustomer::new(user, 0)),
        ActorKind::Neighbour => Box::new(WebCustomer::new(user, 1)),
        ActorKind::LateLogin => Box::new(WebCustomer::new(user, 4 + user % 5)),
        ActorKind::TokenShopper => Box::new(TokenCustomer::new(user, TokenUse::Bearer)),
        ActorKind::TokenPasser => Box::new(TokenCustomer::new(user, TokenUse::Passed)),
        ActorKind::MobileApp => Box::new(MobileCustomer::new(user)),
        ActorKind::Partner => Box::new(Partner::new(user)),
        ActorKind::Crawler => Box::new(Crawler::default()),
        ActorKind::OrderEnumerator => Box::new(OrderEnumerator::new(user)),
        ActorKind::BasicClient => Box::new(BackOffice::new(user)),
    }
}
