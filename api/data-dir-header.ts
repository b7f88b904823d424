/**
 * Header of a request that only whoever has this data directory open may answer, and of the answer that says so.
 *
 * Its value is a name of storage-worker/data-dir-name.ts.
 */
export const DATA_DIR_HEADER = 'massa-storage-data-dir'
