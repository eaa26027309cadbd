// A seller that takes every payment for good and settles none: what a buyer itself costs, and nothing else.
// It asks for what BENCH_TERMS says (JSON, one of x402's payment requirements), and writes where it is on stdout.
import { createServer } from 'node:http'

const accepts = [JSON.parse(process.env.BENCH_TERMS)]
const encoded = (content) => Buffer.from(JSON.stringify(content)).toString('base64')
const receipt = encoded({ success: true, transaction: `0x${'0'.repeat(64)}`, network: accepts[0].network })

const server = createServer((request, response) => {
  const paid = request.headers['payment-signature'] !== undefined
  const resource = { url: `http://${request.headers.host}${request.url}` }
  const name = paid ? 'payment-response' : 'payment-required'
  const value = paid ? receipt : encoded({ x402Version: 2, resource, accepts })
  response.writeHead(paid ? 200 : 402, { [name]: value, 'content-type': 'text/plain' })
  response.end(paid ? 'the report' : '')
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`))
process.stdin.on('close', () => process.exit()).resume()
