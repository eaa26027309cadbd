import { end } from '../src/main/end.ts'
import { startAgent } from './agent.ts'
import { ask } from './chapters/ask.ts'
import { serveConsole } from './chapters/console.ts'
import { expire } from './chapters/expiry.ts'
import { beInjected } from './chapters/injected.ts'
import { verifyJournal } from './chapters/journal.ts'
import { loseReply } from './chapters/lost-reply.ts'
import { payOverTheLimit } from './chapters/over-the-limit.ts'
import { payAndBeRefused } from './chapters/pay.ts'
import { tamper } from './chapters/tamper.ts'
import { payInUsdc } from './chapters/usdc.ts'
import { buyOnTheWeb } from './chapters/x402.ts'
import { type House, makeHouse } from './house.ts'
import { humanAt, standIn } from './human.ts'
import { Left, type Play } from './play.ts'
import { NotAsTold, type Stage, stageOn } from './stage.ts'

const { stdin, stdout, env } = process
const INTERRUPTED = 130

async function main(): Promise<number> {
  const began = Date.now()
  const live = stdin.isTTY === true && stdout.isTTY === true
  // Some pseudo-terminals say that they have no size, and nothing would be shown on them.
  if (live && stdout.columns === 0) Object.assign(stdout, { columns: 80, rows: 24 })
  const stage = stageOn(stdout, { live, colorful: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb' })
  const house = makeHouse()
  for (const [signal, code] of [
    ['SIGINT', INTERRUPTED],
    ['SIGTERM', 143],
  ] as const)
    process.once(signal, () => {
      house.remove()
      process.exit(code)
    })
  stage.title(
    'bursar: an agent with a card, and what holds it back',
    'A real MCP client, a real pipe, a real chain, sellers that lie, and a database that is thrown away. No real money.',
  )
  try {
    await perform(stage, house)
    const seconds = Math.round((Date.now() - began) / 1000)
    stage.title(
      `Told in ${seconds} s. Every ✓ was checked: ${stage.checks()} of them.`,
      'Next: "The first five minutes" in README.md.',
    )
    return 0
  } catch (error) {
    return failed(error as Error)
  } finally {
    house.remove()
  }
}

function failed(error: Error): number {
  if (error instanceof Left) {
    stdout.write('\nYou left without an answer, so nothing was approved.\n')
    return INTERRUPTED
  }
  const text = error instanceof NotAsTold ? `This did not happen as told:\n${error.message}` : error.stack
  process.stderr.write(`\n${text}\n`)
  return 1
}

async function perform(stage: Stage, house: House): Promise<void> {
  const human = stage.live ? humanAt(stage, stdin, stdout) : standIn(stage)
  const agent = await startAgent({ BURSAR_HOME: house.home }, human)
  const play: Play = { stage, house, agent, human, attempts: new Set(), spent: 0 }
  try {
    await tell(play)
  } finally {
    await agent.close()
  }
}

async function tell(play: Play): Promise<void> {
  const told = await tellOfCards(play)
  await verifyJournal(play)
  if (told) await tamper(play)
  if (told) await serveConsole(play)
}

/** A human who says no to a card ends this part early: without a card an agent can do nothing. */
async function tellOfCards(play: Play): Promise<boolean> {
  const card = await ask(play)
  if (card !== null) await payAndBeRefused(play, card)
  const brief = card && (await loseReply(play))
  if (card === null || brief === null) {
    play.stage.note('The rest needs a card. Run it again and approve, to see it.')
    return card !== null
  }
  await payOverTheLimit(play, card)
  await beInjected(play, card)
  // The card of one minute is still running: this takes some of the time that it would be waited for.
  await payInUsdc(play, (ground) => buyOnTheWeb(play, ground))
  await expire(play, brief)
  return true
}

await end(await main())
