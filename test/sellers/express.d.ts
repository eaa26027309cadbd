/** As much of express as is used here: it brings no types of its own. */
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Request extends IncomingMessage {
    readonly path: string
    readonly body: unknown
  }

  export interface Response extends ServerResponse {
    status(status: number): this
    type(type: string): this
    send(body: string): this
  }

  export type NextFunction = (error?: unknown) => void
  type Handler = (request: Request, response: Response, next: NextFunction) => unknown

  interface App {
    (request: IncomingMessage, response: ServerResponse): void
    use(handler: Handler): this
  }

  interface Express {
    (): App
    text(options: { readonly type: string }): Handler
  }

  const express: Express
  export default express
}
