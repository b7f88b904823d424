import { ArchiveError } from '../core/errors.ts'
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts'
import { describeFailure } from './report-failure.ts'

/** What happens once nobody takes what is printed. */
export interface OutputWatch {
  /**
   * Ends a command that has something to put away, with this exit code, where else the process ends at once. It may be
   * called again.
   */
  onBroken: ((exitCode: number) => void) | undefined
}

/** `list-chunks | head` ends quietly, `list-chunks > /dev/full` with a code; the daemon goes on without its log. */
export function watchOutputs(isDaemon: boolean, json: boolean): OutputWatch {
  const watch: OutputWatch = { onBroken: undefined }
  const end = (exitCode: number): void => {
    if (isDaemon) return
    if (watch.onBroken) watch.onBroken(exitCode)
    else process.exit(exitCode)
  }
  process.stderr.on('error', () => end(EXIT_CODES.failed.code))
  let said = false
  process.stdout.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
    const isPipe = code === 'EPIPE'
    const failure = new ArchiveError('CLI_OUTPUT_FAILED', `standard output cannot be written (${code})`, { code })
    // A daemon meets it at every line of its log.
    if (!isPipe && !said) reportFailure(failure, json)
    said = true
    end(isPipe ? EXIT_CODES.ok.code : exitCodeOf(failure))
  })
  return watch
}

/** @returns the exit code */
export function reportFailure(error: unknown, json: boolean): number {
  process.stderr.write(`${describeFailure(error, json)}\n`)
  return exitCodeOf(error)
}
