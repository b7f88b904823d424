import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/*
 * A TCP proxy that holds every byte for a time, in both directions, and sets no bound to how many are on their way.
 * Arguments: the port that it leads to, and milliseconds. Its own port is told to the parent.
 */

const [port, oneWayMs] = process.argv.slice(2).map(Number)
if (port === undefined || oneWayMs === undefined) throw new Error('where to, and how slowly?')
const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ port, host: '127.0.0.1', noDelay: true })
  pass(near, far)
  pass(far, near)
})

function pass(from: Socket, to: Socket): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), oneWayMs))
  from.on('error', () => to.destroy())
  from.on('close', () => setTimeout(() => to.destroy(), oneWayMs))
}

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())
