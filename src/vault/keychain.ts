/** Where a system keeps the secrets of a user: macOS Keychain, Windows Credential Manager, Secret Service on Linux. */
export interface Keychain {
  /** Null when there is none under this name. @throws whatever the system says when it cannot be asked */
  get(account: string): Promise<string | null>
  /** @throws as {@link get} */
  set(account: string, secret: string): Promise<void>
}

const SERVICE = 'bursar'

/**
 * Left alone, the library falls back to the kernel's keyring on a Linux without Secret Service. That one is forgotten
 * when the machine restarts, and with it every key that was sealed.
 */
const LASTING = { linux: { store: 'secret-service' } } as const

/** This system's own. Asking it may show a dialog, and wait for it. */
export const systemKeychain: Keychain = {
  async get(account) {
    const { AsyncEntry } = await import('@napi-rs/keyring')
    return new AsyncEntry(SERVICE, account, LASTING).getPassword()
  },
  async set(account, secret) {
    const { AsyncEntry } = await import('@napi-rs/keyring')
    await new AsyncEntry(SERVICE, account, LASTING).setPassword(secret)
  },
}
