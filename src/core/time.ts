/** Milliseconds since the epoch as RFC 3339 in UTC, with milliseconds. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString()
}

/** The inverse of {@link rfc3339}. */
export function millis(text: string): number {
  return Date.parse(text)
}

/** The day in UTC, YYYY-MM-DD. */
export function utcDay(ms: number): string {
  return rfc3339(ms).slice(0, 10)
}
