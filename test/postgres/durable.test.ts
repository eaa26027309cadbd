import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { copyPrograms, makeServerFolder, type ServerFolder } from '../support/postgres-folder.ts'
import { PostgresServer } from '../support/postgres-server.ts'

let folder: ServerFolder
let server: PostgresServer

beforeAll(async () => {
  folder = makeServerFolder()
  // No such standby: what waits for it waits for ever.
  server = new PostgresServer(folder, copyPrograms(folder), 'durable', { synchronous_standby_names: 'standby' })
  await server.initialise()
  await server.start()
})

afterAll(async () => {
  await server?.stop()
  await folder?.remove()
})

it.each(['off', 'local'])('a store does not open where commits do not wait for their standby: %s', async (held) => {
  const pair = makeKeyPair()
  const url = new URL(server.url())
  url.searchParams.set('options', `-c synchronous_commit=${held}`)
  const opening = openPostgres({
    ...{ url: url.href, clock: { now: () => 0 }, connections: 2, waitMs: 2_000 },
    journalKey: { publicKey: Buffer.from(pair.publicKey, 'base64'), sign: signerOf(pair) },
  })
  await expect(opening).rejects.toMatchObject({ code: 'config_invalid', message: expect.stringContaining(held) })
})
