import { BursarError } from './errors.ts'

/** A token that moves by EIP-3009, as its own contract names itself: what a signature is bound to (EIP-712). */
export interface Token {
  /** EIP-55 address of the contract. */
  readonly address: string
  /** `name` and `version` of its EIP-712 domain. */
  readonly name: string
  readonly version: string
  readonly decimals: number
}

/** A chain that bursar pays on. */
export interface Network {
  /** CAIP-2. */
  readonly id: string
  readonly name: string
  /** A chain without real money: wallets on it are sandbox wallets, those on others live ones. */
  readonly testnet: boolean
  /** What fees are paid in. */
  readonly native: string
  /** The most that a relayer may spend on fees in a day unless the owner says otherwise, in smallest billionths (gwei). */
  readonly dailyFees: bigint
  readonly usdc: Token
}

const COIN = 1_000_000_000n
const ETHER_CENT = COIN / 100n

/**
 * Circle's USDC by chain (https://developers.circle.com/stablecoins/usdc-contract-addresses). Bridged tokens of the same
 * name are other assets. Nothing of it is ever taken from a request, and the chain itself is asked whether it is so
 * before anything is signed.
 */
export const NETWORKS: readonly Network[] = [
  main('eip155:1', 'Ethereum', '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
  main('eip155:8453', 'Base', '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'),
  main('eip155:42161', 'Arbitrum One', '0xaf88d065e77c8cC2239327C5EDb3A432268e5831'),
  main('eip155:10', 'OP Mainnet', '0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85'),
  main('eip155:137', 'Polygon', '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', 'POL', 5n * COIN),
  main('eip155:43114', 'Avalanche', '0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E', 'AVAX', COIN),
  test('eip155:11155111', 'Ethereum Sepolia', '0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238', 'USDC'),
  test('eip155:84532', 'Base Sepolia', '0x036CbD53842c5426634e7929541eC2318f3dCF7e', 'USDC'),
  test('eip155:421614', 'Arbitrum Sepolia', '0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d', 'USD Coin'),
  test('eip155:11155420', 'OP Sepolia', '0x5fd84259d66Cd46123540766Be93DFE6D43130D7', 'USDC'),
  test('eip155:80002', 'Polygon Amoy', '0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582', 'USDC', 'POL'),
  test('eip155:43113', 'Avalanche Fuji', '0x5425890298aed601595a70AB815c96711a31Bc65', 'USD Coin', 'AVAX'),
]

function main(id: string, name: string, address: string, native = 'ETH', dailyFees = ETHER_CENT): Network {
  return { id, name, testnet: false, native, dailyFees, usdc: { address, name: 'USD Coin', version: '2', decimals: 6 } }
}

function test(id: string, name: string, address: string, tokenName: string, native = 'ETH'): Network {
  const usdc = { address, name: tokenName, version: '2', decimals: 6 }
  return { id, name, testnet: true, native, dailyFees: COIN, usdc }
}

/** What development chains call themselves. Nobody's money is on one. */
const LOCAL: readonly string[] = ['eip155:31337', 'eip155:1337']

/** Whether it is a development chain: one that may make no block, and so tell no time, for days. */
export function isLocal({ id }: Network): boolean {
  return LOCAL.includes(id)
}

/**
 * A network of the owner's own, with a token of its own. Any but a local one may be somebody's real money, so it counts as
 * that.
 */
export function ownNetwork(id: string, token: Token): Network {
  const testnet = LOCAL.includes(id)
  return {
    id,
    name: id,
    testnet,
    native: testnet ? 'ETH' : 'coins',
    dailyFees: testnet ? COIN : ETHER_CENT,
    usdc: token,
  }
}

/** Fees are counted in billionths of a network's coin: amounts of all coins have nine decimals. */
export const GWEI = { code: 'fees', decimals: 9 } as const

const CAIP_2 = /^eip155:([1-9][0-9]{0,15})$/

/** The EIP-155 number of a CAIP-2 id such as `eip155:8453`. @throws `argument_invalid` */
export function chainIdOf(network: string): number {
  const [, digits] = CAIP_2.exec(network) ?? []
  if (digits === undefined)
    throw new BursarError('argument_invalid', 'A network is a CAIP-2 id of an EVM chain, such as eip155:8453.')
  return Number(digits)
}

/** CAIP-19 of a token: `eip155:8453/erc20:0x8335…`. */
export function assetId(network: string, token: Pick<Token, 'address'>): string {
  return `${network}/erc20:${token.address}`
}

/** The CAIP-2 part of an id that {@link assetId} wrote. */
export function networkOf(asset: string): string {
  return asset.slice(0, asset.indexOf('/'))
}

/** The contract's address in an id that {@link assetId} wrote. */
export function contractOf(asset: string): string {
  return asset.slice(asset.indexOf('/erc20:') + '/erc20:'.length)
}
