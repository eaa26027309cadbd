import { timingSafeEqual } from 'node:crypto'
import { keyHashOf } from '../actions/owner/agents.ts'
import { hostDesk } from '../actions/owner/desk.ts'
import { recover } from '../actions/recover.ts'
import type { Caller } from '../actions/wire.ts'
import { hostProof } from '../approvals/host.ts'
import type { Config } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import type { EventOf, Fact } from '../core/event.ts'
import { serve } from '../mcp/server.ts'
import type { Bursar, Reader } from '../ports.ts'
import { systemIds } from '../system.ts'
import { errorFields, type Log } from '../telemetry.ts'
import { makeSandbox } from './create.ts'
import { openBursar } from './open.ts'

/** The host waits for its first answer: that comes before. */
const RECOVER_AFTER_MS = 250
const RECOVER_EVERY_MS = 30_000

/** `bursar mcp`: the protocol on stdin and stdout, for one agent, until its host leaves. @throws `agent_unknown`, `config_invalid` */
export async function serveMcp(config: Config, log: Log, version: string): Promise<void> {
  const running = openBursar(config, log)
  const { bursar, changes } = running
  await makeSandbox(bursar, config, version)
  const caller = callerOf(bursar.store.read, config)
  const recovery = keepRecovering(bursar, caller, log, version)
  await serve({
    ...{ bursar, caller, changes, version },
    desk: hostDesk(bursar, hostProof),
    log: (level, message, fields) => log[level](message, fields),
    async close() {
      try {
        await recovery.stop()
        await note(bursar, caller, { type: 'process.stopped', details: { surface: 'mcp' } })
      } finally {
        await running.close()
      }
    },
  })
}

/** Ends what a crash or a silent rail left open, beside the serving and never in its way. */
function keepRecovering(bursar: Bursar, caller: Caller, log: Log, version: string): { stop(): Promise<void> } {
  let stopped = false
  let begun: Promise<void> | undefined
  let turn: Promise<void> = Promise.resolve()
  const begin = () => {
    begun ??= note(bursar, caller, { type: 'process.started', details: { version, surface: 'mcp' } }).catch((error) => {
      begun = undefined
      throw error
    })
    return begun
  }
  const once = async () => {
    try {
      await begin()
      if (!stopped) await recover(bursar)
    } catch (error) {
      if (!stopped) log.warn('recovery failed and will be tried again', errorFields(error))
    }
  }
  const next = () => {
    turn = turn.then(once)
  }
  const first = setTimeout(next, RECOVER_AFTER_MS).unref()
  const timer = setInterval(next, RECOVER_EVERY_MS).unref()
  return {
    async stop() {
      stopped = true
      clearTimeout(first)
      clearInterval(timer)
      await begin()
    },
  }
}

type ProcessFact = Pick<EventOf<'process.started'> | EventOf<'process.stopped'>, 'type' | 'details'>

/** Starts and stops are in the journal of the instance. */
async function note(bursar: Bursar, { agentId, sessionId }: Caller, fact: ProcessFact): Promise<void> {
  const actor = { role: 'system' as const, id: 'bursar' }
  const whole = { actor, agent_id: agentId, session_id: sessionId, ...fact } as Fact
  await bursar.store.update({}, () => ({ facts: [whole], result: null }))
}

/** Who this process serves: as the owner configured it. @throws `agent_unknown` */
function callerOf(read: Reader, config: Config): Caller {
  const agent = read.one('agents', { id: config.agent }) ?? read.one('agents', { name: config.agent })
  if (agent?.status !== 'active' || !keyFits(agent.keyHash, config.agentKey))
    throw new BursarError('agent_unknown', 'There is no active agent that BURSAR_AGENT and BURSAR_AGENT_KEY both fit.')
  return { agentId: agent.id, sessionId: config.session ?? systemIds.make('session'), keyHash: agent.keyHash }
}

function keyFits(keyHash: string | null, key: string | null): boolean {
  if (keyHash === null || key === null) return keyHash === key
  return timingSafeEqual(Buffer.from(keyHash, 'hex'), Buffer.from(keyHashOf(key), 'hex'))
}
