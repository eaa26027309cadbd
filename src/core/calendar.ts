import { Temporal } from 'temporal-polyfill'
import { BursarError } from './errors.ts'
import type { Window } from './types.ts'

interface Span {
  readonly key: string
  readonly startMs: number
  readonly endMs: number
}

/** The last span of each zone and window: a decision asks for the same one until it ends. */
const spans = new Map<string, Span>()

/** @throws `argument_invalid` for a name that is not in the IANA time zone database. */
export function timeZoneOf(name: string): string {
  try {
    return Temporal.Now.zonedDateTimeISO(name).timeZoneId
  } catch {
    throw new BursarError('argument_invalid', 'A time zone is an IANA name such as Europe/Paris or UTC.')
  }
}

/**
 * Names the window that `now` falls in: the start of the calendar hour, day, ISO week (Monday) or month in the wallet's
 * time zone, as RFC 3339 in UTC; the session's id; or `total`.
 *
 * @param now milliseconds since the epoch
 */
export function windowKey(
  window: Exclude<Window, 'payment'>,
  now: number,
  timeZone: string,
  sessionId: string,
): string {
  if (window === 'total') return 'total'
  if (window === 'session') return sessionId
  return spanOf(window, now, timeZone).key
}

/** The days (YYYY-MM-DD) up to the one that `now` falls in, the oldest first, with where each begins. */
export function daysUpTo(now: number, timeZone: string, count: number): readonly { day: string; startMs: number }[] {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate()
  return Array.from({ length: count }, (_, i) => {
    const date = today.subtract({ days: count - 1 - i })
    return { day: date.toString(), startMs: date.toZonedDateTime(timeZone).epochMilliseconds }
  })
}

/** Where the calendar window that `now` falls in begins, in milliseconds since the epoch. */
export function windowStart(window: 'hour' | 'day' | 'week' | 'month', now: number, timeZone: string): number {
  return spanOf(window, now, timeZone).startMs
}

function spanOf(window: 'hour' | 'day' | 'week' | 'month', now: number, timeZone: string): Span {
  const id = `${window} ${timeZone}`
  const kept = spans.get(id)
  if (kept && now >= kept.startMs && now < kept.endMs) return kept
  const at = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
  const span = window === 'hour' ? hourSpan(at) : daySpan(window, at)
  spans.set(id, span)
  return span
}

/** Hours are cut by elapsed time within the zone's offset, so that the repeated hour of autumn is two windows. */
function hourSpan(at: Temporal.ZonedDateTime): Span {
  const start = at.subtract({
    minutes: at.minute,
    seconds: at.second,
    milliseconds: at.millisecond,
  })
  return span(start, start.add({ hours: 1 }))
}

function daySpan(window: 'day' | 'week' | 'month', at: Temporal.ZonedDateTime): Span {
  const day = at.startOfDay()
  if (window === 'day') return span(day, day.add({ days: 1 }).startOfDay())
  if (window === 'month') {
    const first = day.with({ day: 1 }).startOfDay()
    return span(first, first.add({ months: 1 }).startOfDay())
  }
  const monday = day.subtract({ days: at.dayOfWeek - 1 }).startOfDay()
  return span(monday, monday.add({ weeks: 1 }).startOfDay())
}

function span(start: Temporal.ZonedDateTime, end: Temporal.ZonedDateTime): Span {
  return {
    key: start.toInstant().toString(),
    startMs: start.epochMilliseconds,
    endMs: end.epochMilliseconds,
  }
}
