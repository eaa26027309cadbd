/** What one check found. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  /** What to do, where it is not. */
  readonly mend?: string
}

export function fine(check: string, found: string): Finding {
  return { check, ok: true, found }
}

export function wrong(check: string, found: string, mend: string): Finding {
  return { check, ok: false, found, mend }
}

/** A check that throws has found something, too. Only our own words are shown. */
export async function attempt(check: string, mend: string, look: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    return wrong(check, `it failed: ${code ?? name}`, mend)
  }
}
