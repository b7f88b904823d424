/** What kind of failure a code stands for: it decides exit code, stack trace and retry. */
export type ErrorKind = 'input' | 'transient' | 'permanent' | 'bug'

/** What is known of a code. */
export interface ErrorEntry {
  readonly kind: ErrorKind
  /** When it happens, as one sentence. */
  readonly when: string
  /** What whoever sees it should do. */
  readonly action: string
}
