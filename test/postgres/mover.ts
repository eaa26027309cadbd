// The move as a process of its own, which kills itself at a point: bundled and started by the tests beside it.
import type { Point } from '../../src/store/move/index.ts'
import { move, postgresSide, sqliteSide } from '../../src/store/move/index.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'

const [from = '', to = '', publicKey = '', last = ''] = process.argv.slice(2)
const side = (where: string) => (where.startsWith('postgres') ? postgresSide(where) : sqliteSide(where))

const reached = (point: Point) => {
  process.stdout.write(`${point}\n`)
  if (point === last) process.kill(process.pid, 'SIGKILL')
}
const key = journalNoteKey(Buffer.from(publicKey, 'base64'))
const [source, target] = [await side(from), await side(to)]
await move({ source, target, key, reached })
await source.close()
await target.close()
