import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { environment, MAIN } from './house.ts'
import { NotAsTold } from './stage.ts'

/** A running `bursar serve`. */
export interface Service {
  /** `http://localhost:40123` */
  readonly origin: string
  /** Ends it as an operator would. @returns its exit code */
  stop(): Promise<number | null>
}

const SAYS = /^bursar serves (http:\/\/localhost:\d+)/m

/** Starts `bursar serve` on a port that is free. @throws {@link NotAsTold} */
export async function startService(home: string): Promise<Service> {
  const child = spawn(process.execPath, [MAIN, 'serve', '--listen', '127.0.0.1:0'], {
    env: environment({ BURSAR_HOME: home }),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const end = (): boolean => child.kill('SIGKILL')
  process.once('exit', end)
  const origin = await originOf(child)
  return {
    origin,
    async stop() {
      const ended = once(child, 'exit') as Promise<[number | null]>
      child.kill('SIGTERM')
      const [code] = await ended
      process.removeListener('exit', end)
      return code
    },
  }
}

function originOf(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const origin = SAYS.exec(said)?.[1]
      if (origin !== undefined) resolve(origin)
    })
    child.once('exit', () => reject(new NotAsTold(`\`bursar serve\` ended.\n${said}`)))
  })
}
