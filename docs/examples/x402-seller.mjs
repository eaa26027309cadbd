// A shop on the chain of local-chain.mjs, by the official packages of x402. It settles payments itself.
//
//   node docs/examples/x402-seller.mjs
//
// Needs a checkout with its development packages: npm install.
import { x402Facilitator } from '@x402/core/facilitator'
import { x402ResourceServer } from '@x402/core/server'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme as Settling } from '@x402/evm/exact/facilitator'
import { ExactEvmScheme as Selling } from '@x402/evm/exact/server'
import { paymentMiddleware } from '@x402/express'
import express from 'express'
import { createWalletClient, http, publicActions } from 'viem'
import { foundry } from 'viem/chains'

const { SHOP_PORT = '4021', CHAIN_PORT = '8545' } = process.env
const CHAIN = 'eip155:31337'
const TOKEN = '0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35'
/** Accounts that the node of a local chain signs for. One pays fees, the other is paid. */
const [CASHIER, TILL] = ['0x70997970C51812dc3A010C7d01b50e0d17dc79C8', '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC']

const transport = http(`http://127.0.0.1:${CHAIN_PORT}`)
const cashier = createWalletClient({ account: CASHIER, chain: foundry, transport }).extend(publicActions)
const facilitator = new x402Facilitator().register(
  CHAIN,
  new Settling(toFacilitatorEvmSigner({ ...cashier, address: CASHIER })),
)
const settlement = {
  verify: (...payment) => facilitator.verify(...payment),
  settle: (...payment) => facilitator.settle(...payment),
  getSupported: async () => facilitator.getSupported(),
}

/** So many millionths of a USDC. */
function costs(amount, description, extra = {}) {
  const price = { amount, asset: TOKEN, extra: { name: 'USD Coin', version: '2', ...extra } }
  return { accepts: { scheme: 'exact', network: CHAIN, payTo: TILL, price, maxTimeoutSeconds: 60 }, description }
}
const prices = {
  'GET /report': costs('10000', 'The weather of tomorrow'),
  'GET /atlas': costs('2500000', 'The weather of all of tomorrows'),
  'GET /broken': costs('10000', 'Fails, and then takes no money'),
  'GET /upfront': costs('10000', 'Takes the money first, and then fails', { paymentFlow: 'upfront' }),
}

const shop = express()
shop.use((request, _response, next) => {
  process.stdout.write(`${request.method} ${request.path}${request.get('payment-signature') ? ', paid' : ''}\n`)
  next()
})
shop.use(paymentMiddleware(prices, new x402ResourceServer(settlement).register(CHAIN, new Selling())))
shop.get('/free', (_request, response) => response.send('There will be weather.'))
shop.get(['/report', '/atlas'], (_request, response) => response.json({ tomorrow: 'sunny, then rain' }))
shop.get(['/broken', '/upfront'], (_request, response) => response.status(500).send('Out of order.'))
shop.listen(Number(SHOP_PORT), '127.0.0.1', () =>
  process.stdout.write(`Open: ${Object.keys(prices).join(', ')} at http://127.0.0.1:${SHOP_PORT}\n`),
)
