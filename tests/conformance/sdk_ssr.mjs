/** @insforge/sdk/ssr: an app whose own server keeps the refresh token in a cookie of its own. */
import assert from 'node:assert/strict'
import * as ssr from '@insforge/sdk/ssr'
import * as middleware from '@insforge/sdk/ssr/middleware'
import { closeBrowser, openBrowser } from './browser.mjs'
import { afterAll, anonKey, bad, check, codeFor, email, good, named, password, removeUsers, run, sql, url } from './kit.mjs'

const [ACCESS, REFRESH] = ['insforge_access_token', 'insforge_refresh_token']
const SETTINGS = { baseUrl: url, anonKey, retryCount: 0 }
const WEEK = 604_800
const notes = named('notes')
await sql(`
  create table ${notes} (id integer primary key, owner uuid not null default auth.uid());
  alter table ${notes} enable row level security;
  create policy own on ${notes} to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
`)

/** The cookies of one visitor, as a framework hands them to the helpers. */
class Cookies {
  kept = new Map()
  get = (name) => this.kept.get(name)
  delete = (name) => this.kept.delete(name)
  set = (name, value, options = {}) => {
    if (options.maxAge === 0) this.kept.delete(name)
    else this.kept.set(name, { value, ...options })
  }
  get header() {
    return [...this.kept].map(([name, { value }]) => `${name}=${value}`).join('; ')
  }
}

const credentials = { email: email('ada'), password }
const ada = (await good(ssr.createAuthActions({ ...SETTINGS, cookies: new Cookies() }).signUp(credentials))).data.user

async function signedIn() {
  const cookies = new Cookies()
  await good(ssr.createAuthActions({ ...SETTINGS, cookies }).signInWithPassword(credentials))
  return cookies
}

const actions = (cookies = new Cookies()) => ssr.createAuthActions({ ...SETTINGS, cookies })
const told = ({ statusCode, error }) => [statusCode, error]
const UNAUTHORIZED = [401, 'AUTH_UNAUTHORIZED']
const secondsLeft = ({ expires }) => (expires.getTime() - Date.now()) / 1000
const refreshing = (cookies) => new Request('https://app.example/api/auth/refresh', { method: 'POST', headers: { cookie: cookies.header } })
const expired = (token) => {
  const [head, , signature] = token.split('.')
  return [head, Buffer.from('{"exp":1}').toString('base64url'), signature].join('.')
}

// actions

check('createAuthActions and signUp keep the tokens in cookies and tell only the user', async () => {
  const cookies = new Cookies()
  const { data } = await good(actions(cookies).signUp({ email: email('grace'), password, name: 'Grace' }))
  assert.deepEqual(Object.keys(data).sort(), ['requireEmailVerification', 'user'])
  assert.deepEqual([...cookies.kept.keys()].sort(), [ACCESS, REFRESH])
})

check('createAuthActions is refused cookies that cannot be written', () => {
  assert.throws(() => ssr.createAuthActions({ ...SETTINGS, cookies: { get() {} } }), /writable/)
})

check('accessTokenCookieOptions and refreshTokenCookieOptions: each cookie lives as long as its token', async () => {
  const cookies = await signedIn()
  const [access, refresh] = [cookies.get(ACCESS), cookies.get(REFRESH)]
  assert.ok(Math.abs(secondsLeft(access) - 900) < 30)
  assert.ok(Math.abs(secondsLeft(refresh) - WEEK) < 30)
  assert.deepEqual([access.httpOnly, refresh.httpOnly, refresh.sameSite, refresh.path], [false, true, 'lax', '/'])
  assert.ok(secondsLeft(ssr.accessTokenCookieOptions(access.value)) > 800)
  assert.ok(secondsLeft(ssr.refreshTokenCookieOptions(refresh.value)) > WEEK - 60)
})

check('signUp of a known address is refused and sets no cookie', async () => {
  const cookies = new Cookies()
  assert.deepEqual(told(await bad(actions(cookies).signUp(credentials))), [409, 'AUTH_EMAIL_EXISTS'])
  assert.equal(cookies.kept.size, 0)
})

check('signInWithPassword tells the user', async () => {
  assert.deepEqual((await good(actions().signInWithPassword(credentials))).data, { user: ada })
})

check('signInWithPassword with a wrong password is refused and sets no cookie', async () => {
  const cookies = new Cookies()
  const error = await bad(actions(cookies).signInWithPassword({ ...credentials, password: 'not the one' }))
  assert.deepEqual(told(error), UNAUTHORIZED)
  assert.equal(cookies.kept.size, 0)
})

check('signInWithOtp and verifyOtp sign a new address in', async () => {
  const [cookies, address] = [new Cookies(), email('otp')]
  await good(actions(cookies).signInWithOtp({ email: address }))
  const { data } = await good(actions(cookies).verifyOtp({ email: address, otp: await codeFor(address) }))
  assert.equal(data.user.email, address)
  assert.ok(cookies.get(REFRESH).value)
})

check('signInWithOtp and verifyOtp are refused what is no address and what is no code', async () => {
  assert.equal((await bad(actions().signInWithOtp({ email: 'nobody' }))).statusCode, 400)
  assert.equal((await bad(actions().verifyOtp({ email: email('otp'), otp: '000000' }))).statusCode, 400)
})

check('verifyEmail begins a session', async () => {
  const [cookies, address] = [new Cookies(), email('vera')]
  await good(actions(cookies).signUp({ email: address, password }))
  const send = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: address }) }
  assert.equal((await fetch(`${url}/api/auth/email/send-verification`, send)).status, 202)
  const { data } = await good(actions(cookies).verifyEmail({ email: address, otp: await codeFor(address) }))
  assert.equal(data.user.emailVerified, true)
})

check('verifyEmail with a wrong code is refused', async () => {
  assert.deepEqual(told(await bad(actions().verifyEmail({ email: ada.email, otp: '000000' }))), [400, 'INVALID_INPUT'])
})

check('signInWithOAuth, exchangeOAuthCode and signInWithIdToken are refused while there are no providers', async () => {
  const cookies = new Cookies()
  const asked = await Promise.all([
    bad(actions(cookies).signInWithOAuth('google', { redirectTo: 'https://app.example/home' })),
    bad(actions(cookies).exchangeOAuthCode('0'.repeat(64), 'v'.repeat(43))),
    bad(actions(cookies).signInWithIdToken({ provider: 'google', token: 'x.y.z' })),
  ])
  assert.deepEqual(asked.map(told), Array(3).fill([404, 'NOT_FOUND']))
  assert.equal(cookies.kept.size, 0)
})

check('signOut takes the cookies back', async () => {
  const cookies = await signedIn()
  await good(actions(cookies).signOut())
  assert.equal(cookies.kept.size, 0)
})

// a request of the app's server

check('createServerClient reads rows and the user of the visitor', async () => {
  const client = ssr.createServerClient({ ...SETTINGS, cookies: await signedIn() })
  assert.deepEqual((await good(client.auth.getCurrentUser())).data.user, ada)
  await good(client.database.from(notes).upsert({ id: 1 }))
  assert.deepEqual((await good(client.database.from(notes).select())).data, [{ id: 1, owner: ada.id }])
})

check('createServerClient with no cookie, or with a forged one, is refused', async () => {
  const none = ssr.createServerClient({ ...SETTINGS, cookies: new Cookies() })
  assert.equal((await none.database.from(notes).insert({ id: 2 })).status, 401)
  const forged = new Cookies()
  forged.set(ACCESS, `${(await signedIn()).get(ACCESS).value.slice(0, -6)}AAAAAA`)
  const error = await bad(ssr.createServerClient({ ...SETTINGS, cookies: forged }).auth.getCurrentUser())
  assert.deepEqual(told(error), UNAUTHORIZED)
})

// refreshing

check('refreshAuth gives new cookies for the old one', async () => {
  const cookies = await signedIn()
  const result = await ssr.refreshAuth({ ...SETTINGS, request: refreshing(cookies) })
  assert.equal(result.error, null)
  assert.notEqual(result.refreshToken, cookies.get(REFRESH).value)
  const [access, refresh] = result.response.headers.getSetCookie()
  assert.match(access, /^insforge_access_token=[^;]+; Path=\/; Expires=/)
  assert.match(refresh, /^insforge_refresh_token=[^;]+; Path=\/; Expires=.*; HttpOnly/)
  assert.deepEqual(Object.keys(await result.response.json()).sort(), ['accessToken', 'user'])
})

check('refreshAuth without a cookie, with a made-up one, and after the end of the session is refused', async () => {
  assert.deepEqual(told((await ssr.refreshAuth({ ...SETTINGS, request: refreshing(new Cookies()) })).error), UNAUTHORIZED)
  assert.deepEqual(told((await ssr.refreshAuth({ ...SETTINGS, refreshToken: 'rt_nobody' })).error), UNAUTHORIZED)
  const cookies = await signedIn()
  const refreshToken = cookies.get(REFRESH).value
  const body = JSON.stringify({ refresh_token: refreshToken })
  await fetch(`${url}/api/auth/logout?client_type=mobile`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const { response, error } = await ssr.refreshAuth({ ...SETTINGS, refreshToken })
  assert.deepEqual([response.status, ...told(error)], [401, ...UNAUTHORIZED])
  assert.ok(response.headers.getSetCookie().every((cookie) => cookie.includes('Max-Age=0')))
})

check('createRefreshAuthRouter and POST answer the browser of the visitor', async () => {
  const { POST } = ssr.createRefreshAuthRouter(SETTINGS)
  const response = await POST(refreshing(await signedIn()))
  assert.deepEqual([response.status, (await response.json()).user], [200, ada])
})

check('createRefreshAuthRouter and POST: a visitor without a cookie is refused', async () => {
  const response = await ssr.createRefreshAuthRouter(SETTINGS).POST(refreshing(new Cookies()))
  assert.deepEqual([response.status, (await response.json()).error], UNAUTHORIZED)
})

// both entries of the package bring these

const BOTH = [ssr, middleware]

/** A visit that passes the app's middleware. */
async function visit({ updateSession }, cookies, more = {}) {
  const response = new Cookies()
  const result = await updateSession({ ...SETTINGS, ...more, requestCookies: cookies, responseCookies: response })
  return { response, ...result }
}

check('updateSession leaves a session that is good as it is', async () => {
  for (const entry of BOTH) {
    const cookies = await signedIn()
    const { response, refreshed, accessToken } = await visit(entry, cookies)
    assert.deepEqual([refreshed, accessToken, response.kept.size], [false, cookies.get(ACCESS).value, 0])
  }
})

check('updateSession refreshes one that is about to expire, for this request and for the browser', async () => {
  for (const entry of BOTH) {
    const cookies = await signedIn()
    const before = cookies.get(REFRESH).value
    const { response, refreshed, accessToken, error } = await visit(entry, cookies, { refreshLeewaySeconds: 3600 })
    assert.deepEqual([refreshed, error], [true, null])
    assert.equal(cookies.get(ACCESS).value, accessToken)
    assert.equal(response.get(ACCESS).value, accessToken)
    assert.notEqual(response.get(REFRESH).value, before)
    assert.ok(Math.abs(secondsLeft(response.get(REFRESH)) - WEEK) < 30)
  }
})

check('updateSession of two requests at once gives both the same session', async () => {
  const [one, other] = [await signedIn(), new Cookies()]
  other.kept = new Map(one.kept)
  const late = { refreshLeewaySeconds: 3600 }
  const [first, second] = await Promise.all([visit(ssr, one, late), visit(middleware, other, late)])
  assert.deepEqual([first.error, second.error], [null, null])
  assert.equal(first.response.get(REFRESH).value, second.response.get(REFRESH).value)
  assert.equal((await visit(ssr, first.response, late)).error, null)
})

check('updateSession of a session that is refused takes its cookies back', async () => {
  for (const entry of BOTH) {
    const cookies = await signedIn()
    cookies.set(ACCESS, expired(cookies.get(ACCESS).value))
    cookies.set(REFRESH, 'rt_nobody')
    const { refreshed, accessToken, error } = await visit(entry, cookies)
    assert.deepEqual([refreshed, accessToken, ...told(error)], [false, null, ...UNAUTHORIZED])
    assert.equal(cookies.kept.size, 0)
  }
})

check('setAuthCookies and clearAuthCookies write what the helpers read, and names may be others', () => {
  for (const entry of BOTH) {
    const [cookies, settings] = [new Cookies(), { names: { accessToken: 'a', refreshToken: 'r' } }]
    entry.setAuthCookies(cookies, { accessToken: 'x.y.z', refreshToken: 'rt' }, settings)
    assert.deepEqual([cookies.get('a').value, cookies.get('r').value], ['x.y.z', 'rt'])
    entry.clearAuthCookies(cookies, settings)
    assert.equal(cookies.kept.size, 0)
  }
})

check('getAccessTokenCookieName and getRefreshTokenCookieName tell the names', () => {
  for (const entry of BOTH) {
    assert.deepEqual([entry.getAccessTokenCookieName(), entry.getRefreshTokenCookieName()], [ACCESS, REFRESH])
    assert.deepEqual([entry.getAccessTokenCookieName({ accessToken: 'a' })], ['a'])
  }
})

// the browser of the visitor

/** A page of the app: what it asks of its own server, the app answers; the rest goes to Headwater. */
function openPage(cookies, asked = []) {
  const browser = openBrowser('http://localhost:3000')
  const access = cookies.get(ACCESS)
  if (access) document.cookie = `${ACCESS}=${access.value}`
  const { POST } = ssr.createRefreshAuthRouter(SETTINGS)
  const fetching = async (input, init) => {
    asked.push(String(input))
    if (input !== '/api/auth/refresh') return browser.fetch(input, init)
    return POST(refreshing(cookies))
  }
  return ssr.createBrowserClient({ ...SETTINGS, fetch: fetching })
}

check('createBrowserClient shows the token in the cookie', async () => {
  const client = openPage(await signedIn())
  assert.equal((await good(client.auth.getProfile(ada.id))).data.id, ada.id)
  assert.deepEqual((await good(client.database.from(notes).select('owner'))).data, [{ owner: ada.id }])
  closeBrowser()
})

check('createBrowserClient asks the app for another token when its own is refused', async () => {
  const [cookies, asked] = [await signedIn(), []]
  cookies.set(ACCESS, cookies.get(ACCESS).value.replace(/.{6}$/, 'AAAAAA'))
  const client = openPage(cookies, asked)
  assert.deepEqual((await good(client.database.from(notes).select('owner'))).data, [{ owner: ada.id }])
  assert.equal(asked.filter((address) => address === '/api/auth/refresh').length, 1)
  closeBrowser()
})

check('createBrowserClient of a visitor without a session reads as anyone and is refused a write', async () => {
  const client = openPage(new Cookies())
  assert.deepEqual((await good(client.database.from(notes).select())).data, [])
  assert.equal((await client.database.from(notes).insert({ id: 3 })).status, 401)
  closeBrowser()
})

afterAll(removeUsers)
afterAll(() => sql(`drop table ${notes}`))
await run()
