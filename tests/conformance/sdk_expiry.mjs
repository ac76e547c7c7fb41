/** @insforge/sdk when time passes; its server lets access tokens live 4 s, and replaced refresh tokens 1 s. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@insforge/sdk'
import { closeBrowser, openBrowser } from './browser.mjs'
import { afterAll, anonKey, bad, check, email, good, named, password, run, sql, url } from './kit.mjs'

const notes = named('notes')
await sql(`
  create table ${notes} (id integer primary key, owner uuid not null default auth.uid());
  alter table ${notes} enable row level security;
  create policy own on ${notes} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
`)

const SERVER = { baseUrl: url, anonKey, isServerMode: true, retryCount: 0 }
const signUp = (client, word) => good(client.auth.signUp({ email: email(word), password }))
const expired = () => pause(4100)

check('an app whose token expired refreshes it and asks again', async () => {
  const browser = openBrowser()
  const client = createClient({ baseUrl: url, anonKey, fetch: browser.fetch })
  const heard = []
  const { data: first } = await signUp(client, 'ada')
  client.auth.onAuthStateChange((event) => heard.push(event))
  await good(client.database.from(notes).insert({ id: 1 }))
  await expired()
  const { data: rows } = await good(client.database.from(notes).select())
  assert.deepEqual(rows, [{ id: 1, owner: first.user.id }])
  assert.deepEqual(heard, ['tokenRefreshed'])
  closeBrowser()
})

check('requests that expire together are refreshed once', async () => {
  const browser = openBrowser()
  const asked = []
  const counting = (input, init) => {
    asked.push(new URL(input).pathname)
    return browser.fetch(input, init)
  }
  const client = createClient({ baseUrl: url, anonKey, fetch: counting })
  await signUp(client, 'grace')
  await expired()
  const reading = [1, 2, 3].map(() => good(client.database.from(notes).select()))
  const [{ data: changed }] = await Promise.all([good(client.auth.setProfile({ nickname: 'here' })), ...reading])
  assert.equal(changed.profile.nickname, 'here')
  assert.equal(asked.filter((path) => path === '/api/auth/refresh').length, 1)
  closeBrowser()
})

check('an expired token on a server is refused with 401, and is not refreshed', async () => {
  const client = createClient(SERVER)
  const { data } = await signUp(client, 'edith')
  await expired()
  const later = createClient({ ...SERVER, accessToken: data.accessToken })
  const error = await bad(later.auth.getCurrentUser())
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_UNAUTHORIZED'])
  const refused = await later.database.from(notes).select()
  assert.equal(refused.status, 401)
})

check('a refresh token shown again too late ends its session', async () => {
  const client = createClient(SERVER)
  const { data: first } = await signUp(client, 'rosalind')
  const { data: second } = await good(client.auth.refreshSession({ refreshToken: first.refreshToken }))
  await pause(1500)
  const reused = await bad(client.auth.refreshSession({ refreshToken: first.refreshToken }))
  assert.equal(reused.statusCode, 401)
  const ended = await bad(client.auth.refreshSession({ refreshToken: second.refreshToken }))
  assert.equal(ended.statusCode, 401)
})

afterAll(() => sql(`drop table ${notes}`))
await run()
