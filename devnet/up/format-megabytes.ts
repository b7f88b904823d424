const MEGABYTE = 1_000_000

/** Of 10^6 bytes; `0.4 MB`. */
export function formatMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`
}
