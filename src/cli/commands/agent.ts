import type { Command } from 'commander'
import { addAgent, revokeAgent, rotateAgent } from '../../actions/owner/agents.ts'
import { type AgentView, listAgents } from '../../actions/owner/inspect.ts'
import { agentIdOf, byOwner } from '../lookup.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { credentialCommands } from './agent-credentials.ts'
import { type GrantOptions, grantable, grantOf, ONCE } from './agent-grant.ts'

const COLUMNS: readonly Column<AgentView>[] = [
  { title: 'agent', of: (agent) => agent.agent_id },
  { title: 'name', of: (agent) => agent.name },
  { title: 'status', of: (agent) => agent.status },
  { title: 'key', of: (agent) => (agent.has_key ? 'yes' : 'none') },
  { title: 'since', of: (agent) => agent.created_at },
]

export function agentCommand(root: Command, shell: Shell): void {
  const agent = root.command('agent').description('Who may ask and pay: add, list, rotate a key, revoke')
  grantable(agent.command('add').description('Add an agent and print its key, once').argument('<name>')).action(
    (name: string, options: GrantOptions) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await addAgent(bursar, owner, name, grantOf(options)))
        shell.output.note(options, ONCE)
      }),
  )
  agent
    .command('list')
    .description('List all agents')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => shell.output.list(options, await listAgents(bursar), COLUMNS)),
    )
  grantable(
    agent
      .command('rotate')
      .description('Give an agent a new key like its newest and print it, once; the ones before end')
      .argument('<agent>', 'id or name')
      .option('--overlap <duration>', 'how long the ones before stay good: 1h, 45m (default: they end at once)'),
  ).action((idOrName: string, options: GrantOptions & { readonly overlap?: string }) =>
    shell.withOwner(async ({ bursar }, owner) => {
      const { overlap } = options
      const rotated = await rotateAgent(bursar, owner, await agentIdOf(bursar, idOrName), {
        overlap,
        ...grantOf(options),
      })
      shell.output.show(options, rotated)
      shell.output.note(options, ONCE)
    }),
  )
  agent
    .command('revoke')
    .description('Shut an agent out for good, with all that it asks for; needs no passphrase')
    .argument('<agent>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => {
        const agentId = await agentIdOf(bursar, idOrName)
        await revokeAgent(bursar, await byOwner(bursar), agentId)
        const revoked = (await listAgents(bursar)).find(({ agent_id }) => agent_id === agentId)
        if (revoked) shell.output.show(options, revoked)
      }),
    )
  credentialCommands(agent, shell)
}
