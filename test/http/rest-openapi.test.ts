import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { CODES } from '../../src/core/errors.ts'
import { openApiText } from '../../src/http/shared/openapi.ts'
import { namesIn, type Route } from '../../src/http/shared/route.ts'
import { ROUTES } from '../../src/http/shared/routes.ts'
import { type Body, restSite } from './rest-site.ts'

const document: Body = JSON.parse(openApiText('1.2.3')())
const operations: Body[] = Object.entries<Body>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Body>(methods).map(([method, operation]) => ({ ...operation, path, method })),
)

it('the document is OpenAPI 3.1, as the generator of clients checks it', async () => {
  const from = createRequire(createRequire(import.meta.url).resolve('swagger-typescript-api'))
  const { validate } = from('@apidevtools/swagger-parser')
  const { openapi, info } = await validate(structuredClone(document))
  expect([openapi, info.version]).toEqual(['3.1.0', '1.2.3'])
})

it('has every route as it is: its arguments, who may call it, and what it answers', () => {
  const routes: [string, Route][] = Object.entries(ROUTES)
  expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(ROUTES).toSorted())
  for (const [name, route] of routes) {
    const operation = operations.find(({ operationId }) => operationId === name)
    expect([operation.method, operation.path]).toEqual([route.method, route.path])
    const named = operation.parameters?.map((one: Body) => `${one.in} ${one.name} ${one.required}`) ?? []
    const query = Object.keys(route.query?.shape ?? {}).map((one) => [
      one,
      route.query?.shape[one].safeParse(undefined).success,
    ])
    expect(named.toSorted()).toEqual(
      [
        ...namesIn(route.path).map((one) => `path ${one} true`),
        ...query.map(([one, isOptional]) => `query ${one} ${!isOptional}`),
        ...(route.method === 'post' ? ['header Idempotency-Key false'] : []),
      ].toSorted(),
    )
    expect(operation.requestBody !== undefined).toBe(route.body !== undefined)
    const answers = [...Object.keys(route.answers), ...(route.tagged ? ['304'] : []), 'default']
    expect(Object.keys(operation.responses)).toEqual(answers)
    const { security } = operation
    expect(security.some((one: object) => 'agent' in one)).toBe(route.agent !== null)
    expect(security.some((one: object) => 'owner' in one)).toBe(route.human !== null)
  }
})

it('refuses what is not named, in what is sent and in what is answered', () => {
  const open = Object.entries<Body>(document.components.schemas).filter(
    ([, schema]) => schema.additionalProperties !== false,
  )
  expect(open.map(([name]) => name).toSorted()).toEqual(['Event', 'Problem'])
})

/** As the page writes it. */
function escaped(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll("'", '&#39;').replaceAll('"', '&quot;')
  return safe.replace(/`([^`]*)`/g, '<code>$1</code>')
}

it('is read by anyone, as is its page, which runs nothing and asks nobody for anything', async () => {
  const { call } = await restSite()
  const given = await call('GET', '/openapi.json', undefined, {})
  expect([given.status, given.body.paths]).toEqual([200, document.paths])
  const { status, headers, body: page } = await call('GET', '/docs', undefined, {})
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/,
  )
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|style=|https?:/i)
  for (const { operationId, path, summary } of operations) {
    expect(page).toContain(`id="${operationId}"`)
    expect(page).toContain(`<code>${path}</code>`)
    expect(page).toContain(escaped(summary))
  }
  for (const code of Object.keys(CODES)) expect(page).toContain(`<code>${code}</code>`)
  const anchors = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
  for (const [, to] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(to)
})
