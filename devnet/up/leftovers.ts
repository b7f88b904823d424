import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { sep } from 'node:path'
import type { Clock } from '../../core/index.ts'

/** A sidecar that goes on ends within 9.5 s. */
const ENDING_LIMIT_MS = 12_000
const LOOK_MS = 200
/** What every process has that ends with us. */
const CHILD_FLAG = '--with-parent'

/**
 * Lets what a killed network has left go on. Only what was paused is left: everything else has seen its channel close,
 * and so do these now, and end. Nothing is killed: a process that is somebody else's takes no harm.
 *
 * Linux only; on other systems it finds none.
 *
 * @param directory - of a network that does not run
 * @returns the numbers of the processes
 */
export function resumeLeftovers(directory: string): number[] {
  const pids = listProcesses().filter((pid) => isLeftover(pid, directory))
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It has ended since.
    }
  }
  return pids
}

/** The same, and waits for their end: they have the ports and the databases. */
export async function endLeftovers(directory: string, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + ENDING_LIMIT_MS
  while (resumeLeftovers(directory).length > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(LOOK_MS)
}

function listProcesses(): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Told by where it runs and by what it was started with: its number alone says nothing. */
function isLeftover(pid: number, directory: string): boolean {
  try {
    const place = realpathSync(directory)
    const cwd = readlinkSync(`/proc/${pid}/cwd`)
    if (cwd !== place && !cwd.startsWith(`${place}${sep}`)) return false
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(CHILD_FLAG)
  } catch {
    // It has ended, is another user's, or the directory is not there yet.
    return false
  }
}
