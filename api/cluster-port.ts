/** The whole network as a running sidecar sees it, as far as its operator may ask. Answers are plain JSON. */
export interface ClusterPort {
  /** Undefined when nothing here begins so. @throws ArchiveError CORE_BYTES_INVALID */
  locate(idHex: string): Promise<object | undefined>
  /**
   * Undefined when nothing here can be looked for elsewhere yet.
   *
   * @throws ArchiveError PLACEMENT_NOT_IN_FORCE
   */
  check(onProgress: (progress: object) => void, signal: AbortSignal): Promise<object | undefined>
}
