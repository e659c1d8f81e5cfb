// How outcomes and warnings of keys are said.

const outcomes = new Map([
  ["decided", "worked"],
  ["absent", "not there"],
  ["empty", "empty"],
  ["masked", "masked"],
  ["too_long", "too long"],
  ["not_scalar", "not a single value"],
  ["out_of_scope", "out of scope"],
  ["unparsable", "behind damage"],
  ["not_captured", "not captured"],
  ["not_tried", "an earlier key decided"],
]);

export function outcomeWords(outcome: string): string {
  return outcomes.get(outcome) ?? outcome.replaceAll("_", " ");
}

const warnings = new Map([
  ["stopped", "Has stopped:"],
  ["never_works", "Never works:"],
  ["masked", "Masked:"],
  ["over_merging", "May put many clients together:"],
  ["over_splitting", "May split sessions:"],
  ["client_chosen", "Chosen by clients:"],
]);

export function warningTitle(kind: string): string {
  return warnings.get(kind) ?? `${kind.replaceAll("_", " ")}:`;
}
