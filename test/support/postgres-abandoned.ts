// A program that starts a test server, says where, and goes on until it is killed: what it leaves must not stay.
import { copyPrograms, makeServerFolder } from './postgres-folder.ts'
import { PostgresServer, QUICK } from './postgres-server.ts'

const folder = makeServerFolder()
const server = new PostgresServer(folder, copyPrograms(folder), 'data', QUICK)
await server.initialise()
await server.start()
process.stdout.write(`${JSON.stringify({ folder: folder.path, pid: server.pid, url: server.url() })}\n`)
process.stdin.resume()
