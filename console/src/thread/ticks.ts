// Where to write times on an axis.

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const steps: readonly number[] = [
  10,
  50,
  100,
  500,
  1000,
  2000,
  5000,
  10_000,
  15_000,
  30_000,
  minute,
  2 * minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  30 * day,
  365 * day,
];

/** At most `wanted` round moments between two, round in the reader's zone. */
export function timeTicks(from: number, to: number, wanted: number): { readonly step: number; readonly moments: readonly number[] } {
  const length = Math.max(to - from, 1);
  const step = steps.find((one) => length / one <= wanted) ?? Math.ceil(length / wanted);
  const zone = new Date(from).getTimezoneOffset() * minute;
  const moments: number[] = [];
  for (let moment = Math.ceil((from - zone) / step) * step + zone; moment < to && moments.length < 100; moment += step) {
    moments.push(moment);
  }
  return { step, moments };
}
