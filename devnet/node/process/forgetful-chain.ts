import { slotIndex } from '../../../core/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import type { KnownOperation } from '../chain/known-operation.ts'

/**
 * The chain as a node shows it that was restarted when the slot of `forgottenIndex` was the last final one: what became
 * final before is known as state, its blocks, operations and events are gone.
 */
export function forgetHistory(chain: DevnetChain, forgottenIndex: number): DevnetChain {
  const knows = (index: number) => index > forgottenIndex
  const knownBlock = (id: string) => {
    const block = chain.findBlock(id)
    return block && knows(block.slotIndex) ? block : undefined
  }
  const isKnown = (operation: KnownOperation) =>
    operation.receivedIndex > forgottenIndex || operation.inBlocks.some((id) => knownBlock(id))
  const view: Partial<DevnetChain> = {
    findBlock: knownBlock,
    listBlocks: (from, to) => chain.listBlocks(Math.max(from, forgottenIndex + 1), to),
    findCliqueBlock: (index) => (knows(index) ? chain.findCliqueBlock(index) : undefined),
    get events() {
      return chain.events.filter(({ event }) => knows(slotIndex(event.slot)))
    },
    get operations() {
      return new KnownOperations(chain.operations, isKnown)
    },
  }
  return new Proxy(chain, {
    get: (target, key) => {
      if (Object.hasOwn(view, key)) return Reflect.get(view, key)
      const value: unknown = Reflect.get(target, key, target)
      // State is written to the chain itself, never to this view of it.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Those of a map that are still known; copied only by who asks for all. */
class KnownOperations extends Map<string, KnownOperation> {
  private readonly all: ReadonlyMap<string, KnownOperation>
  private readonly isKnown: (operation: KnownOperation) => boolean

  constructor(all: ReadonlyMap<string, KnownOperation>, isKnown: (operation: KnownOperation) => boolean) {
    super()
    this.all = all
    this.isKnown = isKnown
  }

  override get(id: string): KnownOperation | undefined {
    const operation = this.all.get(id)
    return operation && this.isKnown(operation) ? operation : undefined
  }

  override has(id: string): boolean {
    return this.get(id) !== undefined
  }

  override get size(): number {
    return [...this.entries()].length
  }

  override *entries(): MapIterator<[string, KnownOperation]> {
    for (const [id, operation] of this.all) if (this.isKnown(operation)) yield [id, operation]
  }

  override *keys(): MapIterator<string> {
    for (const [id] of this.entries()) yield id
  }

  override *values(): MapIterator<KnownOperation> {
    for (const [, operation] of this.entries()) yield operation
  }

  override [Symbol.iterator](): MapIterator<[string, KnownOperation]> {
    return this.entries()
  }

  override forEach(visit: (value: KnownOperation, key: string, map: Map<string, KnownOperation>) => void): void {
    for (const [id, operation] of this.entries()) visit(operation, id, this)
  }
}
