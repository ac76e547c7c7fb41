/** What the clients offer, found at run time: the methods of every class that a caller comes to hold. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const SDK = '@insforge/sdk'
export const BUILDERS = ['@supabase/postgrest-js', 'postgrest-js-newest']
const HERE = fileURLToPath(new URL('.', import.meta.url))
const CLASS = /^(?:export |default |declare |abstract )*class (\w+)([\s\S]*?)^\}$/gm
const SECRET = /^\s+(?:private|protected)\s+(?:\w+\s+)*?(\w+)\s*[?;(:]/gm

/** Each label with the class it stands for (null where there is only a bag of functions) and its public methods. */
export async function surfaceOf(name) {
  const hidden = hiddenOf(name.split('/ssr')[0])
  if (name === SDK) return sdkSurface(await import(SDK), hidden)
  if (name.startsWith(SDK)) return ssrSurface(await import(name), name.slice(SDK.length + 1))
  const exported = Object.values((await import(name)).default).filter((one) => one.prototype && !isError(one))
  const ends = exported.filter((one) => !exported.some((other) => other.prototype instanceof one))
  return ends.flatMap(({ prototype }) => chainOf(prototype, hidden))
}

/** Tells each call of a public method, and each reading of a property, by its label, and lets it pass as it is. */
export async function watch(name, tell) {
  for (const { label, prototype, methods } of await surfaceOf(name)) {
    for (const method of prototype ? methods : []) {
      const { value, get } = Object.getOwnPropertyDescriptor(prototype, method)
      if (get) {
        const asked = function () {
          tell(`${label}.${method}`)
          return get.call(this)
        }
        Object.defineProperty(prototype, method, { configurable: true, get: asked })
        continue
      }
      prototype[method] = function (...given) {
        tell(`${label}.${method}`)
        return value.apply(this, given)
      }
    }
  }
}

function sdkSurface(sdk, hidden) {
  const client = sdk.createClient({ baseUrl: 'http://127.0.0.1:9', anonKey: 'anon_none' })
  const held = [
    ...modulesOf(client, 'client', hidden),
    ['client.storage.from()', client.storage.from('any')],
    ['client.getHttpClient()', client.getHttpClient()],
  ]
  const makers = Object.keys(sdk).filter((one) => /^[a-z]/.test(one) && one !== 'default')
  return [
    { label: 'sdk', prototype: null, methods: makers },
    ...held.map(([label, object]) => described(label, Object.getPrototypeOf(object), hidden)),
  ]
}

function ssrSurface(ssr, label) {
  const found = [{ label, prototype: null, methods: functionsOf(ssr) }]
  if (ssr.createAuthActions) {
    const [cookies, settings] = [{ get() {}, set() {} }, { baseUrl: 'http://127.0.0.1:9', anonKey: 'anon_none' }]
    const actions = functionsOf(ssr.createAuthActions({ ...settings, cookies }))
    const router = functionsOf(ssr.createRefreshAuthRouter(settings))
    found.push({ label: `${label}.createAuthActions()`, prototype: null, methods: actions })
    found.push({ label: `${label}.createRefreshAuthRouter()`, prototype: null, methods: router })
  }
  return found
}

function* modulesOf(object, label, hidden) {
  yield [label, object]
  const secret = hidden.get(nameOf(object)) ?? new Set()
  for (const [name, value] of Object.entries(object)) {
    const kind = value?.constructor
    if (!kind || secret.has(name) || !Function.prototype.toString.call(kind).startsWith('class')) continue
    yield* modulesOf(value, `${label}.${name}`, hidden)
  }
}

/** A class and those it extends, each without what another has put in its place. */
function chainOf(end, hidden) {
  const [chain, taken] = [[], new Set()]
  for (let prototype = end; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    const { label, methods } = described(nameOf(prototype), prototype, hidden)
    chain.push({ label, prototype, methods: methods.filter((name) => !taken.has(name)) })
    methods.forEach((name) => taken.add(name))
  }
  return chain
}

function described(label, prototype, hidden) {
  const secret = hidden.get(nameOf(prototype)) ?? new Set()
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value, get }]) => name !== 'constructor' && (get || typeof value === 'function'))
    .map(([name]) => name)
  return { label, prototype, methods: methods.filter((name) => !secret.has(name)) }
}

/** What a package's types call private, by class: at run time it looks like the rest. */
function hiddenOf(name) {
  const hidden = new Map()
  const folder = join(HERE, 'node_modules', name, 'dist')
  for (const file of readdirSync(folder, { recursive: true }).filter((one) => /\.d\.m?ts$/.test(one))) {
    for (const [, kind, body] of readFileSync(join(folder, file), 'utf8').matchAll(CLASS)) {
      const secret = hidden.get(kind) ?? hidden.set(kind, new Set()).get(kind)
      for (const [, member] of body.matchAll(SECRET)) secret.add(member)
    }
  }
  return hidden
}

const nameOf = (object) => object.constructor.name.replace(/^_/, '')
const isError = ({ prototype }) => prototype instanceof Error
const functionsOf = (bag) => Object.keys(bag).filter((name) => typeof bag[name] === 'function')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const told = {}
  for (const name of [SDK, `${SDK}/ssr`, `${SDK}/ssr/middleware`, ...BUILDERS]) {
    told[name] = Object.fromEntries((await surfaceOf(name)).map(({ label, methods }) => [label, methods]))
  }
  console.log(JSON.stringify(told))
}
