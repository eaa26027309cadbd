// What is paid on a chain, word for word as on SQLite. All of it: `BURSAR_TEST_STORE=postgres npx vitest run test/chain test/buying`.
process.env.BURSAR_TEST_STORE = 'postgres'
await import('../chain/story.test.ts')
await import('../buying/limits.test.ts')
await import('../buying/race-same.test.ts')
