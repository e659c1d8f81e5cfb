//! Entry point for fuzzing: the logic lives here, the fuzz target is one line elsewhere. Not for use at run time.

use crate::{Policy, PolicyDocument};

/// Reads bytes as a document and judges it. What is valid must stay so, and stay the same, when its normalised form is
/// written and read again; what is not must say which field.
///
/// # Panics
/// When one of these does not hold.
pub fn fuzz_document(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<PolicyDocument>(data) else { return };
    match Policy::validate(1, document) {
        Ok(policy) => {
            let written = serde_json::to_vec(&policy.document());
            let read = written.ok().and_then(|written| serde_json::from_slice::<PolicyDocument>(&written).ok());
            let again = read.map(|document| Policy::validate(1, document));
            assert_eq!(again, Some(Ok(policy)), "the normalised document means something else");
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| !error.field.is_empty() && !error.reason.is_empty()));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn valid_invalid_and_broken_documents_are_judged() {
        super::fuzz_document(br#"{"parameters": [{"name": "a", "point": "request > query a", "group": true}]}"#);
        super::fuzz_document(br#"{"parameters": [{"name": "", "point": "request > nonsense"}]}"#);
        super::fuzz_document(b"{");
    }
}
