//! What the shop shows: catalogue, products, search, GraphQL and the pages that crawlers read.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::random::number;

use super::answer::Answer;

/// Products have the numbers from 1 to this.
pub(crate) const PRODUCTS: u32 = 400;
const PAGE: u32 = 12;
const CATEGORIES: [&str; 6] = ["tea", "coffee", "mugs", "kettles", "sweets", "gifts"];

/// One product.
pub(super) fn product(seed: u64, id: u32) -> Value {
    let chance = number(seed, "product", &[&id.to_le_bytes()]);
    json!({
        "id": id,
        "name": format!("{} no. {id}", CATEGORIES[id as usize % CATEGORIES.len()]),
        "category": CATEGORIES[id as usize % CATEGORIES.len()],
        "price": {"amount": 300 + chance % 9_000, "currency": "EUR"},
        "stock": (chance >> 16) % 200,
        "rating": ((chance >> 32) % 50) as f64 / 10.0,
    })
}

/// `GET /products/{id}`
pub(super) fn product_page(seed: u64, id: &str) -> Answer {
    match id.parse() {
        Ok(id) if (1..=PRODUCTS).contains(&id) => Answer::json(&product(seed, id)),
        _ => Answer::problem(StatusCode::NOT_FOUND, "no such product"),
    }
}

/// `GET /catalogue?page=N`
pub(super) fn catalogue(seed: u64, page: u32) -> Answer {
    let pages = PRODUCTS.div_ceil(PAGE);
    if page == 0 || page > pages {
        return Answer::problem(StatusCode::NOT_FOUND, "no such page");
    }
    let first = (page - 1) * PAGE + 1;
    let items: Vec<Value> = (first..(first + PAGE).min(PRODUCTS + 1)).map(|id| product(seed, id)).collect();
    Answer::json(&json!({"page": page, "pages": pages, "items": items}))
}

/// `GET /search?q=…`
pub(super) fn search(seed: u64, words: &str) -> Answer {
    if words.is_empty() {
        return Answer::problem(StatusCode::BAD_REQUEST, "q is missing");
    }
    let first = (number(seed, "search", &[words.as_bytes()]) % u64::from(PRODUCTS - 5)) as u32 + 1;
    let items: Vec<Value> = (first..first + 5).map(|id| product(seed, id)).collect();
    Answer::json(&json!({"total": items.len(), "items": items}))
}

/// `POST /graphql`: answers by the operation's name.
pub(super) fn graphql(seed: u64, caller: u32, body: Option<&Value>) -> Answer {
    let Some(body) = body else { return Answer::problem(StatusCode::BAD_REQUEST, "a GraphQL request is JSON") };
    let data = match body["operationName"].as_str() {
        Some("Product") => {
            let id = body["variables"]["id"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(1);
            json!({"product": product(seed, id.clamp(1, PRODUCTS))})
        }
        Some("Profile") => json!({"profile": {"id": caller, "name": super::state::user_name(caller)}}),
        Some("AddToFavourites") => json!({"addToFavourites": {"ok": true}}),
        _ => return Answer::json(&json!({"errors": [{"message": "unknown operation"}]})),
    };
    Answer::json(&json!({"data": data}))
}

/// `GET /`
pub(super) fn home() -> Answer {
    let page = "<!doctype html><html lang=\"en\"><title>Tea and more</title><h1>Tea and more</h1>\
                <p><a href=\"/catalogue?page=1\">Catalogue</a></p></html>";
    Answer::of(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// `GET /robots.txt`
pub(super) fn robots() -> Answer {
    Answer::of(StatusCode::OK, "text/plain", "User-agent: *\nDisallow: /cart\nSitemap: /sitemap.xml\n")
}

/// `GET /sitemap.xml`
pub(super) fn sitemap() -> Answer {
    let mut urls = String::from("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">");
    for page in 1..=PRODUCTS.div_ceil(PAGE) {
        urls.push_str(&format!("<url><loc>https://www.shop.example/catalogue?page={page}</loc></url>"));
    }
    urls.push_str("</urlset>");
    Answer::of(StatusCode::OK, "application/xml", urls)
}

/// `GET /events`
pub(super) fn events(seed: u64, nonce: &str) -> Answer {
    let events = (0..4_u32)
        .map(|index| {
            let id =
                (number(seed, "event", &[nonce.as_bytes(), &index.to_le_bytes()]) % u64::from(PRODUCTS)) as u32 + 1;
            Bytes::from(format!("event: price\ndata: {}\n\n", product(seed, id)))
        })
        .collect();
    Answer::events(events)
}
