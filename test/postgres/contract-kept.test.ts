// What is only remembered, word for word as on SQLite.
process.env.BURSAR_TEST_STORE = 'postgres'
await import('../store/kept.test.ts')
await import('../http/rest-idempotency.test.ts')
await import('../http/dpop-nodes.test.ts')
