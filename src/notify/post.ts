import { Undelivered } from '../ports/notice.ts'

/**
 * One POST. No redirect is followed, since it would take what is sent elsewhere; and nothing of the answer is read but its
 * status.
 *
 * @returns the status, from 200 to 299, or one of `also`
 * @throws Undelivered
 */
export async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
  also: readonly number[] = [],
): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal }).catch(() => null)
  if (!response) throw new Undelivered(signal.aborted ? 'It did not answer in time.' : 'It cannot be reached.')
  await response.body?.cancel().catch(() => undefined)
  if (!response.ok && !also.includes(response.status)) throw new Undelivered(`It answered ${response.status}.`)
  return response.status
}
