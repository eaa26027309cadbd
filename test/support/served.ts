import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { question } from '../../src/actions/question.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Disk } from './disk.ts'

/** A server in a process of its own. */
export interface Served {
  readonly process: ChildProcess
  readonly port: number
  readonly origin: string
  readonly ended: Promise<unknown>
}

/**
 * Starts `bursar serve` on a home, and waits until it takes requests. What it writes on stderr after that is shown.
 *
 * @param main dist/main.js
 * @param port 0: one that is free
 * @throws Error when it ends before
 */
export function startServe(main: string, home: string, port = 0): Promise<Served> {
  return startServer([main, 'serve', '--listen', `127.0.0.1:${port}`], { BURSAR_HOME: home, BURSAR_LOG: 'warn' })
}

/** As {@link startServe}, for any program that says on stderr at which `http://localhost:PORT` it serves. */
export async function startServer(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Served> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  const ended = once(child, 'close')
  const lines = createInterface({ input: child.stderr })
  const said = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const [, port] = /http:\/\/localhost:(\d+)/.exec(line) ?? []
      if (port !== undefined) resolve(port)
      else process.stderr.write(`${line}\n`)
    })
  })
  const port = await Promise.race([said, ended.then(() => null)])
  if (port === null) throw new Error(`The server ended: ${child.exitCode ?? child.signalCode}.`)
  return { process: child, port: Number(port), origin: `http://localhost:${port}`, ended }
}

/** An agent with a key and a card of its own. */
export interface Member {
  readonly agentId: string
  readonly key: string
  readonly instrumentId: string
  readonly currency: string
}

let members = 0

/** Adds an agent with a card from the one wallet of this currency. */
export async function addMember({ bursar, authority }: Disk, currency: string): Promise<Member> {
  members += 1
  const { agent_id: agentId, credential_id: credentialId, key } = await addAgent(bursar, authority, `agent-${members}`)
  const terms = { type: 'virtual_card', amount: '90000.00', currency, expires_in: '1d', purpose: 'Many purchases' }
  const { request_id } = await requestInstrument(bursar, { agentId, sessionId: 'before', credentialId }, terms)
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'test')
  const { instrument } = (await approve(bursar, request_id, proof, {})) as RequestView
  if (!instrument) throw new Error('An approved request has an instrument.')
  return { agentId, key, instrumentId: instrument.instrument_id, currency }
}
