/** Control characters, halves of surrogate pairs, and the marks that reorder or hide text (bidi overrides, zero-width, tags, variation selectors). */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is being removed
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e0fff}]/gu

/**
 * Somebody else's words made safe to show: one line, no invisible or reordering characters, at most `max` characters.
 * It stays untrusted: quote it and say whose it is.
 */
export function plain(text: string, max: number): string {
  const clean = text.replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim()
  const characters = Array.from(clean)
  return characters.length <= max ? clean : `${characters.slice(0, max - 1).join('')}…`
}
