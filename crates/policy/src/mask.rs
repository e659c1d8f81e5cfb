//! Masks: values that are cut on the node before anything else looks at them.

use threadline_points::Point;

use crate::Scope;

/// A place whose value nobody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The place. What lies in it is masked with it, and so is what contains it.
    pub point: Point,
    /// Where it applies.
    pub scope: Scope,
}

/// Masks for what most APIs have and nobody needs in a session: offered to operators, applied to nothing by itself.
/// In the text spelling.
pub const SUGGESTED_MASKS: [&str; 18] = [
    "request > body > json > property password",
    "request > body > json > property new_password",
    "request > body > json > property newPassword",
    "request > body > json > property current_password",
    "request > body > json > property currentPassword",
    "request > body > form > property password",
    "request > body > form > property new_password",
    "request > query password",
    "request > body > json > property card_number",
    "request > body > json > property cardNumber",
    "request > body > json > property card > property number",
    "request > body > json > property card > property cvc",
    "request > body > json > property cvv",
    "request > body > json > property cvc",
    "request > body > json > property iban",
    "request > body > form > property card_number",
    "request > body > form > property cvv",
    "request > body > form > property cvc",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suggestion_is_a_point() {
        for text in SUGGESTED_MASKS {
            assert_eq!(Point::parse(text).map(|point| point.to_string()).as_deref(), Ok(text));
        }
    }
}
