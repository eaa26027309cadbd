import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startHost } from '../hosts/host.ts'
import { type Market, type Shopper, startMarket, startShopper } from '../hosts/market.ts'
import { PAID_ANSWERS } from '../sellers/hostile/paid.ts'
import type { OfficialSeller } from '../sellers/official.ts'
import { command, OWNER, owner, refused } from './fixture.ts'

let market: Market
let seller: OfficialSeller
let shopper: Shopper
let home: string
beforeAll(async () => {
  market = await startMarket()
  seller = await market.opens()
  shopper = await startShopper(market, 'modern')
  home = shopper.home
}, 120_000)
afterAll(async () => {
  await shopper?.host.close()
  await market?.stop()
})

const shown = async (...args: string[]): Promise<string> => (await command(home, args)).stdout

async function buy(url: string, by = shopper.host) {
  const { structuredContent } = await shopper.buy(url, {}, by)
  return structuredContent.payment
}

describe('bursar wallet allow', () => {
  const allow = (...args: string[]) => ['wallet', 'allow', 'shopping', ...args]
  const allowed = async () => (await owner(home, 'wallet', 'show', 'shopping')).allows

  it('sets all that is allowed, shows it, and takes it back', async () => {
    expect(await allowed()).toEqual(['loopback'])
    expect((await owner(home, ...allow('v1', 'upfront'))).allows).toEqual(['upfront', 'v1'])
    expect(await shown('wallet', 'show', 'shopping')).toMatch(/^allows +upfront, v1$/m)
    expect((await owner(home, ...allow('--none'))).allows).toEqual([])
    expect((await owner(home, ...allow('loopback'))).allows).toEqual(['loopback'])
    const events = await owner(home, 'journal', 'list', '--wallet', 'shopping')
    const changes = events.filter(({ type }: { type: string }) => type === 'wallet.allowances_changed')
    expect(changes.slice(-3).map(({ details }: { details: object }) => details)).toEqual([
      { allows: ['upfront', 'v1'] },
      { allows: [] },
      { allows: ['loopback'] },
    ])
  })

  it("security: asks for the owner's passphrase", async () => {
    const { code, stdout, stderr } = await command(home, [...allow('upfront'), '--json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('passphrase_wrong')
    expect(await allowed()).toEqual(['loopback'])
  })

  it.each([
    ['nothing', []],
    ['nothing and something', ['--none', 'v1']],
    ['what there is not', ['loopback', 'everything']],
  ])('is a matter of usage, exit 2: %s', async (_what, args) => {
    const { code, stdout } = await command(home, allow(...args), OWNER)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(await allowed()).toEqual(['loopback'])
  })

  it('is for wallets in USDC', async () => {
    expect(await refused(home, ['wallet', 'allow', 'sandbox', 'loopback'])).toMatchObject({ code: 'argument_invalid' })
  })
})

describe('a purchase at the command line', { timeout: 120_000 }, () => {
  it('shows what was bought, of whom, and whether it came', async () => {
    const { payment_id } = await buy(`${seller.url}/report`)
    expect(await shopper.settled(payment_id)).toMatchObject({ status: 'captured' })
    const row = (await shown('payment', 'list')).split('\n').find((line) => line.startsWith(payment_id))
    expect(row).toMatch(new RegExp(`captured +0\\.010000 +USDC +${seller.url} .* GET ${seller.url}/report +yes$`))
    const show = await shown('payment', 'show', payment_id)
    for (const [name, value] of [
      ['payee.origin', seller.url],
      ['payee.address', seller.payTo],
      ['resource.method', 'GET'],
      ['resource.url', `${seller.url}/report`],
      ['resource.delivered', 'true'],
      ['resource.http_status', '200'],
    ] as const)
      expect(show).toMatch(new RegExp(`^${name} +${value}$`, 'm'))
  })

  it('lists its events, and shows people no header that pays', async () => {
    const { payment_id } = await buy(`${seller.url}/report`)
    await shopper.settled(payment_id)
    const list = await shown('journal', 'list', '--payment', payment_id)
    for (const type of [
      ...['payment.attempted', 'payment.authorized', 'transfer.signed', 'purchase.prepared', 'purchase.answered'],
      'payment.captured',
    ])
      expect(list).toContain(` ${type} `)
    expect(list + (await shown('payment', 'show', payment_id))).not.toMatch(/payment-signature/i)
  })

  it('shows what was paid and did not come, and why nobody knows yet', async () => {
    const robber = await market.lies(PAID_ANSWERS['takes the money and fails'])
    const silent = await market.lies(PAID_ANSWERS['cuts the connection and takes the money later'])
    const [robbed, doubted] = [await buy(robber.url), await buy(silent.url)]
    const list = await shown('payment', 'list')
    expect(list).toMatch(new RegExp(`^${robbed.payment_id} +captured .* GET ${robber.url} +no, HTTP 500$`, 'm'))
    expect(list).toMatch(
      new RegExp(`^${doubted.payment_id} +in_doubt .* It was signed, .* GET ${silent.url} +no$`, 'm'),
    )
    expect(await shown('payment', 'show', doubted.payment_id)).toMatch(/^reason +It was signed, and is not seen/m)
  })

  it('waits in the list of requests under the site that asks', async () => {
    const mute = await startHost('modern', 'none', home)
    onTestFinished(() => mute.close())
    const { payment_id } = await buy(`${seller.url}/price/60000`, mute)
    expect(await shown('request', 'list', '--status', 'pending')).toMatch(
      new RegExp(`^${payment_id} .* payment to ${seller.url} `, 'm'),
    )
  })

  it('is limited by the origin, however it is written, and others are not', async () => {
    const [limited, free] = [await market.opens(), await market.opens()]
    const window = ['--window', 'day', '--max-amount', '0.015']
    const { limit_id } = await owner(
      ...([
        home,
        'limit',
        'set',
        'shopping',
        '--scope',
        'payee',
        '--value',
        `${limited.url}/any?page`,
        ...window,
      ] as const),
    )
    expect(await shown('limit', 'list', 'shopping')).toContain(`payee ${limited.url} `)
    await buy(`${limited.url}/report`)
    const over = await buy(`${limited.url}/text`)
    expect(over).toMatchObject({ status: 'refused', refusal: { code: 'limit_exceeded', rule: limit_id } })
    expect(await buy(`${free.url}/report`)).toMatchObject({ resource: { delivered: true } })
  })
})
