/** What is not seen, or reorders what is: controls, formats (bidi, zero-width, tags), lone surrogates, private use, line separators, fillers, blanks. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/**
 * Somebody else's words made safe to show: one line, no invisible or reordering characters, at most `max` characters.
 * It stays untrusted: quote it and say whose it is.
 */
export function plain(text: string, max: number): string {
  const clean = text.replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim()
  const characters = Array.from(clean)
  return characters.length <= max ? clean : `${characters.slice(0, max - 1).join('')}…`
}
