import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { sha256 } from '../core/canonical.ts'
import { CODES, type Code } from '../core/errors.ts'
import { DOCS_STYLE } from './docs-style.ts'
import { statusOf } from './shared/problem.ts'

/** What of the OpenAPI document the page shows. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly description?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}
interface Content {
  readonly [type: string]: { readonly schema?: Schema }
}
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: Schema
    readonly description?: string
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** It runs nothing, asks nobody for anything, and its one style is known by its hash. */
export const DOCS_CSP = `default-src 'none'; style-src 'sha256-${sha256(DOCS_STYLE).toString('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** The OpenAPI document for people: one page, whole without a script. Made at the first call, and once. */
export function docsPage(openApi: () => string): () => Promise<string> {
  let page: Promise<string> | undefined
  return () => {
    page ??= Promise.resolve(rendered(JSON.parse(openApi()) as Document)).then(String)
    return page
  }
}

function rendered(document: Document): Html {
  const { info, tags, components } = document
  const base = document.servers[0]?.url ?? ''
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const of = (tag: string) => operations.filter(({ operation }) => operation.tags.includes(tag))
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>bursar: REST</title>
        <style>${raw(DOCS_STYLE)}</style>
      </head>
      <body>
        <header>
          <h1>bursar ${info.version}: REST</h1>
          <p>Everything is under <code>${base}</code>. The same for programs: <a href="openapi.json">openapi.json</a>.</p>
          <nav aria-label="Contents">
            ${tags.map(({ name }) => html`<a href="#${name}">${name}</a> `)} <a href="#errors">errors</a>
            <a href="#schemas">schemas</a>
          </nav>
        </header>
        <main>
          ${tags.map(
            ({ name }) =>
              html`<section id="${name}">
                <h2>${name}</h2>
                ${of(name).map(operationOf)}
              </section>`,
          )}
          ${errors()}
          <section id="schemas">
            <h2>schemas</h2>
            ${Object.entries(components.schemas).map(
              ([name, schema]) =>
                html`<article id="schema-${name}">
                  <h3>${name}</h3>
                  ${schema.description === undefined ? '' : html`<p>${marked(schema.description)}</p>`} ${fields(schema)}
                </article>`,
            )}
          </section>
        </main>
      </body>
    </html>`
}

function operationOf({ method, path, operation }: { method: string; path: string; operation: Operation }): Html {
  const { operationId, summary, description = '', parameters = [], requestBody, responses } = operation
  return html`<article id="${operationId}">
    <h3><span class="method">${method.toUpperCase()}</span> <code>${path}</code></h3>
    <p>${marked(summary)}</p>
    ${description.split('\n\n').map((line) => html`<p class="note">${marked(line)}</p>`)}
    ${
      parameters.length === 0
        ? ''
        : table(
            'Parameters',
            parameters.map((one) => ({ ...one, name: `${one.name} (${one.in})`, required: one.required === true })),
          )
    }
    ${
      requestBody
        ? html`<h4>Body</h4>
          ${fields(schemaIn(requestBody.content))}`
        : ''
    }
    <h4>Answers</h4>
    <ul>
      ${Object.entries(responses).map(
        ([status, { description: means, content }]) =>
          html`<li><code>${status}</code> ${means} ${content ? typeOf(schemaIn(content)) : ''}</li>`,
      )}
    </ul>
  </article>`
}

/** What is between backticks is code. */
function marked(text: string): Html {
  return html`${text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

function schemaIn(content: Content): Schema {
  return Object.values(content)[0]?.schema ?? {}
}

/** The members of an object; of anything else its type. */
function fields(schema: Schema): Html {
  const entries = Object.entries(schema.properties ?? {})
  if (entries.length === 0) return html`<p>${typeOf(schema)}</p>`
  return table(
    null,
    entries.map(([name, one]) => ({
      name,
      schema: one,
      required: schema.required?.includes(name) === true,
      ...(one.description !== undefined && { description: one.description }),
    })),
  )
}

interface Row {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
  readonly description?: string
}

function table(title: string | null, rows: readonly Row[]): Html {
  return html`${title === null ? '' : html`<h4>${title}</h4>`}
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">type</th>
            <th scope="col">what it is</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ name, schema, required, description = '' }) =>
              html`<tr>
                <td><code>${name}</code>${required ? '' : html` <small>optional</small>`}</td>
                <td>${typeOf(schema)}</td>
                <td>${marked(description)} ${schema.properties ? fields(schema) : ''}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function typeOf({ $ref, type, enum: members, format, items, properties }: Schema): Html {
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? ''
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if (members) return html`${members.map((one, i) => html`${i === 0 ? '' : ', '}<code>${String(one)}</code>`)}`
  if (items) return html`list of ${items.properties ? fields(items) : typeOf(items)}`
  if (properties)
    return html`${Object.entries(properties).map(
      ([name, one], i) => html`${i === 0 ? '' : ', '}<code>${name}</code>: ${typeOf(one)}`,
    )}`
  return html`${[type ?? 'anything'].flat().join(' or ')}${format === undefined ? '' : ` (${format})`}`
}

function errors(): Html {
  return html`<section id="errors">
    <h2>errors</h2>
    <p>Every error is a problem (RFC 9457) with one of these codes. The list is closed.</p>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">code</th>
            <th scope="col">status</th>
            <th scope="col">again?</th>
            <th scope="col">what to do</th>
          </tr>
        </thead>
        <tbody>
          ${(Object.keys(CODES) as Code[]).map(
            (code) =>
              html`<tr>
                <td><code>${code}</code></td>
                <td>${statusOf(code)}</td>
                <td>${CODES[code].retry.replace('_', ' ')}</td>
                <td>${marked(CODES[code].hint)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}
