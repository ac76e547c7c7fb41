/** @insforge/sdk's own requests: right ones, wrong content types, and what is not here yet, refused in plain words. */
import assert from 'node:assert/strict'
import { createAdminClient, createClient, InsForgeError } from '@insforge/sdk'
import { closeBrowser, openBrowser } from './browser.mjs'
import { adminKey, afterAll, anonKey, bad, check, email, good, password, removeUsers, run, url } from './kit.mjs'

const newClient = (options = {}) => createClient({ baseUrl: url, anonKey, retryCount: 0, ...options })
const onServer = () => newClient({ isServerMode: true })
const http = newClient().getHttpClient()
const credentials = { email: email('ada'), password }
const { data: ada } = await good(onServer().auth.signUp(credentials))

const told = ({ statusCode, error }) => [statusCode, error]
const thrown = async (call) => {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof InsForgeError)
    return error
  }
  throw new Error('this call was to fail')
}
const refused = async (call) => told(await thrown(call))

// content types

const signIn = '/api/auth/sessions?client_type=mobile'

check('post of a form is refused, for the body is to be JSON', async () => {
  const form = new FormData()
  form.set('email', credentials.email)
  form.set('password', password)
  assert.deepEqual(await refused(http.post(signIn, form)), [400, 'INVALID_INPUT'])
})

check('post of a list, of a word, of nothing, or of the wrong types is refused with a sentence', async () => {
  for (const body of [[credentials], 'word', undefined, null, { ...credentials, email: 7 }, { email: {}, password: [] }]) {
    const error = await thrown(http.post(signIn, body))
    assert.deepEqual(told(error), [400, 'INVALID_INPUT'])
    assert.ok(error.message.length > 5)
  }
})

check('rawFetch hands the answer over as it is', async () => {
  const right = await http.rawFetch(url + signIn, { method: 'POST', body: JSON.stringify(credentials) })
  assert.equal((await right.json()).user.id, ada.user.id)
})

check('rawFetch of what is no JSON is refused', async () => {
  for (const body of ['{"email":', 'email=ada&password=x', '\u0000', '[[[[']) {
    const wrong = await http.rawFetch(url + signIn, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    assert.deepEqual([wrong.status, (await wrong.json()).error], [400, 'INVALID_INPUT'])
  }
})

check('request takes JSON whatever it is called', async () => {
  for (const type of ['application/json; charset=utf-8', 'application/problem+json', 'text/plain']) {
    const headers = { 'Content-Type': type }
    assert.ok((await http.request('POST', signIn, { body: credentials, headers })).accessToken)
  }
})

check('request of an unknown path is refused by its name', async () => {
  const error = await thrown(http.request('GET', '/api/nothing/here'))
  assert.deepEqual([...told(error), error.message], [404, 'NOT_FOUND', 'Endpoint /api/nothing/here not found'])
})

check('get is refused where only another method is, and is not taken for a failure of the server', async () => {
  assert.ok((await thrown(http.get('/api/auth/logout'))).statusCode < 500)
  assert.equal((await http.get('/api/health')).status, 'ok')
})

check('put and patch of what is not there are refused', async () => {
  const admin = createAdminClient({ baseUrl: url, apiKey: adminKey, retryCount: 0 }).getHttpClient()
  assert.equal((await refused(admin.put('/api/auth/email-templates/nothing', { subject: 'x', bodyHtml: 'x' })))[0], 400)
  const nobody = '/api/auth/users/00000000-0000-4000-8000-000000000000'
  assert.deepEqual(await refused(admin.patch(nobody, { profile: {} })), [404, 'AUTH_USER_NOT_FOUND'])
})

// the tokens a client holds

check('setAuthToken, getHeaders and getValidAccessToken: the token that is shown', async () => {
  const mine = newClient().getHttpClient()
  assert.equal(mine.getHeaders().Authorization, `Bearer ${anonKey}`)
  mine.setAuthToken(ada.accessToken)
  assert.equal(mine.getHeaders().Authorization, `Bearer ${ada.accessToken}`)
  assert.equal((await mine.get('/api/auth/sessions/current')).user.id, ada.user.id)
})

check('setRefreshToken and refreshAccessToken: another token without a cookie', async () => {
  const mine = newClient().getHttpClient()
  const { data } = await good(onServer().auth.signInWithPassword(credentials))
  mine.setAuthToken(data.accessToken)
  mine.setRefreshToken(data.refreshToken)
  const fresh = await mine.refreshAccessToken()
  assert.equal(fresh.user.id, ada.user.id)
  assert.notEqual(fresh.accessToken, data.accessToken)
})

check('refreshAccessToken is refused with a token that was made up', async () => {
  const mine = newClient().getHttpClient()
  mine.setAuthToken(ada.accessToken)
  mine.setRefreshToken('rt_nobody')
  assert.deepEqual(await refused(mine.refreshAccessToken()), [401, 'AUTH_UNAUTHORIZED'])
})

check('getValidAccessToken asks for another before the old one expires', async () => {
  const browser = openBrowser()
  const client = newClient({ fetch: browser.fetch })
  const { data } = await good(client.auth.signInWithPassword(credentials))
  const mine = client.getHttpClient()
  assert.equal(await mine.getValidAccessToken(), data.accessToken)
  const fresh = await mine.getValidAccessToken(3600)
  assert.notEqual(fresh, data.accessToken)
  closeBrowser()
})

check('getValidAccessToken is refused once the session is over', async () => {
  const browser = openBrowser()
  const client = newClient({ fetch: browser.fetch })
  await good(client.auth.signInWithPassword(credentials))
  browser.kept.length = 0
  assert.equal((await refused(client.getHttpClient().getValidAccessToken(3600)))[0], 401)
  assert.equal(client.getHttpClient().getHeaders().Authorization, `Bearer ${anonKey}`)
  closeBrowser()
})

check('createClient without a server is refused by the network alone', async () => {
  const lost = createClient({ baseUrl: 'http://127.0.0.1:9', anonKey, retryCount: 0 })
  assert.deepEqual(told(await bad(lost.auth.getPublicAuthConfig())), [0, 'NETWORK_ERROR'])
})

check('createClient takes headers and a token of its own', async () => {
  const asAda = newClient({ isServerMode: true, accessToken: ada.accessToken, headers: { 'x-trace': 'abc' } })
  assert.equal((await good(asAda.auth.getCurrentUser())).data.user.id, ada.user.id)
})

// what is not here yet

const REDIRECT = { redirectTo: 'http://localhost:3000/home', skipBrowserRedirect: true }
const NOT_HERE = [404, 'NOT_FOUND']

check('signInWithOAuth is refused in plain words while there are no providers', async () => {
  assert.deepEqual((await good(newClient().auth.getPublicAuthConfig())).data.oAuthProviders, [])
  for (const provider of ['google', 'github', 'nobody-knows']) {
    assert.deepEqual(told(await bad(onServer().auth.signInWithOAuth(provider, REDIRECT))), NOT_HERE)
  }
})

check('exchangeOAuthCode of a code that nobody gave is refused', async () => {
  assert.deepEqual(told(await bad(onServer().auth.exchangeOAuthCode('0'.repeat(64), 'v'.repeat(43)))), NOT_HERE)
})

check('signInWithIdToken of a token that nobody signed is refused', async () => {
  assert.deepEqual(told(await bad(onServer().auth.signInWithIdToken({ provider: 'google', token: 'x.y.z' }))), NOT_HERE)
})

check('modules that come later are refused at once, with 404 and no retry', async () => {
  let asked = 0
  const counting = (...given) => (asked++, fetch(...given))
  const client = createClient({ baseUrl: url, anonKey, fetch: counting, isServerMode: true })
  const calls = [
    () => client.storage.from('pictures').list().then(({ error }) => error),
    () => client.functions.invoke('hello', { body: {} }).then(({ error }) => error),
    () => client.payments.stripe.createCustomerPortalSession('test', {}).then(({ error }) => error),
    () => thrown(client.ai.embeddings.create({ model: 'any', input: 'words' })),
  ]
  for (const [place, call] of calls.entries()) {
    assert.deepEqual(told(await call()), NOT_HERE)
    assert.equal(asked, place + 1)
  }
})

afterAll(removeUsers)
await run('@insforge/sdk')
