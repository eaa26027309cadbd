import { request } from 'node:http'
import { calculateThumbprint, generateKeyPair, generateProof } from 'dpop'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeSite, type Site } from '../support/http.ts'
import { ME, startIssuer, trusting, whoAsks } from './issuer.ts'

/** Another node on the same database, behind the same name: a balancer in front of both sends on what it was asked. */
async function another(one: Site): Promise<Site> {
  const store = await one.purse.again()
  onTestFinished(() => store.close())
  const purse = { ...one.purse, bursar: { ...one.purse.bursar, store } }
  return makeSite({
    after: { ...one, purse, server: { ...one.server, port: 0 } },
    app: () => ({ rest: whoAsks, access: { origins: one.server.origins, behindProxy: false } }),
  })
}

describe('security: a proof of possession that one node took', () => {
  it('is taken by no other one, nor after a restart', async () => {
    const issuer = await startIssuer()
    onTestFinished(() => issuer.close())
    const keys = await generateKeyPair('ES256')
    const token = await issuer.token({ cnf: { jkt: await calculateThumbprint(keys.publicKey) } })
    const one = await trusting(issuer)
    const two = await another(one)
    const { host } = new URL(one.origin)
    const proof = () => generateProof(keys, `${one.origin}${ME}`, 'GET', undefined, token)
    const shown = (at: Site, dpop: string) => statusAt(at.server.port, { host, authorization: `DPoP ${token}`, dpop })
    const [first, second, third, fourth] = [await proof(), await proof(), await proof(), await proof()]
    expect([await shown(one, first), await shown(two, first)]).toEqual([200, 401])
    expect([await shown(two, second), await shown(one, second)]).toEqual([200, 401])
    expect((await Promise.all([shown(one, third), shown(two, third)])).toSorted()).toEqual([200, 401])
    expect(await shown(one, fourth)).toBe(200)
    // By its own time it is still good.
    one.purse.time.now += 58_000
    expect([await shown(two, fourth), await shown(two, await proof())]).toEqual([401, 200])
    await one.close()
    const again = await makeSite({ after: one, app: () => ({ rest: whoAsks }) })
    expect([await shown(again, first), await shown(again, await proof())]).toEqual([401, 200])
  })
})

/** With a Host that `fetch` would not send. */
function statusAt(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: ME, headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}
