import { hostDesk } from '../actions/owner/desk.ts'
import type { Caller } from '../actions/wire.ts'
import { hostProof } from '../approvals/host.ts'
import type { Config } from '../config.ts'
import type { EventOf, Fact } from '../core/event.ts'
import { serve } from '../mcp/server.ts'
import type { Bursar } from '../ports.ts'
import type { Log } from '../telemetry.ts'
import { callerOf } from './caller.ts'
import { LocalConsole } from './console.ts'
import { makeSandbox } from './create.ts'
import { startTelling } from './notify.ts'
import { openBursar } from './open.ts'
import { startRecovery } from './recovery.ts'

/** `bursar mcp`: the protocol on stdin and stdout, for one agent, until its host leaves. @throws `agent_unknown`, `config_invalid` */
export async function serveMcp(config: Config, log: Log, program: { version: string; root: string }): Promise<void> {
  const running = await openBursar(config, log)
  const local = new LocalConsole(running, log, program)
  const { changes } = running
  const { bursar } = local
  const { version } = program
  await makeSandbox(bursar, config, version)
  const caller = await callerOf(bursar.store.read, config, bursar.clock.now())
  const started = once(() => note(bursar, caller, { type: 'process.started', details: { version, surface: 'mcp' } }))
  const stopRecovery = startRecovery(config, bursar, log, started)
  const telling = startTelling({ bursar, linked: 'asks', changes, home: config.home, log })
  await serve({
    ...{ bursar, caller, changes, version },
    desk: hostDesk(bursar, hostProof),
    log: (level, message, fields) => log[level](message, fields),
    async close() {
      try {
        await Promise.all([stopRecovery(), telling.stop()])
        await started()
        await note(bursar, caller, { type: 'process.stopped', details: { surface: 'mcp' } })
      } finally {
        await local.close()
        await running.close()
      }
    },
  })
}

type ProcessFact = Pick<EventOf<'process.started'> | EventOf<'process.stopped'>, 'type' | 'details'>

/** The same work for every caller, until it has succeeded. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work().catch((error) => {
      done = undefined
      throw error
    })
    return done
  }
}

/** Starts and stops are in the journal of the instance. */
async function note(bursar: Bursar, { agentId, sessionId }: Caller, fact: ProcessFact): Promise<void> {
  const actor = { role: 'system' as const, id: 'bursar' }
  const whole = { actor, agent_id: agentId, session_id: sessionId, ...fact } as Fact
  await bursar.store.update({}, () => ({ facts: [whole], result: null }))
}
