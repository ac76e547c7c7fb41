/** @insforge/sdk when time passes: access tokens and what letters hold live 4 s here, replaced refresh tokens 1 s. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@insforge/sdk'
import { closeBrowser, openBrowser } from './browser.mjs'
import { administer, afterAll, anonKey, bad, check, codeFor, email, good, letterTo, named } from './kit.mjs'
import { password, run, sql, url } from './kit.mjs'

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

check('refreshSession is refused to an app whose session was ended elsewhere, and signs it out', async () => {
  const browser = openBrowser()
  const client = createClient({ baseUrl: url, anonKey, fetch: browser.fetch, retryCount: 0 })
  const { data } = await signUp(client, 'elsewhere')
  await administer('DELETE', `/api/auth/users/${data.user.id}/sessions`)
  const heard = []
  client.auth.onAuthStateChange((event) => heard.push(event))
  const { error } = await client.auth.setProfile({ nickname: 'gone' })
  assert.deepEqual([error.statusCode, error.error, heard], [401, 'AUTH_UNAUTHORIZED', ['signedOut']])
  assert.equal((await bad(client.auth.refreshSession())).statusCode, 401)
  closeBrowser()
})

check('getValidAccessToken gives a token that lasts, in place of one that does not', async () => {
  const browser = openBrowser()
  const client = createClient({ baseUrl: url, anonKey, fetch: browser.fetch, retryCount: 0 })
  const { data } = await signUp(client, 'handshake')
  const fresh = await client.getHttpClient().getValidAccessToken(10)
  assert.notEqual(fresh, data.accessToken)
  closeBrowser()
})

check('verifyEmail, verifyOtp and exchangeResetPasswordToken are refused codes that are too old', async () => {
  const { auth } = createClient(SERVER)
  const [old, otp, reset] = [email('old'), email('old_otp'), email('old_reset')]
  for (const address of [old, reset]) await good(createClient(SERVER).auth.signUp({ email: address, password }))
  await good(auth.resendVerificationEmail({ email: old }))
  await good(auth.signInWithOtp({ email: otp }))
  await good(auth.sendResetPasswordEmail({ email: reset }))
  const codes = [await codeFor(old), await codeFor(otp), await codeFor(reset)]
  await expired()
  const told = await Promise.all([
    bad(auth.verifyEmail({ email: old, otp: codes[0] })),
    bad(auth.verifyOtp({ email: otp, otp: codes[1] })),
    bad(auth.exchangeResetPasswordToken({ email: reset, code: codes[2] })),
  ])
  const refusal = [400, 'Invalid or expired verification code']
  assert.deepEqual(told.map(({ statusCode, message }) => [statusCode, message]), Array(3).fill(refusal))
})

check('resetPassword is refused a link that is too old, which leads to the page with the reason', async () => {
  const { auth } = createClient(SERVER)
  const address = email('old_link')
  await good(createClient(SERVER).auth.signUp({ email: address, password }))
  await administer('PUT', '/api/auth/config', { resetPasswordMethod: 'link' })
  try {
    await good(auth.sendResetPasswordEmail({ email: address, redirectTo: `${url}/reset` }))
    const [link] = (await letterTo(address)).text.match(/http\S+/)
    await expired()
    const landing = new URL((await fetch(link, { redirect: 'manual' })).headers.get('location'))
    assert.deepEqual([landing.pathname, landing.searchParams.get('insforge_status')], ['/reset', 'error'])
    assert.equal(landing.searchParams.get('token'), null)
    const otp = new URL(link).searchParams.get('token')
    const error = await bad(auth.resetPassword({ newPassword: 'another horse', otp }))
    assert.deepEqual([error.statusCode, error.message], [400, 'Invalid or expired verification token'])
  } finally {
    await administer('PUT', '/api/auth/config', { resetPasswordMethod: 'code' })
  }
})

afterAll(() => sql(`drop table ${notes}`))
await run('@insforge/sdk', '@supabase/postgrest-js')
