/** Levenshtein distance: insertions, deletions and replacements of one character that turn `a` into `b`. */
export function computeEditDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}

/** Two letters that changed places count as two that differ: allowed from this length on. */
const MIN_SWAPPED_LENGTH = 5
/** A part of the name that somebody remembers: shorter ones stand in too many names. */
const MIN_PART_LENGTH = 4

/**
 * The candidate that was most likely meant; undefined when none is near. A right name in the wrong table (`grpc_urls` for
 * `node.grpc_urls`) is nearer than a different name in the right one. Near is a name of which a third of the letters or
 * less differ, or that contains what was written.
 *
 * @param candidates - dotted paths; the first wins a tie
 */
export function findNearestKey(key: string, candidates: readonly string[]): string | undefined {
  const name = lastPart(key)
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const whole = computeEditDistance(key, candidate)
    const own = computeEditDistance(name, lastPart(candidate))
    const isNear =
      own <= computeLimit(name, lastPart(candidate)) ||
      (name.length >= MIN_PART_LENGTH && lastPart(candidate).includes(name))
    const distance = Math.min(whole, own + 1)
    if (isNear && distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

function computeLimit(a: string, b: string): number {
  const third = Math.max(a.length, b.length) / 3
  return a.length < MIN_SWAPPED_LENGTH ? third : Math.max(2, third)
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1)
}
