/**
 * What the shebang of `bin/massa-storage.js` gives to Node, for who starts Node itself.
 *
 * glibc raises this threshold by itself once blocks of some 100 kB were freed, and then keeps what periods took: held at
 * its first value, such blocks go back to the system. Other allocators ignore it.
 */
export const ALLOCATOR_SETTINGS = { MALLOC_MMAP_THRESHOLD_: '131072' } as const

/**
 * Arguments for Node, from the same line: V8 lets the youngest objects take three times 16 MB before it looks at them,
 * and each block in hand is held by a few of them. Threads have limits of their own.
 */
export const HEAP_SETTINGS = ['--max-semi-space-size=4'] as const
