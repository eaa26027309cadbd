// First: what runs here, and not in a process of its own, opens the same keys with the same little work.
import '../support/light-work.mjs'
import { run } from '../../src/cli/cli.ts'
import { Dismissed, type Program, type Terminal } from '../../src/cli/program.ts'
import { configOf } from '../../src/config.ts'
import { chainsOf } from '../../src/main/chains.ts'
import { channelsOf } from '../../src/main/channel-desk.ts'
import { createHome } from '../../src/main/create.ts'
import { openExisting } from '../../src/main/open.ts'
import { systemClock } from '../../src/system.ts'
import { logger } from '../../src/telemetry.ts'
import { ROOT } from './fixture.ts'

type Answer = boolean | string | 'ctrl-c'

/** One command with somebody at the terminal who gives these answers, in this order. */
export async function typed(home: string, args: readonly string[], answers: readonly Answer[]) {
  const left = [...answers]
  const seen = { out: '', err: '', asked: [] as string[] }
  const answer = async (question: string) => {
    seen.asked.push(question)
    const next = left.shift()
    if (next === 'ctrl-c' || next === undefined) throw new Dismissed()
    return next
  }
  const terminal: Terminal = {
    interactive: true,
    colors: false,
    out(text) {
      seen.out += text
    },
    err(text) {
      seen.err += text
    },
    confirm: async (question) => (await answer(question)) === true,
    secret: async (question) => String(await answer(question)),
    line: () => Promise.reject(new Error('not used here')),
  }
  const code = await run(args, programIn(home), terminal)
  return { code, ...seen, left: left.length }
}

function programIn(home: string): Program {
  const config = configOf({ BURSAR_HOME: home })
  const log = logger({ level: 'silent', clock: systemClock, write: () => {}, secrets: [] })
  const unused = () => Promise.reject(new Error('not used here'))
  return {
    version: '0.0.0',
    root: ROOT,
    config: () => config,
    open: () => openExisting(config, log),
    create: (given) => createHome(config, log, { ...given, version: '0.0.0' }),
    serveMcp: unused,
    serveHttp: unused,
    connect: unused,
    moveStore: unused,
    channels: async () => channelsOf(config),
    inspectDatabase: unused,
    migrateDatabase: unused,
    chains: async () => chainsOf(config),
    reportBug: (error) => {
      throw error
    },
  }
}
