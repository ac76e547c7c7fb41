/** @insforge/sdk in a browser: the refresh token in a cookie no page can read, guarded by a CSRF token. */
import assert from 'node:assert/strict'
import { createClient } from '@insforge/sdk'
import { closeBrowser, openBrowser } from './browser.mjs'
import { afterAll, anonKey, bad, beforeEach, check, email, good, password, removeUsers, run, url } from './kit.mjs'

const ELSEWHERE = 'https://elsewhere.example'
const COOKIE = 'insforge_refresh_token'
const credentials = { email: email('ada'), password }
let browser = openBrowser()

const visit = () => createClient({ baseUrl: url, anonKey, fetch: browser.fetch, retryCount: 0 })
const cookie = () => browser.kept.find(({ name }) => name === COOKIE)

await good(visit().auth.signUp(credentials))
beforeEach(() => {
  browser = openBrowser()
})

check('signUp keeps the refresh token out of the page', async () => {
  const { data } = await good(visit().auth.signUp({ email: email('grace'), password }))
  assert.equal(data.refreshToken, undefined)
  assert.ok(data.csrfToken)
  assert.ok(cookie().httpOnly)
  assert.equal(cookie().path, '/api/auth')
})

check('signInWithPassword gives the page a CSRF token and the browser a cookie', async () => {
  const { data } = await good(visit().auth.signInWithPassword(credentials))
  assert.equal(browser.page.get('insforge_csrf_token'), data.csrfToken)
  assert.ok(cookie().value)
})

check('a reloaded page is signed in again by the cookie', async () => {
  const { data } = await good(visit().auth.signInWithPassword(credentials))
  const { data: reloaded } = await good(visit().auth.getCurrentUser())
  assert.equal(reloaded.user.id, data.user.id)
})

check('refreshSession rotates the cookie', async () => {
  const client = visit()
  await good(client.auth.signInWithPassword(credentials))
  const before = cookie().value
  const { data } = await good(client.auth.refreshSession())
  assert.notEqual(cookie().value, before)
  assert.ok(data.accessToken && data.csrfToken)
  assert.equal(data.refreshToken, undefined)
})

check('refreshSession without the CSRF token is refused with 403 and keeps the session', async () => {
  const client = visit()
  await good(client.auth.signInWithPassword(credentials))
  const csrf = browser.page.get('insforge_csrf_token')
  browser.page.delete('insforge_csrf_token')
  const error = await bad(client.auth.refreshSession())
  assert.deepEqual([error.statusCode, error.error], [403, 'FORBIDDEN'])
  browser.page.set('insforge_csrf_token', csrf)
  await good(client.auth.refreshSession())
})

check('refreshSession without a cookie is refused with 401', async () => {
  const error = await bad(visit().auth.refreshSession())
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_UNAUTHORIZED'])
})

check('signOut takes the cookie back, and nothing refreshes the session any more', async () => {
  const client = visit()
  await good(client.auth.signInWithPassword(credentials))
  const [token, csrf] = [{ ...cookie() }, browser.page.get('insforge_csrf_token')]
  await client.auth.signOut()
  assert.equal(cookie(), undefined)
  browser.kept.push(token)
  browser.page.set('insforge_csrf_token', csrf)
  assert.equal((await bad(visit().auth.refreshSession())).statusCode, 401)
})

check('a page of an origin that is not listed gets no cookie', async () => {
  browser = openBrowser(ELSEWHERE)
  await good(visit().auth.signInWithPassword(credentials))
  assert.equal(cookie(), undefined)
})

check('a page of an origin that is not listed cannot use a cookie', async () => {
  const client = visit()
  await good(client.auth.signInWithPassword(credentials))
  const [token, csrf] = [cookie(), browser.page.get('insforge_csrf_token')]
  browser = openBrowser(ELSEWHERE)
  browser.kept.push(token)
  browser.page.set('insforge_csrf_token', csrf)
  assert.equal((await bad(visit().auth.refreshSession())).statusCode, 403)
})

afterAll(closeBrowser)
afterAll(removeUsers)
await run('@insforge/sdk', '@supabase/postgrest-js')
