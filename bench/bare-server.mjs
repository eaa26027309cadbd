// A server with one tool that does nothing, on the same SDK, not bundled: what the protocol itself costs.
// It answers with a word, or with what BENCH_ANSWER names: the JSON of another server's answer.
import { readFileSync } from 'node:fs'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'

const { BENCH_ANSWER } = process.env
const answer = BENCH_ANSWER
  ? JSON.parse(readFileSync(BENCH_ANSWER, 'utf8'))
  : { content: [{ type: 'text', text: 'done' }] }

serveStdio(() => {
  const server = new McpServer({ name: 'bare', version: '1.0.0' })
  server.registerTool('answer', { description: 'Answers.', inputSchema: z.object({}) }, () => answer)
  return server
})
