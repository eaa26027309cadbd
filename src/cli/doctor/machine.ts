import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '../program.ts'
import { type Finding, fine, wrong } from './finding.ts'

const NODE_MIN = [20, 19] as const
const ENTRY_WAIT_MS = 20_000

/** What bursar runs on. */
export function machineFindings(program: Program): readonly Finding[] {
  return [nodeFinding(), entryFinding(program)]
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = NODE_MIN
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
  if (enough) return fine('node', process.version)
  return wrong('node', process.version, `Run bursar with Node ${NODE_MIN.join('.')} or newer.`)
}

/** What agent hosts start, as mcp.json says. */
function entryFinding({ root, version }: Program): Finding {
  const entry = join(root, 'dist', 'main.js')
  if (!existsSync(entry)) return wrong('mcp entry', `${entry} is not there`, 'Run `npm run build` in the checkout.')
  const { stdout } = spawnSync(process.execPath, [entry, '--version'], { encoding: 'utf8', timeout: ENTRY_WAIT_MS })
  if (stdout?.trim() === version) return fine('mcp entry', entry)
  return wrong(
    'mcp entry',
    `${entry} does not run`,
    'Run `node scripts/setup.mjs` in the checkout, with the same Node as the agent host.',
  )
}
