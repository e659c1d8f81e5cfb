//! What people do in a shop, whatever credential they use.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::shop::FIRST_ORDER;

use super::call::Call;

const WORDS: [&str; 10] = ["green", "earl+grey", "mug", "kettle", "dark", "gift+box", "ginger", "decaf", "set", "blue"];

/// A person's way through the shop.
#[derive(Default)]
pub(crate) struct Browsing {
    /// Items put in the cart since the last checkout.
    items: u32,
}

impl Browsing {
    /// A step that needs no sign-in.
    pub(crate) fn look(&self, random: &mut ChaCha8Rng) -> Call {
        match random.random_range(0..10) {
            0..3 => Call::get(format!("/catalogue?page={}", random.random_range(1..=20))),
            3..5 => Call::get(format!("/search?q={}&sort=price", WORDS[random.random_range(0..WORDS.len())])),
            _ => Call::get(format!("/products/{}", random.random_range(1..=400))),
        }
    }

    /// A step of a customer who has signed in.
    pub(crate) fn shop(&mut self, random: &mut ChaCha8Rng, user: u32) -> Call {
        match random.random_range(0..20) {
            0..9 => self.look(random),
            9..13 => {
                self.items += 1;
                let product = random.random_range(1..=400);
                Call::post("/cart", &json!({"product": product, "quantity": random.random_range(1..=3)})).after(0.6)
            }
            13..15 => Call::get("/cart").after(0.7),
            15 if self.items > 0 => {
                self.items = 0;
                Call::post("/checkout", &json!({"payment": "invoice", "address": "home"})).after(2.0)
            }
            15 | 16 => Call::get("/me").after(0.3),
            17 => Call::get(format!("/users/{user}/orders")),
            18 => Call::get(format!("/orders/{}", random.random_range(FIRST_ORDER..FIRST_ORDER + 600))),
            _ => Call::get("/catalogue?page=1").after(0.5),
        }
    }
}
