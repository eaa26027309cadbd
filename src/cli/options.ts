import { InvalidArgumentError, Option } from 'commander'

/** A whole number from 1, as a command line writes it. */
export function positiveInteger(text: string): number {
  const number = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(number)) throw new InvalidArgumentError('It is a whole number from 1.')
  return number
}

/** As {@link positiveInteger}, but zero is a number too: a limit of nothing. */
export function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text)
}

export function oneOf(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices)
}

export const JSON_OPTION = ['--json', 'answer with JSON'] as const
