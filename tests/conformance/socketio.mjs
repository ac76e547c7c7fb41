/** socket.io-client as it is published: every transport, acknowledgements both ways, binary, refusals, reconnection. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

import { io, Manager } from 'socket.io-client'

import { afterAll, check, run, url } from './kit.mjs'

const WAYS = [['websocket'], ['polling'], ['polling', 'websocket']]
const open = []
afterAll(() => open.forEach((socket) => socket.disconnect()))

function client(options = {}) {
  const socket = io(url, { forceNew: true, transports: ['websocket'], reconnection: false, ...options })
  open.push(socket)
  return socket
}

async function connected(options) {
  const socket = client(options)
  const failed = once(socket, 'connect_error').then(([error]) => Promise.reject(error))
  await Promise.race([once(socket, 'connect'), failed])
  return socket
}

/** What `work` finds out about a client of each way to connect. */
async function byEveryWay(work) {
  for (const transports of WAYS) {
    const socket = await connected({ transports })
    try {
      await work(socket, transports)
    } finally {
      socket.disconnect()
    }
  }
}

const ask = (socket, event, ...args) => socket.timeout(3000).emitWithAck(event, ...args)

check('connects by WebSocket only', async () => {
  const socket = await connected()
  assert.equal(socket.io.engine.transport.name, 'websocket')
  assert.equal(socket.id.length, 20)
})

check('connects by polling only', async () => {
  const socket = await connected({ transports: ['polling'] })
  assert.equal(socket.io.engine.transport.name, 'polling')
  assert.deepEqual(await ask(socket, 'echo', 'a'), 'a')
})

check('goes from polling to WebSocket, and loses nothing on the way', async () => {
  const socket = client({ transports: ['polling', 'websocket'] })
  const said = []
  socket.on('said', (number) => said.push(number))
  await once(socket, 'connect')
  await ask(socket, 'join', 'upgrade')
  const speaker = await connected()
  for (let number = 0; number < 200; number++) {
    speaker.emit('say', 'upgrade', number)
    if (number % 10 === 0) await pause(1)
  }
  while (said.length < 200) await pause(5)
  assert.deepEqual(said, [...Array(200).keys()])
  assert.equal(socket.io.engine.transport.name, 'websocket')
})

check('acknowledges events', () =>
  byEveryWay(async (socket) => {
    assert.deepEqual(await ask(socket, 'echo', { deep: [1, 'ü', null] }), { deep: [1, 'ü', null] })
  }),
)

check('acknowledges what the server asks', () =>
  byEveryWay(async (socket) => {
    socket.on('question', (word, answer) => answer(word + '!'))
    assert.equal(await ask(socket, 'ask', 'well'), 'well!')
  }),
)

check('carries binary both ways', () =>
  byEveryWay(async (socket) => {
    const content = Buffer.from([0, 1, 2, 255])
    const { file, name } = await ask(socket, 'echo', { file: content, name: 'x' })
    assert.equal(name, 'x')
    assert.deepEqual(Buffer.from(file), content)
    socket.emit('echo', content, [content])
    const [one, [other]] = await once(socket, 'echo')
    assert.deepEqual([Buffer.from(one), Buffer.from(other)], [content, content])
  }),
)

check('asks binary questions', () =>
  byEveryWay(async (socket) => {
    socket.on('question', (content, answer) => answer(content))
    const content = Buffer.from('bytes')
    assert.deepEqual(Buffer.from(await ask(socket, 'ask', content)), content)
  }),
)

check('an acknowledgement comes behind what was told before it', () =>
  byEveryWay(async (socket) => {
    const order = []
    socket.on('said', () => order.push('said'))
    await ask(socket, 'join', 'order')
    await ask(socket, 'say', 'order', 1).then(() => order.push('acknowledged'))
    assert.deepEqual(order, ['said', 'acknowledged'])
    await ask(socket, 'leave', 'order')
  }),
)

check('refuses a bad token with its reason', async () => {
  for (const transports of WAYS) {
    const socket = client({ transports, auth: { token: 'bad' } })
    const [error] = await once(socket, 'connect_error')
    assert.equal(error.message, 'Invalid token')
    assert.deepEqual(error.data, { code: 'AUTH_UNAUTHORIZED' })
    socket.disconnect()
  }
})

check('takes a good token, also from a function', async () => {
  await connected({ auth: { token: 'good' } })
  await connected({ auth: (tell) => tell({ token: 'good' }) })
})

check('refuses other namespaces', async () => {
  const manager = new Manager(url, { transports: ['websocket'], reconnection: false })
  const [root, other] = [manager.socket('/'), manager.socket('/admin')]
  open.push(root, other)
  const [error] = await once(other, 'connect_error')
  assert.equal(error.message, 'Invalid namespace')
  assert.equal(await ask(root, 'echo', 1), 1)
})

check('stays connected over many heartbeats', async () => {
  const sockets = await Promise.all(WAYS.map((transports) => connected({ transports })))
  await pause(2000)
  for (const socket of sockets) {
    assert.equal(socket.connected, true)
    assert.equal(await ask(socket, 'echo', 1), 1)
  }
})

check('reconnects by itself after a cut, and sends what it had kept', () =>
  (async () => {
    for (const transports of WAYS) {
      const socket = await connected({ transports, reconnection: true, reconnectionDelay: 10 })
      const first = socket.id
      const gone = once(socket, 'disconnect')
      socket.io.engine.close()
      await gone
      const answer = ask(socket, 'echo', 'kept')
      socket.connect()
      assert.equal(await answer, 'kept')
      assert.notEqual(socket.id, first)
      socket.disconnect()
    }
  })(),
)

check('does not come back by itself when it is shown out', async () => {
  for (const transports of WAYS) {
    const socket = await connected({ transports, reconnection: true, reconnectionDelay: 10 })
    socket.emit('kick')
    const [reason] = await once(socket, 'disconnect')
    assert.equal(reason, 'io server disconnect')
    await pause(100)
    assert.equal(socket.connected, false)
  }
})

check('two hundred events keep their order', () =>
  byEveryWay(async (socket) => {
    const came = []
    socket.on('echo', (number) => came.push(number))
    for (let number = 0; number < 190; number++) socket.emit('echo', number)
    while (came.length < 190) await pause(5)
    assert.deepEqual(came, [...Array(190).keys()])
  }),
)

check('a large event arrives whole', () =>
  byEveryWay(async (socket) => {
    const text = 'x'.repeat(60_000)
    assert.equal(await ask(socket, 'echo', text), text)
  }),
)

check('hears no more of a room it has left', async () => {
  const [one, other] = [await connected(), await connected()]
  const heard = []
  one.on('said', (word) => heard.push(word))
  await ask(one, 'join', 'door')
  assert.equal(await ask(other, 'say', 'door', 'in'), 1)
  await ask(one, 'leave', 'door')
  assert.equal(await ask(other, 'say', 'door', 'out'), 0)
  await ask(one, 'echo', 1)
  assert.deepEqual(heard, ['in'])
})

await run()
