/** @insforge/sdk's own requests (`getHttpClient`) to what it has no word for: sessions, other addresses, no name at all. */
import assert from 'node:assert/strict'
import { createAdminClient, createClient } from '@insforge/sdk'
import { adminKey, afterAll, anonKey, bad, check, codeFor, email, good, letterTo, named } from './kit.mjs'
import { otherThan, password, removeUsers, run, sql, url } from './kit.mjs'

const UNKNOWN = '00000000-0000-4000-8000-000000000000'
const notes = named('notes')
await sql(`
  create table ${notes} (id integer primary key, owner uuid not null default auth.uid());
  alter table ${notes} enable row level security;
  create policy own on ${notes} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
`)

const newClient = () => createClient({ baseUrl: url, anonKey, isServerMode: true, retryCount: 0 })
const admin = createAdminClient({ baseUrl: url, apiKey: adminKey, retryCount: 0 })
const MOBILE = { params: { client_type: 'mobile' } }

/** A signed-in client and its own way to ask. */
async function signedUp(word) {
  const client = newClient()
  const { data } = await good(client.auth.signUp({ email: email(word), password }))
  return { client, http: client.getHttpClient(), ...data }
}

/** Another session of an account. */
async function signedIn(word) {
  const client = newClient()
  const { data } = await good(client.auth.signInWithPassword({ email: email(word), password }))
  return { client, http: client.getHttpClient(), ...data }
}

/** A client that shows a token, as `setAccessToken` lets it. */
function showing(token) {
  const client = newClient()
  client.setAccessToken(token)
  return client
}

const refusal = async (call) => {
  const error = await bad(call.then(() => ({}), (error) => ({ error })))
  return [error.statusCode, error.error]
}

const currentUser = (http) => http.get('/api/auth/sessions/current')
const UNAUTHORIZED = [401, 'AUTH_UNAUTHORIZED']

// sessions

check('get, getHttpClient and setAccessToken: one sees his sessions, the current one marked', async () => {
  const { http, accessToken } = await signedUp('sessions')
  await signedIn('sessions')
  const { sessions } = await http.get('/api/auth/sessions')
  assert.deepEqual(sessions.map((session) => session.current).sort(), [false, true])
  assert.ok(sessions.every(({ clientType, createdAt, expiresAt }) => clientType === 'mobile' && createdAt < expiresAt))
  assert.deepEqual((await showing(accessToken).getHttpClient().get('/api/auth/sessions')).sessions.length, 2)
})

check('get of sessions is refused to whoever has none', async () => {
  assert.deepEqual(await refusal(newClient().getHttpClient().get('/api/auth/sessions')), UNAUTHORIZED)
})

check('delete ends one session, whose tokens are refused from then on', async () => {
  const here = await signedUp('revoke')
  const there = await signedIn('revoke')
  const { sessions } = await here.http.get('/api/auth/sessions')
  await here.http.delete(`/api/auth/sessions/${sessions.find((session) => !session.current).id}`)
  assert.deepEqual(await refusal(currentUser(there.http)), UNAUTHORIZED)
  const refreshed = await bad(there.client.auth.refreshSession({ refreshToken: there.refreshToken }))
  assert.deepEqual([refreshed.statusCode, refreshed.error], UNAUTHORIZED)
  await currentUser(here.http)
})

check('delete of another’s session, of an unknown one, and of what is none is refused', async () => {
  const mine = await signedUp('mine')
  const other = await signedUp('other')
  const [{ id }] = (await other.http.get('/api/auth/sessions')).sessions
  assert.deepEqual(await refusal(mine.http.delete(`/api/auth/sessions/${id}`)), [404, 'NOT_FOUND'])
  assert.deepEqual(await refusal(mine.http.delete(`/api/auth/sessions/${UNKNOWN}`)), [404, 'NOT_FOUND'])
  assert.deepEqual(await refusal(mine.http.delete('/api/auth/sessions/one')), [400, 'INVALID_INPUT'])
  await currentUser(other.http)
})

check('delete ends every other session', async () => {
  const here = await signedUp('all')
  const there = await signedIn('all')
  await here.http.delete('/api/auth/sessions')
  assert.deepEqual(await refusal(currentUser(there.http)), UNAUTHORIZED)
  assert.equal((await here.http.get('/api/auth/sessions')).sessions.length, 1)
})

// password

check('post changes the password, and is refused without the current one', async () => {
  const { http } = await signedUp('password')
  const change = (currentPassword, newPassword) => http.post('/api/auth/password', { currentPassword, newPassword })
  assert.deepEqual(await refusal(change('not the one', 'another horse')), [401, 'AUTH_INVALID_CREDENTIALS'])
  assert.deepEqual(await refusal(change(password, 'five5')), [400, 'INVALID_INPUT'])
  await change(password, 'another horse')
  await good(newClient().auth.signInWithPassword({ email: email('password'), password: 'another horse' }))
})

// address

check('post changes the address once both have confirmed', async () => {
  const { http, user } = await signedUp('before')
  await http.post('/api/auth/email-change', { newEmail: email('after'), password })
  const confirm = (codes) => http.post('/api/auth/email-change/confirm', codes)
  const state = await confirm({ currentCode: await codeFor(email('before')) })
  assert.deepEqual(state, { newEmail: email('after'), currentConfirmed: true, newConfirmed: false, changed: false })
  const newCode = await codeFor(email('after'))
  assert.deepEqual(await refusal(confirm({ newCode: otherThan(newCode) })), [400, 'INVALID_INPUT'])
  assert.equal((await confirm({ newCode })).changed, true)
  assert.deepEqual(await refusal(confirm({ newCode })), [404, 'NOT_FOUND'])
  const { data } = await good(newClient().auth.signInWithPassword({ email: email('after'), password }))
  assert.deepEqual([data.user.id, data.user.email], [user.id, email('after')])
  assert.equal((await bad(newClient().auth.signInWithPassword({ email: email('before'), password }))).statusCode, 401)
})

check('post to change the address is refused with a wrong password, to what is none, and to strangers', async () => {
  const { http } = await signedUp('stays')
  const change = (body, by = http) => refusal(by.post('/api/auth/email-change', body))
  assert.deepEqual(await change({ newEmail: email('x'), password: 'not it' }), [401, 'AUTH_INVALID_CREDENTIALS'])
  assert.deepEqual(await change({ newEmail: 'nobody', password }), [400, 'INVALID_INPUT'])
  assert.deepEqual(await change({ newEmail: email('x') }, newClient().getHttpClient()), UNAUTHORIZED)
})

check('post to change the address to a taken one says nothing of it, and nothing comes of it', async () => {
  const { http } = await signedUp('wants')
  await signedUp('taken')
  const told = await http.post('/api/auth/email-change', { newEmail: email('taken'), password })
  const free = await http.post('/api/auth/email-change', { newEmail: email('free'), password })
  assert.deepEqual(told, free)
})

// without a name

const comeUnnamed = async () => {
  const client = newClient()
  const body = { profile: { nickname: 'guest' } }
  const session = await client.getHttpClient().post('/api/auth/anonymous', body, MOBILE)
  client.setAccessToken(session.accessToken)
  return { client, http: client.getHttpClient(), ...session }
}

check('setAccessToken and post: an anonymous user has rows of his own, and keeps them when he takes a name', async () => {
  const { client, http, user, refreshToken } = await comeUnnamed()
  assert.deepEqual([user.email, user.isAnonymous, user.profile], [null, true, { nickname: 'guest' }])
  await good(client.database.from(notes).insert({ id: 1 }))
  const named = { email: email('named'), password, name: 'Nora' }
  const upgraded = await http.post('/api/auth/anonymous/upgrade', named, MOBILE)
  assert.equal(upgraded.user.id, user.id)
  assert.equal(upgraded.user.isAnonymous, undefined)
  const { client: later, user: known } = await signedIn('named')
  assert.equal(known.id, user.id)
  assert.deepEqual((await good(later.database.from(notes).select('id'))).data, [{ id: 1 }])
  assert.equal((await bad(later.auth.refreshSession({ refreshToken }))).statusCode, 401)
})

check('post of an upgrade is refused where the address is taken, the password weak, or the user named', async () => {
  await signedUp('owner')
  const { http } = await comeUnnamed()
  const upgrade = (body, by = http) => refusal(by.post('/api/auth/anonymous/upgrade', body, MOBILE))
  assert.deepEqual(await upgrade({ email: email('owner'), password }), [409, 'AUTH_EMAIL_EXISTS'])
  assert.deepEqual(await upgrade({ email: email('guest'), password: 'five5' }), [400, 'INVALID_INPUT'])
  const { http: named } = await signedUp('has_one')
  assert.deepEqual(await upgrade({ email: email('guest'), password }, named), [409, 'ALREADY_EXISTS'])
})

check('post of an anonymous sign-in is refused without a key', async () => {
  const keyless = createClient({ baseUrl: url, retryCount: 0, isServerMode: true }).getHttpClient()
  assert.deepEqual(await refusal(keyless.post('/api/auth/anonymous', {})), [401, 'AUTH_INVALID_CREDENTIALS'])
})

// the end of an account

check('get exports the account without a secret, and request removes it', async () => {
  const { http, user } = await signedUp('leaving')
  const told = await http.get('/api/auth/account/export')
  assert.equal(told.user.id, user.id)
  assert.ok(!JSON.stringify(told).includes('argon2'))
  assert.deepEqual(
    await refusal(http.request('DELETE', '/api/auth/account', { body: { password: 'not it' } })),
    [401, 'AUTH_INVALID_CREDENTIALS'],
  )
  await http.request('DELETE', '/api/auth/account', { body: { password } })
  assert.deepEqual(await refusal(currentUser(http)), UNAUTHORIZED)
  assert.equal((await bad(newClient().auth.signInWithPassword({ email: email('leaving'), password }))).statusCode, 401)
  assert.equal((await bad(newClient().auth.getProfile(user.id))).statusCode, 404)
})

// letters

check('send writes a letter in a user’s own words', async () => {
  const { client } = await signedUp('writer')
  const { data } = await good(client.emails.send({ to: email('friend'), subject: 'Hello', html: '<p>Come <b>over</b></p>' }))
  assert.deepEqual(data, {})
  const letter = await letterTo(email('friend'))
  assert.equal(letter.subject, 'Hello')
})

check('send is refused to whoever is not signed in', async () => {
  const error = await bad(newClient().emails.send({ to: email('friend'), subject: 'Hello', html: '<p>x</p>' }))
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_INVALID_CREDENTIALS'])
})

check('send is refused without an address or a subject, and with a header in one', async () => {
  const { client } = await signedUp('careless')
  const letter = { to: email('friend'), subject: 'Hello', html: '<p>x</p>' }
  for (const fault of [{ to: 'nobody' }, { to: [] }, { subject: '' }, { subject: undefined }, { from: 'a\r\nBcc: x@y.zz' }]) {
    const error = await bad(client.emails.send({ ...letter, ...fault }))
    assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
  }
})

// the admin

check('createAdminClient, put and patch: the admin cares for users and the configuration', async () => {
  const http = admin.getHttpClient()
  const { user } = await signedUp('governed')
  const changed = await http.patch(`/api/auth/users/${user.id}`, { profile: { nickname: 'Ruled' } })
  assert.equal(changed.profile.nickname, 'Ruled')
  const config = await http.put('/api/auth/config', { passwordMinLength: 6 })
  assert.equal(config.passwordMinLength, 6)
  const { data } = await http.get('/api/auth/users', { params: { search: email('governed'), limit: '1' } })
  assert.deepEqual(data.map(({ id }) => id), [user.id])
})

check('createAdminClient with a wrong key is refused', async () => {
  const wrong = createAdminClient({ baseUrl: url, apiKey: `ik_${'0'.repeat(64)}`, retryCount: 0 })
  const { status, error } = await wrong.database.from(notes).select()
  assert.deepEqual([status, error.error], [401, 'AUTH_INVALID_API_KEY'])
})

check('put and patch are refused to whoever is no admin', async () => {
  const { http, user } = await signedUp('subject')
  assert.deepEqual(await refusal(http.put('/api/auth/config', { disableSignup: true })), [403, 'AUTH_UNAUTHORIZED'])
  assert.deepEqual(await refusal(http.patch(`/api/auth/users/${user.id}`, {})), [403, 'AUTH_UNAUTHORIZED'])
  const nobody = newClient().getHttpClient()
  assert.equal((await refusal(nobody.put('/api/auth/config', { disableSignup: true })))[0], 403)
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${notes}`))
await run('@insforge/sdk', '@supabase/postgrest-js')
