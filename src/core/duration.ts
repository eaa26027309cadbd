import { BursarError } from './errors.ts'

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const MAX_MS = 366 * UNITS.d

/** Reads `45m`, `12h`, `30d` as milliseconds. @throws `argument_invalid` for another form, zero, or more than 366 days. */
export function parseDuration(text: string): number {
  const match = /^([1-9][0-9]{0,6})([mhd])$/.exec(text)
  const ms = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0
  if (ms === 0 || ms > MAX_MS)
    throw new BursarError(
      'argument_invalid',
      'A duration is a whole number of m, h or d up to 366 days, such as "30d".',
    )
  return ms
}

/** The inverse of {@link parseDuration}, in the largest unit that is exact. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h'] as const) if (ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`
  return `${Math.ceil(ms / UNITS.m)}m`
}
