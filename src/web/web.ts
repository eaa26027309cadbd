import { lookup as systemLookup } from 'node:dns/promises'
import { BursarError } from '../core/errors.ts'
import type { Visit, Web, WebBounds, WebRequest, WebResponse, WebRules } from '../ports/web.ts'
import { codingOf, decoded } from './body.ts'
import { type Answer, exchange, type Message, Unsent } from './exchange.ts'
import { type Line, type Lines, linesOf } from './lines.ts'
import { messageOf, mustBeSendable, redirectOf } from './message.ts'
import { type Lookup, namesOf } from './names.ts'
import { mustStaySecure, type Place, placeOf } from './places.ts'
import { gateOf, gatesOf, until, within } from './time.ts'

/** Each may hold a socket and more than 1 MiB. The others wait, within their time. */
const ASKS_MAX = 64
/** Of one agent. */
const OWN_ASKS_MAX = 16

/**
 * The web through our own sockets: no proxy, no cookies, no cache, HTTP/1.1.
 *
 * @param options.lookup in place of the system's resolver
 */
export function webOf({ lookup = systemLookup }: { readonly lookup?: Lookup } = {}): Web & { close(): Promise<void> } {
  const lines = linesOf()
  const addresses = namesOf(lookup)
  const gate = gateOf(ASKS_MAX)
  const own = gatesOf(OWN_ASKS_MAX)

  function visit(rules: WebRules): Visit {
    const addressOf = addresses()

    async function follow(request: WebRequest, redirects: number, signal: AbortSignal): Promise<WebResponse> {
      let place = placeOf(request.url, rules.loopback)
      let { headers } = request
      for (let left = redirects; ; left -= 1) {
        await rules.mayContact(place.url.origin)
        const address = await addressOf(place, signal)
        // A resolver may take its time, and the owner may have stopped it meanwhile.
        await rules.mayContact(place.url.origin)
        const answer = await sent(lines, place, address, messageOf(place, { ...request, headers }), signal)
        const location = left > 0 ? redirectOf(answer, request, place) : null
        if (location === null) return responseOf(place, answer, signal)
        const next = placeOf(location, rules.loopback)
        mustStaySecure(place, next)
        // What was meant for one origin is no other's business. On the way back there is nothing left of it.
        if (next.url.origin !== place.url.origin) headers = {}
        place = next
      }
    }

    return {
      async ask(request, bounds: WebBounds) {
        mustBeSendable(request)
        const { withinMs, redirects } = bounds
        return within(withinMs, unavailable, (signal) => {
          const work = () => gate(signal, () => follow(request, redirects, signal))
          return rules.agentId === undefined ? work() : own(rules.agentId, signal, work)
        })
      },
    }
  }

  return { visit, close: lines.close }
}

/**
 * Sends a message to an address that was found to be allowed. An idle line may turn out to be dead: then another is opened, but
 * only where nothing was written. What was written may be a payment, and is never written again.
 *
 * @throws BursarError `seller_unavailable`
 */
async function sent(
  lines: Lines,
  { url }: Place,
  address: string,
  message: Message,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const idle = lines.idle(url.origin, address)
    const answer = idle && (await over(lines, idle, message, signal).catch(nullWhereUnsent))
    return answer ?? (await over(lines, lines.open(url.origin, address), message, signal))
  } catch {
    // The reason may be the seller's own words.
    throw unavailable()
  }
}

async function over(lines: Lines, line: Line, message: Message, signal: AbortSignal): Promise<Answer> {
  try {
    const answer = await until(signal, exchange(line.client, message))
    if (answer.body.truncated) lines.drop(line)
    else lines.keep(line)
    return answer
  } catch (error) {
    lines.drop(line)
    throw error
  }
}

function nullWhereUnsent(error: unknown): null {
  if (error instanceof Unsent) return null
  throw error
}

async function responseOf({ url }: Place, { status, values, body }: Answer, signal: AbortSignal): Promise<WebResponse> {
  const { bytes, truncated } = await until(signal, decoded(body, codingOf(values('content-encoding'))))
  const header = (name: string) => {
    const [value = null, ...others] = values(name)
    return others.length === 0 ? value : null
  }
  return { url: url.href, origin: url.origin, status, header, body: bytes, truncated }
}

function unavailable(): BursarError {
  return new BursarError('seller_unavailable', 'The seller gave no answer that is HTTP in the time there is.')
}
