import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical } from '../../src/core/canonical.ts'
import { plain } from '../../src/core/text.ts'

const escaped = (text: string) => text.replace(/[^ -~]/gu, (one) => `<${one.codePointAt(0)?.toString(16)}>`)

describe('plain text', () => {
  it.each<[string, string, string]>([
    ['a right-to-left override', 'pay \u202egnp.exe\u202c now', 'pay gnp.exe now'],
    ['isolates', 'a\u2066b\u2069c', 'a b c'],
    ['Arabic letter marks', 'a\u061cb', 'a b'],
    ['colours of a terminal', '\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['a title of a terminal', '\u001b]0;owned\u0007x', ']0;owned x'],
    ['C1 controls', 'a\u009b31mb', 'a 31mb'],
    ['lines', 'one\r\ntwo\u2028three\u2029four\u0085five', 'one two three four five'],
    ['tabs and other space', ' a\t\u00a0\u3000b\u2003c ', 'a b c'],
    ['zero width', 'a\u200bb\u200cc\u200dd\ufeffe\u2060f', 'a b c d e f'],
    ['soft hyphens', 'pay\u00adpal', 'pay pal'],
    ['tags, in which models read', 'hi\u{e0069}\u{e0067}\u{e007f}', 'hi'],
    ['variation selectors, in which bytes are hidden', 'a\ufe00\ufe0f\u{e0100}b', 'a b'],
    ['fillers', 'a\u3164b\u115fc\u1160d\uffa0e\u2800f', 'a b c d e f'],
    ['a grapheme joiner', 'a\u034fb', 'a b'],
    ['annotations', 'a\ufff9b\ufffac\ufffbd', 'a b c d'],
    ['half a pair', 'a\ud800b\udc00c', 'a b c'],
    ['NUL', 'a\u0000b', 'a b'],
  ])('loses %s', (_, text, clean) => {
    expect(escaped(plain(text, 100))).toBe(clean)
  })

  it.each(['Größe', 'Łódź', '株式会社', 'محل', 'ร้านค้า', '🍕 Pizza 👍🏽', 'O’Neill & Söhne', '«1 000 €»', 'a-b_c/d'])(
    'keeps %s',
    (text) => {
      expect(plain(text, 100)).toBe(text)
    },
  )

  it('is cut by characters, and says so', () => {
    expect(plain('🍕🍕🍕🍕', 4)).toBe('🍕🍕🍕🍕')
    expect(plain('🍕🍕🍕🍕🍕', 4)).toBe('🍕🍕🍕…')
    expect(plain('a'.repeat(1_000_000), 10)).toBe('aaaaaaaaa…')
  })

  it('security: of any input is one visible line that the journal can keep, and stays as it is', () => {
    const nasty = fc.string({ unit: 'binary', maxLength: 60 })
    const halves = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units))
    fc.assert(
      fc.property(fc.oneof(nasty, halves), fc.integer({ min: 1, max: 30 }), (text, max) => {
        const clean = plain(text, max)
        expect(Array.from(clean).length).toBeLessThanOrEqual(max)
        expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u)
        expect(canonical(clean)).toBe(JSON.stringify(clean))
        expect(plain(clean, max)).toBe(clean)
      }),
      { numRuns: 2000 },
    )
  })
})
