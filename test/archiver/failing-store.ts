import { ArchiveError, type ChunkStore, type Spool } from '../../core/index.ts'

export function corrupt(): ArchiveError {
  return new ArchiveError('STORE_VALUE_CORRUPT', 'injected')
}

/** The same store or spool, with these methods in place of its own. */
export function override<T extends ChunkStore | Spool>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(object, name) {
      const own = methods[name as keyof T]
      const value: unknown = own ?? Reflect.get(object, name)
      return typeof value === 'function' ? value.bind(own ? methods : object) : value
    },
  })
}
