// The peers of fanout.py and sockets_health.py: socket.io and ws, as their documentation says, with one room.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'

const { PORT, KIND } = process.env
const SENDER = randomUUID()
const http = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{"status":"ok"}')
})
// Beside a message's own fields every server tells the same things about it.
const told = (channel, payload) => ({
  ...payload,
  meta: { channel, messageId: randomUUID(), senderType: 'user', senderId: SENDER, timestamp: new Date().toISOString() },
})

if (KIND === 'socket.io') {
  const { Server } = await import('socket.io')
  const io = new Server(http, { transports: ['websocket'] })
  io.on('connection', (socket) => {
    socket.on('realtime:subscribe', ({ channel }, answer) => {
      socket.join(channel)
      answer({ ok: true, channel })
    })
    socket.on('realtime:publish', ({ channel, event, payload }) => {
      io.to(channel).emit(event, told(`realtime:${channel}`, payload))
    })
  })
} else {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ server: http, clientTracking: true })
  server.on('connection', (socket) => {
    socket.on('message', (text) => {
      const frame = Buffer.from(JSON.stringify(['bench', told('realtime:bench', JSON.parse(text))]))
      for (const each of server.clients) each.send(frame, { binary: false })
    })
  })
}
http.listen(Number(PORT), '127.0.0.1')
