import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes a minute or longer and waits for most of it, the longest first. */
const WAITING = [
  'test/demo/demo.test.ts',
  'test/hosts/story.test.ts',
  'test/postgres/partition.test.ts',
  'test/chain/down.test.ts',
]

/**
 * Spreads what waits over the first half. Begun last, it would be all that the whole waits for; begun at once, it would leave
 * nothing to do meanwhile.
 */
class WaitingSpread extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const waiting = WAITING.flatMap((name) => sorted.filter(({ moduleId }) => moduleId.endsWith(name)))
    const order = sorted.filter((file) => !waiting.includes(file))
    const step = Math.ceil(sorted.length / (2 * WAITING.length))
    waiting.forEach((file, n) => {
      order.splice(n * step, 0, file)
    })
    return order
  }
}

/** Whose files share processes, each of them afresh: where there is nothing but bursar and files. All others have a process each. */
const SHARING = ['core', 'properties', 'purse', 'store', 'vault'].map((folder) => `test/${folder}/**/*.test.ts`)

const COMMON = {
  // Native modules, real files and child processes need processes, and slow machines need time.
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 60_000,
} as const

export default defineConfig({
  test: {
    // Tests wait for disks, chains, servers and other processes: two more than there are processors keep all of those busy.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: WaitingSpread },
    globalSetup: ['test/support/memory.ts', 'scripts/fresh-dist.mjs', 'test/support/postgres-desk.ts'],
    projects: [
      {
        test: { ...COMMON, name: 'alone', include: ['test/**/*.test.ts'], exclude: ['**/node_modules/**', ...SHARING] },
      },
      {
        test: { ...COMMON, name: 'sharing', include: SHARING, isolate: false, setupFiles: ['test/support/afresh.ts'] },
      },
    ],
  },
})
