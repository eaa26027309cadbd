import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { definition } from '../../src/notify/definition.ts'
import { channelOf } from '../../src/notify/index.ts'
import { type Notice, Undelivered } from '../../src/ports/notice.ts'
import { NOTICE, receiver, SECRET, verified, webhookTo } from './receiver.ts'

const soon = () => AbortSignal.timeout(10_000)
const forget = () => undefined

describe('a webhook', () => {
  it('is signed by the Standard Webhooks specification, over its id, its time and every byte', async () => {
    const hook = await receiver()
    await webhookTo(hook).send(NOTICE, soon())
    const [got] = hook.got
    const { id, kind, at, ...data } = NOTICE
    expect(verified(got!)).toEqual({ id, type: `bursar.${kind}`, timestamp: at, data })
    const changed = Buffer.from(got!.body.toString().replace('60.00', '99.00'))
    expect(() => verified({ ...got!, body: changed })).toThrow()
    expect(() => verified({ ...got!, headers: { ...got!.headers, 'webhook-id': 'ntc_other' } })).toThrow()
    const old = String(Number(got!.headers['webhook-timestamp']) - 600)
    expect(() => verified({ ...got!, headers: { ...got!.headers, 'webhook-timestamp': old } })).toThrow()
  })

  it.each([301, 302, 307, 308])('security: takes nothing elsewhere: %s is not followed', async (status) => {
    const [hook, other] = [await receiver(), await receiver()]
    hook.answer = (response) => void response.writeHead(status, { location: other.url }).end()
    await expect(webhookTo(hook).send(NOTICE, soon())).rejects.toThrow(new Undelivered(`It answered ${status}.`))
    expect(other.got).toEqual([])
  })

  it('security: waits no longer than it is given, and reads no answer, however long', async () => {
    const hook = await receiver()
    hook.answer = () => undefined
    const impatient = new AbortController()
    const sending = webhookTo(hook).send(NOTICE, impatient.signal)
    await hook.next()
    impatient.abort()
    await expect(sending).rejects.toThrow('It did not answer in time.')
    hook.answer = (response) => {
      response.writeHead(200)
      const more = (): void => {
        if (response.destroyed) return
        response.write('x'.repeat(65_536))
        setImmediate(more)
      }
      more()
    }
    await webhookTo(hook).send(NOTICE, soon())
    await expect(webhookTo({ ...hook, url: 'http://127.0.0.1:1' }).send(NOTICE, soon())).rejects.toThrow(
      'It cannot be reached.',
    )
  })
})

describe('Slack', () => {
  it('security: gets plain text in which nothing mentions, links or formats', async () => {
    const hook = await receiver()
    await channelOf({ kind: 'slack', name: 'slack', url: `${hook.url}/services/T/B/x` }, forget).send(NOTICE, soon())
    expect(JSON.parse(hook.got[0]!.body.toString())).toMatchInlineSnapshot(`
      {
        "mrkdwn": false,
        "text": "A payment of 60.00 USD waits for an answer
      Agent: "default"
      Pays: "Acme &lt;!channel&gt; &amp; *Sons*"
      When: 2026-11-21T19:00:00.000Z

      https://pay.example/console/inbox/pay_1

      bursar/wal_1
      3
      root

      — bursar signature",
        "unfurl_links": false,
        "unfurl_media": false,
      }
    `)
  })
})

describe('ntfy', () => {
  it('gets title, priority, link and token', async () => {
    const hook = await receiver()
    const channel = channelOf({ kind: 'ntfy', name: 'n', url: `${hook.url}/topic`, token: 'tk_secret' }, forget)
    await channel.send(NOTICE, soon())
    const { url, headers, body } = hook.got[0]!
    expect([url, headers.title, headers.priority]).toEqual(['/topic', NOTICE.title, '4'])
    expect([headers.click, headers.authorization]).toEqual([NOTICE.link, 'Bearer tk_secret'])
    expect(body.toString()).toContain('Agent: "default"\n')
  })
})

describe('e-mail', () => {
  /** A real mail server that takes what it is sent. */
  async function mailServer() {
    const mails: string[] = []
    const refuse = { now: false }
    const seen = { connections: 0 }
    const server = new SMTPServer({
      ...{ authOptional: true, disabledCommands: ['STARTTLS'], logger: false },
      onConnect(_session, done) {
        seen.connections += 1
        done()
      },
      onData(stream, _session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          mails.push(Buffer.concat(chunks).toString())
          done(refuse.now ? new Error('words of the server') : null)
        })
      },
    })
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
    return { port: (server.server.address() as AddressInfo).port, mails, refuse, seen }
  }
  const mail = (smtp: string) =>
    channelOf({ kind: 'email', name: 'mail', smtp, from: 'bursar@example.com', to: ['owner@example.com'] }, forget)

  it('is plain text, with the id of the notice as its own', async () => {
    const { port, mails } = await mailServer()
    await mail(`smtp://127.0.0.1:${port}`).send(NOTICE, soon())
    const [head = '', body = ''] = mails[0]!.split('\r\n\r\n')
    expect(head).toContain(`Subject: bursar: ${NOTICE.title}`)
    expect(head).toContain(`Message-ID: <${NOTICE.id}@bursar.invalid>`)
    expect(head).toContain('Content-Type: text/plain; charset=utf-8')
    expect(head).toContain('To: owner@example.com')
    expect(body).toContain('Agent: "default"')
  })

  it('security: has no header that a name brought, and no second receiver', async () => {
    const { port, mails } = await mailServer()
    const facts: Notice['facts'] = [['Pays', '"x\r\nBcc: evil@example.com\r\n\r\n<b>hi</b>"']]
    const title = 'A payment\r\nBcc: evil@example.com'
    await mail(`smtp://127.0.0.1:${port}`).send({ ...NOTICE, title, facts }, soon())
    const [head = ''] = mails[0]!.split('\r\n\r\n')
    expect(head.split('\r\n').filter((line) => /^bcc/i.test(line))).toEqual([])
    expect(mails).toHaveLength(1)
  })

  it('security: that the server does not take is undelivered, in our words; over the net it must be encrypted', async () => {
    const { port, refuse } = await mailServer()
    refuse.now = true
    await expect(mail(`smtp://127.0.0.1:${port}`).send(NOTICE, soon())).rejects.toThrow(
      new Undelivered('The mail server did not take it.'),
    )
    // The same server by a name that is not this machine's own: it offers no STARTTLS, so nothing is said to it.
    refuse.now = false
    const { mails, seen, port: other } = await mailServer()
    await expect(mail(`smtp://[::ffff:127.0.0.1]:${other}`).send(NOTICE, soon())).rejects.toThrow(Undelivered)
    expect([seen.connections, mails]).toEqual([1, []])
  })
})

describe('security: a definition', () => {
  const hook = { kind: 'webhook', name: 'hook', url: 'https://hooks.example/x', secret: SECRET }
  it.each<[string, object]>([
    ['of plain http elsewhere', { ...hook, url: 'http://hooks.example/x' }],
    ['of a file', { ...hook, url: 'file:///etc/passwd' }],
    ['without a secret', { ...hook, secret: undefined }],
    ['with a secret that is none', { ...hook, secret: 'whsec_' }],
    ['with a name that is a path', { ...hook, name: '../x' }],
    ['with something else', { ...hook, headers: {} }],
    ['of two kinds', { ...hook, kind: 'slack' }],
    ['of mail without encryption', { kind: 'email', name: 'm', smtp: 'http://x', from: 'a@b.c', to: ['a@b.c'] }],
    ['of mail to two in one', { kind: 'email', name: 'm', smtp: 'smtps://x', from: 'a@b.c', to: ['a@b.c, d@e.f'] }],
    ['of a token with a line break', { kind: 'ntfy', name: 'n', url: 'https://ntfy.sh/x', token: 'a\r\nb: c' }],
  ])('%s is refused', (_what, given) => {
    expect(definition.safeParse(given).success).toBe(false)
    expect(definition.safeParse(hook).success).toBe(true)
  })
})
