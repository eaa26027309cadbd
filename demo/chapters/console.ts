import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestView } from '../../src/actions/wire.ts'
import { type Agent, startAgent } from '../agent.ts'
import { ownerPassphrase, works } from '../house.ts'
import type { Play } from '../play.ts'
import { type Service, startService } from '../service.ts'

const API = '/api/v1/agent-payments'
const LOOK_EVERY_MS = 500

/** Bursar serves, an agent asks over the thin side, and a request waits in the console. Whoever watches may decide it there. */
export async function serveConsole(play: Play): Promise<void> {
  const { stage, house } = play
  await stage.chapter('bursar serve: many agents, and a console where only you can say yes.')
  const owner = { BURSAR_HOME: house.home, BURSAR_OWNER_PASSPHRASE: ownerPassphrase(house) }
  await stage.act('you', 'bursar agent add researcher')
  const { key } = JSON.parse(await works(['agent', 'add', 'researcher', '--json'], owner)) as { key: string }
  await stage.act('you', 'bursar serve')
  const service = await startService(house.home)
  // The thin side has a key, and no home.
  const env = { BURSAR_HOME: `${house.folder}/nothing`, BURSAR_AGENT_KEY: key }
  const agent = await startAgent(env, null, ['connect', service.origin])
  try {
    const waiting = await askOverIt(play, agent, service)
    await tryWithItsKey(play, service, waiting, key)
    await stage.act('you', 'bursar passkey invite')
    const { code } = JSON.parse(await works(['passkey', 'invite', '--json'], owner)) as { code: string }
    await decideThere(play, agent, waiting, `${service.origin}/console`, code)
  } finally {
    await agent.close()
    stage.check('told to stop, it ends in good order', await service.stop(), 0)
  }
}

async function askOverIt({ stage }: Play, agent: Agent, { origin }: Service): Promise<RequestView> {
  await stage.act('agent', 'request_instrument: a virtual card, 40.00 USD, for one hour, by `bursar connect`')
  const terms = { type: 'virtual_card', amount: '40.00', currency: 'USD', usage_limit: 2, expires_in: '1h' }
  const { view } = await agent.request({ ...terms, purpose: 'Papers for the literature review' })
  stage.check(
    'pending: it waits for you in the console, which the agent is told the address of',
    [view.status, view.approval?.url?.startsWith(`${origin}/console`)],
    ['pending', true],
  )
  return view
}

/** All that the agent has is its key. */
async function tryWithItsKey({ stage }: Play, { origin }: Service, { request_id }: RequestView, key: string) {
  await stage.act('agent', `POST ${API}/requests/${request_id.slice(0, 12)}…/approve, with its key`)
  const response = await fetch(`${origin}${API}/requests/${request_id}/approve`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{}',
  })
  const { code } = (await response.json()) as { code?: string }
  stage.check('refused: forbidden', [response.status, code], [403, 'forbidden'], 'No credential of an agent approves.')
}

async function decideThere({ stage }: Play, agent: Agent, waiting: RequestView, address: string, code: string) {
  stage.note(`The console: ${address}`)
  stage.note(`The code to enrol a passkey with: ${code}`)
  if (!stage.live) {
    stage.note('There is no terminal here, so the request is left waiting.')
    return
  }
  stage.note('Open it, enrol, and decide: the story ends with your answer. Or press Ctrl-C to leave it.')
  let now = waiting
  while (now.status === 'pending') {
    await sleep(LOOK_EVERY_MS)
    const { view } = await agent.call<RequestView>('get_request', { request_id: waiting.request_id, wait_seconds: 20 })
    now = view
  }
  const by = { approved: 'approved by you, with your passkey', denied: 'denied by you' }[
    now.status as 'approved' | 'denied'
  ]
  stage.check(by ?? `it ended as ${now.status}`, now.request_id, waiting.request_id)
}
