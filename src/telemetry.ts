import { LOG_LEVELS, type LogLevel } from './config.ts'
import { BursarError } from './core/errors.ts'
import type { Clock, Rail, Rails, Store } from './ports.ts'

type Severity = Exclude<LogLevel, 'silent'>
type Fields = Readonly<Record<string, unknown>>

/** One JSON object a line. stdout is the protocol's; logs go to stderr. */
export type Log = Readonly<Record<Severity, (message: string, fields?: Fields) => void>>

interface LogOptions {
  readonly level: LogLevel
  readonly clock: Clock
  readonly write: (line: string) => void
  /** What must not appear in any line, whoever put it there: keys, passphrases. */
  readonly secrets: readonly (string | null)[]
}

const REDACTED = '[redacted]'
const SECRET_NAME = /pass(phrase|word)|secret|credential|authorization$|(^|_)(pan|cvc|key|token)$/i

export function logger({ level, clock, write, secrets }: LogOptions): Log {
  const least = LOG_LEVELS.indexOf(level)
  const hidden = secrets.filter((secret) => secret !== null)
  const at = (severity: Severity) => (message: string, fields?: Fields) => {
    if (LOG_LEVELS.indexOf(severity) < least) return
    const time = new Date(clock.now()).toISOString()
    const line = JSON.stringify({ time, level: severity, message, ...fields }, (name, value) =>
      redacted(name, value, hidden),
    )
    write(`${line}\n`)
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function redacted(name: string, value: unknown, hidden: readonly string[]): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (SECRET_NAME.test(name) && value !== null) return REDACTED
  if (typeof value !== 'string') return value
  return hidden.reduce((text, secret) => text.replaceAll(secret, REDACTED), value)
}

/** What may be logged of an error. Messages of others (rails, databases, sellers) may say anything, so only their kind is. */
export function errorFields(error: unknown): Fields {
  if (error instanceof BursarError) return { code: error.code, error: error.message }
  if (!(error instanceof Error)) return { error: typeof error }
  const { code } = error as NodeJS.ErrnoException
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line))
  return {
    error: error.name,
    ...(code !== undefined && { code }),
    stack: frames?.slice(0, 5).map((frame) => frame.trim()),
  }
}

/** The store, with the time of each step at `debug`. No action knows that it is watched. */
export function watchedStore(store: Store, log: Log): Store {
  return {
    ...store,
    read: store.read,
    update: (key, decide) => timed(log, 'step', { reads: key }, () => store.update(key, decide)),
  }
}

/** The rails, with the time of each call at `debug`, and calls that brought no answer at `warn`. */
export function watchedRails(rails: Rails, log: Log): Rails {
  return Object.fromEntries(Object.entries(rails).map(([type, rail]) => [type, watchedRail(type, rail, log)]))
}

function watchedRail(type: string, rail: Rail, log: Log): Rail {
  const call = async <T>(verb: string, fields: Fields, work: () => Promise<T>): Promise<T> => {
    try {
      return await timed(log, 'rail', { rail: type, verb, ...fields }, work)
    } catch (error) {
      log.warn('a rail gave no answer', { rail: type, verb, ...fields, ...errorFields(error) })
      throw error
    }
  }
  const { accounts, authorizations } = rail
  const refund = rail.refund?.bind(rail) ?? null
  return {
    serves: (wallet) => rail.serves(wallet),
    provision: (terms) => call('provision', { instrument_id: terms.instrumentId }, () => rail.provision(terms)),
    setStatus: (railRef, status) =>
      call('setStatus', { rail_ref: railRef, status }, () => rail.setStatus(railRef, status)),
    pay: (terms) => call('pay', { payment_id: terms.paymentId }, () => rail.pay(terms)),
    find: (paymentId) => call('find', { payment_id: paymentId }, () => rail.find(paymentId)),
    refund:
      refund &&
      ((paymentId, refundId, amount) =>
        call('refund', { payment_id: paymentId, refund_id: refundId }, () => refund(paymentId, refundId, amount))),
    changes: (cursor) => call('changes', {}, () => rail.changes(cursor)),
    authorizations: authorizations && {
      token: (asset) => authorizations.token(asset),
      sign: (payment, proofOf) => call('sign', { payment_id: payment.id }, () => authorizations.sign(payment, proofOf)),
    },
    accounts: accounts && {
      head: (wallet) => call('head', { wallet_id: wallet.id }, () => accounts.head(wallet)),
      opening: (wallet) => call('opening', { wallet_id: wallet.id }, () => accounts.opening(wallet)),
      settled: (wallet, ...args) => call('settled', { wallet_id: wallet.id }, () => accounts.settled(wallet, ...args)),
      statement: (wallet, ...args) =>
        call('statement', { wallet_id: wallet.id }, () => accounts.statement(wallet, ...args)),
    },
  }
}

async function timed<T>(log: Log, what: string, fields: Fields, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  try {
    return await work()
  } finally {
    log.debug(what, { ...fields, ms: Math.round((performance.now() - began) * 100) / 100 })
  }
}
