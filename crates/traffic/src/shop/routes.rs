//! Which request gets which answer.

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::caller::{Caller, SESSION_COOKIE, identify, role_of};
use super::state::{State, password_of, seeded_orders_of, user_name, user_of};
use super::{Question, pages, token};

/// Answers one request to `path`.
pub(super) fn answer(seed: u64, state: &mut State, nonce: &str, path: &str, question: Question<'_>) -> Answer {
    let body: Option<Value> = serde_json::from_slice(question.body).ok();
    let query = |name| query_value(question.target, name);
    let page_number = || query("page").map_or(Some(1), |page| page.parse().ok()).unwrap_or(0);
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();

    // What anybody may ask.
    match (question.method, segments.as_slice()) {
        (&Method::GET, [""]) => return pages::home(),
        (&Method::GET, ["health"]) => return Answer::json(&json!({"status": "ok"})),
        (&Method::GET, ["robots.txt"]) => return pages::robots(),
        (&Method::GET, ["sitemap.xml"]) => return pages::sitemap(),
        (&Method::GET, ["catalogue"]) => return pages::catalogue(seed, page_number()),
        (&Method::GET, ["products", id]) => return pages::product_page(seed, id),
        (&Method::GET, ["search"]) => return pages::search(seed, query("q").unwrap_or_default()),
        (&Method::POST, ["login"]) => return login(seed, state, nonce, body.as_ref()),
        (&Method::POST, ["mobile", "session"]) => return mobile_login(seed, state, nonce, body.as_ref()),
        (&Method::POST, ["token", "refresh"]) => return refresh(seed, state, nonce, body.as_ref()),
        _ => {}
    }
    let Some(caller) = identify(seed, state, question.headers, query("token"), body.as_ref()) else {
        return Answer::problem(StatusCode::UNAUTHORIZED, "sign in first");
    };
    match (question.method, segments.as_slice()) {
        (&Method::POST, ["logout"]) => logout(state, &caller),
        (&Method::GET, ["me"]) => Answer::json(&person(caller.user, caller.role)),
        (&Method::GET, ["cart"]) => cart(state, &caller),
        (&Method::POST, ["cart"]) => add_to_cart(state, &caller, body.as_ref()),
        (&Method::POST, ["checkout"]) => checkout(seed, state, nonce, &caller),
        (&Method::GET, ["users", id, "orders"]) => orders(seed, &caller, id),
        (&Method::GET, ["orders", id]) => order(seed, state, &caller, id),
        (&Method::POST, ["orders", "bulk"]) => bulk_order(seed, state, nonce, &caller, body.as_ref()),
        (&Method::GET | &Method::POST, ["wishlist"]) => Answer::json(&json!({"items": [nonce.len(), 7]})),
        (&Method::POST, ["graphql"]) => pages::graphql(seed, caller.user, body.as_ref()),
        (&Method::GET, ["events"]) => pages::events(seed, nonce),
        (&Method::GET, ["reports", "sales"]) => report(&caller, query("day").unwrap_or_default()),
        (&Method::POST, ["stock", "adjust"]) => staff_only(&caller, Answer::nothing),
        _ => Answer::problem(StatusCode::NOT_FOUND, "no such page"),
    }
}

/// The first value of a query parameter, as it stands in the target: the shop's clients send nothing that needs
/// decoding where it matters.
fn query_value<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = target.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn person(user: u32, role: &str) -> Value {
    json!({"id": user, "name": user_name(user), "email": format!("{}@mail.example", user_name(user)), "role": role})
}

/// The user whose name and password stand in a body.
fn sign_in(body: Option<&Value>) -> Option<u32> {
    let body = body?;
    let user = user_of(body["user"].as_str()?)?;
    (body["password"].as_str()? == password_of(user)).then_some(user)
}

fn login(seed: u64, state: &mut State, nonce: &str, body: Option<&Value>) -> Answer {
    let Some(user) = sign_in(body) else {
        return Answer::problem(StatusCode::UNAUTHORIZED, "wrong name or password");
    };
    let token = token::opaque(seed, user, nonce);
    state.open_session(&token, user, Vec::new());
    if body.is_some_and(|body| body["channel"] == "web") {
        return Answer::json(&json!({"user": person(user, role_of(user))})).with_session(&token);
    }
    Answer::json(&json!({"token": token, "user": person(user, role_of(user))}))
}

fn logout(state: &mut State, caller: &Caller) -> Answer {
    if let Some(session) = &caller.session {
        state.close_session(session);
    }
    Answer::nothing().with(SET_COOKIE, &format!("{SESSION_COOKIE}=; Path=/; Max-Age=0"))
}

fn mobile_login(seed: u64, state: &mut State, nonce: &str, body: Option<&Value>) -> Answer {
    let Some(user) = sign_in(body) else {
        return Answer::problem(StatusCode::UNAUTHORIZED, "wrong name or password");
    };
    mobile_tokens(seed, state, nonce, user, &token::mobile_session(seed, user, nonce))
}

fn mobile_tokens(seed: u64, state: &mut State, nonce: &str, user: u32, session: &str) -> Answer {
    // The refresh token names the session it renews, so that nothing but a map of tokens is needed.
    let refresh_token = format!("{session}-{}", token::opaque(seed, user, nonce));
    state.open_session(&refresh_token, user, Vec::new());
    Answer::json(&json!({
        "access_token": token::access_token(seed, user, role_of(user), session, nonce),
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": refresh_token,
    }))
}

fn refresh(seed: u64, state: &mut State, nonce: &str, body: Option<&Value>) -> Answer {
    let expired = || Answer::problem(StatusCode::UNAUTHORIZED, "the session has ended");
    let Some(body) = body else { return Answer::problem(StatusCode::BAD_REQUEST, "a token is missing") };
    if let Some(refresh_token) = body["refresh_token"].as_str() {
        let Some(session) = state.close_session(refresh_token) else { return expired() };
        let name = refresh_token.split('-').next().unwrap_or_default();
        return mobile_tokens(seed, state, nonce, session.user, name);
    }
    let Some(session) = body["token"].as_str().and_then(|token| state.close_session(token)) else { return expired() };
    let token = token::opaque(seed, session.user, nonce);
    state.open_session(&token, session.user, session.cart);
    Answer::json(&json!({"token": token}))
}

fn cart(state: &mut State, caller: &Caller) -> Answer {
    let items = match caller.session.as_deref().and_then(|token| state.session(token)) {
        Some(session) => session.cart.clone(),
        None => Vec::new(),
    };
    let items: Vec<Value> =
        items.into_iter().map(|(product, quantity)| json!({"product": product, "quantity": quantity})).collect();
    Answer::json(&json!({"items": items}))
}

fn add_to_cart(state: &mut State, caller: &Caller, body: Option<&Value>) -> Answer {
    let product = body.and_then(|body| body["product"].as_u64()).and_then(|product| u32::try_from(product).ok());
    let Some(product) = product.filter(|product| (1..=pages::PRODUCTS).contains(product)) else {
        return Answer::problem(StatusCode::BAD_REQUEST, "product is missing");
    };
    let quantity = body.and_then(|body| body["quantity"].as_u64()).unwrap_or(1).clamp(1, 99) as u32;
    if let Some(session) = caller.session.as_deref().and_then(|token| state.session(token))
        && session.cart.len() < 50
    {
        session.cart.push((product, quantity));
    }
    Answer::json_with(StatusCode::CREATED, &json!({"product": product, "quantity": quantity}))
}

fn checkout(seed: u64, state: &mut State, nonce: &str, caller: &Caller) -> Answer {
    let items = match caller.session.as_deref().and_then(|token| state.session(token)) {
        Some(session) => std::mem::take(&mut session.cart),
        None => Vec::new(),
    };
    if items.is_empty() {
        return Answer::problem(StatusCode::CONFLICT, "the cart is empty");
    }
    let order = state.place_order(seed, nonce, caller.user);
    Answer::json_with(StatusCode::CREATED, &json!({"order": order, "items": items.len()}))
}

fn orders(seed: u64, caller: &Caller, id: &str) -> Answer {
    if id.parse() != Ok(caller.user) {
        return Answer::problem(StatusCode::FORBIDDEN, "these are not your orders");
    }
    Answer::json(&json!({"user": caller.user, "orders": seeded_orders_of(seed, caller.user)}))
}

fn order(seed: u64, state: &State, caller: &Caller, id: &str) -> Answer {
    let owner = id.parse().ok().and_then(|order| state.owner_of(seed, order));
    match owner {
        None => Answer::problem(StatusCode::NOT_FOUND, "no such order"),
        Some(owner) if owner != caller.user && matches!(caller.role, "customer" | "premium") => {
            Answer::problem(StatusCode::FORBIDDEN, "not your order")
        }
        Some(owner) => Answer::json(&json!({"order": id, "customer": person(owner, role_of(owner)), "state": "sent"})),
    }
}

fn bulk_order(seed: u64, state: &mut State, nonce: &str, caller: &Caller, body: Option<&Value>) -> Answer {
    if caller.role != "partner" {
        return Answer::problem(StatusCode::FORBIDDEN, "partners only");
    }
    let Some(lines) = body.and_then(|body| body["lines"].as_array()) else {
        return Answer::problem(StatusCode::BAD_REQUEST, "lines are missing");
    };
    let order = state.place_order(seed, nonce, caller.user);
    Answer::json_with(StatusCode::ACCEPTED, &json!({"order": order, "lines": lines.len()}))
}

fn report(caller: &Caller, day: &str) -> Answer {
    staff_only(caller, || {
        Answer::json(&json!({"day": day, "orders": 41, "revenue": {"amount": 128_430, "currency": "EUR"}}))
    })
}

fn staff_only(caller: &Caller, answer: impl FnOnce() -> Answer) -> Answer {
    if caller.role == "staff" { answer() } else { Answer::problem(StatusCode::FORBIDDEN, "staff only") }
}
