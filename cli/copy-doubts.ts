import * as z from 'zod'

/** Why what a node says it holds does not count as a copy. */
export const copyDoubt = z.enum(['unshown', 'otherRoots', 'otherPlacement', 'tooSmall'])

/** The same for people, about the node. */
export const COPY_DOUBTS: { readonly [D in z.infer<typeof copyDoubt>]: string } = {
  unshown: 'it did not show what it was audited for',
  otherRoots: 'its archive has other roots than this one',
  otherPlacement: 'it goes by another placement than this one',
  tooSmall: 'its disk is smaller than what it is registered with',
}
