//! What the shop remembers: sessions with their carts, and orders placed. Bounded, oldest forgotten first.

use std::collections::{HashMap, VecDeque};

use crate::random::{digest, hex, number};

/// Orders that exist from the start have these numbers (with gaps).
pub(crate) const FIRST_ORDER: u32 = 1_000;
/// The last of them.
pub(crate) const LAST_SEEDED_ORDER: u32 = 1_600;

/// Customers whom the seeded orders belong to.
const SEEDED_CUSTOMERS: std::ops::Range<u32> = 100..400;

/// Sessions and orders remembered; a demo may run for days.
const REMEMBERED: usize = 20_000;

const NAMES: [&str; 16] = [
    "amelie", "bruno", "chiara", "dario", "elif", "farid", "greta", "hugo", "ines", "jonas", "katja", "liam", "mina",
    "nils", "olga", "pedro",
];

/// A person's sign-in name; the number at its end is the user's ID.
pub(crate) fn user_name(user: u32) -> String {
    format!("{}{user}", NAMES[user as usize % NAMES.len()])
}

/// The user of a sign-in name.
pub(super) fn user_of(name: &str) -> Option<u32> {
    let digits = name.trim_start_matches(|character: char| !character.is_ascii_digit());
    digits.parse().ok().filter(|user| user_name(*user) == name)
}

/// A person's password: the same for every seed, so that clients of one seed can use a shop of another.
pub(crate) fn password_of(user: u32) -> String {
    hex(&digest(0, "password", &[&user.to_le_bytes()])[..6])
}

/// A signed-in session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: u32,
    /// Product and quantity.
    pub(super) cart: Vec<(u32, u32)>,
}

/// A map that forgets its oldest keys.
#[derive(Debug)]
struct Remembered<V> {
    values: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Remembered<V> {
    fn insert(&mut self, key: String, value: V) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }
}

/// Everything that changes while the shop runs.
#[derive(Debug, Default)]
pub(super) struct State {
    sessions: Remembered<Session>,
    /// Owner by order number.
    placed: Remembered<u32>,
    untraced: u64,
}

impl State {
    /// A running number for requests without a trace ID.
    pub(super) fn next_untraced(&mut self) -> u64 {
        self.untraced += 1;
        self.untraced
    }

    /// Remembers a session under its token; a refreshed one takes its cart along.
    pub(super) fn open_session(&mut self, token: &str, user: u32, cart: Vec<(u32, u32)>) {
        self.sessions.insert(token.to_owned(), Session { user, cart });
    }

    /// Forgets a session.
    pub(super) fn close_session(&mut self, token: &str) -> Option<Session> {
        self.sessions.values.remove(token)
    }

    /// The session of a token.
    pub(super) fn session(&mut self, token: &str) -> Option<&mut Session> {
        self.sessions.values.get_mut(token)
    }

    /// Places an order and returns its number.
    pub(super) fn place_order(&mut self, seed: u64, nonce: &str, user: u32) -> u32 {
        let order = 20_000 + (number(seed, "order", &[nonce.as_bytes()]) % 900_000) as u32;
        self.placed.insert(order.to_string(), user);
        order
    }

    /// Who owns an order.
    pub(super) fn owner_of(&self, seed: u64, order: u32) -> Option<u32> {
        if (FIRST_ORDER..=LAST_SEEDED_ORDER).contains(&order) {
            return seeded_owner(seed, order);
        }
        self.placed.values.get(&order.to_string()).copied()
    }
}

/// One in six of the first numbers was never used.
fn seeded_owner(seed: u64, order: u32) -> Option<u32> {
    let chance = number(seed, "order owner", &[&order.to_le_bytes()]);
    let customers = u64::from(SEEDED_CUSTOMERS.end - SEEDED_CUSTOMERS.start);
    (!chance.is_multiple_of(6)).then(|| SEEDED_CUSTOMERS.start + ((chance / 6) % customers) as u32)
}

/// The seeded orders of a user.
pub(super) fn seeded_orders_of(seed: u64, user: u32) -> Vec<u32> {
    (FIRST_ORDER..=LAST_SEEDED_ORDER).filter(|order| seeded_owner(seed, *order) == Some(user)).collect()
}
