import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Clients that keep to no manners, and what became of them. */
export class Load {
  readonly counts = new Map<string, number>()
  private readonly port: number
  private readonly sockets = new Set<Socket>()
  private isOver = false

  constructor(port: number) {
    this.port = port
  }

  /** Connections that are open now. */
  get open(): number {
    return this.sockets.size
  }

  /** Connections that ask nothing; one that is closed is opened again. */
  idle(count: number): void {
    for (let i = 0; i < count; i++) this.keep('idle', '')
  }

  /** Readers of an answer without end, or of a long one, who read nothing; one who is cut off comes again. */
  neverRead(count: number, path: string): void {
    for (let i = 0; i < count; i++) this.keep('reader', `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  }

  /** Clients who go on sending heads of requests that are too long. */
  flood(count: number): void {
    const head = `GET /health HTTP/1.1\r\nhost: localhost\r\n${'x-flood: 1\r\n'.repeat(4_000)}`
    for (let i = 0; i < count; i++) this.keep('flood', head)
  }

  /** Clients who ask one thing after the other. */
  ask(count: number, listPaths: () => readonly (readonly [string, Readonly<Record<string, string>>])[]): void {
    const go = async () => {
      while (!this.isOver) {
        for (const [path, headers] of listPaths()) {
          const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
            // Held to a rate of their own: who measures is to be answered.
            headers: { ...headers, 'x-forwarded-for': '203.0.113.7' },
          }).catch(() => undefined)
          await answer?.arrayBuffer().catch(() => undefined)
          this.count(`asked: ${answer?.status ?? 'closed'}`)
          if (this.isOver) return
        }
      }
    }
    for (let i = 0; i < count; i++) void go()
  }

  async end(): Promise<void> {
    this.isOver = true
    const closed = [...this.sockets].map((socket) => once(socket, 'close'))
    for (const socket of this.sockets) socket.destroy()
    await Promise.all(closed)
  }

  private keep(name: string, text: string): void {
    if (this.isOver) return
    const socket = connect({ host: '127.0.0.1', port: this.port })
    this.sockets.add(socket)
    socket.on('error', () => undefined)
    // Who does not read hears of no end.
    if (name === 'idle') socket.resume()
    else if (name === 'flood') {
      socket.once('data', (bytes: Buffer) => this.count(`flood: ${bytes.toString('latin1', 9, 12)}`))
    } else if (name === 'reader') {
      // The first bytes say whether he was taken; he reads no more than these.
      socket.once('data', (bytes: Buffer) => {
        this.count(`reader: ${bytes.toString('latin1', 9, 12)}`)
        socket.pause()
      })
    }
    socket.once('connect', () => socket.write(text))
    // A socket that is paused does not hear that the other side closed: a byte finds out.
    const probe = setInterval(() => socket.write('\n'), 5_000)
    if (name !== 'reader') clearInterval(probe)
    socket.once('close', () => {
      clearInterval(probe)
      this.sockets.delete(socket)
      this.count(`${name}: cut off`)
      setTimeout(() => this.keep(name, text), 1_000)
    })
  }

  private count(what: string): void {
    if (!this.isOver) this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}
