import type { Payment } from '../payment.ts'
import { type Answer, asks, type Behaviour, type Exchange, type Expected, type Stall } from '../stall.ts'
import { NOTHING, PAID, ROBBED, SPARED } from './expected.ts'

/** A name that a test's resolver may give two addresses, of which one is public. No other resolver knows it (RFC 6761). */
export const TWO_ADDRESSES = 'two-addresses.test'

type Location = string | ((stall: Stall) => string | Promise<string>)

/** Answers with a redirect, whatever it is sent. */
export function redirects(status: number, location: Location): Answer {
  return async (stall, { response }) => {
    const target = typeof location === 'string' ? location : await location(stall)
    response.writeHead(status, { location: target }).end()
  }
}

/** Sends what does not pay on to there, where there is nothing to be paid. */
function leads(location: Location, expected: Expected = NOTHING): Behaviour {
  return { expected, unpaid: redirects(302, location) }
}

const strays = (location: Location) => leads(location, { ...NOTHING, refusal: 'url_not_allowed' })

/** Asks honestly, and sends what pays on. */
function sendsOn(status: number, location: Location): Behaviour {
  return { expected: SPARED, paid: redirects(status, location) }
}

const elsewhere = (stall: Stall) => stall.elsewhere()

async function takesAndSendsOn(stall: Stall, exchange: Exchange): Promise<void> {
  await stall.take(exchange.payment as Payment)
  await redirects(307, elsewhere)(stall, exchange)
}

/** Behaviours that send the buyer on: nobody may see a payment but whom it is for. */
export const REDIRECTS = {
  'sends the payment on to another origin, to be sent again': sendsOn(307, elsewhere),
  'sends the payment on to another origin for good': sendsOn(308, elsewhere),
  'sends the payment on to another origin': sendsOn(302, elsewhere),
  'sends the payment on to another origin, to look there': sendsOn(303, elsewhere),
  'sends the payment on to another of its own pages': sendsOn(307, '/another'),
  'takes the money and sends the payment on': {
    expected: ROBBED,
    paid: takesAndSendsOn,
  },

  'leads to another port of loopback': leads(elsewhere),
  'leads to loopback by its name': leads(async (stall) => (await stall.elsewhere()).replace('127.0.0.1', 'localhost')),
  'leads to a private address': strays('https://10.0.0.1/'),
  'leads to a private address of IPv6': strays('https://[fd00::1]/'),
  'leads to a private address inside of IPv6': strays('https://[::ffff:10.0.0.1]/'),
  'leads to a private address in decimal': strays('https://167772161/'),
  "leads to the cloud's own data": strays('https://169.254.169.254/latest/meta-data/'),
  'leads to a site that is not secure': strays('http://plain.test/'),
  'leads to a name with two addresses': leads(`https://${TWO_ADDRESSES}/`),
  'leads to a file': strays('file:///etc/passwd'),
  'leads to what is no page': strays('data:text/plain,pay'),
  'leads nowhere': leads('http://'),
  'leads to itself with a password': strays(({ url }) => url.replace('//', '//user:secret@')),
  'leads in a circle': leads('/report'),
  'leads on, from page to page': leads(({ requests }) => `/${requests.length}`),

  // A redirect of what does not pay is nothing bad as such.
  'leads to another of its pages, which asks': {
    expected: PAID,
    unpaid: (stall, exchange) =>
      (exchange.request.url === '/report' ? redirects(302, '/priced') : asks)(stall, exchange),
  },
} as const satisfies Record<string, Behaviour>
