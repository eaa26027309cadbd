import { Dismissed } from '../../src/cli/program.ts'
import { commanded } from './commanded.ts'

type Answer = boolean | string | 'ctrl-c'

/** One command with somebody at the terminal who gives these answers, in this order. */
export async function typed(home: string, args: readonly string[], answers: readonly Answer[]) {
  const left = [...answers]
  const asked: string[] = []
  const answer = async (question: string) => {
    asked.push(question)
    const next = left.shift()
    if (next === 'ctrl-c' || next === undefined) throw new Dismissed()
    return next
  }
  const { code, stdout, stderr } = await commanded({ BURSAR_HOME: home }, args, {
    interactive: true,
    confirm: async (question) => (await answer(question)) === true,
    secret: async (question) => String(await answer(question)),
    line: () => Promise.reject(new Error('not used here')),
  })
  return { code, out: stdout, err: stderr, asked, left: left.length }
}
