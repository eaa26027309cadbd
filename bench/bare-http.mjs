// A server with one tool that answers with a word, over Streamable HTTP on the same SDK and the same adapter to Node, not
// bundled: for clients of 2026-07-28, and in sessions for those before. No credentials, limits, checks or store.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import {
  createMcpHandler,
  isLegacyRequest,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import * as z from 'zod'

const makeServer = () => {
  const server = new McpServer({ name: 'bare', version: '1.0.0' })
  const answer = () => ({ content: [{ type: 'text', text: 'done' }] })
  server.registerTool('answer', { description: 'Answers.', inputSchema: z.object({}) }, answer)
  return server
}
const modern = createMcpHandler(makeServer, { legacy: 'reject' })
const sessions = new Map()

async function opened() {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => sessions.set(id, transport),
  })
  await makeServer().connect(transport)
  return transport
}

async function answer(request) {
  const parsedBody = JSON.parse(await request.text())
  if (!(await isLegacyRequest(request, parsedBody))) return modern.fetch(request, { parsedBody })
  const transport = sessions.get(request.headers.get('mcp-session-id')) ?? (await opened())
  return transport.handleRequest(request, { parsedBody })
}

const listener = getRequestListener(answer, { overrideGlobalObjects: false })
const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
server.listen(0, '127.0.0.1', () => console.error(`bare serves http://localhost:${server.address().port}`))
