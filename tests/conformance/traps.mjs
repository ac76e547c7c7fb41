/** The traps of the wire contract that clients fall into, one check each, asked by hand; test_traps.py knows them all. */
import assert from 'node:assert/strict'
import { adminKey, afterAll, anonKey, check, email, named, password, removeUsers, run, signUp, sql, url } from './kit.mjs'

const rows = named('rows')
await sql(`
  create table ${rows} (id integer primary key, word text, owner uuid default auth.uid());
  alter table ${rows} enable row level security;
  create policy own on ${rows} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
`)
const ada = await signUp('ada')

/** One request as it goes over the wire; its status, headers and JSON, undefined where there is no body. */
async function ask(method, path, { key, headers = {}, body } = {}) {
  const credentials = key ? { authorization: `Bearer ${key}` } : {}
  const typed = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = { method, headers: { ...credentials, ...typed, ...headers }, body: body && JSON.stringify(body) }
  const response = await fetch(url + path, sent)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined }
}

const table = `/api/database/records/${rows}`
const forged = (token) => `${token.slice(0, -6)}AAAAAA`
const asAda = { key: ada.accessToken }
const outcome = ({ status, body }) => [status, body?.error]

check('trap 1: a bad access token is refused with the code that makes the SDK refresh', async () => {
  const bad = [forged(ada.accessToken), 'not.a.token', `${ada.accessToken}x`]
  for (const key of bad) {
    for (const [method, path] of [['GET', '/api/auth/sessions/current'], ['GET', table], ['PATCH', '/api/auth/profiles/current']]) {
      const { status, body } = await ask(method, path, { key, body: method === 'PATCH' ? { profile: {} } : undefined })
      assert.deepEqual([status, body.error, body.statusCode], [401, 'AUTH_UNAUTHORIZED', 401], `${method} ${path}`)
    }
  }
})

check('trap 4: a write without return=representation tells [] with 201, or nothing with 204', async () => {
  const made = await ask('POST', table, { ...asAda, body: [{ id: 1 }, { id: 2 }] })
  assert.deepEqual([made.status, made.body], [201, []])
  const changed = await ask('PATCH', `${table}?id=eq.1`, { ...asAda, body: { word: 'x' } })
  assert.deepEqual([changed.status, changed.body], [204, undefined])
  const removed = await ask('DELETE', `${table}?id=eq.1`, asAda)
  assert.deepEqual([removed.status, removed.body], [204, undefined])
})

check('trap 6: a refresh token is read as refreshToken and as refresh_token', async () => {
  const first = await ask('POST', '/api/auth/refresh?client_type=mobile', { body: { refreshToken: ada.refreshToken } })
  assert.equal(first.status, 200)
  const second = await ask('POST', '/api/auth/refresh?client_type=mobile', { body: { refresh_token: first.body.refreshToken } })
  assert.deepEqual([second.status, second.body.user.id], [200, ada.user.id])
})

check('trap 7: x-api-key beats the token in Authorization, but for what is a user’s own', async () => {
  const headers = { 'x-api-key': adminKey }
  const { status } = await ask('GET', '/api/auth/users', { ...asAda, headers })
  assert.equal(status, 200)
  const own = await ask('GET', '/api/auth/sessions/current', { ...asAda, headers })
  assert.deepEqual([own.status, own.body.user?.id], [200, ada.user.id])
  const wrong = await ask('GET', table, { ...asAda, headers: { 'x-api-key': `ik_${'0'.repeat(64)}` } })
  assert.deepEqual(outcome(wrong), [401, 'AUTH_INVALID_API_KEY'])
})

check('trap 8: sign-up needs a key', async () => {
  const body = { email: email('keyless'), password }
  assert.deepEqual(outcome(await ask('POST', '/api/auth/users', { body })), [401, 'AUTH_INVALID_CREDENTIALS'])
  assert.equal((await ask('POST', '/api/auth/users', { key: anonKey, body })).status, 200)
})

check('trap 9: HEAD tells the count and no body', async () => {
  await ask('POST', table, { ...asAda, body: [{ id: 11 }, { id: 12 }, { id: 13 }] })
  const { status, headers, body } = await ask('HEAD', `${table}?id=gt.10`, { ...asAda, headers: { prefer: 'count=exact' } })
  assert.deepEqual([status, headers.get('content-range'), body], [200, '0-2/3', undefined])
})

check('trap 10: what the dialect refuses keeps PostgREST’s own form', async () => {
  const { status, body } = await ask('GET', `${table}?select=nothing`, asAda)
  assert.deepEqual([status, Object.keys(body).sort()], [400, ['code', 'details', 'hint', 'message']])
  assert.equal(body.code, '42703')
})

check('trap 11: endpoints that write letters answer 202', async () => {
  for (const name of ['send-otp', 'send-verification', 'send-reset-password']) {
    const { status, body } = await ask('POST', `/api/auth/email/${name}`, { body: { email: email('ada') } })
    assert.deepEqual([status, body.success], [202, true])
  }
})

check('trap 12: a paged list tells 0--1/0 when it is empty, and 206 when there is more', async () => {
  const page = (more) => ask('GET', `/api/database/admin/tables/${rows}/records?limit=2${more}`, { key: adminKey })
  const empty = await page('&search=nothing-like-this')
  assert.deepEqual([empty.status, empty.headers.get('content-range'), empty.body], [200, '0--1/0', []])
  await ask('POST', table, { ...asAda, body: [{ id: 21 }, { id: 22 }, { id: 23 }] })
  const some = await page('')
  assert.equal(some.status, 206)
  assert.match(some.headers.get('content-range'), /^0-1\/\d+$/)
  assert.equal(some.body.length, 2)
})

check('trap 13: the anon key is nobody’s session', async () => {
  assert.deepEqual(outcome(await ask('GET', '/api/auth/sessions/current', { key: anonKey })), [401, 'AUTH_UNAUTHORIZED'])
})

check('trap 14: a table and a migration are made with 201, a user with 200', async () => {
  const column = { columnName: 'word', type: 'string', isNullable: true, isUnique: false }
  const made = await ask('POST', '/api/database/tables', { key: adminKey, body: { tableName: named('made'), columns: [column] } })
  const { migrations } = (await ask('GET', '/api/database/migrations', { key: adminKey })).body
  const version = String(BigInt(migrations[0]?.version ?? 0) + 1n)
  const migration = { name: 'a-trap', version, sql: `create table ${named('moved')} (id integer)` }
  const moved = await ask('POST', '/api/database/migrations', { key: adminKey, body: migration })
  const user = await ask('POST', '/api/auth/users', { key: anonKey, body: { email: email('trap'), password } })
  assert.deepEqual([made.status, moved.status, user.status], [201, 201, 200], JSON.stringify([made.body, moved.body]))
})

afterAll(removeUsers)
afterAll(() => sql(`drop table if exists ${rows}, ${named('made')}, ${named('moved')} cascade`))
await run()
