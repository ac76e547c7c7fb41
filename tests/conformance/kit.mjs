/** Named checks, run one after the other; each prints its outcome, and what it called, as one line of JSON. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { watch } from './surface.mjs'

export const { HEADWATER_URL: url, HEADWATER_ANON_KEY: anonKey, HEADWATER_ADMIN_KEY: adminKey } = process.env
export const password = 'correct horse battery'

const checks = []
const beginnings = []
const endings = []
const called = new Set()
const mark = randomUUID().slice(0, 8)

/** States a fact; `work` throws where it does not hold. Each name is a test of its own in test_clients.py. */
export function check(name, work) {
  checks.push({ name, work })
}

/** Carried out before each check. */
export function beforeEach(work) {
  beginnings.push(work)
}

/** Carried out once, after the last check, whatever became of them. */
export function afterAll(work) {
  endings.push(work)
}

/** Carries every check out; of the packages named, the methods that it called are told with its outcome. */
export async function run(...packages) {
  for (const name of packages) await watch(name, (method) => called.add(method))
  try {
    for (const { name, work } of checks) {
      let failure = null
      try {
        for (const begin of beginnings) await begin()
        called.clear()
        await work()
      } catch (error) {
        failure = error?.stack ?? String(error)
      }
      console.log(JSON.stringify({ name, failure, called: [...called].sort() }))
    }
  } finally {
    for (const end of endings.reverse()) await end()
  }
}

/** A name that only this run uses, so that runs can share a server. */
export function named(word) {
  return `${word}_${mark}`
}

export function email(word) {
  return `${word}-${mark}@example.com`
}

/** The value of a call that must succeed: throws its error, wherever the client left it. */
export async function good(call) {
  const answer = await call
  if (answer.error) throw new Error(`${answer.error.code ?? answer.error.error}: ${answer.error.message}`)
  return answer
}

/** The error of a call that must fail. */
export async function bad(call) {
  const { error } = await call
  if (!error) throw new Error('this call was to fail')
  return error
}

/** What the admin asks of the server, without any client. */
export async function administer(method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text)
}

export async function sql(query) {
  return (await administer('POST', '/api/database/advance/rawsql', { query })).rows
}

/** A new account's session, without any client. */
export async function signUp(word) {
  const response = await fetch(`${url}/api/auth/users?client_type=server`, {
    method: 'POST',
    headers: { authorization: `Bearer ${anonKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ email: email(word), password }),
  })
  if (!response.ok) throw new Error(`sign-up: ${response.status} ${await response.text()}`)
  return response.json()
}

const lettersTo = (address) => {
  const [command, ...args] = JSON.parse(process.env.HEADWATER_COMMAND)
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8' })).filter((letter) => letter.to.includes(address))
}

/** The newest letter to an address, once there are `count`; what `headwater mail` shows. */
export async function letterTo(address, count = 1) {
  for (let left = 40; left; left--) {
    const letters = lettersTo(address)
    if (letters.length >= count) return letters.at(-1)
    await pause(100)
  }
  throw new Error(`no letter came to ${address}`)
}

/** The code in the newest letter to an address. */
export async function codeFor(address, count = 1) {
  return (await letterTo(address, count)).text.match(/\b\d{6}\b/)[0]
}

/** A code that is not this one. */
export function otherThan(code) {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0')
}

/** Ends the accounts that this run has made. */
export async function removeUsers() {
  const { data } = await administer('GET', `/api/auth/users?limit=100&search=${mark}`)
  if (data.length) await administer('DELETE', '/api/auth/users', { userIds: data.map((user) => user.id) })
}
