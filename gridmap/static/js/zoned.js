/** Days of a named time zone as moments with an offset; a day is text like 2026-03-01. */

/** `day` moved by a number of days. */
export function shiftDay(day, days) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** The moment at which `day` begins in `zone`: 2026-03-01T00:00:00+08:00. */
export function startOfDay(day, zone) {
  return `${day}T00:00:00${offset(day, zone)}`;
}

/** The moment at which `day` is over. */
export function endOfDay(day, zone) {
  return startOfDay(shiftDay(day, 1), zone);
}

function offset(day, zone) {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  const name = format.formatToParts(new Date(`${day}T00:00:00Z`)).find(({ type }) => type === "timeZoneName").value;
  return name.replace("GMT", "") || "+00:00";
}
