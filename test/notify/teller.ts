// A process of its own that tells the channels of a home: bundled and started by the tests beside it.
import { once } from 'node:events'
import { configOf } from '../../src/config.ts'
import { startTelling } from '../../src/main/notify.ts'
import { openBursar } from '../../src/main/open.ts'
import { systemClock } from '../../src/system.ts'
import { logger } from '../../src/telemetry.ts'

const [home = ''] = process.argv.slice(2)
const config = configOf({ BURSAR_HOME: home })
const write = (line: string) => void process.stderr.write(line)
const log = logger({ level: 'error', clock: systemClock, write, secrets: [] })
const { bursar, changes, close } = await openBursar(config, log)
// By the links it is known who sent what.
const own = { ...bursar, consoleUrl: async () => 'https://child.example' }
const telling = startTelling({ bursar: own, linked: 'all', changes, home: config.home, log })
process.stdout.write('telling\n')
await once(process.stdin.resume(), 'end')
await telling.stop()
await close()
