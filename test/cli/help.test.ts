import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../../src/cli/cli.ts'
import type { Program, Terminal } from '../../src/cli/program.ts'
import { shellOf } from '../../src/cli/shell.ts'
import { bursar, command, emptyHome } from './fixture.ts'

const terminal = { interactive: false, colors: false, out: () => {}, err: () => {} } as unknown as Terminal
const root = commandLine(shellOf({ version: '0.0.0' } as Program, terminal))

function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]]
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]))
}

describe('help', () => {
  it('has every command of the design', () => {
    expect(leaves(root).map(([path]) => path)).toMatchInlineSnapshot(`
      [
        "init",
        "mcp",
        "serve",
        "connect",
        "wallet create",
        "wallet list",
        "wallet show",
        "wallet fund",
        "wallet freeze",
        "wallet unfreeze",
        "wallet approvals",
        "wallet reconcile",
        "wallet confirmations",
        "wallet allow",
        "limit set",
        "limit list",
        "limit remove",
        "agent add",
        "agent list",
        "agent rotate",
        "agent revoke",
        "agent credentials",
        "agent add-key",
        "agent trust",
        "agent revoke-credential",
        "owner add",
        "owner list",
        "passkey invite",
        "passkey list",
        "passkey revoke",
        "request list",
        "request show",
        "request approve",
        "request deny",
        "instrument list",
        "instrument show",
        "instrument freeze",
        "instrument revoke",
        "instrument unfreeze",
        "payment list",
        "payment show",
        "payment refund",
        "network set",
        "network list",
        "network remove",
        "notify add webhook",
        "notify add slack",
        "notify add ntfy",
        "notify add email",
        "notify add webpush",
        "notify list",
        "notify test",
        "notify remove",
        "relayer list",
        "relayer limit",
        "freeze-all",
        "unfreeze-all",
        "journal list",
        "journal verify",
        "journal export",
        "journal archive",
        "backup",
        "migrate-store",
        "database show",
        "database migrate",
        "doctor",
        "demo",
      ]
    `)
  })

  it.each(leaves(root))('`%s` says what it is, and what each of its options is', (_path, command) => {
    expect(command.description()).not.toBe('')
    for (const option of command.options) expect(option.description, option.flags).not.toBe('')
  })

  it.each(leaves(root).filter(([path]) => / (list|show|verify|approve)$|^doctor$/.test(path)))(
    '`%s` has --json',
    (_path, command) => {
      expect(command.options.map(({ long }) => long)).toContain('--json')
    },
  )

  it('documents exit codes and every variable, whatever the environment holds', async () => {
    const { code, stdout } = await bursar(emptyHome(), ['--help'], { BURSAR_LOG: 'shout' })
    expect(code).toBe(0)
    expect(stdout).toContain('Exit codes:')
    for (const name of [
      'HOME',
      'DATABASE_URL',
      'AGENT',
      'AGENT_KEY',
      'SESSION',
      'OWNER_PASSPHRASE',
      'VAULT_PASSPHRASE_FILE',
      'LOG',
    ])
      expect(stdout).toContain(`BURSAR_${name} `)
  })

  it.each(root.commands.map((command) => command.name()))('`%s --help` runs', async (name) => {
    const { code, stdout, stderr } = await command(emptyHome(), [name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: bursar ${name}`)
  })

  it('says its version', async () => {
    expect((await bursar(emptyHome(), ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
