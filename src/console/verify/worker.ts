import { leafHash } from '../../core/merkle.ts'
import { parseVkey } from '../../core/note.ts'
import { verifyProof } from '../../core/proof.ts'
import { verify } from '../../core/verify/index.ts'
import type { PaymentProof } from '../types.ts'
import { ExportReader } from './evidence.ts'
import type { Answer, Question } from './run.ts'

/** Checks journals and receipts apart from the page, which stays quick meanwhile. */

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  answer(data).then(
    (result) => postMessage({ ok: true, result } satisfies Answer),
    (error) => postMessage({ ok: false, why: error instanceof Error ? error.message : String(error) } satisfies Answer),
  )
})

async function answer(question: Question): Promise<unknown> {
  return question.kind === 'export' ? whole(question) : receipt(question.proof)
}

/** All journals, with the checkpoints that were kept from before. */
async function whole({ path, headers, kept, vkey }: Extract<Question, { kind: 'export' }>) {
  const response = await fetch(path, { credentials: 'same-origin', redirect: 'error', headers })
  if (!response.ok || !response.body) throw new Error(`The server answered ${response.status}.`)
  const reader = new ExportReader()
  let rest = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') reader.line(line)
  }
  if (rest !== '') reader.line(rest)
  const found = reader.end()
  const newKey = vkey !== null && vkey !== found.vkey
  // Checkpoints by another key say nothing about these journals but that the key is another one.
  const report = await verify(found, parseVkey(found.vkey), newKey ? [] : kept)
  return {
    report,
    vkey: found.vkey,
    newKey,
    witnesses: newKey ? 0 : kept.length,
    heads: found.heads.map((head) => head.checkpoint),
  }
}

/** One payment's last event, and that the journal holds it. */
function receipt({ event, proof, vkey }: PaymentProof) {
  const key = parseVkey(vkey)
  const { journal, payment_id } = JSON.parse(event) as { journal: string; payment_id?: string }
  const { index, size } = verifyProof(proof, leafHash(event), { origin: `${key.name}/${journal}`, keys: [key] })
  return { seq: index, size, payment_id, vkey }
}
