import { addAgent } from '../../src/actions/owner/agents.ts'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/listen.ts'
import { depsOf } from '../support/http.ts'
import { makePurse } from '../support/purse.ts'
import { fixtures } from './fixtures/index.ts'

/**
 * Bursar's own HTTP server with the fixtures of the suite. The suite sends no credential: an agent's key is put into every
 * request here, before the server sees it. The server knows no way round that.
 */
export async function makeFixtureSite(): Promise<{ url: string; logs: unknown[][]; close(): Promise<void> }> {
  const purse = await makePurse()
  const server = await listen({ host: '127.0.0.1', port: 0, tls: null })
  const [origin] = server.origins as [string]
  const { deps, logs } = depsOf(purse, origin)
  const { key } = await addAgent(purse.bursar, purse.authority, 'suite')
  const withFixtures = { ...deps, more: fixtures }
  const { app, close } = createApp(withFixtures, { access: { origins: server.origins, behindProxy: false } })
  server.answer((request, env) => {
    request.headers.set('authorization', `Bearer ${key}`)
    return app.fetch(request, env)
  })
  return {
    url: `${origin}/mcp`,
    logs,
    async close() {
      server.refuse()
      await close(1_000)
      await server.close(1_000)
    },
  }
}
