import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { isArchiveError } from '../../../core/index.ts'
import { PeerLinks } from '../../../devnet/up/peer-links.ts'
import { findInode, findSocketOwner } from '../../../devnet/up/socket-owner.ts'

const HOST = '127.0.0.1'

/** Dials each port that it is given on its standard input, says what is given behind it, and tells what it hears. */
const DIALLER = `
const lines = require('node:readline').createInterface({ input: process.stdin })
const sockets = new Map()
lines.on('line', (line) => {
  const [port, text] = line.split(' ')
  if (!sockets.has(port)) {
    const socket = require('node:net').connect(Number(port), '127.0.0.1')
    socket.on('data', (bytes) => console.log(port + ' ' + bytes))
    socket.on('close', () => console.log(port + ' closed'))
    socket.on('error', () => undefined)
    sockets.set(port, socket)
  }
  if (text === 'end') sockets.get(port).destroy()
  else sockets.get(port).write(text, () => console.log(port + ' said ' + text))
})
`

/** A process that dials. */
class Dialler {
  private readonly child: ChildProcess
  private readonly heard: string[] = []
  private wake: () => void = () => undefined

  constructor() {
    this.child = spawn(process.execPath, ['-e', DIALLER], { stdio: ['pipe', 'pipe', 'inherit'] })
    assert(this.child.stdout)
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.heard.push(line)
      this.wake()
    })
  }

  get pid(): number {
    assert(this.child.pid)
    return this.child.pid
  }

  say(port: number | undefined, text: string): void {
    this.child.stdin?.write(`${port} ${text}\n`)
  }

  hears(port: number | undefined, text: string): boolean {
    return this.heard.includes(`${port} ${text}`)
  }

  async untilHears(port: number | undefined, text: string): Promise<void> {
    while (!this.hears(port, text)) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  async end(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }
}

describe('devnet/up/peer-links (Linux)', () => {
  const names = ['a', 'b', 'c']
  let diallers: Map<string, Dialler> | undefined
  let listeners: Map<string, Server>
  /** What came in at each. */
  let received: Map<string, string[]>
  let inbound: Socket[]
  let links: PeerLinks

  before(function () {
    if (process.platform !== 'linux') this.skip()
    diallers = new Map(names.map((name) => [name, new Dialler()]))
  })

  after(async () => {
    await Promise.all(Array.from(diallers?.values() ?? [], (dialler) => dialler.end()))
  })

  beforeEach(async () => {
    listeners = new Map()
    received = new Map(names.map((name) => [name, []]))
    inbound = []
    for (const name of names) {
      const server = createServer((socket) => {
        inbound.push(socket)
        socket.on('error', () => undefined)
        socket.on('data', (bytes) => {
          received.get(name)?.push(`${bytes}`)
          socket.write(`${bytes}!`)
        })
      })
      listeners.set(name, server)
      await once(server.listen(0, HOST), 'listening')
    }
    links = new PeerLinks({
      listPids,
      placeOf: (name) => {
        const address = listeners.get(name)?.address() as AddressInfo | undefined
        return address && { host: HOST, port: address.port }
      },
    })
    for (const name of names) await links.open(name, HOST)
  })

  afterEach(async () => {
    links.close()
    for (const socket of inbound) socket.destroy()
    for (const server of listeners.values()) server.close()
  })

  const listPids = () => new Map(Array.from(diallers ?? [], ([name, { pid }]) => [name, pid]))
  const dialler = (name: string): Dialler => {
    const found = diallers?.get(name)
    assert(found)
    return found
  }

  it('lose what crosses the cut, both ways and on new connections too, and bring it once they are whole again', async () => {
    const [a, c] = [dialler('a'), dialler('c')]
    const toB = links.portOf('b')
    a.say(toB, 'before')
    await a.untilHears(toB, 'before!')
    links.part(['a'])
    a.say(toB, 'lost')
    await a.untilHears(toB, 'said lost')
    a.say(links.portOf('c'), 'new')
    // The other way on the same connection.
    for (const socket of inbound) socket.write('answer')
    // Whoever is in the same half hears and is heard: by then what was lost would have come, too.
    for (let i = 0; i < 5; i++) {
      c.say(toB, `beside${i}`)
      await c.untilHears(toB, `beside${i}!`)
    }
    assert.ok(!received.get('b')?.includes('lost'))
    assert.deepEqual(received.get('c'), [])
    assert.ok(!a.hears(toB, 'answer'))
    links.join()
    await a.untilHears(links.portOf('c'), 'new!')
    c.say(toB, 'after')
    await c.untilHears(toB, 'after!')
    assert.ok(received.get('b')?.includes('lost'))
  })

  it('an end that closes while the link is cut is closed at the other end when it is whole again', async () => {
    const a = dialler('a')
    const toB = links.portOf('b')
    a.say(toB, 'before')
    await a.untilHears(toB, 'before!')
    const [far] = inbound
    assert(far)
    let isClosed = false
    const closed = once(far, 'close').then(() => {
      isClosed = true
    })
    links.part(['b', 'c'])
    a.say(toB, 'end')
    await a.untilHears(toB, 'closed')
    const c = dialler('c')
    c.say(toB, 'beside')
    await c.untilHears(toB, 'beside!')
    assert.equal(isClosed, false)
    links.join()
    await closed
  })

  it('who is none of the sidecars reaches all of them', async () => {
    const stranger = new Dialler()
    try {
      links.part(['b'])
      stranger.say(links.portOf('b'), 'hello')
      await stranger.untilHears(links.portOf('b'), 'hello!')
    } finally {
      await stranger.end()
    }
  })

  it('a sidecar that does not run is not reached', async () => {
    listeners.get('b')?.close()
    listeners.delete('b')
    const a = dialler('a')
    a.say(links.portOf('b'), 'hello')
    await a.untilHears(links.portOf('b'), 'closed')
  })

  it('the owner of a connection is found among the processes, and nobody for one that is over', async () => {
    const a = dialler('a')
    const b = listeners.get('b')?.address() as AddressInfo
    const accepted = once(listeners.get('b') as Server, 'connection')
    a.say(b.port, 'hello')
    const [socket] = (await accepted) as [Socket]
    const { localPort = 0, remotePort = 0 } = socket
    const pids = listPids()
    assert.equal(findSocketOwner({ localPort, remotePort }, pids), 'a')
    assert.equal(findSocketOwner({ localPort, remotePort }, new Map([['c', dialler('c').pid]])), undefined)
    assert.equal(findSocketOwner({ localPort: 1, remotePort: 1 }, pids), undefined)
  })
})

describe('devnet/up/socket-owner', () => {
  // As the kernel writes it; 7B0C is 31500.
  const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A2C1 0100007F:7B0C 01 00000000:00000000 00:00000000 00000000     0        0 55501 1 0000000000000000 20 4 30 10 -1
   1: 0100007F:7B0C 0100007F:A2C1 01 00000000:00000000 00:00000000 00000000     0        0 55502 1 0000000000000000 20 4 30 10 -1
`

  it('reads the row of the one end', () => {
    assert.equal(findInode(TABLE, { localPort: 0xa2c1, remotePort: 31_500 }), '55501')
    assert.equal(findInode(TABLE, { localPort: 31_500, remotePort: 0xa2c1 }), '55502')
    assert.equal(findInode(TABLE, { localPort: 31_500, remotePort: 31_500 }), undefined)
  })
})

describe('devnet/up/peer-links', () => {
  it('error: are refused where it cannot be known who opens a connection', () => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform')
    assert(platform)
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    try {
      assert.throws(
        () => new PeerLinks({ listPids: () => new Map(), placeOf: () => undefined }),
        (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'),
      )
    } finally {
      Object.defineProperty(process, 'platform', platform)
    }
  })
})
