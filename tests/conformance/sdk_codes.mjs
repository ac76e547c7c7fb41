/** @insforge/sdk and letters: codes and links that verify, reset and sign in, and every way in which they are no good. */
import assert from 'node:assert/strict'
import { createClient } from '@insforge/sdk'
import { administer, afterAll, anonKey, bad, check, codeFor, email, good, letterTo } from './kit.mjs'
import { otherThan, password, removeUsers, run, url } from './kit.mjs'

const APP = 'https://app.example.com'
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const WRONG_CODE = [400, 'INVALID_INPUT', 'Invalid or expired verification code']
const WRONG_TOKEN = [400, 'INVALID_INPUT', 'Invalid or expired verification token']

const auth = () => createClient({ baseUrl: url, anonKey, isServerMode: true, retryCount: 0 }).auth
const told = ({ statusCode, error, message }) => [statusCode, error, message]
const signUp = (address) => good(auth().signUp({ email: address, password }))
const linkIn = ({ text }) => text.match(/http\S+/)[0]

/** Follows a link as a browser does, to where it is sent. */
async function follow(link) {
  const answer = await fetch(link, { redirect: 'manual', headers: { accept: 'text/html' } })
  assert.equal(answer.status, 302)
  const landing = new URL(answer.headers.get('location'))
  return { landing, ...Object.fromEntries(landing.searchParams) }
}

/** Carries `work` out while the admin's configuration says so. */
async function whereConfigured(config, work) {
  const before = await administer('GET', '/api/auth/config')
  await administer('PUT', '/api/auth/config', config)
  try {
    await work()
  } finally {
    await administer('PUT', '/api/auth/config', Object.fromEntries(Object.keys(config).map((key) => [key, before[key]])))
  }
}

// verification

check('verifyEmail with a code that was used is refused', async () => {
  const address = email('twice')
  await signUp(address)
  await good(auth().resendVerificationEmail({ email: address }))
  const otp = await codeFor(address)
  await good(auth().verifyEmail({ email: address, otp }))
  assert.deepEqual(told(await bad(auth().verifyEmail({ email: address, otp }))), WRONG_CODE)
})

check('verifyEmail is refused the right code after three wrong ones', async () => {
  const address = email('three')
  await signUp(address)
  await good(auth().resendVerificationEmail({ email: address }))
  const otp = await codeFor(address)
  for (let left = 3; left; left--) await bad(auth().verifyEmail({ email: address, otp: otherThan(otp) }))
  assert.deepEqual(told(await bad(auth().verifyEmail({ email: address, otp }))), WRONG_CODE)
})

check('verifyEmail with the code of an older letter is refused', async () => {
  const address = email('older')
  await signUp(address)
  await good(auth().resendVerificationEmail({ email: address }))
  const old = await codeFor(address)
  await good(auth().resendVerificationEmail({ email: address }))
  const otp = await codeFor(address, 2)
  if (old !== otp) assert.deepEqual(told(await bad(auth().verifyEmail({ email: address, otp: old }))), WRONG_CODE)
  await good(auth().verifyEmail({ email: address, otp }))
})

check('verifyEmail with the code of another address is refused', async () => {
  const [mine, other] = [email('mine'), email('other')]
  await signUp(mine)
  await signUp(other)
  await good(auth().resendVerificationEmail({ email: mine }))
  const otp = await codeFor(mine)
  assert.deepEqual(told(await bad(auth().verifyEmail({ email: other, otp }))), WRONG_CODE)
})

check('verifyEmail without a code is refused with the name of the field', async () => {
  const error = await bad(auth().verifyEmail({ email: email('nobody') }))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
  assert.match(error.message, /otp/)
})

check('signUp and resendVerificationEmail by link lead to the redirect, once', async () => {
  const address = email('linked')
  const config = { requireEmailVerification: true, verifyEmailMethod: 'link', allowedRedirectUrls: [`${APP}/**`] }
  await whereConfigured(config, async () => {
    const { data } = await good(auth().signUp({ email: address, password, redirectTo: `${APP}/first` }))
    assert.deepEqual(data, { accessToken: null, requireEmailVerification: true })
    await good(auth().resendVerificationEmail({ email: address, redirectTo: `${APP}/welcome` }))
    const link = linkIn(await letterTo(address, 2))
    assert.ok(link.startsWith(`${url}/api/auth/email/verify-link?token=`))
    const { landing, ...first } = await follow(link)
    assert.deepEqual([landing.origin, landing.pathname], [APP, '/welcome'])
    assert.deepEqual([first.insforge_status, first.insforge_type], ['success', 'verify_email'])
    await good(auth().signInWithPassword({ email: address, password }))
    const again = await follow(link)
    assert.equal(again.insforge_status, 'error')
    assert.ok(again.insforge_error)
  })
})

check('resendVerificationEmail by link with no redirect, or one that is not listed, is refused', async () => {
  const address = email('nowhere')
  await signUp(address)
  await whereConfigured({ verifyEmailMethod: 'link', allowedRedirectUrls: [`${APP}/**`] }, async () => {
    for (const redirectTo of [undefined, 'https://evil.example/', 'javascript:alert(1)', `${APP}@evil.example/`]) {
      const error = await bad(auth().resendVerificationEmail({ email: address, redirectTo }))
      assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
    }
  })
})

check('a link that nobody was sent is refused and leads nowhere', async () => {
  for (const name of ['verify-link', 'reset-password-link']) {
    for (const token of ['0'.repeat(64), 'short', '']) {
      const answer = await fetch(`${url}/api/auth/email/${name}?token=${token}`, { redirect: 'manual' })
      assert.equal(answer.status, 400)
      assert.equal((await answer.json()).error, 'INVALID_INPUT')
    }
  }
})

// reset

check('sendResetPasswordEmail answers an unknown address in the same words', async () => {
  const address = email('known')
  await signUp(address)
  const known = (await good(auth().sendResetPasswordEmail({ email: address }))).data
  assert.deepEqual((await good(auth().sendResetPasswordEmail({ email: email('unknown') }))).data, known)
})

check('sendResetPasswordEmail to what is no address is refused', async () => {
  const error = await bad(auth().sendResetPasswordEmail({ email: 'nobody' }))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
})

check('exchangeResetPasswordToken gives a token for a code, once, and is refused the second time', async () => {
  const address = email('exchange')
  await signUp(address)
  await good(auth().sendResetPasswordEmail({ email: address }))
  const code = await codeFor(address)
  const { data } = await good(auth().exchangeResetPasswordToken({ email: address, code }))
  assert.deepEqual(Object.keys(data).sort(), ['expiresAt', 'token'])
  assert.match(data.expiresAt, MOMENT)
  assert.deepEqual(told(await bad(auth().exchangeResetPasswordToken({ email: address, code }))), WRONG_CODE)
})

check('exchangeResetPasswordToken of a code that verifies is refused', async () => {
  const address = email('purpose')
  await signUp(address)
  await good(auth().resendVerificationEmail({ email: address }))
  const code = await codeFor(address)
  assert.deepEqual(told(await bad(auth().exchangeResetPasswordToken({ email: address, code }))), WRONG_CODE)
})

check('resetPassword with the code itself, with nothing, or with a made-up token is refused', async () => {
  const address = email('code')
  await signUp(address)
  await good(auth().sendResetPasswordEmail({ email: address }))
  for (const otp of [await codeFor(address), '', '0'.repeat(64)]) {
    assert.deepEqual(told(await bad(auth().resetPassword({ newPassword: 'another horse', otp }))), WRONG_TOKEN)
  }
  await good(auth().signInWithPassword({ email: address, password }))
})

check('resetPassword with a weak password is refused, and the token stays good', async () => {
  const address = email('weak')
  await signUp(address)
  await good(auth().sendResetPasswordEmail({ email: address }))
  const { data } = await good(auth().exchangeResetPasswordToken({ email: address, code: await codeFor(address) }))
  const error = await bad(auth().resetPassword({ newPassword: 'five5', otp: data.token }))
  assert.match(error.message, /at least 6 characters/)
  await good(auth().resetPassword({ newPassword: 'another horse', otp: data.token }))
})

check('resetPassword ends every session, and an open page is refused', async () => {
  const address = email('ends')
  const { data: held } = await signUp(address)
  await good(auth().sendResetPasswordEmail({ email: address }))
  const { data } = await good(auth().exchangeResetPasswordToken({ email: address, code: await codeFor(address) }))
  await good(auth().resetPassword({ newPassword: 'another horse', otp: data.token }))
  assert.equal((await bad(auth().refreshSession({ refreshToken: held.refreshToken }))).statusCode, 401)
  const open = createClient({ baseUrl: url, anonKey, isServerMode: true, accessToken: held.accessToken, retryCount: 0 })
  assert.equal((await bad(open.auth.getCurrentUser())).error, 'AUTH_UNAUTHORIZED')
})

// codes to sign in with

check('signInWithOtp answers every address in the same words', async () => {
  const address = email('regular')
  await signUp(address)
  const known = (await good(auth().signInWithOtp({ email: address }))).data
  assert.deepEqual((await good(auth().signInWithOtp({ email: email('stranger') }))).data, known)
})

check('signInWithOtp to what is no address is refused', async () => {
  const error = await bad(auth().signInWithOtp({ email: 'nobody' }))
  assert.deepEqual([error.statusCode, error.error], [400, 'INVALID_INPUT'])
})

check('verifyOtp without a code, or with one that was never sent, is refused', async () => {
  assert.equal((await bad(auth().verifyOtp({ email: email('quiet') }))).statusCode, 400)
  assert.deepEqual(told(await bad(auth().verifyOtp({ email: email('quiet'), otp: '123456' }))), WRONG_CODE)
})

check('verifyOtp of an account nobody had verified takes its password away', async () => {
  const address = email('squatted')
  await signUp(address)
  await good(auth().signInWithOtp({ email: address }))
  const { data } = await good(auth().verifyOtp({ email: address, otp: await codeFor(address) }))
  assert.equal(data.user.emailVerified, true)
  assert.equal((await bad(auth().signInWithPassword({ email: address, password }))).statusCode, 401)
})

// sign-up

check('signUp is refused while it is disabled, and so is the account a code would make', async () => {
  const address = email('late')
  await whereConfigured({ disableSignup: true }, async () => {
    const error = await bad(auth().signUp({ email: address, password }))
    assert.deepEqual([error.statusCode, error.error], [403, 'AUTH_SIGNUP_DISABLED'])
    assert.equal((await good(auth().getPublicAuthConfig())).data.disableSignup, true)
    await good(auth().signInWithOtp({ email: address }))
    assert.ok((await bad(auth().verifyOtp({ email: address, otp: '123456' }))).statusCode < 500)
  })
})

check('signInWithPassword is refused until the address is verified, where that is required', async () => {
  const address = email('unverified')
  await signUp(address)
  await whereConfigured({ requireEmailVerification: true }, async () => {
    const error = await bad(auth().signInWithPassword({ email: address, password }))
    assert.deepEqual(told(error), [403, 'FORBIDDEN', 'Email verification required'])
    const wrong = await bad(auth().signInWithPassword({ email: address, password: 'not the one' }))
    assert.deepEqual(told(wrong), [401, 'AUTH_UNAUTHORIZED', 'Invalid credentials'])
  })
})

check('getPublicAuthConfig of what is no server is refused', async () => {
  const lost = createClient({ baseUrl: `${url}/nowhere/`, anonKey, retryCount: 0, fetch: (input, init) => fetch(`${input}/x`, init) })
  assert.deepEqual([(await bad(lost.auth.getPublicAuthConfig())).statusCode], [404])
})

afterAll(removeUsers)
await run('@insforge/sdk')
