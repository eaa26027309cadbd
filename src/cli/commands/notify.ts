import type { Command } from 'commander'
import { beginChannel } from '../../actions/notices.ts'
import { BursarError } from '../../core/errors.ts'
import type { ChannelInput, ChannelView } from '../channels.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<ChannelView>[] = [
  { title: 'channel', of: ({ name }) => name },
  { title: 'kind', of: ({ kind }) => kind },
  { title: 'to', of: ({ to }) => to },
]

const NAME = 'lower-case letters, digits and dashes'
const URL_HELP = 'https://…; left out, it is asked for, and stays out of the history of your shell'

const HELP = `
A channel is told what happens from when it is added on: what waits for you, what was denied, limits that were reached,
what was frozen, what was taken beyond an approval, and payments that are in doubt for an hour. Notices hold facts and a
link, and nothing that could approve anything. They are sent until they are taken, for a day at most; a webhook that gets one
twice knows it by its id. What is needed to reach a channel is in channels.json in BURSAR_HOME.`

export function notifyCommand(root: Command, shell: Shell): void {
  const notify = root.command('notify').description('Who is told what happens: add, list, test, remove')
  addCommands(notify.command('add').description('Add a channel: webhook, slack, ntfy, email, webpush'), shell)
  notify
    .command('list')
    .description('List the channels, without their secrets')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => {
      const channels = await shell.program.channels()
      shell.output.list(options, channels.list(), COLUMNS)
    })
  notify
    .command('test')
    .description('Send a notice that says that it is a test')
    .argument('<name>')
    .option(...JSON_OPTION)
    .action(async (name: string, options: JsonOption) => {
      const channels = await shell.program.channels()
      await channels.test(name)
      shell.output.show(options, { name, delivered: true })
    })
  notify
    .command('remove')
    .description('Remove a channel')
    .argument('<name>')
    .option(...JSON_OPTION)
    .action((name: string, options: JsonOption) =>
      shell.withOwner(async () => {
        const channels = await shell.program.channels()
        if (!channels.remove(name)) throw new BursarError('not_found', 'There is no such channel.')
        shell.output.show(options, { name, removed: true })
      }),
    )
}

interface AddOptions extends JsonOption {
  readonly secret?: string
  readonly token?: string
  readonly smtp?: string
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
}

function addCommands(add: Command, shell: Shell): void {
  const channel = (kind: ChannelInput['kind'], what: string): Command =>
    add
      .command(kind)
      .description(what)
      .argument('<name>', NAME)
      .option(...JSON_OPTION)
      .addHelpText('after', HELP)
  channel('webhook', 'POST of JSON, signed by the Standard Webhooks specification')
    .argument('[url]', URL_HELP)
    .option('--secret <whsec>', 'the key that signs (default: one is made, and shown once)')
    .action(async (name: string, url: string | undefined, options: AddOptions) =>
      added(shell, options, { kind: 'webhook', name, url: await urlOf(shell, url), secret: options.secret }),
    )
  channel('slack', "A message by one of Slack's incoming webhooks")
    .argument('[url]', URL_HELP)
    .action(async (name: string, url: string | undefined, options: AddOptions) =>
      added(shell, options, { kind: 'slack', name, url: await urlOf(shell, url) }),
    )
  channel('ntfy', 'A push message by ntfy: the URL of a topic')
    .argument('[url]', URL_HELP)
    .option('--token <token>', 'an access token')
    .action(async (name: string, url: string | undefined, options: AddOptions) =>
      added(shell, options, { kind: 'ntfy', name, url: await urlOf(shell, url), token: options.token }),
    )
  channel('email', 'Mail in plain text')
    .option('--smtp <url>', 'smtps://user:password@host; left out, it is asked for')
    .requiredOption('--from <address>', 'who it is from')
    .requiredOption('--to <address>', 'who it is for; may be repeated', collect)
    .action(async (name: string, { smtp, from, to, ...options }: AddOptions) =>
      added(shell, options, { kind: 'email', name, smtp: await urlOf(shell, smtp), from, to }),
    )
  channel('webpush', 'The browsers in which the owner asks the console for it')
    .requiredOption('--subject <url>', 'whom a push service may write to: mailto:you@example.com')
    .action((name: string, { subject, ...options }: AddOptions) =>
      added(shell, options, { kind: 'webpush', name, subject }),
    )
}

async function urlOf({ terminal }: Shell, url: string | undefined): Promise<string> {
  if (url !== undefined) return url
  return terminal.interactive ? terminal.secret('The URL') : terminal.line()
}

function added(shell: Shell, options: JsonOption, input: ChannelInput): Promise<void> {
  return shell.withOwner(async ({ bursar }) => {
    const channels = await shell.program.channels()
    const { view, secret } = await channels.add(input, () => beginChannel(bursar, input.name))
    shell.output.show(options, { ...view, ...(secret !== null && { secret }) })
    if (secret !== null) shell.output.note(options, 'The receiver checks signatures with this secret.\n')
  })
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
