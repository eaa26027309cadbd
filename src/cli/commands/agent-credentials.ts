import type { Command } from 'commander'
import type { CredentialView } from '../../actions/credentials.ts'
import { addCredential, listCredentials, revokeCredential } from '../../actions/owner/credentials.ts'
import { agentIdOf, byOwner } from '../lookup.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { type GrantOptions, grantable, grantOf, ONCE } from './agent-grant.ts'

const COLUMNS: readonly Column<CredentialView>[] = [
  { title: 'credential', of: (one) => one.credential_id },
  { title: 'minted by', of: (one) => one.parent_id },
  { title: 'label', of: (one) => one.label },
  { title: 'is', of: (one) => (one.token ? `tokens of ${one.token.issuer}` : 'key') },
  { title: 'scopes', of: (one) => one.scopes.map((scope) => scope.replace('bursar:', '')).join(' ') },
  { title: 'spent', of: (one) => one.spent_amount, align: 'right' },
  { title: 'of', of: (one) => (one.max_amount === null ? null : `${one.max_amount} ${one.currency}`), align: 'right' },
  { title: 'until', of: (one) => one.expires_at },
  { title: 'status', of: (one) => one.status },
]

interface TrustOptions extends GrantOptions {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  readonly jwksUri?: string
}

/** By what an agent is known. */
export function credentialCommands(agent: Command, shell: Shell): void {
  agent
    .command('credentials')
    .description('List the keys and trusted tokens of an agent, and what it minted for tasks')
    .argument('<agent>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) =>
        shell.output.list(options, await listCredentials(bursar, await agentIdOf(bursar, idOrName)), COLUMNS),
      ),
    )
  grantable(
    agent
      .command('add-key')
      .description('Give an agent one more key and print it, once')
      .argument('<agent>', 'id or name'),
  ).action((idOrName: string, options: GrantOptions) =>
    shell.withOwner(async ({ bursar }, owner) => {
      shell.output.show(
        options,
        await addCredential(bursar, owner, await agentIdOf(bursar, idOrName), grantOf(options)),
      )
      shell.output.note(options, ONCE)
    }),
  )
  grantable(
    agent
      .command('trust')
      .description('Let the access tokens of your identity provider be an agent, over HTTP')
      .argument('<agent>', 'id or name')
      .requiredOption('--issuer <url>', 'who issues them: `iss`, https')
      .requiredOption('--subject <text>', 'whom they are about: `sub`')
      .requiredOption('--audience <text>', 'whom they are for: `aud`')
      .option('--jwks-uri <url>', "the issuer's keys (default: its /.well-known/jwks.json)"),
  ).action((idOrName: string, options: TrustOptions) =>
    shell.withOwner(async ({ bursar }, owner) => {
      const { issuer, subject, audience, jwksUri } = options
      const token = { issuer, subject, audience, jwks_uri: jwksUri }
      const input = { ...grantOf(options), token }
      const { key: _none, ...view } = await addCredential(bursar, owner, await agentIdOf(bursar, idOrName), input)
      shell.output.show(options, view)
    }),
  )
  agent
    .command('revoke-credential')
    .description('End a key, trust in tokens, or what was minted, with all below it; needs no passphrase')
    .argument('<credential>')
    .option(...JSON_OPTION)
    .action((credentialId: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) =>
        shell.output.show(options, await revokeCredential(bursar, await byOwner(bursar), credentialId)),
      ),
    )
}
