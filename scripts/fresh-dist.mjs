// Tests that start the built program must not meet an old one. vitest runs this once, before all of them.
import { build, isStale } from './build.mjs'

export async function setup() {
  if (isStale()) await build()
}
