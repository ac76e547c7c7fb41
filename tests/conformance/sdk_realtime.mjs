/** @insforge/sdk realtime: every method and every event, subscribing and publishing, two users, and who is refused. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@insforge/sdk'
import { io } from 'socket.io-client'
import { closeBrowser, openBrowser } from './browser.mjs'
import { administer, afterAll, anonKey, beforeEach, check, email, good, named, password, removeUsers } from './kit.mjs'
import { run, signUp, sql, url } from './kit.mjs'

const mark = named('room').replaceAll('_', '-')
const [news, many] = [`${mark}-news`, `${mark}:%`]
await sql(`insert into realtime.channels (pattern) values ('${news}'), ('${many}')`)
const [ada, grace] = [await signUp('ada'), await signUp('grace')]
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const open = []
const closeAll = () => open.splice(0).forEach((one) => one.disconnect())
beforeEach(closeAll)
const keep = (realtime) => (open.push(realtime), realtime)
const stranger = () => keep(createClient({ baseUrl: url, anonKey }).realtime)
const user = ({ accessToken }) => keep(createClient({ baseUrl: url, anonKey, accessToken }).realtime)
const told = (realtime, event, fits = () => true) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${event} was not told`)), 5000)
    realtime.on(event, function hear(message) {
      if (!fits(message)) return
      realtime.off(event, hear)
      clearTimeout(late)
      resolve(message)
    })
  })
const becomes = async (fact) => {
  for (let left = 250; left; left--) {
    if (fact()) return
    await pause(20)
  }
  throw new Error(`it never came true: ${fact}`)
}
const subscribed = async (realtime, channel = news) => {
  const answer = await realtime.subscribe(channel)
  assert.equal(answer.ok, true, JSON.stringify(answer))
  return answer
}

check('connect, isConnected, connectionState and socketId tell of a connection', async () => {
  const realtime = stranger()
  const heard = []
  assert.deepEqual([realtime.isConnected, realtime.connectionState, realtime.socketId], [false, 'disconnected', undefined])
  realtime.on('connect', () => heard.push('connect'))
  const connected = told(realtime, 'connected')
  const connecting = realtime.connect()
  assert.equal(realtime.connect(), connecting)
  await connecting
  assert.deepEqual([realtime.isConnected, realtime.connectionState, heard], [true, 'connected', ['connect']])
  assert.deepEqual(await connected, { socketId: realtime.socketId, userId: null, role: 'anon' })
  await realtime.connect()
})

check('connect greets a user by his id', async () => {
  const realtime = user(ada)
  const connected = told(realtime, 'connected')
  await realtime.connect()
  const { socketId, userId, role } = await connected
  assert.deepEqual([socketId, userId, role], [realtime.socketId, ada.user.id, 'authenticated'])
})

check('connect is refused a bad token, and the event says so', async () => {
  for (const [accessToken, message] of [['bad', 'Invalid token'], ['anon_bad', 'Invalid anon key']]) {
    const realtime = keep(createClient({ baseUrl: url, accessToken }).realtime)
    const failed = told(realtime, 'connect_error')
    await assert.rejects(realtime.connect(), { message })
    assert.equal((await failed).message, message)
    assert.equal(realtime.connectionState, 'disconnected')
  }
})

check('connect is refused to whoever shows nothing', async () => {
  const realtime = keep(createClient({ baseUrl: url }).realtime)
  await assert.rejects(realtime.connect(), { message: 'No authentication provided' })
})

check('subscribe connects by itself, and is answered with who is there', async () => {
  const realtime = user(ada)
  const answer = await subscribed(realtime)
  const [member] = answer.presence.members
  assert.deepEqual([answer.channel, answer.presence.members.length], [news, 1])
  assert.deepEqual([member.type, member.presenceId], ['user', ada.user.id])
  assert.match(member.joinedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.match(answer.epoch, /^\w+$/)
  const again = await realtime.subscribe(news)
  assert.deepEqual(again, { ok: true, channel: news, presence: answer.presence })
  realtime.disconnect()
})

check('subscribe is asked once by those who ask together', async () => {
  const realtime = stranger()
  await realtime.connect()
  const [one, other] = await Promise.all([realtime.subscribe(news), realtime.subscribe(news)])
  assert.equal(one, other)
  assert.equal(one.ok, true)
})

check('subscribe knows channels by their patterns', async () => {
  const [realtime, other] = [stranger(), stranger()]
  await subscribed(realtime, `${mark}:a`)
  await subscribed(other, `${mark}:b`)
  const heard = []
  other.on('said', (message) => heard.push(message.to))
  await realtime.publish(`${mark}:a`, 'said', { to: 'a' })
  await told(realtime, 'said')
  const said = told(other, 'said')
  await other.publish(`${mark}:b`, 'said', { to: 'b' })
  await said
  assert.deepEqual(heard, ['b'])
})

check('subscribe is refused where there is no channel', async () => {
  const realtime = user(ada)
  const answer = await realtime.subscribe(`${mark}-nowhere`)
  assert.deepEqual([answer.ok, answer.channel, answer.error.code], [false, `${mark}-nowhere`, 'REALTIME_UNAUTHORIZED'])
  assert.deepEqual(realtime.getSubscribedChannels(), [])
})

check('subscribe is refused a channel that was turned off', async () => {
  await sql(`insert into realtime.channels (pattern, enabled) values ('${mark}-off', false)`)
  const answer = await stranger().subscribe(`${mark}-off`)
  assert.deepEqual([answer.ok, answer.error.code], [false, 'REALTIME_UNAUTHORIZED'])
})

check('publish reaches everybody who hears, the sender too, with meta beside the payload', async () => {
  const [sender, hearer] = [user(ada), user(grace)]
  await Promise.all([subscribed(sender), subscribed(hearer)])
  const messages = [told(sender, 'greeting'), told(hearer, 'greeting')]
  await sender.publish(news, 'greeting', { text: 'hi', deep: { list: [1, 'ü', null] } })
  const [mine, theirs] = await Promise.all(messages)
  assert.deepEqual(mine, theirs)
  const { meta, ...payload } = theirs
  assert.deepEqual(payload, { text: 'hi', deep: { list: [1, 'ü', null] } })
  assert.deepEqual([meta.channel, meta.senderType, meta.senderId], [`realtime:${news}`, 'user', ada.user.id])
  assert.match(meta.messageId, UUID)
  assert.match(meta.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(typeof meta.offset, 'number')
})

check('publish keeps the order, and offsets have no holes', async () => {
  const realtime = user(ada)
  await subscribed(realtime, `${mark}:order`)
  const heard = []
  realtime.on('step', (message) => heard.push(message))
  for (let number = 0; number < 100; number++) await realtime.publish(`${mark}:order`, 'step', { number })
  await becomes(() => heard.length === 100)
  assert.deepEqual(heard.map(({ number }) => number), [...Array(100).keys()])
  assert.deepEqual(heard.map(({ meta }) => meta.offset), [...Array(100).keys()].map((n) => n + 1))
})

check('publish is refused where the socket does not listen', async () => {
  const realtime = user(ada)
  await assert.rejects(realtime.publish(news, 'early', {}), /Not connected/)
  await realtime.connect()
  const failed = told(realtime, 'error')
  await realtime.publish(news, 'unheard', {})
  const { channel, code } = await failed
  assert.deepEqual([channel, code], [news, 'REALTIME_NOT_SUBSCRIBED'])
})

check('publish is refused what is no payload, and the socket lives on', async () => {
  const realtime = user(ada)
  await subscribed(realtime)
  const failed = told(realtime, 'error')
  await realtime.publish(news, 'odd', 'no object')
  assert.equal((await failed).channel, news)
  const said = told(realtime, 'said')
  await realtime.publish(news, 'said', {})
  await said
})

check('on hears what SQL and requests publish', async () => {
  const realtime = stranger()
  await subscribed(realtime)
  const bySql = told(realtime, 'by-sql')
  const [{ id }] = await sql(`select realtime.publish('${news}', 'by-sql', '{"n": 1}') as id`)
  const { n, meta } = await bySql
  assert.deepEqual([n, meta.messageId, meta.senderType, meta.senderId], [1, id, 'system', undefined])
  const byRest = told(realtime, 'by-rest')
  const answer = await administer('POST', `/api/realtime/channels/${news}/messages`, { eventName: 'by-rest', payload: {} })
  const { meta: second } = await byRest
  assert.deepEqual([second.messageId, second.offset], [answer.messageId, answer.offset])
  assert.equal(second.offset, meta.offset + 1)
})

check('off and once hear no more', async () => {
  const realtime = stranger()
  await subscribed(realtime)
  const [all, first, none] = [[], [], []]
  const unheard = (message) => none.push(message)
  realtime.on('tick', ({ n }) => all.push(n))
  realtime.once('tick', ({ n }) => first.push(n))
  realtime.on('tick', unheard)
  realtime.off('tick', unheard)
  for (const n of [1, 2, 3]) await realtime.publish(news, 'tick', { n })
  await becomes(() => all.length === 3)
  assert.deepEqual([all, first, none], [[1, 2, 3], [1], []])
})

check('unsubscribe ends the hearing of one channel', async () => {
  const [realtime, other] = [user(ada), user(grace)]
  await Promise.all([subscribed(realtime), subscribed(other), subscribed(realtime, `${mark}:kept`)])
  const heard = []
  realtime.on('after', () => heard.push('after'))
  const left = told(other, 'presence:leave', ({ member }) => member.presenceId === ada.user.id)
  realtime.unsubscribe(news)
  await left
  const said = told(other, 'after')
  await other.publish(news, 'after', {})
  await said
  const kept = told(realtime, 'still')
  await realtime.publish(`${mark}:kept`, 'still', {})
  await kept
  assert.deepEqual([heard, realtime.getSubscribedChannels()], [[], [`${mark}:kept`]])
})

check('getSubscribedChannels and getPresenceState follow who comes and goes', async () => {
  const room = `${mark}:presence`
  const [one, other] = [user(ada), user(grace)]
  const ids = () => one.getPresenceState(room).map(({ presenceId }) => presenceId).sort()
  await subscribed(one, room)
  assert.deepEqual([one.getSubscribedChannels(), ids()], [[room], [ada.user.id]])
  const joined = told(one, 'presence:join')
  await subscribed(other, room)
  const { member, meta } = await joined
  assert.deepEqual([member.type, member.presenceId], ['user', grace.user.id])
  assert.ok(member.joinedAt && meta.messageId && meta.timestamp)
  await becomes(() => ids().length === 2)
  const left = told(one, 'presence:leave')
  other.disconnect()
  assert.equal((await left).member.presenceId, grace.user.id)
  await becomes(() => ids().length === 1)
})

check('disconnect ends everything, and the event says why', async () => {
  const realtime = user(ada)
  await subscribed(realtime)
  const reasons = []
  realtime.on('disconnect', (reason) => reasons.push(reason))
  realtime.disconnect()
  assert.deepEqual([realtime.isConnected, realtime.connectionState], [false, 'disconnected'])
  assert.deepEqual([reasons, realtime.getSubscribedChannels()], [['io client disconnect'], []])
  await subscribed(realtime)
})

check('a user who signs in is connected again as himself, and hears on', async () => {
  const browser = openBrowser()
  const client = createClient({ baseUrl: url, anonKey, fetch: browser.fetch })
  const realtime = keep(client.realtime)
  await subscribed(realtime)
  const connected = told(realtime, 'connected')
  const { data } = await good(client.auth.signUp({ email: email('signs_in'), password }))
  assert.equal((await connected).userId, data.user.id)
  await becomes(() => realtime.getSubscribedChannels().length === 1)
  const said = told(realtime, 'said')
  await realtime.publish(news, 'said', { as: 'himself' })
  assert.equal((await said).meta.senderId, data.user.id)
  closeBrowser()
})

const client = async (auth) => {
  const socket = io(url, { forceNew: true, transports: ['websocket'], reconnection: false, auth })
  open.push(socket)
  await Promise.race([once(socket, 'connect'), once(socket, 'connect_error').then(([error]) => Promise.reject(error))])
  return socket
}
const ask = (socket, event, ...args) => socket.timeout(5000).emitWithAck(event, ...args)

check('socket.io-client is acknowledged in the words of both generations', async () => {
  const socket = await client({ token: ada.accessToken })
  assert.deepEqual(await ask(socket, 'subscribe', { channel: news }), { success: true, channel: news })
  const { ok, channel, offset, epoch } = await ask(socket, 'realtime:subscribe', { channel: news })
  assert.deepEqual([ok, channel], [true, news])
  const published = await ask(socket, 'realtime:publish', { channel: news, event: 'one', payload: {} })
  assert.deepEqual([published.ok, published.offset, published.epoch], [true, offset + 1, epoch])
  assert.match(published.messageId, UUID)
  assert.deepEqual(await ask(socket, 'publish', { channel: news, event: 'two', payload: {} }), { success: true })
  const refused = await ask(socket, 'subscribe', { channel: `${mark}-nowhere` })
  assert.deepEqual([refused.success, refused.error.code], [false, 'REALTIME_UNAUTHORIZED'])
  assert.equal((await ask(socket, 'unsubscribe', { channel: news })).success, true)
  const unheard = await ask(socket, 'publish', { channel: news, event: 'three' })
  assert.deepEqual([unheard.success, unheard.error.code], [false, 'REALTIME_NOT_SUBSCRIBED'])
})

check('socket.io-client gets everything since, in order, and then what comes', async () => {
  const room = `${mark}:since`
  const [writer, reader] = [await client({ token: ada.accessToken }), await client({ token: grace.accessToken })]
  const { epoch } = await ask(writer, 'realtime:subscribe', { channel: room })
  for (let n = 1; n <= 5; n++) await ask(writer, 'realtime:publish', { channel: room, event: 'n', payload: { n } })
  const heard = []
  reader.on('n', ({ n, meta }) => heard.push([n, meta.offset, meta.replayed ?? false]))
  const answer = await ask(reader, 'realtime:subscribe', { channel: room, since: { offset: 2, epoch } })
  assert.deepEqual([answer.ok, answer.recovered, answer.offset], [true, true, 5])
  await ask(writer, 'realtime:publish', { channel: room, event: 'n', payload: { n: 6 } })
  await becomes(() => heard.length === 4)
  assert.deepEqual(heard, [[3, 3, true], [4, 4, true], [5, 5, true], [6, 6, false]])
  const other = await ask(reader, 'realtime:subscribe', { channel: room, since: { offset: 2, epoch: 'another' } })
  assert.deepEqual([other.ok, other.recovered], [true, false])
})

check('publish cannot end the connections of those who hear', async () => {
  const [victim, attacker] = [stranger(), stranger()]
  await subscribed(victim)
  await subscribed(attacker)
  for (const event of ['connect', 'connect_error', 'disconnect', 'newListener', 'presence:leave', 'realtime:error']) {
    const refused = told(attacker, 'error')
    await attacker.publish(news, event, { code: 'FORGED' })
    assert.equal((await refused).code, 'REALTIME_INVALID_CHANNEL_REQUEST', event)
  }
  const heard = told(victim, 'said', ({ last }) => last)
  await attacker.publish(news, 'said', { last: true })
  await heard
  assert.deepEqual([victim.isConnected, attacker.isConnected], [true, true])
})

check('socket.io-client whispers, and the log knows nothing of it', async () => {
  const room = `${mark}:whispers`
  const [one, other] = [await client({ token: ada.accessToken }), await client({ token: grace.accessToken })]
  await ask(one, 'realtime:subscribe', { channel: room })
  await ask(other, 'realtime:subscribe', { channel: room })
  const typing = once(other, 'typing')
  const answer = await ask(one, 'realtime:publish', { channel: room, event: 'typing', payload: { on: true }, ephemeral: true })
  assert.deepEqual([answer.ok, answer.offset], [true, undefined])
  const [{ on, meta }] = await typing
  assert.deepEqual([on, meta.offset, meta.senderId], [true, undefined, ada.user.id])
  const since = await ask(one, 'realtime:subscribe', { channel: room })
  assert.equal(since.offset, 0)
})

check('socket.io-client is refused what cannot be understood, and lives on', async () => {
  const socket = await client({ token: ada.accessToken })
  for (const odd of [null, 7, [], 'news', {}, { channel: 7 }, { channel: '' }, { channel: 'x'.repeat(256) }]) {
    const { ok, error } = await ask(socket, 'realtime:subscribe', odd)
    assert.equal(ok, false, JSON.stringify(odd))
    assert.match(error.code, /^[A-Z_]+$/)
  }
  const unknown = await ask(socket, 'realtime:unknown', {})
  assert.equal(unknown.ok, false)
  assert.equal((await ask(socket, 'realtime:subscribe', { channel: news })).ok, true)
})

check('socket.io-client is let in with the admin key in either field', async () => {
  const { HEADWATER_ADMIN_KEY: key } = process.env
  for (const auth of [{ apiKey: key }, { token: key }]) {
    const socket = await client(auth)
    assert.equal((await ask(socket, 'realtime:subscribe', { channel: news })).ok, true)
    const said = once(socket, 'said')
    await ask(socket, 'realtime:publish', { channel: news, event: 'said', payload: {} })
    const [{ meta }] = await said
    assert.deepEqual([meta.senderType, meta.senderId], ['system', undefined])
    socket.disconnect()
  }
})

afterAll(async () => {
  closeAll()
  await sql(`delete from realtime.channels where pattern like '${mark}%'`)
  await removeUsers()
})
await run('@insforge/sdk')
