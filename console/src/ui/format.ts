// Numbers and times as people read them. The exact value is always one hover away.

const exact = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

/** 1,284 stays; 12,840 becomes 12.8K. */
export function abbreviate(count: number): string {
  return count < 10_000 ? exact.format(count) : short.format(count);
}

export function exactly(count: number): string {
  return exact.format(count);
}

/** `1 request`, `2 requests`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${abbreviate(count)} ${count === 1 ? one : many}`;
}

export function share(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) {
    return "0%";
  }
  const percent = (part / whole) * 100;
  return percent < 1 ? "<1%" : percent > 99 && part < whole ? ">99%" : `${Math.round(percent)}%`;
}

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** Length of time in milliseconds, two units at most. */
export function lasting(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (milliseconds < 1000) {
    return milliseconds <= 0 ? "0 s" : "<1 s";
  }
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** The same in one glance: no seconds once there are minutes. */
export function lastingAbout(milliseconds: number): string {
  return milliseconds < 60_000 ? lasting(milliseconds) : lasting(Math.round(milliseconds / 60_000) * 60_000);
}

/** How long an exchange took, from microseconds. */
export function took(microseconds: number): string {
  const milliseconds = microseconds / 1000;
  if (milliseconds < 10) {
    return `${milliseconds.toFixed(1)} ms`;
  }
  return milliseconds < 10_000 ? `${exact.format(Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

export function clockTime(moment: Date): string {
  return clock.format(moment);
}

/** Seconds with three decimals, for axes that show less than a second. */
export function preciseTime(moment: Date): string {
  return `${clock.format(moment)}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

/** A moment as an axis with this step says it: no finer than it needs. */
export function axisTime(moment: Date, step: number): string {
  if (moment.getHours() === 0 && moment.getMinutes() === 0 && moment.getSeconds() === 0 && step >= 60_000) {
    return dayOf(moment);
  }
  return step < 1000 ? preciseTime(moment) : step < 60_000 ? clockTime(moment) : minuteTime(moment);
}

export function minuteTime(moment: Date): string {
  return minute.format(moment);
}

/** The day, with the year only when it is another one. */
export function dayOf(moment: Date, now: Date = new Date()): string {
  if (moment.toDateString() === now.toDateString()) {
    return "today";
  }
  return moment.getFullYear() === now.getFullYear() ? day.format(moment) : dayAndYear.format(moment);
}

/** Day and time in the reader's zone. */
export function dayAndTime(moment: Date, now: Date = new Date()): string {
  return `${dayOf(moment, now)}, ${clockTime(moment)}`;
}

/** The same moment in UTC, for the hover. */
export function inUtc(text: string): string {
  return `${text.replace("T", " ").replace(/(\.\d{3})\d*/u, "$1").replace("Z", "")} UTC`;
}
