import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFixtureSite } from './site.ts'
import { baselineOf, installSuite, nodeForSuite, runSuite } from './suite.ts'

/** Packages of 250 MB may have to be fetched first. */
const INSTALL_MS = 300_000
const RUN_MS = 180_000

const root = mkdtempSync(join(tmpdir(), 'bursar-conformance-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('the official MCP conformance suite', () => {
  beforeAll(installSuite, INSTALL_MS)

  test.for(['2025-11-25', '2026-07-28'])(
    '%s: fails in what is expected to, and in nothing else',
    {
      timeout: RUN_MS,
    },
    async (revision, { skip }) => {
      const node = nodeForSuite()
      if (node === null) return skip('The suite needs Node 22, and there is none for this platform.')
      const site = await makeFixtureSite()
      const results = mkdtempSync(join(root, 'run-'))
      const { status, output, counts, failed } = await runSuite(node, revision, site.url, results)
      await site.close()
      expect(failed.toSorted(), output).toEqual(baselineOf(revision).toSorted())
      expect(status, output).toBe(0)
      expect(counts.SUCCESS).toBeGreaterThan(70)
      expect(site.logs.filter(([level]) => level === 'error')).toEqual([])
      process.stdout.write(`${revision}: ${JSON.stringify(counts)}\n`)
    },
  )
})
