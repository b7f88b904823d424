import { ArchiveError } from '../core/index.ts'

/**
 * A loop handles what can go wrong around it; what it throws all the same is a bug, and whoever runs it has to know.
 *
 * @param onBug - takes ARCHIVER_LOOP_FAILED with the cause
 * @returns resolves when the loop has ended, either way
 */
export async function guardLoop(
  name: string,
  loop: Promise<void>,
  onBug: (error: ArchiveError) => void,
): Promise<void> {
  try {
    await loop
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    onBug(new ArchiveError('ARCHIVER_LOOP_FAILED', `the loop '${name}' ended: ${reason}`, { loop: name }, cause))
  }
}
