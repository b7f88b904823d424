import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Both ends of a TCP connection over loopback, as the one who accepted it sees them. */
export interface LoopbackEnds {
  readonly localPort: number
  readonly remotePort: number
}

/** Whether this machine says which process has which connection: Linux does. */
export function tellsSocketOwners(): boolean {
  return process.platform === 'linux'
}

/**
 * Which of some processes of this user opened a connection over IPv4, by /proc (Linux, proc_pid_net and proc_pid_fd).
 *
 * @param pids - by name
 * @returns its name; undefined when it is none of them, or has closed it by now
 */
export function findSocketOwner(
  { localPort, remotePort }: LoopbackEnds,
  pids: ReadonlyMap<string, number>,
): string | undefined {
  const inode = findInode(readFileSync('/proc/net/tcp', 'utf8'), { localPort: remotePort, remotePort: localPort })
  if (inode === undefined) return undefined
  const link = `socket:[${inode}]`
  return Array.from(pids).find(([, pid]) => listLinks(`/proc/${pid}/fd`).includes(link))?.[0]
}

/** A row is `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`, with ports in hex. */
export function findInode(table: string, { localPort, remotePort }: LoopbackEnds): string | undefined {
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/))
  const isPort = (address: string | undefined, port: number): boolean => {
    return Number.parseInt(address?.split(':')[1] ?? '', 16) === port
  }
  return rows.find(([, local, remote]) => isPort(local, localPort) && isPort(remote, remotePort))?.[9]
}

function listLinks(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((name) => {
      try {
        return [readlinkSync(`${directory}/${name}`)]
      } catch {
        // Closed since it was listed.
        return []
      }
    })
  } catch {
    // The process has ended.
    return []
  }
}
