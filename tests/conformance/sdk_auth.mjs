/** @insforge/sdk on a server (`isServerMode`) and in an app without cookies: accounts, sessions, profiles. */
import assert from 'node:assert/strict'
import { createAdminClient, createClient, InsForgeError } from '@insforge/sdk'
import { adminKey, administer, afterAll, anonKey, bad, check, codeFor, email, good, letterTo } from './kit.mjs'
import { otherThan, password, removeUsers, run, url } from './kit.mjs'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const newClient = (options = {}) => createClient({ baseUrl: url, anonKey, retryCount: 0, ...options })
const onServer = () => newClient({ isServerMode: true })

const ada = (await good(onServer().auth.signUp({ email: email('ada'), password, name: 'Ada' }))).data
const asAda = () => newClient({ isServerMode: true, accessToken: ada.accessToken })
const signIn = (client) => good(client.auth.signInWithPassword({ email: email('ada'), password }))

check('signUp gives a user, an access token and a refresh token', async () => {
  assert.deepEqual(Object.keys(ada).sort(), ['accessToken', 'refreshToken', 'requireEmailVerification', 'user'])
  assert.equal(ada.requireEmailVerification, false)
  assert.equal(ada.accessToken.split('.').length, 3)
})

check('signUp tells the user object of the contract', async () => {
  const { id, createdAt, updatedAt, ...rest } = ada.user
  assert.match(id, UUID)
  assert.match(createdAt, MOMENT)
  assert.match(updatedAt, MOMENT)
  const account = { email: email('ada'), emailVerified: false, providers: ['email'] }
  assert.deepEqual(rest, { ...account, profile: { name: 'Ada' }, metadata: {} })
})

check('signUp lowers and trims the address', async () => {
  const { data } = await good(onServer().auth.signUp({ email: `  ${email('Case')}`.toUpperCase(), password }))
  assert.equal(data.user.email, email('case'))
})

check('signUp of a known address is refused with 409', async () => {
  const error = await bad(onServer().auth.signUp({ email: email('ada'), password }))
  assert.deepEqual([error.statusCode, error.error, error.message], [409, 'AUTH_EMAIL_EXISTS', 'User already exists'])
})

check('signUp with a short password is refused with 400', async () => {
  const error = await bad(onServer().auth.signUp({ email: email('short'), password: 'five5' }))
  assert.equal(error.statusCode, 400)
  assert.match(error.message, /at least 6 characters/)
})

check('signUp with no address is refused with the name of the field', async () => {
  const error = await bad(onServer().auth.signUp({ password }))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
  assert.match(error.message, /email/)
})

check('signUp without a key is refused with 401', async () => {
  const error = await bad(newClient({ anonKey: undefined }).auth.signUp({ email: email('nobody'), password }))
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_INVALID_CREDENTIALS'])
})

check('signUp with a wrong anon key is refused with 401', async () => {
  const error = await bad(newClient({ anonKey: `anon_${'0'.repeat(64)}` }).auth.signUp({ email: email('x'), password }))
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_INVALID_CREDENTIALS'])
})

check('signUp by the admin makes a confirmed account without a lasting session', async () => {
  const admin = createAdminClient({ baseUrl: url, apiKey: adminKey })
  const { data } = await good(admin.auth.signUp({ email: email('made'), password, autoConfirm: true }))
  assert.equal(data.user.emailVerified, true)
  assert.equal(data.refreshToken, undefined)
})

check('signInWithPassword gives a session', async () => {
  const { data } = await signIn(onServer())
  assert.equal(data.user.id, ada.user.id)
  assert.deepEqual(Object.keys(data).sort(), ['accessToken', 'refreshToken', 'user'])
})

check('signInWithPassword with a wrong password is refused with 401', async () => {
  const error = await bad(onServer().auth.signInWithPassword({ email: email('ada'), password: 'not the one' }))
  assert.ok(error instanceof InsForgeError)
  assert.deepEqual([error.statusCode, error.error, error.message], [401, 'AUTH_UNAUTHORIZED', 'Invalid credentials'])
})

check('signInWithPassword of an unknown address is refused in the same words', async () => {
  const error = await bad(onServer().auth.signInWithPassword({ email: email('unknown'), password }))
  assert.deepEqual([error.statusCode, error.error, error.message], [401, 'AUTH_UNAUTHORIZED', 'Invalid credentials'])
})

check('getCurrentUser on a server asks who the token is for', async () => {
  const { data } = await good(asAda().auth.getCurrentUser())
  assert.deepEqual(data.user, ada.user)
})

check('getCurrentUser in an app tells the user of its session', async () => {
  const client = newClient()
  assert.equal((await good(client.auth.getCurrentUser())).data.user, null)
  await signIn(client)
  assert.equal((await good(client.auth.getCurrentUser())).data.user.id, ada.user.id)
})

check('getCurrentUser with a forged token is refused with 401', async () => {
  const forged = ada.accessToken.slice(0, -6) + 'AAAAAA'
  const error = await bad(newClient({ isServerMode: true, accessToken: forged }).auth.getCurrentUser())
  assert.deepEqual([error.statusCode, error.error, error.message], [401, 'AUTH_UNAUTHORIZED', 'Invalid token'])
})

check('getCurrentUser with the anon key is refused with 401', async () => {
  const error = await bad(newClient({ isServerMode: true, accessToken: anonKey }).auth.getCurrentUser())
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_UNAUTHORIZED'])
})

check('refreshSession gives new tokens of the same user', async () => {
  const client = onServer()
  const { data: before } = await signIn(client)
  const { data: after } = await good(client.auth.refreshSession({ refreshToken: before.refreshToken }))
  assert.equal(after.user.id, ada.user.id)
  assert.notEqual(after.refreshToken, before.refreshToken)
  assert.notEqual(after.accessToken, before.accessToken)
})

check('refreshSession survives a lost answer', async () => {
  const client = onServer()
  const { data: before } = await signIn(client)
  const { data: lost } = await good(client.auth.refreshSession({ refreshToken: before.refreshToken }))
  const { data: again } = await good(client.auth.refreshSession({ refreshToken: before.refreshToken }))
  assert.equal(again.refreshToken, lost.refreshToken)
})

check('refreshSession with no good token is refused with 401', async () => {
  const error = await bad(onServer().auth.refreshSession({ refreshToken: 'rt_nothing' }))
  assert.deepEqual([error.statusCode, error.error], [401, 'AUTH_UNAUTHORIZED'])
})

check('signOut ends the session: its refresh token and its access token are refused', async () => {
  const client = onServer()
  const { data } = await signIn(client)
  assert.equal((await client.auth.signOut()).error, null)
  const error = await bad(client.auth.refreshSession({ refreshToken: data.refreshToken }))
  assert.equal(error.statusCode, 401)
  const still = await bad(newClient({ isServerMode: true, accessToken: data.accessToken }).auth.getCurrentUser())
  assert.deepEqual([still.statusCode, still.error], [401, 'AUTH_UNAUTHORIZED'])
})

check('signOut leaves the other sessions of the user alone', async () => {
  const [leaving, staying] = [onServer(), onServer()]
  await signIn(leaving)
  const { data } = await signIn(staying)
  await leaving.auth.signOut()
  await good(staying.auth.refreshSession({ refreshToken: data.refreshToken }))
})

check('signOut without a session succeeds', async () => {
  assert.equal((await newClient().auth.signOut()).error, null)
})

check('setProfile and getProfile: fields are laid over the profile, and told to everyone', async () => {
  await good(asAda().auth.setProfile({ nickname: 'Countess', level: 3 }))
  const { data: changed } = await good(asAda().auth.setProfile({ level: 4 }))
  const profile = { name: 'Ada', nickname: 'Countess', level: 4 }
  assert.deepEqual(changed, { id: ada.user.id, profile })
  const { data: seen } = await good(newClient().auth.getProfile(ada.user.id))
  assert.deepEqual(seen, { id: ada.user.id, profile })
})

check('setProfile without a session is refused with 401', async () => {
  const error = await bad(newClient().auth.setProfile({ nickname: 'Nobody' }))
  assert.equal(error.statusCode, 401)
})

check('getProfile of an unknown user is refused with 404', async () => {
  const error = await bad(newClient().auth.getProfile('00000000-0000-4000-8000-000000000000'))
  assert.deepEqual([error.statusCode, error.error], [404, 'AUTH_USER_NOT_FOUND'])
})

check('getProfile of what is no id is refused with 400', async () => {
  const error = await bad(newClient().auth.getProfile('nobody'))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
})

check('getPublicAuthConfig tells what a sign-in page must know', async () => {
  const { data } = await good(newClient().auth.getPublicAuthConfig())
  const { verifyEmailMethod, resetPasswordMethod, ...rest } = data
  for (const method of [verifyEmailMethod, resetPasswordMethod]) assert.ok(['code', 'link'].includes(method))
  assert.deepEqual(rest, {
    oAuthProviders: [],
    customOAuthProviders: [],
    requireEmailVerification: false,
    passwordMinLength: 6,
    requireNumber: false,
    requireLowercase: false,
    requireUppercase: false,
    requireSpecialChar: false,
    disableSignup: false,
  })
})

check('getPublicAuthConfig tells what the admin says', async () => {
  await administer('PUT', '/api/auth/config', { resetPasswordMethod: 'link', requireNumber: true })
  try {
    const { data } = await good(newClient().auth.getPublicAuthConfig())
    assert.deepEqual([data.resetPasswordMethod, data.requireNumber], ['link', true])
    const error = await bad(onServer().auth.signUp({ email: email('plain'), password: 'no number' }))
    assert.equal(error.statusCode, 400)
  } finally {
    await administer('PUT', '/api/auth/config', { resetPasswordMethod: 'code', requireNumber: false })
  }
})

check('resendVerificationEmail and verifyEmail verify an address and sign in', async () => {
  const address = email('vera')
  await good(onServer().auth.signUp({ email: address, password }))
  const { data: asked } = await good(onServer().auth.resendVerificationEmail({ email: address }))
  assert.equal(asked.success, true)
  const { data } = await good(onServer().auth.verifyEmail({ email: address, otp: await codeFor(address) }))
  assert.equal(data.user.emailVerified, true)
  assert.equal(data.accessToken.split('.').length, 3)
})

check('resendVerificationEmail answers an unknown address in the same words', async () => {
  const known = (await good(onServer().auth.resendVerificationEmail({ email: email('ada') }))).data
  const unknown = (await good(onServer().auth.resendVerificationEmail({ email: email('unknown') }))).data
  assert.deepEqual(known, unknown)
})

check('resendVerificationEmail to what is no address is refused with 400', async () => {
  const error = await bad(onServer().auth.resendVerificationEmail({ email: 'nobody' }))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
})

check('verifyEmail with a wrong code is refused with 400', async () => {
  const error = await bad(onServer().auth.verifyEmail({ email: email('ada'), otp: '000000' }))
  const told = [400, 'INVALID_INPUT', 'Invalid or expired verification code']
  assert.deepEqual([error.statusCode, error.error, error.message], told)
})

check('where addresses must be verified signUp gives no session and signIn waits', async () => {
  const address = email('waiting')
  await administer('PUT', '/api/auth/config', { requireEmailVerification: true })
  try {
    const { data } = await good(onServer().auth.signUp({ email: address, password }))
    assert.deepEqual(data, { accessToken: null, requireEmailVerification: true })
    const error = await bad(onServer().auth.signInWithPassword({ email: address, password }))
    assert.deepEqual([error.statusCode, error.error, error.message], [403, 'FORBIDDEN', 'Email verification required'])
    await good(onServer().auth.verifyEmail({ email: address, otp: await codeFor(address) }))
    await good(onServer().auth.signInWithPassword({ email: address, password }))
  } finally {
    await administer('PUT', '/api/auth/config', { requireEmailVerification: false })
  }
})

check('sendResetPasswordEmail, exchangeResetPasswordToken and resetPassword set a new password', async () => {
  const address = email('reset')
  const { data: before } = await good(onServer().auth.signUp({ email: address, password }))
  const { data: asked } = await good(onServer().auth.sendResetPasswordEmail({ email: address }))
  assert.equal(asked.success, true)
  const code = await codeFor(address)
  const wrong = await bad(onServer().auth.exchangeResetPasswordToken({ email: address, code: otherThan(code) }))
  assert.deepEqual([wrong.statusCode, wrong.error], [400, 'INVALID_INPUT'])
  const { data } = await good(onServer().auth.exchangeResetPasswordToken({ email: address, code }))
  assert.match(data.token, /^[0-9a-f]{64}$/)
  assert.match(data.expiresAt, MOMENT)
  const weak = await bad(onServer().auth.resetPassword({ newPassword: 'five5', otp: data.token }))
  assert.equal(weak.statusCode, 400)
  const { data: done } = await good(onServer().auth.resetPassword({ newPassword: 'another horse', otp: data.token }))
  assert.equal(typeof done.message, 'string')
  const again = await bad(onServer().auth.resetPassword({ newPassword: 'a third horse', otp: data.token }))
  assert.deepEqual([again.statusCode, again.message], [400, 'Invalid or expired verification token'])
  assert.equal((await bad(onServer().auth.signInWithPassword({ email: address, password }))).statusCode, 401)
  await good(onServer().auth.signInWithPassword({ email: address, password: 'another horse' }))
  const ended = await bad(onServer().auth.refreshSession({ refreshToken: before.refreshToken }))
  assert.equal(ended.statusCode, 401)
})

check('a reset by link leads to the redirect with a token, and nowhere that is not listed', async () => {
  const address = email('link')
  await good(onServer().auth.signUp({ email: address, password }))
  const redirectTo = 'https://app.example.com/reset?from=mail'
  const send = (to) => onServer().auth.sendResetPasswordEmail({ email: address, redirectTo: to })
  await administer('PUT', '/api/auth/config', {
    resetPasswordMethod: 'link',
    allowedRedirectUrls: ['https://app.example.com/**'],
  })
  try {
    assert.equal((await bad(send(undefined))).statusCode, 400)
    assert.equal((await bad(send('https://app.example.com.evil.org/'))).statusCode, 400)
    await good(send(redirectTo))
    const [link] = (await letterTo(address)).text.match(/http\S+/)
    assert.ok(link.startsWith(`${url}/api/auth/email/reset-password-link?token=`))
    const followed = await fetch(link, { redirect: 'manual' })
    const landing = new URL(followed.headers.get('location'))
    assert.deepEqual([followed.status, landing.origin, landing.pathname], [302, 'https://app.example.com', '/reset'])
    const told = Object.fromEntries(landing.searchParams)
    assert.deepEqual([told.from, told.insforge_status, told.insforge_type], ['mail', 'ready', 'reset_password'])
    await good(onServer().auth.resetPassword({ newPassword: 'linked horse', otp: told.token }))
    await good(onServer().auth.signInWithPassword({ email: address, password: 'linked horse' }))
  } finally {
    await administer('PUT', '/api/auth/config', { resetPasswordMethod: 'code', allowedRedirectUrls: [] })
  }
})

check('signInWithOtp and verifyOtp sign a new address in', async () => {
  const address = email('otp')
  const { data: asked } = await good(onServer().auth.signInWithOtp({ email: address }))
  assert.equal(asked.success, true)
  const otp = await codeFor(address)
  const wrong = await bad(onServer().auth.verifyOtp({ email: address, otp: otherThan(otp) }))
  assert.deepEqual([wrong.statusCode, wrong.error], [400, 'INVALID_INPUT'])
  const { data } = await good(onServer().auth.verifyOtp({ email: address, otp, name: 'Otto' }))
  assert.deepEqual([data.user.emailVerified, data.user.profile, data.user.providers], [true, { name: 'Otto' }, []])
  const spent = await bad(onServer().auth.verifyOtp({ email: address, otp }))
  assert.equal(spent.statusCode, 400)
})

check('onAuthStateChange is told of sign-in and sign-out', async () => {
  const client = newClient()
  const heard = []
  client.auth.onAuthStateChange((event) => heard.push(event))
  await signIn(client)
  await client.auth.signOut()
  assert.deepEqual(heard, ['signedIn', 'signedOut'])
})

afterAll(removeUsers)
await run('@insforge/sdk', '@supabase/postgrest-js')
