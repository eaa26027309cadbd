import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes a minute or longer and waits for most of it. Begun last, it would be all that the whole waits for. */
const WAITING = [
  'test/demo/demo.test.ts',
  'test/hosts/story.test.ts',
  'test/postgres/partition.test.ts',
  'test/chain/down.test.ts',
]

class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification) => WAITING.some((name) => moduleId.endsWith(name))
    const sorted = await super.sort(files)
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native modules, real files and child processes: a process for each file, and time for slow machines.
    pool: 'forks',
    // Tests wait for disks, chains, servers and other processes: two more than there are processors keep all of those busy.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: WaitingFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ['test/support/memory.ts', 'scripts/fresh-dist.mjs', 'test/support/postgres-desk.ts'],
  },
})
