import type { Reader, StoredEvent } from '../ports.ts'

/** The event at this place of a journal, or the first one after it; null past the end. */
export async function eventAt(read: Reader, journal: string, seq: number): Promise<StoredEvent | null> {
  for await (const event of read.events(journal, seq)) return event
  return null
}
