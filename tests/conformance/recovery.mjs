/** The unmodified SDK behind one address of two nodes: it is cut off, its node is killed, and it has missed nothing. */
import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@insforge/sdk'
import { afterAll, anonKey, check, named, run } from './kit.mjs'

const nodes = JSON.parse(process.env.HEADWATER_NODES)
const adminKey = process.env.HEADWATER_ADMIN_KEY
let [here, there] = nodes
let closed = false
const ways = new Set()

/** One address; what comes in goes on to the node that is `here`, unless the way is closed. */
const forwarder = createServer((inward) => {
  if (closed) return inward.destroy()
  const { hostname, port } = new URL(here.url)
  const outward = connect(port, hostname)
  ways.add(inward)
  const end = () => (ways.delete(inward), inward.destroy(), outward.destroy())
  for (const side of [inward, outward]) side.on('error', end).on('close', end)
  inward.pipe(outward).pipe(inward)
})
await once(forwarder.listen(0, '127.0.0.1'), 'listening')
const address = `http://127.0.0.1:${forwarder.address().port}`
const cut = () => [...ways].forEach((way) => way.destroy())

async function administer(node, path, body) {
  const headers = { 'x-api-key': adminKey, 'content-type': 'application/json' }
  const response = await fetch(node.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
const sql = (node, query) => administer(node, '/api/database/advance/rawsql', { query })

const room = named('recovery').replaceAll('_', '-')
const channels = [`${room}:one`, `${room}:two`]
await sql(there, `insert into realtime.channels (pattern) values ('${room}:%')`)
let published = 0

/** Publishes by a node: by REST and by SQL in turn, in both channels. */
async function publish(node, count) {
  for (let left = count; left; left--) {
    const [channel, number] = [channels[published % 2], ++published]
    if (number % 3) await administer(node, `/api/realtime/channels/${channel}/messages`, { eventName: 'n', payload: { number } })
    else await sql(node, `select realtime.publish('${channel}', 'n', '{"number": ${number}}')`)
  }
}

async function listener() {
  const realtime = createClient({ baseUrl: address, anonKey }).realtime
  const heard = []
  realtime.on('n', ({ number, meta }) => heard.push([number, meta.channel, meta.offset]))
  for (const channel of channels) {
    const answer = await realtime.subscribe(channel)
    assert.equal(answer.ok, true, JSON.stringify(answer))
  }
  return { realtime, heard, from: published }
}

async function mustHaveHeardAll({ heard, from }) {
  for (let left = 500; left && heard.length < published - from; left--) await pause(20)
  const numbers = (list) => list.map(([number]) => number)
  assert.deepEqual(numbers(heard).sort((a, b) => a - b), Array.from({ length: published - from }, (_, n) => from + n + 1))
  for (const channel of channels) {
    const offsets = heard.filter(([, name]) => name === `realtime:${channel}`).map(([, , offset]) => offset)
    assert.deepEqual(offsets, offsets.map((_, n) => offsets[0] + n), 'in order, without a hole, once')
  }
  await pause(200)
  assert.equal(heard.length, published - from, 'nothing twice')
}

async function isBack({ realtime }) {
  for (let left = 750; left && !realtime.isConnected; left--) await pause(20)
  assert.equal(realtime.isConnected, true)
}

check('what was published while the way was cut comes when the client is back', async () => {
  const one = await listener()
  await publish(here, 4)
  closed = true
  cut()
  await publish(here, 6)
  await publish(there, 5)
  closed = false
  await isBack(one)
  await publish(there, 3)
  await mustHaveHeardAll(one)
  one.realtime.disconnect()
})

check('a client that comes back to the other node has missed nothing', async () => {
  const one = await listener()
  await publish(here, 3)
  for (let turn = 0; turn < 3; turn++) {
    ;[here, there] = [there, here]
    const before = one.realtime.socketId
    cut()
    await publish(here, 4)
    while (one.realtime.socketId === before || !one.realtime.isConnected) await pause(10)
    await publish(there, 2)
  }
  await mustHaveHeardAll(one)
  one.realtime.disconnect()
})

check('a client whose node is killed has missed nothing, though it had heard nothing yet', async () => {
  ;[here, there] = nodes
  const one = await listener()
  await publish(here, 3)
  const late = await listener()
  const publishing = publish(there, 30)
  await pause(20)
  process.kill(here.pid, 'SIGKILL')
  closed = true
  ;[here, there] = [there, here]
  await publishing
  await publish(here, 6)
  closed = false
  await Promise.all([isBack(one), isBack(late)])
  await publish(here, 4)
  await mustHaveHeardAll(one)
  await mustHaveHeardAll(late)
  one.realtime.disconnect()
  late.realtime.disconnect()
})

afterAll(() => {
  cut()
  forwarder.close()
})
await run('@insforge/sdk')
