// What a purse promises, word for word as on SQLite. All of it: `BURSAR_TEST_STORE=postgres npx vitest run test/purse`.
process.env.BURSAR_TEST_STORE = 'postgres'
await import('../purse/story.test.ts')
await import('../purse/idempotency.test.ts')
await import('../purse/stopped.test.ts')
