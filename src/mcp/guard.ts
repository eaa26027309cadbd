import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { BursarError } from '../core/errors.ts'
import type { Host } from './deps.ts'
import { stackOf, tracked } from './tool.ts'

/**
 * Does the work of a prompt or resource. These have no error results, so errors become JSON-RPC errors: a
 * {@link BursarError} as -32602 with its text, anything else as -32603 that shows nothing of it.
 *
 * @param uri of the resource: what is not there, or not the caller's, is not found under it
 */
export function guarded<T>(host: Host, name: string, work: () => T | Promise<T>, uri?: string): Promise<T> {
  return tracked(host, attempt(host, name, work, uri))
}

async function attempt<T>(host: Host, name: string, work: () => T | Promise<T>, uri?: string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BursarError) {
      if (error.code === 'not_found' && uri !== undefined) throw new ResourceNotFoundError(uri)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${error.code}: ${error.message} ${error.hint}`)
    }
    host.deps.log('error', 'A prompt or resource failed.', { name, error: stackOf(error) })
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'Something went wrong inside bursar.')
  }
}
