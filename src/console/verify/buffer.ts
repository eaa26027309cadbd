// With the slash it is the package: without it, Node's own module.
import { Buffer } from 'buffer/'

/** The package lacks `base64url` (RFC 4648 §5), which Node has. It reads that alphabet as `base64` already. */
const written = Buffer.prototype.toString
Buffer.prototype.toString = function (encoding, start, end) {
  if (encoding !== 'base64url') return written.call(this, encoding, start, end)
  return written.call(this, 'base64', start, end).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const from = Buffer.from as (value: unknown, encoding?: unknown, length?: unknown) => Buffer
Buffer.from = ((value: unknown, encoding?: unknown, length?: unknown) =>
  from(value, encoding === 'base64url' ? 'base64' : encoding, length)) as typeof Buffer.from

export { Buffer }
