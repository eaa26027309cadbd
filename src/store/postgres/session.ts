import type pg from 'pg'
import { soughtText } from './text.ts'

/** The answer to one message: the first column of its rows, and what each statement says that it did. */
export interface Answer {
  readonly texts: readonly string[]
  /** Of the last statement: `COMMIT`, or `ROLLBACK` where a transaction had failed. */
  readonly command: string
  /** Whether the server warned: that it did not wait for its standby, for one. */
  readonly warned: boolean
}

/** One connection, while a step has it. Messages of several statements in one literal text, without names or parameters. */
export class Session {
  /** Which of the hosts it is to. */
  readonly host: number
  private readonly client: pg.PoolClient
  private lost: Error | null = null
  private warned = false

  constructor(client: pg.PoolClient, host: number) {
    this.host = host
    this.client = client
    client.on('error', this.onError)
    client.on('notice', this.onNotice)
  }

  /** @throws the error of the server or of the connection; of a connection that is known to be lost, before anything is sent */
  async ask(sql: string, withinMs: number): Promise<Answer> {
    if (this.lost) throw this.lost
    this.warned = false
    const result = await this.client.query({
      text: sql,
      rowMode: 'array',
      query_timeout: withinMs,
    } as pg.QueryArrayConfig)
    const results = [result].flat() as pg.QueryArrayResult[]
    const texts = results.flatMap(({ rows }) => rows.map(([value]) => value as string))
    return { texts, command: results.at(-1)?.command ?? '', warned: this.warned }
  }

  /** The first column of one statement with parameters, in the unnamed portal. */
  async texts(text: string, values: readonly unknown[], withinMs: number): Promise<readonly string[]> {
    if (this.lost) throw this.lost
    const query = {
      text,
      values: values.map(soughtText),
      rowMode: 'array',
      query_timeout: withinMs,
    } as pg.QueryArrayConfig
    const { rows } = await this.client.query(query)
    return (rows as readonly string[][]).map(([value]) => value as string)
  }

  /** Gives the connection back; one that may be in a state that nobody knows is ended instead. */
  release(broken: boolean): void {
    this.client.off('error', this.onError)
    this.client.off('notice', this.onNotice)
    if (broken || this.lost) {
      // What is still to come from it is of no interest to anybody.
      this.client.on('error', () => undefined)
      this.client.release(true)
    } else this.client.release()
  }

  private readonly onError = (error: Error): void => {
    this.lost ??= error
  }

  private readonly onNotice = ({ code }: { readonly code?: string | undefined }): void => {
    if (code?.startsWith('00') !== true) this.warned = true
  }
}
