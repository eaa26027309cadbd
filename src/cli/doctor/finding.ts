/** What one check found. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  /** It will do for a sandbox, and not for real money. */
  readonly warning?: true
  readonly found: string
  /** What to do, where it is not, or will not do for long. */
  readonly mend?: string
}

export function fine(check: string, found: string): Finding {
  return { check, ok: true, found }
}

export function wrong(check: string, found: string, mend: string): Finding {
  return { check, ok: false, found, mend }
}

/** What is wrong where a wallet is live, and worth a word where none is. */
export function unfit(live: boolean, check: string, found: string, mend: string): Finding {
  return live ? wrong(check, found, mend) : { check, ok: true, warning: true, found, mend }
}

/** A check that throws has found something, too. Only our own words are shown. */
export async function attempt(check: string, mend: string, look: () => Finding | Promise<Finding>): Promise<Finding> {
  const [finding] = await attemptAll(check, mend, async () => [await look()])
  return finding as Finding
}

/** As {@link attempt}, of what is found in one look. */
export async function attemptAll(
  check: string,
  mend: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    return [wrong(check, `it failed: ${code ?? name}`, mend)]
  }
}
