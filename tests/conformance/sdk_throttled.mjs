/** @insforge/sdk where patience is short: three wrong passwords, four wrong codes, twelve letters, one a minute each. */
import assert from 'node:assert/strict'
import { createClient } from '@insforge/sdk'
import { anonKey, bad, check, codeFor, email, good, otherThan, password, run, url } from './kit.mjs'

const auth = () => createClient({ baseUrl: url, anonKey, isServerMode: true, retryCount: 0 }).auth
const told = ({ statusCode, error }) => [statusCode, error]
const TOO_MANY = [429, 'TOO_MANY_REQUESTS']
const WRONG = 'not the one'

check('signInWithPassword is refused after too many wrong passwords, the right one too', async () => {
  const address = email('guarded')
  await good(auth().signUp({ email: address, password }))
  for (let left = 3; left; left--) {
    assert.equal((await bad(auth().signInWithPassword({ email: address, password: WRONG }))).statusCode, 401)
  }
  assert.deepEqual(told(await bad(auth().signInWithPassword({ email: address, password }))), TOO_MANY)
})

check('signInWithPassword of an address that nobody has is refused as often and in the same words', async () => {
  const asked = []
  for (let left = 4; left; left--) {
    asked.push(told(await bad(auth().signInWithPassword({ email: email('nobody'), password: WRONG }))))
  }
  assert.deepEqual(asked, [...Array(3).fill([401, 'AUTH_UNAUTHORIZED']), TOO_MANY])
})

check('signInWithPassword of somebody else is not refused for it', async () => {
  await good(auth().signUp({ email: email('neighbour'), password }))
  await good(auth().signInWithPassword({ email: email('neighbour'), password }))
})

check('a refusal says when to come back', async () => {
  const body = JSON.stringify({ email: email('guarded'), password })
  const answer = await fetch(`${url}/api/auth/sessions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  assert.equal(answer.status, 429)
  assert.ok(Number(answer.headers.get('retry-after')) > 0)
})

check('signInWithOtp is refused a second letter to an address within a minute, and the first code stays good', async () => {
  const address = email('patient')
  await good(auth().signInWithOtp({ email: address }))
  const otp = await codeFor(address)
  assert.deepEqual(told(await bad(auth().signInWithOtp({ email: address }))), TOO_MANY)
  await good(auth().verifyOtp({ email: address, otp }))
})

check('verifyOtp is refused after too many wrong codes of one network, and so is every other code', async () => {
  const address = email('guessed')
  await good(auth().signInWithOtp({ email: address }))
  const otp = await codeFor(address)
  const asked = []
  for (let left = 5; left; left--) asked.push(told(await bad(auth().verifyOtp({ email: address, otp: otherThan(otp) }))))
  assert.deepEqual(asked.at(-1), TOO_MANY)
  assert.deepEqual(told(await bad(auth().verifyEmail({ email: address, otp }))), TOO_MANY)
  assert.deepEqual(told(await bad(auth().exchangeResetPasswordToken({ email: address, code: otp }))), TOO_MANY)
  assert.deepEqual(told(await bad(auth().resetPassword({ newPassword: password, otp: '0'.repeat(64) }))), TOO_MANY)
})

check('sendResetPasswordEmail, resendVerificationEmail and signInWithOtp are refused once a network asked for too many', async () => {
  for (let left = 12; left; left--) await auth().sendResetPasswordEmail({ email: email(`many${left}`) })
  const address = email('one_more')
  const asked = [
    await bad(auth().sendResetPasswordEmail({ email: address })),
    await bad(auth().resendVerificationEmail({ email: address })),
    await bad(auth().signInWithOtp({ email: address })),
  ]
  assert.deepEqual(asked.map(told), Array(3).fill(TOO_MANY))
})

await run('@insforge/sdk')
