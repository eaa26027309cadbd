import type { Command } from 'commander'
import { addAgent, revokeAgent, rotateAgent } from '../../actions/owner/agents.ts'
import { listAgents } from '../../actions/owner/inspect.ts'
import { agentIdOf, byOwner } from '../lookup.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<ReturnType<typeof listAgents>[number]>[] = [
  { title: 'agent', of: (agent) => agent.agent_id },
  { title: 'name', of: (agent) => agent.name },
  { title: 'status', of: (agent) => agent.status },
  { title: 'key', of: (agent) => (agent.has_key ? 'yes' : 'none') },
  { title: 'since', of: (agent) => agent.created_at },
]

const ONCE = 'This is the only time that the key is shown. Give it to the agent host as BURSAR_AGENT_KEY.\n'

export function agentCommand(root: Command, shell: Shell): void {
  const agent = root.command('agent').description('Who may ask and pay: add, list, rotate a key, revoke')
  agent
    .command('add')
    .description('Add an agent and print its key, once')
    .argument('<name>')
    .option(...JSON_OPTION)
    .action((name: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await addAgent(bursar, owner, name))
        shell.output.note(options, ONCE)
      }),
    )
  agent
    .command('list')
    .description('List all agents')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(({ bursar }) => shell.output.list(options, listAgents(bursar), COLUMNS)),
    )
  agent
    .command('rotate')
    .description('Give an agent a new key and print it, once; the old one ends')
    .argument('<agent>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await rotateAgent(bursar, owner, agentIdOf(bursar, idOrName)))
        shell.output.note(options, ONCE)
      }),
    )
  agent
    .command('revoke')
    .description('Shut an agent out for good; needs no passphrase')
    .argument('<agent>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => {
        const agentId = agentIdOf(bursar, idOrName)
        await revokeAgent(bursar, byOwner(bursar), agentId)
        const revoked = listAgents(bursar).find(({ agent_id }) => agent_id === agentId)
        if (revoked) shell.output.show(options, revoked)
      }),
    )
}
