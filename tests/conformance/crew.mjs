/** socket.io-client before several processes at one address, and no proxy: whoever takes a request, its session is found. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { afterAll, anonKey, check, named, run, sql, url } from './kit.mjs'

const CLIENTS = 20
const ROUNDS = 5
const open = []
afterAll(() => open.forEach((socket) => socket.disconnect()))

const mark = named('crew').replaceAll('_', '-')
await sql(`insert into realtime.channels (pattern) values ('${mark}:%')`)

/** So many clients who hear a channel; none of them may come back by itself. */
async function crowd(channel, transports) {
  const clients = Array.from({ length: CLIENTS }, () => {
    const socket = io(url, { forceNew: true, transports, reconnection: false, auth: { token: anonKey } })
    open.push(socket)
    const heard = []
    socket.on('n', ({ number }) => heard.push(number))
    return { socket, heard, ends: [] }
  })
  await Promise.all(
    clients.map(async ({ socket, ends }) => {
      socket.on('disconnect', (reason, about) => ends.push([reason, about?.description ?? about]))
      await Promise.race([once(socket, 'connect'), once(socket, 'connect_error').then(([error]) => Promise.reject(error))])
      const answer = await socket.timeout(5000).emitWithAck('realtime:subscribe', { channel })
      assert.equal(answer.ok, true, JSON.stringify(answer))
    }),
  )
  return clients
}

/** Everybody publishes, in turns, and everybody hears everything, in one order and once. */
async function converse(channel, clients) {
  let number = 0
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      clients.map(async ({ socket }) => {
        const said = { channel, event: 'n', payload: { number: number++ } }
        const answer = await socket.timeout(5000).emitWithAck('realtime:publish', said)
        assert.equal(answer.ok, true, JSON.stringify(answer))
      }),
    )
  }
  for (let left = 400; left && clients.some(({ heard }) => heard.length < number); left--) await pause(25)
  const [{ heard: order }] = clients
  assert.deepEqual([...order].sort((a, b) => a - b), [...Array(number).keys()])
  for (const { heard, ends } of clients) {
    assert.deepEqual(heard, order)
    assert.deepEqual(ends, [])
  }
}

check('twenty clients that only poll hear and say everything', async () => {
  const channel = `${mark}:polling`
  const clients = await crowd(channel, ['polling'])
  await converse(channel, clients)
  for (const { socket } of clients) assert.equal(socket.io.engine.transport.name, 'polling')
})

check('twenty clients that poll go on by WebSocket', async () => {
  const channel = `${mark}:upgrade`
  const clients = await crowd(channel, ['polling', 'websocket'])
  await converse(channel, clients)
  for (const { socket } of clients) assert.equal(socket.io.engine.transport.name, 'websocket')
})

check('their sessions lie in more than one process', () => {
  const homes = new Set(open.map((socket) => socket.io.engine.id.split('.')[0]))
  assert.deepEqual([...homes].sort(), ['0', '1'])
})

await run()
