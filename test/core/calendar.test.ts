import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timeZoneOf, windowKey, windowStart } from '../../src/core/calendar.ts'

type Calendar = 'hour' | 'day' | 'week' | 'month'
const HOUR_MS = 60 * 60 * 1000

/** Where a window ends and the next one begins, and how long the one that ends was. */
const BOUNDARIES: readonly (readonly [string, string, Calendar, string, number])[] = [
  ['midnight in UTC', 'UTC', 'day', '2026-03-11T00:00:00Z', 24],
  ['midnight in India, five and a half hours before UTC', 'Asia/Kolkata', 'day', '2026-03-10T18:30:00Z', 24],
  ['midnight in Newfoundland in winter', 'America/St_Johns', 'day', '2026-01-15T03:30:00Z', 24],
  ['midnight in Newfoundland in summer', 'America/St_Johns', 'day', '2026-07-15T02:30:00Z', 24],
  ['the short day of Newfoundland', 'America/St_Johns', 'day', '2026-03-09T02:30:00Z', 23],
  ['midnight in Samoa, thirteen hours ahead', 'Pacific/Apia', 'day', '2026-03-10T11:00:00Z', 24],
  ['the day that Samoa left out', 'Pacific/Apia', 'day', '2011-12-30T10:00:00Z', 24],
  ['the week in which Samoa left out a day', 'Pacific/Apia', 'week', '2012-01-01T10:00:00Z', 144],
  ['the month in which Samoa left out a day', 'Pacific/Apia', 'month', '2011-12-31T10:00:00Z', 30 * 24],
  ['the short day of Berlin', 'Europe/Berlin', 'day', '2026-03-29T22:00:00Z', 23],
  ['the long day of Berlin', 'Europe/Berlin', 'day', '2026-10-25T23:00:00Z', 25],
  ['the short week of Berlin', 'Europe/Berlin', 'week', '2026-03-29T22:00:00Z', 167],
  ['the long month of Berlin', 'Europe/Berlin', 'month', '2026-10-31T23:00:00Z', 31 * 24 + 1],
  ['the day of Havana that has midnight twice', 'America/Havana', 'day', '2026-11-02T05:00:00Z', 25],
  ['the day of Cairo that has no midnight', 'Africa/Cairo', 'day', '2026-04-24T21:00:00Z', 23],
  ['the day before it', 'Africa/Cairo', 'day', '2026-04-23T22:00:00Z', 24],
  ['Monday in UTC', 'UTC', 'week', '2026-03-16T00:00:00Z', 168],
  ['Monday in Auckland, on a Sunday elsewhere', 'Pacific/Auckland', 'week', '2026-03-15T11:00:00Z', 168],
  ['Monday of a week over the new year', 'UTC', 'week', '2027-01-04T00:00:00Z', 168],
  ['the end of February', 'America/New_York', 'month', '2026-03-01T05:00:00Z', 28 * 24],
  ['the end of February in a leap year', 'UTC', 'month', '2028-03-01T00:00:00Z', 29 * 24],
  ['the short month of New York', 'America/New_York', 'month', '2026-04-01T04:00:00Z', 31 * 24 - 1],
  ['the end of the year', 'Asia/Tokyo', 'month', '2026-12-31T15:00:00Z', 31 * 24],
  ['an hour in India', 'Asia/Kolkata', 'hour', '2026-03-10T12:30:00Z', 1],
  ['an hour in Nepal', 'Asia/Kathmandu', 'hour', '2026-03-10T12:15:00Z', 1],
  ['the first two o’clock of autumn', 'Europe/Berlin', 'hour', '2026-10-25T01:00:00Z', 1],
  ['the second two o’clock of autumn', 'Europe/Berlin', 'hour', '2026-10-25T02:00:00Z', 1],
  ['the hour that spring leaves out', 'Europe/Berlin', 'hour', '2026-03-29T01:00:00Z', 1],
]

function key(window: Calendar, ms: number, zone: string): string {
  return windowKey(window, ms, zone, 'ses_1')
}

describe('a window', () => {
  it.each(BOUNDARIES)('ends at %s', (_, zone, window, at, hours) => {
    const ms = Date.parse(at)
    const begun = windowStart(window, ms - 1, zone)
    expect(windowStart(window, ms, zone)).toBe(ms)
    expect((ms - begun) / HOUR_MS).toBe(hours)
    expect(key(window, ms - 1, zone)).toBe(key(window, begun, zone))
    expect(key(window, ms - 1000, zone)).toBe(key(window, begun, zone))
    expect(key(window, ms, zone)).not.toBe(key(window, ms - 1, zone))
    expect(key(window, ms + 1000, zone)).toBe(key(window, ms, zone))
  })

  it('is named by where it begins, in UTC', () => {
    const noon = Date.UTC(2026, 2, 10, 12, 34, 56, 789)
    const names = (['hour', 'day', 'week', 'month'] as const).map((window) => key(window, noon, 'Asia/Kolkata'))
    expect(names).toMatchInlineSnapshot(`
      [
        "2026-03-10T12:30:00Z",
        "2026-03-09T18:30:00Z",
        "2026-03-08T18:30:00Z",
        "2026-02-28T18:30:00Z",
      ]
    `)
  })

  it('per session is the session, and the total is one', () => {
    expect(windowKey('session', 0, 'UTC', 'ses_1')).toBe('ses_1')
    expect(windowKey('total', 0, 'UTC', 'ses_1')).toBe(windowKey('total', 1e15, 'Asia/Tokyo', 'ses_2'))
  })

  // Lord Howe turns its clocks by half an hour; the others have each kind of turn in the tables above.
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/St_Johns',
    'Asia/Kathmandu',
    'Pacific/Apia',
    'America/Havana',
    'Africa/Cairo',
  ]
  const anyTime = fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2040, 0) })
  const anyWindow = fc.constantFrom<Calendar>('hour', 'day', 'week', 'month')

  it('holds the moment that it is asked for, and begins where it says', () => {
    fc.assert(
      fc.property(anyTime, anyWindow, fc.constantFrom(...zones), (ms, window, zone) => {
        const start = windowStart(window, ms, zone)
        expect(start).toBeLessThanOrEqual(ms)
        expect(windowStart(window, start, zone)).toBe(start)
        expect(key(window, start, zone)).toBe(key(window, ms, zone))
        expect(key(window, start - 1, zone)).not.toBe(key(window, ms, zone))
      }),
    )
  })

  it('does not depend on what was asked for before', () => {
    const asked = fc.tuple(anyTime, anyWindow, fc.constantFrom(...zones))
    fc.assert(
      fc.property(fc.array(asked, { minLength: 2, maxLength: 8 }), (many) => {
        const forwards = many.map(([ms, window, zone]) => key(window, ms, zone))
        const backwards = many.toReversed().map(([ms, window, zone]) => key(window, ms, zone))
        expect(backwards.toReversed()).toEqual(forwards)
      }),
    )
  })

  it('gives each moment of a half-hour turn one window, never a longer one than an hour', () => {
    for (const turn of ['2026-10-03T15:30:00Z', '2026-04-04T15:00:00Z']) {
      const minutes = Array.from({ length: 240 }, (_, n) => Date.parse(turn) + (n - 120) * 60_000)
      const keys = minutes.map((ms) => key('hour', ms, 'Australia/Lord_Howe'))
      const counts = [...new Set(keys)].map((one) => keys.filter((other) => other === one).length)
      expect(Math.max(...counts)).toBeLessThanOrEqual(60)
      expect(keys).toEqual(keys.toSorted())
    }
  })
})

describe('a time zone', () => {
  it('is an IANA name, in its own spelling', () => {
    expect(timeZoneOf('europe/berlin')).toBe('Europe/Berlin')
    expect(timeZoneOf('utc')).toBe('UTC')
  })

  it.each(['', 'Mars/Olympus', 'Europe', 'Europe/Berlin ', '../../etc/passwd', 'CEST'])('is not %j', (name) => {
    expect(() => timeZoneOf(name)).toThrow('A time zone is an IANA name')
  })
})
