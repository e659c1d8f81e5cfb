//! Masks: points that can be resolved and hidden, none twice in the same place.

use super::scopes::{self, Known};
use super::{is_plain_metadata, read_point};
use crate::{FieldError, Mask, MaskDocument};

/// Masks of one policy.
pub const MAXIMUM_MASKS: usize = 100;

pub(super) fn judge(written: &[MaskDocument], known: &Known<'_>, errors: &mut Vec<FieldError>) -> Vec<Mask> {
    super::check_length("masks", "masks", written.len(), MAXIMUM_MASKS, errors);
    let mut masks: Vec<(usize, Mask)> = Vec::new();
    for (position, one) in written.iter().take(MAXIMUM_MASKS).enumerate() {
        let field = |name: &str| format!("masks[{position}].{name}");
        let scope = scopes::judge(&field("scope"), &one.scope, known, errors);
        let point = match read_point(&one.point) {
            Ok(point) if is_plain_metadata(&point) => {
                let reason = "cannot be masked: this is exported in clear with every exchange";
                errors.push(FieldError::new(field("point"), reason));
                continue;
            }
            Ok(point) => point,
            Err(reason) => {
                errors.push(FieldError::new(field("point"), reason));
                continue;
            }
        };
        let same = |(_, other): &&(usize, Mask)| other.point == point && other.scope.covers(&scope);
        match masks.iter().find(same) {
            Some((other, _)) => {
                let reason = format!("masks[{other}] masks this already");
                errors.push(FieldError::new(format!("masks[{position}]"), reason));
            }
            None => masks.push((position, Mask { point, scope })),
        }
    }
    let mut masks: Vec<Mask> = masks.into_iter().map(|(_, mask)| mask).collect();
    // Their order means nothing; one order makes equal policies equal.
    masks.sort_by_cached_key(|mask| (mask.point.to_string(), mask.scope.sentence()));
    masks
}
