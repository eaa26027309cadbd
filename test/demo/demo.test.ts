import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { LIGHT } from '../cli/fixture.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** It waits for a card of one minute to expire. */
const TELLING_MS = 240_000
/** What ends with the demonstration may take a moment. */
const GONE = { timeout: 10_000, interval: 50 }

interface Told {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/**
 * The demonstration as `npm run demo` starts it, where nobody is at a terminal. Temporary files go where they can be counted.
 *
 * @param interruptAt it is interrupted once it has said this
 */
function tell(root: string, temporary: string, interruptAt?: string): Promise<Told> {
  const env = { ...process.env, TMPDIR: temporary, BURSAR_AGENT: 'somebody else', NODE_OPTIONS: LIGHT }
  const child = spawn(process.execPath, [join(root, 'dist', 'demo.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (interruptAt !== undefined && out.includes(interruptAt)) child.kill('SIGINT')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-telling-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const LINES = [
  'There is no terminal here, so the demonstration answers in your place: approve.',
  '251.00 USD and 2 of 3 uses are left',
  'refused: merchant_category_not_allowed',
  'refused: amount_exceeds_remaining',
  'in_doubt: bursar does not guess',
  'the same payment, not a second one',
  'approved by you, then captured: 150.00 USD',
  '8 tools: none approves, funds, or lifts a limit',
  'still pending: no human was there to be asked',
  'declined by the card issuer, which knows what a casino is: rail_declined',
  'waits for you: with the 49.00 before it, this payee is over 100.00 this month',
  'refused: not_found',
  '1 captured, 19 refused: usage_limit_reached',
  'seen, and not counted yet: over 100.00 one block is not enough',
  'captured: 25.50 USDC',
  'the same payment, not a second one; the chain shows one transfer',
  'refused: address_not_allowed',
  'it has sent the same bytes again: one transfer, the same transaction, paid once',
  'waits for you: it begins and ends like the address that was paid, and is another',
  'the rule: payee.look_alike',
  'The account holds 374.500000 USDC; the books say 474.500000. The wallet is frozen.',
  'refused: spending_frozen',
  'the chain has 374.500000 USDC, the books say 374.500000 USDC: the same, to the unit',
  'refused: url_not_allowed',
  'purchases from this wallet may go to this machine',
  'it costs 0.01 USDC; nothing is paid, and nothing is on record',
  'HTTP 200, and what was bought: "the report that was paid for"',
  'captured: 0.01 USDC, with a receipt',
  '374.490000 USDC are left, on the chain and in the books',
  'refused: max_amount_exceeded',
  'nothing was signed: on record are the attempt and the refusal, and nothing that pays went out',
  'Paid, not delivered; do not pay again.',
  'the same payment, not a second one; the seller was sent the same bytes again',
  'the chain shows one payment to it, of 0.01 USDC',
  'its orders are there and nowhere else: not in what bursar says, not in its journal',
  'the chain has 374.470000 USDC, the books say 374.470000 USDC: the same, to the unit',
  'captured, once: bursar asked the network again',
  'refused: instrument_expired',
  '780.00 USD of 1000.00 are left, nothing is held; 220.00 went out',
  'all 39 attempts to pay are in it, refused ones too',
  'holds there too',
  'exit 3, and it names the event: 13',
  'exit 3: no event says so',
  'pending: it waits for you in the console, which the agent is told the address of',
  'refused: forbidden',
  'the request is left waiting',
  'told to stop, it ends in good order',
  'Every ✓ was checked: 83 of them.',
]

describe('demo', () => {
  it('tells the whole story without a terminal, in order, and leaves nothing behind', { timeout: TELLING_MS }, () =>
    withFolder(async (folder) => {
      const { code, out, err } = await tell(ROOT, folder)
      expect(err).toBe('')
      expect(code).toBe(0)
      const places = LINES.map((line) => out.indexOf(line))
      expect(LINES.filter((_, n) => places[n] === -1)).toEqual([])
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      expect(out).not.toMatch(/✗|\u001b/)
      expect(readdirSync(folder).filter((name) => name.startsWith('bursar-demo-'))).toEqual([])
    }),
  )

  it('leaves no chain and no file behind when it is interrupted', { timeout: TELLING_MS }, () =>
    withFolder(async (folder) => {
      const { code, out } = await tell(ROOT, folder, 'captured: 25.50 USDC')
      expect(code).toBe(130)
      const [, url = ''] = /--node (http:\S+)/.exec(out) ?? []
      const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[]' }
      const answers = () =>
        fetch(url, post).then(
          () => true,
          () => false,
        )
      await vi.waitFor(async () => expect([await answers(), readdirSync(folder)]).toEqual([false, []]), GONE)
    }),
  )

  it('ends with 1 and says why when a step does not happen as told', () =>
    withFolder(async (folder) => {
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
      writeFileSync(join(folder, 'dist', 'main.js'), 'process.stderr.write("no bursar today"); process.exit(1)')
      const temporary = join(folder, 'tmp')
      mkdirSync(temporary)
      const { code, out, err } = await tell(folder, temporary)
      expect(code).toBe(1)
      expect(err).toMatch(/bursar mcp did not start[\s\S]*no bursar today/)
      expect(out).not.toContain('✓')
      expect(existsSync(temporary) && readdirSync(temporary)).toEqual([])
    }))
})
