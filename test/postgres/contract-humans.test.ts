// What a purse promises, word for word as on SQLite. All of it: `BURSAR_TEST_STORE=postgres npx vitest run test/purse`.
process.env.BURSAR_TEST_STORE = 'postgres'
await import('../purse/payment-approvals.test.ts')
await import('../purse/quorum.test.ts')
