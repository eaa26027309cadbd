import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import type { Received, Receiver } from './receiver.ts'

/** A browser's side of the Push API: it alone can read what is sent to it. */
export function browser({ url }: Pick<Receiver, 'url'>, path: string) {
  const keys = createECDH('prime256v1')
  keys.generateKeys()
  const auth = randomBytes(16)
  const subscription = {
    endpoint: `${url}/${path}`,
    keys: { p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') },
  }
  /** RFC 8291, §3.4, over RFC 8188's one record. */
  function read({ body }: Received): unknown {
    const salt = body.subarray(0, 16)
    const length = body.readUInt8(20)
    const sender = body.subarray(21, 21 + length)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), sender])
    const input = hkdfSync('sha256', keys.computeSecret(sender), auth, info, 32)
    const derive = (what: string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(input), salt, `Content-Encoding: ${what}\0`, bytes))
    const sealed = body.subarray(21 + length)
    const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
    decipher.setAuthTag(sealed.subarray(-16))
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    return JSON.parse(text.subarray(0, text.lastIndexOf(2)).toString())
  }
  return { subscription, read }
}
